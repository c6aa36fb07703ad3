/**
 * One program at a time. The lock is SQLite's own on a small file, so the system lets go of it however the program ends,
 * on every platform, and a file that was left behind locks nobody out.
 */
import { closeSync, openSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { cannotMake } from './errors.ts';

export interface FileLock {
  release(): void;
  /** Lets go of it, and nothing of it is left. */
  remove(): void;
}

/** SQLite's result code for a database that another connection has locked. */
const SQLITE_BUSY = 5;

/** Whoever lists rooms has each lock for a moment, to see whether it is free. */
const WAIT_MS = 250;

/** More often than the file can be removed and made again while one waits for it. */
const ROUNDS_MOST = 8;

/**
 * @param path of the lock's own file, which stays
 * @returns `null` when another program has it
 * @throws StorageError when it cannot be made
 */
export function takeLock(path: string): FileLock | null {
  for (let round = 0; round < ROUNDS_MOST; round += 1) {
    makeFile(path);
    const file = fileNumber(path);
    const lock = tryLock(path);
    // Its holder may have removed the file meanwhile: locked is then one that nobody else finds.
    if (lock === null || (file !== null && file === fileNumber(path))) return lock;
    lock.release();
  }
  return null;
}

/** Which file has the name; `null`: none. */
function fileNumber(path: string): bigint | null {
  return statSync(path, { bigint: true, throwIfNoEntry: false })?.ino ?? null;
}

function tryLock(path: string): FileLock | null {
  const database = new DatabaseSync(path, { timeout: WAIT_MS });
  try {
    // In memory: nothing lies beside it.
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return null;
    throw error;
  }
  return { release: () => database.close(), remove: () => remove(path, database) };
}

/** The file first: whoever gets the lock in between finds that it has lost its name. */
function remove(path: string, database: DatabaseSync): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // Windows removes no file that is open.
    database.close();
    rmSync(path, { force: true });
    return;
  }
  database.close();
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
