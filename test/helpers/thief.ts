/** Someone who recorded all traffic and got hold of a member's state: what can they open? */
import assert from 'node:assert/strict';
import { openEnvelope } from '../../src/crypto/envelope.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { unwrapChainKey, type WrapKeyPair } from '../../src/crypto/key-wrap.ts';
import { SendingChain } from '../../src/crypto/sender-chain.ts';
import { type Bytes, concatBytes, toHex } from '../../src/protocol/bytes.ts';
import { SealedContent } from '../../src/protocol/content.ts';
import { ciphertext, type Hash, type MemberId } from '../../src/protocol/identifiers.ts';
import { Post, SESSION_FRAME, type Wrap, Wraps } from '../../src/protocol/session-frames.ts';
import { ChainAnnouncement, MessageHeader } from '../../src/protocol/signed-objects.ts';
import { bodiesOf } from './evil-host.ts';
import { liveState } from './live-state.ts';
import type { TestMember } from './member.ts';

/** Further than any chain of these tests goes. */
const STEPS = 40;
const CHAIN_KEY_BYTES = 32;

export interface Loot {
  /** Whatever bytes lay in memory. */
  readonly arrays: readonly Bytes[];
  readonly wrapKeys: readonly {
    readonly pair: WrapKeyPair;
    readonly memberId: MemberId;
    readonly statementHash: Hash;
  }[];
}

/** Everything a member holds: what lies in its memory, and the private keys, which memory shows as handles only. */
export function lootOf(member: TestMember): Loot {
  const { pair, statementHash } = member.wrapKeys.current;
  const { memberId } = member.identity;
  return { arrays: liveState(member.session).arrays, wrapKeys: [{ pair, memberId, statementHash }] };
}

export interface RecordedWrap {
  readonly announcement: ChainAnnouncement;
  readonly announcementHash: Hash;
  readonly wrap: Wrap;
}

/** Every wrap that these members sent, to whomever. */
export function wrapsOf(members: readonly TestMember[]): readonly RecordedWrap[] {
  return members
    .flatMap(({ sent }) => bodiesOf(sent, SESSION_FRAME.wraps))
    .flatMap((body) => {
      const { announcement, wraps } = Wraps.decode(body);
      return wraps.map((wrap) => ({
        announcement: ChainAnnouncement.decode(announcement.bytes),
        announcementHash: sha256(announcement.bytes),
        wrap,
      }));
    });
}

export function postsOf(members: readonly TestMember[]): readonly Post[] {
  return members.flatMap(({ sent }) => bodiesOf(sent, SESSION_FRAME.post)).map((body) => Post.decode(body));
}

/** The chain key in a wrap, by whichever of these keys opens it. */
export function unwrap({ wrap, announcementHash }: RecordedWrap, wrapKeys: Loot['wrapKeys']): Bytes | null {
  for (const { pair, memberId, statementHash } of wrapKeys) {
    const opened = unwrapChainKey({ with: pair, wrapped: wrap, announcementHash, memberId, statementHash });
    if (opened !== null) return opened;
  }
  return null;
}

/** @returns the texts that the loot opens, in order. */
export function texts(loot: Loot, wraps: readonly RecordedWrap[], posts: readonly Post[]): readonly string[] {
  const chains = loot.arrays.filter(({ length }) => length === CHAIN_KEY_BYTES);
  for (const recorded of wraps) {
    const chainKey = unwrap(recorded, loot.wrapKeys);
    if (chainKey !== null) chains.push(chainKey);
  }
  const keys = new Map<string, { readonly key: Bytes; readonly nonce: Bytes }>();
  for (const chainKey of chains) {
    const chain = SendingChain.start(chainKey);
    for (let step = 0; step < STEPS; step += 1) {
      const key = chain.next();
      keys.set(toHex(key.commitment), key);
    }
  }
  return posts.flatMap((post) => {
    const key = keys.get(toHex(MessageHeader.decode(post.header).commitment));
    const body =
      key && openEnvelope({ ...key, header: post.header, ciphertext: ciphertext(post.ciphertext) });
    return body ? [SealedContent.decode(body).text] : [];
  });
}

/**
 * A key and nonce follow from the chain key that a header commits to: no two different messages may name the same.
 * @returns how many keys were used.
 */
export function assertKeysUsedOnce(posts: readonly Post[]): number {
  const used = new Map<string, string>();
  for (const { header, ciphertext: sealed } of posts) {
    const key = toHex(MessageHeader.decode(header).commitment);
    const message = toHex(concatBytes(header, sealed));
    assert.equal(used.get(key) ?? message, message, 'one key for two messages');
    used.set(key, message);
  }
  return used.size;
}
