/**
 * The log of a room that lives as long as its host process. Whole entries within `backlogEntries` and `backlogBytes`;
 * before those, as far as heads are kept, only hashes. Roster operations stay whole as long as their hash does, because
 * nobody can go on without them.
 */
import { nextHead } from '../crypto/log-hash.ts';
import type { Hash } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Log, LogItem, LogRead, NewEntry } from '../room/log.ts';

interface Kept {
  item: LogItem;
  readonly head: Hash;
}

function bytesOf(item: LogItem): number {
  return item.form === 'whole' ? item.header.length + item.ciphertext.length + item.signature.length : 0;
}

export class MemoryLog implements Log {
  readonly #limits: Limits;
  readonly #startHead: Hash;
  /** Entry `index` lies at `index % length`; the ring grows up to `headsKept`. */
  readonly #ring: Kept[] = [];
  #headBeforeOldest: Hash;
  #index = 0;
  #head: Hash;
  /** The oldest entry that still counts toward the whole ones. */
  #firstWhole = 1;
  #wholeBytes = 0;

  constructor(startHead: Hash, limits: Limits) {
    this.#limits = limits;
    this.#startHead = startHead;
    this.#head = startHead;
    this.#headBeforeOldest = startHead;
  }

  get index(): number {
    return this.#index;
  }
  get head(): Hash {
    return this.#head;
  }
  get wholeFrom(): number {
    return this.#firstWhole;
  }

  append(entry: NewEntry): number {
    this.#index += 1;
    this.#head = nextHead(this.#head, { ...entry, index: this.#index });
    const kept: Kept = { item: { form: 'whole', ...entry }, head: this.#head };
    const slot = (this.#index - 1) % this.#limits.headsKept;
    this.#headBeforeOldest = this.#ring[slot]?.head ?? this.#headBeforeOldest;
    this.#ring[slot] = kept;
    this.#wholeBytes += bytesOf(kept.item);
    this.#dropOld();
    return this.#index;
  }

  headAt(index: number): Hash | null {
    if (index === 0) return this.#startHead;
    return this.#kept(index)?.head ?? null;
  }

  read(after: number, most: { readonly entries: number; readonly bytes: number }): LogRead {
    const first = Math.max(after + 1, this.#index - this.#ring.length + 1);
    const headBefore = this.headAt(first - 1) ?? this.#headBeforeOldest;
    const items: LogItem[] = [];
    let bytes = 0;
    for (let index = first; index <= this.#index && items.length < most.entries; index += 1) {
      const kept = this.#kept(index);
      if (kept === undefined) break;
      bytes += bytesOf(kept.item);
      if (items.length > 0 && bytes > most.bytes) break;
      items.push(kept.item);
    }
    return { first, headBefore, items };
  }

  #kept(index: number): Kept | undefined {
    if (index > this.#index || index <= this.#index - this.#ring.length) return undefined;
    return this.#ring[(index - 1) % this.#limits.headsKept];
  }

  /** What has been read keeps nothing whole: in memory, entries go by their number, size and age alone. */
  release(): void {}

  expire(placedBeforeMs: number): number {
    this.#drop(({ item }) => item.placedAtMs < placedBeforeMs);
    return this.#firstWhole - 1;
  }

  #dropOld(): void {
    const { backlogEntries, backlogBytes } = this.#limits;
    this.#drop(() => this.#index - this.#firstWhole >= backlogEntries || this.#wholeBytes > backlogBytes);
  }

  /** The oldest ones that count as whole, for as long as they are `tooMuch`. */
  #drop(tooMuch: (oldest: Kept) => boolean): void {
    for (;;) {
      const oldest = this.#kept(this.#firstWhole);
      if (oldest === undefined || !tooMuch(oldest)) return;
      this.#wholeBytes -= bytesOf(oldest.item);
      const { kind, placedAtMs, leaf } = oldest.item;
      if (kind === 'message') oldest.item = { form: 'digest', kind, placedAtMs, leaf };
      this.#firstWhole += 1;
    }
  }
}
