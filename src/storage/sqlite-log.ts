/**
 * The log of a kept room. Messages are whole until everyone on the list has acknowledged them, or until they are too many,
 * too large together or too old; before those, as far as heads are kept, only hashes. Roster operations and eras stay
 * whole as long as their hash does, because nobody can go on without them.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { nextHead } from '../crypto/log-hash.ts';
import type { Ciphertext, Hash } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { EntryKind } from '../protocol/session-frames.ts';
import type { Log, LogItem, LogRead, NewEntry } from '../room/log.ts';
import type { Write } from './write.ts';

interface Row {
  readonly place: number;
  readonly kind: EntryKind;
  readonly placed_at_ms: number;
  readonly leaf: Uint8Array;
  readonly head: Uint8Array;
  readonly header: Uint8Array | null;
  readonly ciphertext: Uint8Array | null;
  readonly signature: Uint8Array | null;
}

/** Bytes of an entry that count toward `backlogBytes`. */
const BYTES = 'ifnull(length(header) + length(ciphertext) + length(signature), 0)';

/** Which rows are this log's: a value for each column that `LogTable` compares. */
type Scope = readonly string[];

/** The statements of all logs in one table: prepared once, however many logs there are. */
export class LogTable {
  readonly insert: StatementSync;
  readonly forget: StatementSync;
  readonly headAt: StatementSync;
  readonly readOn: StatementSync;
  readonly oldest: StatementSync;
  readonly sizeAt: StatementSync;
  readonly digest: StatementSync;
  readonly latest: StatementSync;
  readonly whole: StatementSync;

  /** @param table `log`, or the one of all conversations, where each row says whose it is */
  constructor(database: DatabaseSync, table: 'log' | 'conversation_log') {
    const isShared = table === 'conversation_log';
    const own = isShared ? 'conversation = ?1 AND ' : '';
    const all = isShared ? 'WHERE conversation = ?1' : '';
    const at = (place: number): string => `?${place + (isShared ? 1 : 0)}`;
    const prepare = (sql: string): StatementSync => database.prepare(sql);
    const values = Array.from({ length: isShared ? 9 : 8 }, () => '?').join(', ');
    this.insert = prepare(`INSERT INTO ${table} VALUES (${values})`);
    this.forget = prepare(`DELETE FROM ${table} WHERE ${own}place < ${at(1)}`);
    this.headAt = prepare(`SELECT head FROM ${table} WHERE ${own}place = ${at(1)}`);
    this.readOn = prepare(
      `SELECT * FROM ${table} WHERE ${own}place >= ${at(1)} ORDER BY place LIMIT ${at(2)}`,
    );
    this.oldest = prepare(`SELECT min(place) AS place FROM ${table} ${all}`);
    this.sizeAt = prepare(
      `SELECT kind, placed_at_ms, ${BYTES} AS bytes FROM ${table} WHERE ${own}place = ${at(1)}`,
    );
    this.digest = prepare(
      `UPDATE ${table} SET header = NULL, ciphertext = NULL, signature = NULL
       WHERE ${own}place BETWEEN ${at(1)} AND ${at(2)} AND kind = 'message' AND header IS NOT NULL`,
    );
    this.latest = prepare(
      `SELECT place, head, placed_at_ms FROM ${table} ${all} ORDER BY place DESC LIMIT 1`,
    );
    this.whole = prepare(
      `SELECT count(*) AS number, sum(${BYTES}) AS bytes FROM ${table}
       WHERE ${own}place > (SELECT ifnull(max(place), 0) FROM ${table} WHERE ${own}header IS NULL)`,
    );
  }
}

export class SqliteLog implements Log {
  readonly #limits: Limits;
  readonly #startHead: Hash;
  readonly #write: Write;
  readonly #table: LogTable;
  readonly #scope: Scope;
  #index: number;
  #head: Hash;
  /** The oldest entry that still counts toward the whole ones. */
  #firstWhole: number;
  #wholeBytes: number;
  #hasDeleted = false;

  /** @param start.scope empty for the room's own log; a conversation's id where they share a table */
  constructor(
    table: LogTable,
    start: {
      readonly head: Hash;
      readonly limits: Limits;
      readonly write: Write;
      readonly scope?: Scope;
    },
  ) {
    const { scope = [] } = start;
    this.#limits = start.limits;
    this.#startHead = start.head;
    this.#write = start.write;
    this.#table = table;
    this.#scope = scope;
    const latest = table.latest.get(...scope);
    this.#index = Number(latest?.['place'] ?? 0);
    this.#head = (latest?.['head'] as Hash | undefined) ?? start.head;
    const whole = table.whole.get(...scope);
    this.#firstWhole = this.#index - Number(whole?.['number'] ?? 0) + 1;
    this.#wholeBytes = Number(whole?.['bytes'] ?? 0);
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

  /** Whether something has been overwritten since this was last asked: until a checkpoint it stands in the journal. */
  takeDeleted(): boolean {
    const has = this.#hasDeleted;
    this.#hasDeleted = false;
    return has;
  }

  append(entry: NewEntry): number {
    this.#index += 1;
    this.#head = nextHead(this.#head, { ...entry, index: this.#index });
    const { kind, placedAtMs, leaf, header, ciphertext, signature } = entry;
    this.#write(() => {
      this.#table.insert.run(
        ...this.#scope,
        this.#index,
        kind,
        placedAtMs,
        leaf,
        this.#head,
        header,
        ciphertext,
        signature,
      );
      // One more than may be asked for: the head before the oldest.
      this.#table.forget.run(...this.#scope, this.#index - this.#limits.headsKept);
    });
    this.#wholeBytes += header.length + ciphertext.length + signature.length;
    const { backlogEntries, backlogBytes } = this.#limits;
    this.#drop(() => this.#index - this.#firstWhole >= backlogEntries || this.#wholeBytes > backlogBytes);
    return this.#index;
  }

  headAt(index: number): Hash | null {
    if (index === 0) return this.#startHead;
    if (index === this.#index) return this.#head;
    return (this.#table.headAt.get(...this.#scope, index)?.['head'] as Hash | undefined) ?? null;
  }

  read(after: number, most: { readonly entries: number; readonly bytes: number }): LogRead {
    const oldest = Number(this.#table.oldest.get(...this.#scope)?.['place'] ?? 1);
    // The one before those that may be read is there for its head alone.
    const first = Math.max(
      after + 1,
      oldest === 1 ? 1 : oldest + 1,
      this.#index - this.#limits.headsKept + 1,
    );
    const headBefore = this.headAt(first - 1) ?? this.#startHead;
    const items: LogItem[] = [];
    let bytes = 0;
    for (const row of this.#table.readOn.iterate(...this.#scope, first, most.entries)) {
      const item = itemOf(row as unknown as Row);
      if (item.form === 'whole') bytes += item.header.length + item.ciphertext.length + item.signature.length;
      if (items.length > 0 && bytes > most.bytes) break;
      items.push(item);
    }
    return { first, headBefore, items };
  }

  release(index: number): void {
    this.#drop(() => this.#firstWhole <= index);
  }

  expire(placedBeforeMs: number): number {
    this.#drop(({ placedAtMs }) => placedAtMs < placedBeforeMs);
    return this.#firstWhole - 1;
  }

  /** The oldest ones that count as whole, for as long as they are `tooMuch`. */
  #drop(tooMuch: (oldest: { readonly placedAtMs: number }) => boolean): void {
    const from = this.#firstWhole;
    while (this.#firstWhole <= this.#index) {
      const row = this.#table.sizeAt.get(...this.#scope, this.#firstWhole);
      if (row === undefined || !tooMuch({ placedAtMs: Number(row['placed_at_ms']) })) break;
      this.#wholeBytes -= Number(row['bytes']);
      this.#firstWhole += 1;
    }
    if (this.#firstWhole === from) return;
    this.#write(() => this.#table.digest.run(...this.#scope, from, this.#firstWhole - 1));
    this.#hasDeleted = true;
  }
}

function itemOf({ kind, placed_at_ms: placedAtMs, leaf, header, ciphertext, signature }: Row): LogItem {
  const known = { kind, placedAtMs, leaf: leaf as Hash };
  if (header === null || ciphertext === null || signature === null) return { form: 'digest', ...known };
  return { form: 'whole', ...known, header, ciphertext: ciphertext as Ciphertext, signature };
}
