/**
 * The log of a conversation as the host keeps it. Small on purpose: append and get an index, read on from an index.
 * Memory and SQLite implement it, and a shared log for several relays must fit it unchanged.
 * @see docs/protocol.md#log
 */
import type { EntryBytes } from '../crypto/log-hash.ts';
import type { Ciphertext, Hash } from '../protocol/identifiers.ts';
import type { EntryKind } from '../protocol/session-frames.ts';

export interface NewEntry extends EntryBytes {
  readonly kind: EntryKind;
  readonly placedAtMs: number;
  readonly leaf: Hash;
  readonly ciphertext: Ciphertext;
}

export type LogItem =
  | ({ readonly form: 'whole' } & NewEntry)
  | { readonly form: 'digest'; readonly kind: EntryKind; readonly placedAtMs: number; readonly leaf: Hash };

export interface LogRead {
  /** Index of the first item; more than `after + 1` when what lay between is gone. */
  readonly first: number;
  /** The head at `first - 1`. */
  readonly headBefore: Hash;
  readonly items: readonly LogItem[];
}

export interface Log {
  /** Index of the latest entry, 0 when there is none. */
  readonly index: number;
  /** The head at `index`. */
  readonly head: Hash;
  /** From this index on every message is whole. */
  readonly wholeFrom: number;
  append(entry: NewEntry): number;
  /** Everyone who may ask has what lies up to `index`: messages there need not be whole any more. */
  release(index: number): void;
  /** Messages that were placed before then need not be whole any more. @returns the latest index that this is true of */
  expire(placedBeforeMs: number): number;
  /** The head at an index, or `null` when it is no longer, or not yet, known. */
  headAt(index: number): Hash | null;
  read(after: number, most: { readonly entries: number; readonly bytes: number }): LogRead;
}
