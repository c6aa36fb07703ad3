/**
 * Whether a message may stand where the host placed it. The host checks the same before placing, so whatever fails here
 * is the host's doing, or its doing together with the sender.
 * @see docs/protocol.md#log
 */
import { sha256 } from '../crypto/hash.ts';
import type { EntryBytes } from '../crypto/log-hash.ts';
import type { Roster, RosterMember } from '../crypto/roster.ts';
import type { VerifyKey } from '../crypto/signature.ts';
import { bytesEqual } from '../protocol/bytes.ts';
import { ROOM_CONVERSATION, type RoomId } from '../protocol/identifiers.ts';
import type { MessageHeader } from '../protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import type { History } from './history.ts';

export type Judgement =
  | { readonly kind: 'good'; readonly sender: RosterMember }
  /** Sealed before this member came: it was never for them, and they cannot judge it. */
  | { readonly kind: 'before' }
  | { readonly kind: 'alarm'; readonly code: string; readonly text: string };

export interface JudgedMessage {
  readonly roomId: RoomId;
  readonly header: MessageHeader;
  readonly entry: EntryBytes;
  /** Where the host placed it. */
  readonly index: number;
  readonly sender: RosterMember | undefined;
  readonly verifyKey: VerifyKey | undefined;
}

/** @param history this member's own record, the entry itself included */
export function judgeMessage(message: JudgedMessage, roster: Roster, history: History): Judgement {
  const { header, entry, sender, verifyKey } = message;
  const verdict = roster.verdict(header.epoch, header.rosterHash);
  if (verdict === 'before') return { kind: 'before' };
  if (verdict === 'forked') {
    return alarm(
      'roster-forked',
      `The host showed ${sender?.nick ?? 'a member'} another member list than you.`,
    );
  }
  if (verdict !== 'good' || sender === undefined) {
    return alarm(
      'stale-placed',
      'The host placed a message sealed for a member list that is not the current one.',
    );
  }
  const holds =
    header.version === PROTOCOL_VERSION &&
    bytesEqual(header.roomId, message.roomId) &&
    bytesEqual(header.conversation, ROOM_CONVERSATION) &&
    verifyKey?.verify('sc1/msg', [sha256(entry.header), sha256(entry.ciphertext)], entry.signature) === true;
  if (!holds)
    return alarm('forged', `The host placed a message that ${sender.nick} did not sign for this room.`);
  if (sender.muted)
    return alarm('muted-placed', `The host placed a message of ${sender.nick}, who is muted.`);
  if (header.seenIndex >= message.index || history.judge(header.seenIndex, header.seenHead) === 'different') {
    return alarm('history-forked', `${sender.nick} and you were shown different histories by the host.`);
  }
  return { kind: 'good', sender };
}

function alarm(code: string, text: string): Judgement {
  return { kind: 'alarm', code, text };
}
