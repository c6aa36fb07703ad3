/**
 * The host's checks before a message gets its place in the log. It reads the header, never the content; what fails here
 * would raise an alarm at every member, so an alarm always involves the host.
 * @see docs/protocol.md#posting
 */
import { isCiphertextLength } from '../crypto/ciphertext-length.ts';
import { sha256 } from '../crypto/hash.ts';
import { leafHash } from '../crypto/log-hash.ts';
import type { Roster } from '../crypto/roster.ts';
import { bytesEqual } from '../protocol/bytes.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { type Hash, idKey, ROOM_CONVERSATION, type RoomId } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Post } from '../protocol/session-frames.ts';
import { MessageHeader } from '../protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import type { Log } from './log.ts';
import type { Resident } from './resident.ts';

export type PostVerdict =
  | { readonly kind: 'place'; readonly header: MessageHeader; readonly leaf: Hash }
  | { readonly kind: 'known'; readonly header: MessageHeader; readonly index: number }
  | { readonly kind: 'stale' | 'order' | 'muted'; readonly header: MessageHeader };

export interface PostContext {
  readonly roomId: RoomId;
  readonly roster: Roster;
  readonly log: Log;
  readonly limits: Limits;
}

/** @throws ProtocolError for what no honest client sends: the connection closes. */
export function judgePost(post: Post, sender: Resident, context: PostContext): PostVerdict {
  const header = MessageHeader.decode(post.header);
  const fits =
    header.version === PROTOCOL_VERSION &&
    bytesEqual(header.roomId, context.roomId) &&
    bytesEqual(header.conversation, ROOM_CONVERSATION) &&
    bytesEqual(header.memberId, sender.member.memberId) &&
    isCiphertextLength(post.ciphertext.length);
  if (!fits) throw new ProtocolError('bad-header', "a message header that is not the sender's for this room");
  const signed = [sha256(post.header), sha256(post.ciphertext)];
  if (!sender.verifyKey.verify('sc1/msg', signed, post.signature)) {
    throw new ProtocolError('bad-signature', 'a message whose signature does not hold');
  }

  const chain = sender.chain;
  if (chain === null || chain.chainKey !== idKey(header.chainId)) return { kind: 'order', header };
  const leaf = leafHash(post);
  const known = chain.placed.get(header.n);
  if (known !== undefined && bytesEqual(known.leaf, leaf))
    return { kind: 'known', header, index: known.index };

  if (sender.member.muted) return { kind: 'muted', header };
  const epoch = context.roster.verdict(header.epoch, header.rosterHash);
  if (epoch === 'forked' || epoch === 'ahead') {
    throw new ProtocolError(
      'bad-epoch',
      `a message for epoch ${header.epoch}, which this room does not have`,
    );
  }
  if (epoch !== 'good' || chain.epoch < context.roster.lastRemovalEpoch) return { kind: 'stale', header };
  if (header.generation < sender.quotedGeneration || header.generation > sender.statement.generation) {
    throw new ProtocolError('bad-generation', `generation ${header.generation} is not this member's`);
  }
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
