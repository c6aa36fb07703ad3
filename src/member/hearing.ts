/**
 * What a member holds of the others' sender chains, and how a message is opened with it.
 * @see docs/protocol.md#sender-chains
 */
import { openContent } from '../crypto/content.ts';
import { openEnvelope } from '../crypto/envelope.ts';
import { sha256 } from '../crypto/hash.ts';
import { unwrapChainKey } from '../crypto/key-wrap.ts';
import { chainStart, type EntryBytes } from '../crypto/log-hash.ts';
import type { RosterMember } from '../crypto/roster.ts';
import { chainCommitment, ReceivingChain } from '../crypto/sender-chain.ts';
import { importVerifyKey, type VerifyKey } from '../crypto/signature.ts';
import { type Bytes, bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { SecurityError } from '../protocol/errors.ts';
import {
  type ChainId,
  type ConversationId,
  chainId,
  chainSequence,
  ciphertext,
  type Hash,
  type IdKey,
  idKey,
  type MemberId,
  type RoomId,
} from '../protocol/identifiers.ts';
import type { Wrap } from '../protocol/session-frames.ts';
import { ChainAnnouncement, type MessageHeader } from '../protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import type { Circle } from './circle.ts';
import type { Opening } from './evidence-book.ts';
import type { KnownKeys } from './known-keys.ts';
import { CHAINS_A_SENDER, type SavedState } from './saved-state.ts';
import type { OwnWrapKeys } from './wrap-keys.ts';

interface HeardChain {
  readonly id: ChainId;
  readonly epoch: number;
  readonly sequence: number;
  /** The first message that this member was given the key of. */
  readonly firstN: number;
  readonly receiving: ReceivingChain;
  /** The leaf of the sender's latest placed entry here; `null` when this member cannot know it. */
  lastLeaf: Hash | null;
}

interface Voice {
  /** Older wrap keys of this member are refused. */
  generation: number;
  readonly chains: Map<IdKey, HeardChain>;
  /** Of the latest chain: an earlier one that is not held any more is over, whoever hands its key out again. */
  sequence: number;
}

/** A voice as it is kept beyond the life of a program. A chain opens its message `n` and later ones, none before. */
export type SavedVoice = SavedState['voices'][number];

export type Taken =
  | { readonly kind: 'taken' }
  /** Signed for a roster that this side has not reached yet: offer it again after the next operation. */
  | { readonly kind: 'ahead' }
  /** Of no use, and nobody's fault. */
  | { readonly kind: 'ignored' };

/** A message at its place in the log, its signature checked. */
export interface HeardMessage {
  readonly sender: RosterMember;
  readonly header: MessageHeader;
  readonly entry: EntryBytes;
  readonly leaf: Hash;
}

export type Opened =
  | ({ readonly kind: 'opened' } & Opening)
  | { readonly kind: 'no-key' }
  | { readonly kind: 'fault'; readonly code: string; readonly text: string };

/** In one conversation, the room itself included. */
export class Hearing {
  readonly #roomId: RoomId;
  readonly #conversation: ConversationId;
  readonly #self: MemberId;
  readonly #keys: KnownKeys;
  readonly #voices = new Map<IdKey, Voice>();

  constructor(
    at: { readonly roomId: RoomId; readonly conversation: ConversationId },
    self: MemberId,
    keys: KnownKeys,
  ) {
    this.#roomId = at.roomId;
    this.#conversation = at.conversation;
    this.#self = self;
    this.#keys = keys;
  }

  /** Goes on with what an earlier run held. @throws SecurityError when a key is not within policy */
  restore(voices: readonly SavedVoice[]): void {
    for (const { memberId, algorithm, identityKey, generation, sequence, chains } of voices) {
      const heard = chains.map(({ chainId: id, epoch, firstN, n, chainKey, lastLeaf }) => {
        const receiving = new ReceivingChain({ n, chainKey, commitment: chainCommitment(chainKey) });
        const chain: HeardChain = {
          ...{ id, epoch, firstN, receiving },
          sequence: chainSequence(id),
          lastLeaf: lastLeaf[0] ?? null,
        };
        return [idKey(id), chain] as const;
      });
      const member = idKey(memberId);
      this.#keys.learn(member, importVerifyKey(identityKey, algorithm));
      // As this side stood when it was saved: whoever was gone by then is not among them.
      this.#keys.quoted(member, generation, Number.POSITIVE_INFINITY);
      this.#voices.set(member, {
        generation,
        chains: new Map(heard),
        sequence: sequence[0] ?? -1,
      });
    }
  }

  /** Chain keys among it: the caller overwrites them. */
  save(): SavedVoice[] {
    return [...this.#voices].flatMap(([member, { generation, chains, sequence }]) => {
      const verifyKey = this.#keys.verifyKey(member);
      if (verifyKey === undefined) return [];
      return [
        {
          memberId: verifyKey.memberId,
          algorithm: verifyKey.algorithm,
          identityKey: verifyKey.spki,
          generation,
          sequence: sequence < 0 ? [] : [sequence],
          chains: [...chains.values()].map(({ id, epoch, firstN, receiving, lastLeaf }) => ({
            ...{ chainId: id, epoch, firstN, ...receiving.current() },
            lastLeaf: lastLeaf === null ? [] : [lastLeaf],
          })),
        },
      ];
    });
  }

  /** Nothing more is opened under the chains so far: their senders begin new ones. */
  dropChains(): void {
    for (const { chains } of this.#voices.values()) {
      for (const { receiving } of chains.values()) receiving.erase();
      chains.clear();
    }
  }

  verifyKey(member: IdKey): VerifyKey | undefined {
    return this.#keys.verifyKey(member);
  }

  learn(member: IdKey, verifyKey: VerifyKey): void {
    this.#keys.learn(member, verifyKey);
  }

  /** Of someone whose key is known. */
  #voice(member: IdKey): Voice | undefined {
    const known = this.#voices.get(member);
    if (known !== undefined || this.#keys.verifyKey(member) === undefined) return known;
    const voice: Voice = { generation: 0, chains: new Map(), sequence: -1 };
    this.#voices.set(member, voice);
    return voice;
  }

  /**
   * Takes the chain key that a member wrapped to this one.
   * @throws SecurityError when the announcement is not signed by the member it names, or commits to another key.
   */
  take(signed: Signed, wrap: Wrap, circle: Circle, keys: OwnWrapKeys): Taken {
    const announcement = ChainAnnouncement.decode(signed.bytes);
    if (
      announcement.version !== PROTOCOL_VERSION ||
      !bytesEqual(announcement.roomId, this.#roomId) ||
      !bytesEqual(announcement.conversation, this.#conversation) ||
      !bytesEqual(wrap.memberId, this.#self)
    ) {
      throw new SecurityError('spliced', 'a chain announcement for another room, conversation or member');
    }
    const verdict = circle.verdict(announcement.epoch, announcement.rosterHash);
    if (verdict === 'ahead') return { kind: 'ahead' };
    if (verdict === 'forked') {
      throw new SecurityError(
        'roster-forked',
        'a member announced a chain for a roster that this side never saw',
      );
    }
    const sender = circle.member(idKey(announcement.memberId));
    // `before`: made for this member before they had to begin anew, and still in use for all they know.
    if (verdict === 'stale' || sender === undefined) return { kind: 'ignored' };
    const verifyKey =
      this.verifyKey(sender.key) ?? importVerifyKey(announcement.identityKey, sender.algorithm);
    if (
      !bytesEqual(verifyKey.idFingerprint, sender.identity) ||
      !verifyKey.verify('sc1/chain', signed.bytes, signed.signature)
    ) {
      throw new SecurityError('foreign-key', `a chain announcement that ${sender.nick} did not sign`);
    }
    this.learn(sender.key, verifyKey);
    if (this.#isOver(sender.key, announcement.chainId)) return { kind: 'ignored' };
    const own = keys.find(wrap.generation);
    const announcementHash = sha256(signed.bytes);
    const chainKey =
      own === undefined
        ? null
        : unwrapChainKey({
            with: own.pair,
            wrapped: wrap,
            announcementHash,
            memberId: this.#self,
            statementHash: own.statementHash,
          });
    if (chainKey === null) return { kind: 'ignored' };
    const receiving = receivingChain(sender, announcement, chainKey);
    chainKey.fill(0);
    const id = chainId(announcement.chainId.slice());
    this.#keep(sender.key, idKey(id), {
      id,
      epoch: announcement.epoch,
      sequence: chainSequence(announcement.chainId),
      firstN: announcement.n,
      receiving,
      lastLeaf: announcement.n === 0 ? chainStart(sender.memberId, announcement.chainId) : null,
    });
    return { kind: 'taken' };
  }

  /**
   * Opens a message whose signature and place hold. Moves the sender's chain on only when it opened.
   * @param lastRemovalEpoch a chain begun before it may be known to someone who is gone.
   */
  open(message: HeardMessage, lastRemovalEpoch: number): Opened {
    const { sender, header, entry, leaf } = message;
    const voice = this.#voice(sender.key);
    const signer = this.#keys.verifyKey(sender.key);
    if (voice === undefined || signer === undefined) return { kind: 'no-key' };
    const chain = voice.chains.get(idKey(header.chainId));
    const follows =
      chain === undefined || chain.lastLeaf === null || bytesEqual(chain.lastLeaf, header.previous);
    // Whatever is wrong with it: it has its place, and the next one follows it. Else its sender's fault would look like
    // the host's from here on.
    if (chain !== undefined && header.n >= chain.firstN) chain.lastLeaf = leaf;
    if (header.generation < voice.generation) {
      return fault('old-generation', `${sender.nick} quoted a wrap key older than before`);
    }
    voice.generation = header.generation;
    // A key given late opens what comes after it; messages from before may still be on their way into the log.
    if (chain === undefined || header.n < chain.firstN) return { kind: 'no-key' };
    if (chain.epoch < lastRemovalEpoch) {
      return fault('old-chain', `${sender.nick} still uses keys from before someone was removed`);
    }
    if (!follows) {
      return fault('order', `a message of ${sender.nick} does not follow the one before it`);
    }
    if (header.n < chain.receiving.n)
      return fault('replayed', `a message of ${sender.nick} was placed twice`);
    const key = chain.receiving.peek(header.n);
    if (key === null) return { kind: 'no-key' };
    if (!bytesEqual(key.commitment, header.commitment)) {
      return fault('two-keys', `${sender.nick} gave members different keys for the same message`);
    }
    const body = openEnvelope({
      key: key.key,
      nonce: key.nonce,
      header: entry.header,
      ciphertext: ciphertext(entry.ciphertext),
    });
    key.key.fill(0);
    chain.receiving.commit(header.n);
    forgetBefore(chain, voice);
    if (body === null)
      return fault('unreadable', `a message of ${sender.nick} does not open under the key it names`);
    const content = openContent(body, header.content);
    return content === null
      ? fault('unreadable', `${sender.nick} sent something this version cannot read`)
      : { kind: 'opened', content, body, signer };
  }

  /** Some entries were passed over: what each sender placed last is not known any more. */
  skipped(): void {
    for (const { chains } of this.#voices.values())
      for (const chain of chains.values()) chain.lastLeaf = null;
  }

  /** Someone is gone: their keys go too. */
  forget(member: IdKey): void {
    for (const chain of this.#voices.get(member)?.chains.values() ?? []) chain.receiving.erase();
    this.#voices.delete(member);
  }

  eraseAll(): void {
    for (const member of [...this.#voices.keys()]) this.forget(member);
  }

  /** A chain that was given up here: its recorded key must not open its recorded messages a second time. */
  #isOver(member: IdKey, chain: ChainId): boolean {
    const voice = this.#voices.get(member);
    if (voice === undefined || voice.chains.has(idKey(chain))) return false;
    return chainSequence(chain) <= voice.sequence;
  }

  #keep(member: IdKey, chainKey: IdKey, chain: HeardChain): void {
    const voice = this.#voice(member);
    if (voice === undefined) return;
    const { chains } = voice;
    const before = chains.get(chainKey);
    // The same chain again, asked for by NEEDKEY: what is already known of it stays known.
    if (before !== undefined) {
      if (before.receiving.n >= chain.receiving.n) return chain.receiving.erase();
      before.receiving.erase();
      chains.delete(chainKey);
    }
    chains.set(chainKey, chain);
    voice.sequence = Math.max(voice.sequence, chain.sequence);
    for (const [oldest, old] of chains) {
      if (chains.size <= CHAINS_A_SENDER) break;
      old.receiving.erase();
      chains.delete(oldest);
    }
  }
}

/** @throws SecurityError `two-keys` when the key is not the one that the sender signed for. */
function receivingChain(
  sender: RosterMember,
  { n, commitment }: ChainAnnouncement,
  chainKey: Bytes,
): ReceivingChain {
  try {
    return new ReceivingChain({ n, chainKey, commitment });
  } catch (error) {
    if (!(error instanceof SecurityError)) throw error;
    throw new SecurityError('two-keys', `${sender.nick} gave you another key than the one they announced`);
  }
}

/** The host places nothing on a sender's earlier chains any more: their keys go. */
function forgetBefore(chain: HeardChain, { chains }: Voice): void {
  for (const [key, earlier] of chains) {
    if (earlier.sequence >= chain.sequence) continue;
    earlier.receiving.erase();
    chains.delete(key);
  }
}

function fault(code: string, text: string): Opened {
  return { kind: 'fault', code, text };
}
