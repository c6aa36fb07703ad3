/**
 * A member's own wrap keys: the current generation, and the ones before it for wraps already under way.
 * @see docs/protocol.md#wrap-keys
 */
import { sha256 } from '../crypto/hash.ts';
import {
  exportWrapKeys,
  type WrapKeyPair,
  type WrapPrivateBytes,
  wrapKeysFromPrivate,
} from '../crypto/key-wrap.ts';
import type { SigningKey } from '../crypto/signature.ts';
import { makeStatement } from '../crypto/statement.ts';
import type { Signed } from '../protocol/codec.ts';
import type { Hash, RoomId } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';

export interface WrapGeneration {
  readonly generation: number;
  readonly pair: WrapKeyPair;
  readonly statement: Signed;
  readonly statementHash: Hash;
  readonly madeAtMs: number;
}

/** A generation as it is kept beyond the life of a program; of the present one `dropAtMs` is 0. */
export interface SavedGeneration extends WrapPrivateBytes {
  readonly generation: number;
  readonly madeAtMs: number;
  readonly dropAtMs: number;
}

/** Old ones are held while nobody can say that no wrap for them is under way; never more than this many. */
export const GENERATIONS_MOST = 16;

export class OwnWrapKeys {
  readonly #identity: SigningKey;
  readonly #roomId: RoomId;
  #current: WrapGeneration;
  #old: { readonly key: WrapGeneration; readonly dropAtMs: number }[] = [];
  #making = false;
  /** Made, and not to be published before it is kept for good. */
  #next: WrapGeneration | null = null;

  constructor(start: {
    readonly identity: SigningKey;
    readonly roomId: RoomId;
    readonly pair: WrapKeyPair;
    readonly nowMs: number;
    /** Greater than any that this identity has used in this room: 1 for one that is new. */
    readonly firstGeneration?: number;
  }) {
    this.#identity = start.identity;
    this.#roomId = start.roomId;
    this.#current = this.#generation(start.firstGeneration ?? 1, start.pair, start.nowMs);
  }

  /**
   * Goes on with the generations of an earlier run. The newest is the present one, whether it was published or not.
   * @throws Error when one is none
   */
  static restore(identity: SigningKey, roomId: RoomId, saved: readonly SavedGeneration[]): OwnWrapKeys {
    const [newest, ...older] = [...saved].sort((left, right) => right.generation - left.generation);
    if (newest === undefined) throw new RangeError('no wrap keys were kept');
    const { generation: firstGeneration, madeAtMs: nowMs } = newest;
    const keys = new OwnWrapKeys({
      identity,
      roomId,
      pair: wrapKeysFromPrivate(newest),
      nowMs,
      firstGeneration,
    });
    keys.#old = older.reverse().map((old) => ({
      key: keys.#generation(old.generation, wrapKeysFromPrivate(old), old.madeAtMs),
      dropAtMs: old.dropAtMs,
    }));
    return keys;
  }

  /** Private keys among it: the caller overwrites them. */
  save(): readonly SavedGeneration[] {
    const kept = [...this.#old, { key: this.#current, dropAtMs: 0 }];
    if (this.#next !== null) kept.push({ key: this.#next, dropAtMs: 0 });
    return kept.map(({ key: { generation, madeAtMs, pair }, dropAtMs }) => ({
      generation,
      madeAtMs,
      dropAtMs,
      ...exportWrapKeys(pair),
    }));
  }

  get current(): WrapGeneration {
    return this.#current;
  }

  /** The keys of a generation while they are still held. */
  find(generation: number): WrapGeneration | undefined {
    if (generation === this.#current.generation) return this.#current;
    return this.#old.find(({ key }) => key.generation === generation)?.key;
  }

  /** @returns whether new keys should be made now; says so once until they are there. */
  due(nowMs: number, olderThanMs: number): boolean {
    if (this.#making || this.#next !== null || nowMs - this.#current.madeAtMs < olderThanMs) return false;
    this.#making = true;
    return true;
  }

  /** Takes up new keys. Those before stay for a short while. */
  renew(pair: WrapKeyPair, nowMs: number): void {
    this.prepare(pair, nowMs);
    this.takeNext(nowMs);
  }

  /** New keys that `save` holds from now on, and that are used from `takeNext` on. */
  prepare(pair: WrapKeyPair, nowMs: number): void {
    this.#making = false;
    this.#next = this.#generation(this.#current.generation + 1, pair, nowMs);
  }

  /** The generation that `takeNext` would take up. */
  get next(): number | null {
    return this.#next?.generation ?? null;
  }

  takeNext(nowMs: number): void {
    if (this.#next === null) return;
    this.#old.push({ key: this.#current, dropAtMs: nowMs + LIMITS.wrapKeyGraceMs });
    this.#old.splice(0, Math.max(0, this.#old.length - (GENERATIONS_MOST - 2)));
    this.#current = this.#next;
    this.#next = null;
  }

  /** Lets go of private keys whose time is over. */
  drop(nowMs: number): void {
    this.#old = this.#old.filter(({ dropAtMs }) => dropAtMs > nowMs);
  }

  #generation(generation: number, pair: WrapKeyPair, nowMs: number): WrapGeneration {
    const statement = makeStatement(this.#identity, this.#roomId, generation, pair.publicKeys);
    return { generation, pair, statement, statementHash: sha256(statement.bytes), madeAtMs: nowMs };
  }
}
