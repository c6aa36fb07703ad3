/**
 * One member's own record of a conversation's log: how far it goes and the heads along the way. Whatever the host says
 * is held against it.
 * @see docs/protocol.md#log
 */
import { nextHead } from '../crypto/log-hash.ts';
import { bytesEqual } from '../protocol/bytes.ts';
import { type Hash, hash, ID_BYTES } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { EntryKind } from '../protocol/session-frames.ts';

const FIRST_ROOM = 256;

export class History {
  #index: number;
  #head: Hash;
  /** The first index whose head is known: where this member came in. */
  readonly #from: number;
  /** Heads as one block that grows up to `headsKept`: an object each would cost four times as much. */
  #heads: Uint8Array;
  #capacity = FIRST_ROOM;

  constructor(index: number, head: Hash) {
    this.#index = index;
    this.#from = index;
    this.#head = head;
    this.#heads = new Uint8Array(FIRST_ROOM * ID_BYTES.hash);
    this.#keep(index, head);
  }

  get index(): number {
    return this.#index;
  }
  get head(): Hash {
    return this.#head;
  }

  /** Takes in the next entry. @returns the new head. */
  append(entry: { readonly kind: EntryKind; readonly placedAtMs: number; readonly leaf: Hash }): Hash {
    this.#index += 1;
    this.#head = nextHead(this.#head, { index: this.#index, ...entry });
    if (this.#index - this.#from >= this.#capacity && this.#capacity < LIMITS.headsKept) this.#grow();
    this.#keep(this.#index, this.#head);
    return this.#head;
  }

  /**
   * Holds a position that someone else quotes against this record.
   * @returns `unknown` when it lies before what is kept.
   */
  judge(index: number, quoted: Hash): 'same' | 'different' | 'unknown' {
    if (index > this.#index || index < this.#from || index <= this.#index - this.#capacity) return 'unknown';
    const at = (index % this.#capacity) * ID_BYTES.hash;
    return bytesEqual(this.#heads.subarray(at, at + ID_BYTES.hash), quoted) ? 'same' : 'different';
  }

  #keep(index: number, head: Hash): void {
    this.#heads.set(head, (index % this.#capacity) * ID_BYTES.hash);
  }

  #grow(): void {
    const old = this.#heads;
    const before = this.#capacity;
    this.#capacity = Math.min(before * 2, LIMITS.headsKept);
    this.#heads = new Uint8Array(this.#capacity * ID_BYTES.hash);
    for (let index = Math.max(this.#from, this.#index - before); index < this.#index; index += 1) {
      const at = (index % before) * ID_BYTES.hash;
      this.#keep(index, hash(old.subarray(at, at + ID_BYTES.hash)));
    }
  }
}
