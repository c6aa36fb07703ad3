/**
 * One program at a time. The lock is SQLite's own on a small file, so the system lets go of it however the program ends,
 * on every platform, and a file that was left behind locks nobody out.
 */
import { DatabaseSync } from 'node:sqlite';

export interface FileLock {
  release(): void;
}

/** Whoever lists rooms has each lock for a moment, to see whether it is free. */
const WAIT_MS = 250;

/**
 * @param path of the lock's own file, which stays
 * @returns `null` when another program has it
 * @throws whatever keeps the file from being made
 */
export function takeLock(path: string): FileLock | null {
  const database = new DatabaseSync(path, { timeout: WAIT_MS });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE');
    database.exec('PRAGMA journal_mode = MEMORY');
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === 5) return null;
    throw error;
  }
  return { release: () => database.close() };
}
