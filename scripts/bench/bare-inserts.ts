/**
 * What a kept room is compared with: the same bytes, put by `node:sqlite` into a table of their own with the same
 * durability, one transaction a row, and nothing else done.
 */
import { DatabaseSync } from 'node:sqlite';
import { serve } from './calls.ts';

/** A message of 200 bytes in the log: header, ciphertext and signature, with the entry's hash and head. */
const ROW_BYTES = 957;

const [, , file = ''] = process.argv;
const database = new DatabaseSync(file);
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
database.exec('CREATE TABLE log (place INTEGER PRIMARY KEY, entry BLOB NOT NULL) STRICT');
const insert = database.prepare('INSERT INTO log (entry) VALUES (?)');
const entry = new Uint8Array(ROW_BYTES);

const calls = {
  /** @returns rows a second */
  insert({ rows }: { readonly rows: number }): number {
    const startMs = performance.now();
    for (let row = 0; row < rows; row += 1) insert.run(entry);
    return (rows * 1_000) / (performance.now() - startMs);
  },
};
export type BareCalls = typeof calls;

serve(calls);
