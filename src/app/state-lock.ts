/**
 * One program at a time: a lock that ends with the program that holds it, however that ends, on every platform. SQLite
 * has one, so there is no need for another.
 */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** SQLite's result code for a database that another connection has locked. */
const SQLITE_BUSY = 5;

export interface HeldLock {
  release(): void;
}

/**
 * @param path a file of its own; it is made, and stays, empty
 * @returns `null` while another program holds it
 * @throws when the file cannot be made
 */
export function takeLock(path: string): HeldLock | null {
  // Made here, because SQLite would let others read it.
  closeSync(openSync(path, 'a', 0o600));
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    // In memory: nothing lies beside it.
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return null;
    throw error;
  }
  return { release: () => database.close() };
}
