/**
 * A member's own wrap keys: the current generation, and the ones before it for wraps already under way.
 * @see docs/protocol.md#wrap-keys
 */
import { sha256 } from '../crypto/hash.ts';
import type { WrapKeyPair } from '../crypto/key-wrap.ts';
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

export class OwnWrapKeys {
  readonly #identity: SigningKey;
  readonly #roomId: RoomId;
  #current: WrapGeneration;
  #old: { readonly key: WrapGeneration; readonly dropAtMs: number }[] = [];
  #making = false;

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
    if (this.#making || nowMs - this.#current.madeAtMs < olderThanMs) return false;
    this.#making = true;
    return true;
  }

  /** Takes up new keys. Those before stay for a short while. */
  renew(pair: WrapKeyPair, nowMs: number): void {
    this.#making = false;
    this.#old.push({ key: this.#current, dropAtMs: nowMs + LIMITS.wrapKeyGraceMs });
    this.#current = this.#generation(this.#current.generation + 1, pair, nowMs);
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
