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

/** Heads that outlive the program, for what others quote and for where a host begins again. */
export const HEADS_SAVED = 1_024;

/** A record as it is kept beyond the life of a program. */
export interface SavedHistory {
  readonly index: number;
  /** The latest ones, the one at `index` last. */
  readonly heads: readonly Hash[];
}

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

  static restore({ index, heads }: SavedHistory): History {
    const [first, ...others] = heads;
    if (first === undefined) throw new RangeError('a record has at least one head');
    const history = new History(index - others.length, first);
    for (const head of others) history.#take(head);
    return history;
  }

  /** @param most heads, the latest ones */
  save(most = HEADS_SAVED): SavedHistory {
    const kept = Math.min(this.#index - this.#from + 1, this.#capacity, most);
    const heads = Array.from({ length: kept }, (_, place) => this.#at(this.#index - kept + 1 + place));
    return { index: this.#index, heads };
  }

  /**
   * This record up to an earlier entry: what came after it is none of it any more.
   * @param index one whose head is known
   */
  cutTo(index: number): History {
    const { heads } = this.save(LIMITS.headsKept);
    return History.restore({ index, heads: heads.slice(0, heads.length - (this.#index - index)) });
  }

  get index(): number {
    return this.#index;
  }
  get head(): Hash {
    return this.#head;
  }

  /** Takes in the next entry. @returns the new head. */
  append(entry: { readonly kind: EntryKind; readonly placedAtMs: number; readonly leaf: Hash }): Hash {
    return this.#take(nextHead(this.#head, { index: this.#index + 1, ...entry }));
  }

  #take(head: Hash): Hash {
    this.#index += 1;
    this.#head = head;
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
    return bytesEqual(this.#at(index), quoted) ? 'same' : 'different';
  }

  #at(index: number): Hash {
    const at = (index % this.#capacity) * ID_BYTES.hash;
    return hash(this.#heads.slice(at, at + ID_BYTES.hash));
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
