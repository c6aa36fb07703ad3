/**
 * The one-way chains that message keys come from. Code of the host's side may not import this file.
 *
 * House rule: each step overwrites the value before it, so a state after n messages derives none of the keys 0..n-1.
 * Keys handed out belong to the caller, who wipes them after use.
 * @see docs/protocol.md#sender-chains
 */
import { type Bytes, bytesEqual, utf8 } from '../protocol/bytes.ts';
import { SecurityError } from '../protocol/errors.ts';
import type { Hash } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import { hkdf, hmacSha256, sha256 } from './hash.ts';
import { AES_KEY_BYTES, GCM_NONCE_BYTES } from './primitives.ts';

const COMMITMENT_DOMAIN = utf8.encode('sc1/ck');
const CHAIN_KEY_BYTES = 32;
const MESSAGE_STEP = Uint8Array.of(1);
const CHAIN_STEP = Uint8Array.of(2);
const NO_SALT = new Uint8Array();

/** What seals or opens message `n`. */
export interface MessageKey {
  readonly n: number;
  /** H("sc1/ck" ‖ ck_n), as the message's header must quote it. */
  readonly commitment: Hash;
  /** 32 bytes. */
  readonly key: Bytes;
  /** 12 bytes. */
  readonly nonce: Bytes;
}

/** H("sc1/ck" ‖ chain key): what a sender signs, so that handing members different keys leaves proof. */
export function chainCommitment(chainKey: Bytes): Hash {
  return sha256(COMMITMENT_DOMAIN, chainKey);
}

function messageKey(chainKey: Bytes, n: number): MessageKey {
  const seed = hmacSha256(chainKey, MESSAGE_STEP);
  const derived = hkdf(seed, NO_SALT, 'sc1/msg', AES_KEY_BYTES + GCM_NONCE_BYTES);
  const step = {
    n,
    commitment: chainCommitment(chainKey),
    key: derived.slice(0, AES_KEY_BYTES),
    nonce: derived.slice(AES_KEY_BYTES),
  };
  seed.fill(0);
  derived.fill(0);
  return step;
}

/** Moves `chainKey` one step on, in place. */
function advance(chainKey: Bytes): void {
  const next = hmacSha256(chainKey, CHAIN_STEP);
  chainKey.set(next);
  next.fill(0);
}

/** @returns a copy of its own, so that the caller can wipe theirs and the chain its. */
function copyChainKey(chainKey: Bytes): Bytes {
  if (chainKey.length !== CHAIN_KEY_BYTES) throw new RangeError('a chain key is 32 bytes');
  return new Uint8Array(chainKey);
}

/** A member's own chain in one conversation. Lives in memory only. */
export class SendingChain {
  readonly #chainKey: Bytes;
  #n: number;

  private constructor(chainKey: Bytes, n: number) {
    this.#chainKey = chainKey;
    this.#n = n;
  }

  /** @param chainKey 32 random bytes; copied */
  static start(chainKey: Bytes, n = 0): SendingChain {
    return new SendingChain(copyChainKey(chainKey), n);
  }

  /** The number the next message will have. */
  get n(): number {
    return this.#n;
  }

  /** What is announced and wrapped: opens message `n` and later ones. The copy is the caller's to wipe. */
  current(): { readonly n: number; readonly chainKey: Bytes; readonly commitment: Hash } {
    return {
      n: this.#n,
      chainKey: new Uint8Array(this.#chainKey),
      commitment: chainCommitment(this.#chainKey),
    };
  }

  /** The key for the next message. The chain cannot give it again: no (key, nonce) pair is used twice. */
  next(): MessageKey {
    const step = messageKey(this.#chainKey, this.#n);
    advance(this.#chainKey);
    this.#n += 1;
    return step;
  }
}

/**
 * Someone else's chain. Opening takes two steps, because a forged message must not move it: `peek(n)` derives the key
 * and changes nothing; `commit(n)` moves past n, once message n has opened.
 *
 * Entries come in log order, so n only grows and no skipped keys are kept: what was skipped is gone.
 */
export class ReceivingChain {
  readonly #chainKey: Bytes;
  #n: number;
  #erased = false;

  /**
   * @param start.chainKey ck_n, 32 bytes, as unwrapped; copied
   * @param start.commitment what the sender's signed announcement or header says of ck_n
   * @throws SecurityError `chain-commitment` when the key is not the one committed to
   */
  constructor(start: { readonly n: number; readonly chainKey: Bytes; readonly commitment: Hash }) {
    this.#chainKey = copyChainKey(start.chainKey);
    this.#n = start.n;
    if (!bytesEqual(chainCommitment(this.#chainKey), start.commitment)) {
      this.erase();
      throw new SecurityError('chain-commitment', 'a chain key is not the one its sender signed for');
    }
  }

  /** The lowest message number this chain still opens. */
  get n(): number {
    return this.#n;
  }

  /** What a later program goes on with: it opens message `n` and later ones, none before. The copy is the caller's to wipe. */
  current(): { readonly n: number; readonly chainKey: Bytes } {
    return { n: this.#n, chainKey: new Uint8Array(this.#chainKey) };
  }

  /**
   * @returns the key for message `n`, or `null` when n is behind the chain, further ahead than a jump may be, or the
   * chain is erased. The chain itself stays where it is.
   */
  peek(n: number): MessageKey | null {
    if (!this.#reaches(n)) return null;
    const chainKey = new Uint8Array(this.#chainKey);
    for (let at = this.#n; at < n; at += 1) advance(chainKey);
    const step = messageKey(chainKey, n);
    chainKey.fill(0);
    return step;
  }

  /**
   * Moves the chain past message `n`, for good.
   * @throws RangeError when `peek(n)` would have been `null`
   */
  commit(n: number): void {
    if (!this.#reaches(n)) throw new RangeError(`this chain cannot move past message ${n}`);
    while (this.#n <= n) {
      advance(this.#chainKey);
      this.#n += 1;
    }
  }

  erase(): void {
    this.#chainKey.fill(0);
    this.#erased = true;
  }

  #reaches(n: number): boolean {
    return !this.#erased && Number.isSafeInteger(n) && n >= this.#n && n - this.#n <= LIMITS.ratchetJump;
  }
}
