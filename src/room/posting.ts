/**
 * The host's checks before a message gets its place in the log. It reads the header, never the content; what fails here
 * would raise an alarm at every member, so an alarm always involves the host.
 * @see docs/protocol.md#posting
 */
import { isCiphertextLength } from '../crypto/ciphertext-length.ts';
import { sha256 } from '../crypto/hash.ts';
import { leafHash } from '../crypto/log-hash.ts';
import type { EpochVerdict, Roster } from '../crypto/roster.ts';
import { bytesEqual } from '../protocol/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { type ConversationId, type Hash, idKey, type RoomId, ZERO_HASH } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Post } from '../protocol/session-frames.ts';
import type { MessageHeader } from '../protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import type { Log } from './log.ts';
import type { LogPlace } from './log-place.ts';
import type { Resident } from './resident.ts';

export type PostVerdict =
  | { readonly kind: 'place'; readonly header: MessageHeader; readonly leaf: Hash }
  | { readonly kind: 'known'; readonly header: MessageHeader; readonly index: number }
  | { readonly kind: 'stale' | 'order' | 'muted'; readonly header: MessageHeader };

/** Who reads what is said in a conversation, as of now: the room's list, or that of a conversation beside it. */
export type Circle = Pick<Roster, 'verdict' | 'lastRemovalEpoch'>;

/** The log that a message is for. */
export interface PostContext {
  readonly roomId: RoomId;
  readonly conversation: ConversationId;
  /** The room's, whatever conversation it is. */
  readonly roster: Roster;
  /** Of that conversation: in the room itself, the same. */
  readonly list: Circle;
  readonly place: LogPlace;
  readonly log: Log;
  readonly limits: Limits;
}

/** @throws ProtocolError for what no honest client sends: the connection closes. */
export function judgePost(
  post: Post,
  header: MessageHeader,
  sender: Resident,
  context: PostContext,
): PostVerdict {
  const { roster, list } = context;
  const quoted = quotedOf(header, list !== roster);
  const fits =
    header.version === PROTOCOL_VERSION &&
    bytesEqual(header.roomId, context.roomId) &&
    bytesEqual(header.conversation, context.conversation) &&
    bytesEqual(header.memberId, sender.member.memberId) &&
    isCiphertextLength(post.ciphertext.length);
  if (!fits) throw new ProtocolError('bad-header', "a message header that is not the sender's for this room");
  const signed = [sha256(post.header), sha256(post.ciphertext)];
  if (!sender.verifyKey.verify('sc1/msg', signed, post.signature)) {
    throw new ProtocolError('bad-signature', 'a message whose signature does not hold');
  }

  const { chain } = context.place;
  if (chain === null || chain.chainKey !== idKey(header.chainId)) return { kind: 'order', header };
  const leaf = leafHash(post);
  const known = chain.placed.get(header.n);
  if (known !== undefined && bytesEqual(known.leaf, leaf))
    return { kind: 'known', header, index: known.index };

  if (sender.member.muted) return { kind: 'muted', header };
  const room = roster.verdict(header.epoch, header.rosterHash);
  const epoch = list === roster ? room : list.verdict(quoted.epoch, quoted.hash);
  if (isUnknown(room) || isUnknown(epoch)) {
    throw new ProtocolError(
      'bad-epoch',
      `a message for epoch ${quoted.epoch}, which this room does not have`,
    );
  }
  if (epoch !== 'good' || chain.epoch < list.lastRemovalEpoch) return { kind: 'stale', header };
  if (header.generation > sender.statement.generation)
    throw new ProtocolError('bad-generation', `generation ${header.generation} is not this member's`);
  // It may have waited in one log while a later one was placed in another.
  if (header.generation < sender.quotedGeneration) return { kind: 'stale', header };
  if (context.log.index - header.seenIndex > context.limits.quotedHeadAge) return { kind: 'stale', header };
  const seen = context.log.headAt(header.seenIndex);
  if (seen === null || !bytesEqual(seen, header.seenHead)) {
    throw new ProtocolError('bad-head', `entry ${header.seenIndex} of this log has another head`);
  }
  const follows =
    header.n > chain.lastN &&
    header.n - chain.lastN <= context.limits.ratchetJump &&
    bytesEqual(header.previous, chain.lastLeaf);
  return follows ? { kind: 'place', header, leaf } : { kind: 'order', header };
}

function isUnknown(verdict: EpochVerdict): boolean {
  return verdict === 'forked' || verdict === 'ahead';
}

/** The list that a message was sealed for: beside the room it is the conversation's, and in the room there is none. */
function quotedOf(header: MessageHeader, isBeside: boolean): { readonly epoch: number; readonly hash: Hash } {
  const { conversationEpoch, conversationRosterHash, epoch, rosterHash } = header;
  if (isBeside) return { epoch: conversationEpoch, hash: conversationRosterHash };
  if (conversationEpoch !== 0 || !bytesEqual(conversationRosterHash, ZERO_HASH))
    throw new ProtocolError('bad-header', 'the room itself is no conversation beside it');
  return { epoch, hash: rosterHash };
}
