/**
 * A room's file as one file that can be moved: SQLite keeps what is new in a second one while a room is open, and after a
 * crash. Each is read from end to end before anyone is told that it is there.
 */
import { closeSync, openSync } from 'node:fs';
import { backup, type DatabaseSync } from 'node:sqlite';
import { damaged, StorageError, storageError } from './errors.ts';
import { FILE_MODE, openDatabase } from './room-database.ts';

/**
 * All in one step: a copy in several begins again whenever the host has written in between, and in a busy room never ends.
 */
const PAGES_MOST = 2 ** 31 - 1;

/** Copies a room that may be open. @param to a name that nothing has @throws StorageError */
export async function copyRoom(from: string, to: string): Promise<void> {
  const source = openDatabase(from, 'look');
  try {
    closeSync(openSync(to, 'wx', FILE_MODE));
    await backup(source, to, { rate: PAGES_MOST });
  } catch (error) {
    throw storageError(to, error);
  } finally {
    source.close();
  }
  try {
    settleRoom(to);
  } catch (error) {
    const isDamaged = error instanceof StorageError && error.code === 'room-damaged';
    throw isDamaged ? damaged(from, { cause: error }) : error;
  }
}

/** @throws StorageError when it is damaged, newer than this program, in use, or no room */
export function settleRoom(path: string): void {
  settled(path, () => {});
}

/**
 * Makes a room of a copy: what invitations it had open nothing before the owner has said so again, and no file waits there.
 * @returns how many of them were open
 * @throws StorageError when it is damaged, newer than this program, or no room
 */
export function reviveRoom(path: string, nowMs: number): number {
  return settled(path, (database) => {
    const open = database.prepare(
      `SELECT count(*) AS number FROM invitations WHERE text IS NOT NULL AND uses_left > 0 AND expires_at_ms > ?
         AND suspended = 0 AND revoked = 0`,
    );
    const { number } = open.get(nowMs) ?? {};
    database.exec('UPDATE invitations SET suspended = 1');
    // The files themselves are in no copy.
    database.exec('DELETE FROM deposits');
    return Number(number ?? 0);
  });
}

function settled<Result>(path: string, step: (database: DatabaseSync) => Result): Result {
  const database = openDatabase(path, 'host');
  try {
    const result = step(database);
    database.exec('PRAGMA journal_mode = DELETE');
    return result;
  } catch (error) {
    throw storageError(path, error);
  } finally {
    database.close();
  }
}
