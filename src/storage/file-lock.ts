/**
 * One program at a time. The lock is SQLite's own on a small file, so the system lets go of it however the program ends,
 * on every platform, and a file that was left behind locks nobody out.
 */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { cannotMake } from './errors.ts';

export interface FileLock {
  release(): void;
}

/** SQLite's result code for a database that another connection has locked. */
const SQLITE_BUSY = 5;

/** Whoever lists rooms has each lock for a moment, to see whether it is free. */
const WAIT_MS = 250;

/**
 * @param path of the lock's own file, which stays
 * @returns `null` when another program has it
 * @throws StorageError when it cannot be made
 */
export function takeLock(path: string): FileLock | null {
  makeFile(path);
  const database = new DatabaseSync(path, { timeout: WAIT_MS });
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

/**
 * Made here, because SQLite would let others read it. One that is there is not opened: POSIX drops all of a process's locks
 * on a file when that process closes any of its handles on it.
 */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST'))
      throw cannotMake(path, error);
  }
}
