/** What a room that ends with its host's process leaves with anyone: its logs, for as long as it runs. */
import { startHead } from '../crypto/log-hash.ts';
import { ROOM_CONVERSATION, type RoomId } from '../protocol/identifiers.ts';
import { conversationLimits, type Limits } from '../protocol/limits.ts';
import type { RoomStore } from '../room/store.ts';
import { MemoryLog } from './memory-log.ts';

const nothing = (): void => {};

export function memoryStore(roomId: RoomId, limits: Limits): RoomStore {
  return {
    log: new MemoryLog(startHead(roomId, ROOM_CONVERSATION), limits),
    openLog: (beside) => new MemoryLog(startHead(roomId, beside), conversationLimits(limits)),
    kept: null,
    saveRoster: nothing,
    saveEra: nothing,
    saveMember: nothing,
    saveProgress: nothing,
    forgetMember: nothing,
    saveInvitation: nothing,
    saveBans: nothing,
    saveMutes: nothing,
    keepWrap: nothing,
    dropWraps: nothing,
    saveConversation: nothing,
    forgetConversation: nothing,
    savePlace: nothing,
    forgetPlace: nothing,
    saveConversationEra: nothing,
    saveDeposit: nothing,
    forgetDeposit: nothing,
  };
}
