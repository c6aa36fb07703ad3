/**
 * Whether a message may stand where the host placed it. The host checks the same before placing, so whatever fails here
 * is the host's doing, or its doing together with the sender.
 * @see docs/protocol.md#log
 */
import { sha256 } from '../crypto/hash.ts';
import type { EntryBytes } from '../crypto/log-hash.ts';
import type { EpochVerdict, RosterMember } from '../crypto/roster.ts';
import type { VerifyKey } from '../crypto/signature.ts';
import { bytesEqual } from '../protocol/bytes.ts';
import { type ConversationId, idKey, type RoomId, ZERO_HASH } from '../protocol/identifiers.ts';
import type { MessageHeader } from '../protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import type { Ledger } from './circle.ts';
import type { History } from './history.ts';

export type Judgement =
  | { readonly kind: 'good'; readonly sender: RosterMember }
  /** Sealed before this member came, or by somebody who was gone before they did: it was never for them, and they cannot judge it. */
  | { readonly kind: 'before' }
  | { readonly kind: 'alarm'; readonly code: string; readonly text: string };

export interface JudgedMessage {
  readonly roomId: RoomId;
  readonly conversation: ConversationId;
  readonly header: MessageHeader;
  readonly entry: EntryBytes;
  /** Where the host placed it. */
  readonly index: number;
  readonly sender: RosterMember | undefined;
  readonly verifyKey: VerifyKey | undefined;
}

/** @param history this member's own record, the entry itself included */
export function judgeMessage(message: JudgedMessage, ledger: Ledger, history: History): Judgement {
  const { header, entry, sender, verifyKey } = message;
  const verdict = verdictOf(header, ledger);
  if (verdict === 'before') return { kind: 'before' };
  if (verdict === 'forked') {
    return alarm(
      'roster-forked',
      `The host showed ${sender?.nick ?? 'a member'} another member list than you.`,
    );
  }
  // Of whoever is gone from the room there is nothing to check it by.
  if (verdict === 'good' && ledger.isUnknown(idKey(header.memberId))) return { kind: 'before' };
  if (verdict !== 'good' || sender === undefined) {
    return alarm(
      'stale-placed',
      'The host placed a message sealed for a member list that is not the current one.',
    );
  }
  const holds =
    header.version === PROTOCOL_VERSION &&
    bytesEqual(header.roomId, message.roomId) &&
    bytesEqual(header.conversation, message.conversation) &&
    verifyKey?.verify('sc1/msg', [sha256(entry.header), sha256(entry.ciphertext)], entry.signature) === true;
  if (!holds)
    return alarm('forged', `The host placed a message that ${sender.nick} did not sign for this room.`);
  // Beside the room nobody can tell what the room's list was at this place.
  if (sender.muted && !ledger.isBeside)
    return alarm('muted-placed', `The host placed a message of ${sender.nick}, who is muted.`);
  if (header.seenIndex >= message.index || history.judge(header.seenIndex, header.seenHead) === 'different') {
    return alarm('history-forked', `${sender.nick} and you were shown different histories by the host.`);
  }
  return { kind: 'good', sender };
}

/** How the list that a message was sealed for stands to the one at its place. */
export function verdictOf(
  header: Pick<MessageHeader, 'epoch' | 'rosterHash' | 'conversationEpoch' | 'conversationRosterHash'>,
  { circle, room, isBeside }: Pick<Ledger, 'circle' | 'room' | 'isBeside'>,
): EpochVerdict {
  const { conversationEpoch, conversationRosterHash } = header;
  const ofRoom = room.verdict(header.epoch, header.rosterHash);
  if (!isBeside) {
    const isPlain = conversationEpoch === 0 && bytesEqual(conversationRosterHash, ZERO_HASH);
    return isPlain ? ofRoom : 'ahead';
  }
  // Who of the room is gone is told by the conversation's own log; what the room looked like must be the same for all.
  if (ofRoom === 'forked' || ofRoom === 'ahead') return ofRoom;
  return circle.verdict(conversationEpoch, conversationRosterHash);
}

function alarm(code: string, text: string): Judgement {
  return { kind: 'alarm', code, text };
}
