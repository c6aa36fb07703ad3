/**
 * Opens the file of a kept room: a SQLite database that only this account can read, checked before it is used.
 *
 * `synchronous = FULL`: a commit is on the disk when it returns, also where the power fails right after. What was
 * acknowledged would else be lost with the machine, and members would see a host that went back on its word.
 * `secure_delete`: what has been delivered is overwritten, and does not linger in pages that are free.
 */
import { chmodSync, closeSync, existsSync, openSync, rmSync, statSync } from 'node:fs';
import { DatabaseSync, type DatabaseSyncOptions } from 'node:sqlite';
import { cannotMake, damaged, StorageError, storageError } from './errors.ts';
import { APPLICATION_ID, MIGRATIONS } from './schema.ts';

/** Read and write for the owner, nothing for anyone else. SQLite's own files beside it follow suit. */
export const FILE_MODE = 0o600;

const OWNERS = 0o700;
const ANYONES = 0o777;

/** A reader, such as a backup, may hold the file for a moment. */
export const BUSY_MS = 5_000;

/** @throws StorageError when something of that name is there, or it cannot be made. */
export function createDatabase(path: string): DatabaseSync {
  try {
    closeSync(openSync(path, 'wx', FILE_MODE));
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    throw isThere ? new StorageError('room-file', `${path} is there already.`) : cannotMake(path, error);
  }
  try {
    return guarded(path, {}, (database) => {
      database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
      prepare(database, path);
    });
  } catch (error) {
    // A file without a room in it would only be in the way.
    for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
    throw error;
  }
}

/**
 * @throws StorageError `room-damaged`, `room-newer` when a newer program wrote it, `read-only`, or `room-file` when it is no
 *   room's file or not there.
 */
export function openDatabase(path: string, use: 'host' | 'look'): DatabaseSync {
  // SQLite would make one.
  if (!existsSync(path)) throw new StorageError('room-file', `${path} is not there.`);
  // A pipe would never open.
  if (!statSync(path).isFile()) throw noRoom(path);
  if (use === 'host') makePrivate(path);
  return guarded(path, { readOnly: use === 'look' }, (database) => {
    const { application_id: id } = database.prepare('PRAGMA application_id').get() ?? {};
    if (id !== APPLICATION_ID) throw noRoom(path);
    checkVersion(database, path);
    if (use === 'look') return;
    checkIntegrity(database, path);
    prepare(database, path);
  });
}

/**
 * Whoever copied it here may have let others read it. What SQLite left beside it has the mode that the file had then, also
 * where that was for reading only, and would keep a file from being written that can be again.
 */
function makePrivate(path: string): void {
  for (const end of ['', '-wal', '-shm']) {
    const stats = statSync(`${path}${end}`, { throwIfNoEntry: false });
    if (stats?.isFile() !== true) continue;
    const mode = end === '' ? stats.mode & OWNERS : FILE_MODE;
    if ((stats.mode & ANYONES) === mode) continue;
    try {
      chmodSync(`${path}${end}`, mode);
    } catch {
      // Somebody else's, or on a disk that can only be read: what follows from that is told when it is opened.
    }
  }
}

function noRoom(path: string): StorageError {
  return new StorageError('room-file', `${path} is no room of securechat.`);
}

/** Reads all of it. @throws StorageError `room-damaged` */
function checkIntegrity(database: DatabaseSync, path: string): void {
  const [fault] = database.prepare('PRAGMA integrity_check(1)').all();
  if (fault?.['integrity_check'] !== 'ok') throw damaged(path);
}

/** @returns the database, which is closed again where `check` fails */
function guarded(
  path: string,
  options: DatabaseSyncOptions,
  check: (database: DatabaseSync) => void,
): DatabaseSync {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path, { timeout: BUSY_MS, ...options });
    check(database);
    return database;
  } catch (error) {
    database?.close();
    throw storageError(path, error);
  }
}

function prepare(database: DatabaseSync, path: string): void {
  database.exec('PRAGMA journal_mode = WAL');
  database.exec('PRAGMA synchronous = FULL');
  database.exec('PRAGMA secure_delete = ON');
  database.exec('PRAGMA foreign_keys = ON');
  // What is sorted or held back in between must not reach a folder that others read.
  database.exec('PRAGMA temp_store = MEMORY');
  migrate(database);
  const [broken] = database.prepare('PRAGMA foreign_key_check').all();
  if (broken !== undefined) throw damaged(path);
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}

function checkVersion(database: DatabaseSync, path: string): void {
  if (versionOf(database) <= MIGRATIONS.length) return;
  throw new StorageError(
    'room-newer',
    `${path} was written by a newer securechat. Use that one, or a newer one.`,
  );
}

/** All of them or none: a file is of one version. */
function migrate(database: DatabaseSync): void {
  const version = versionOf(database);
  if (version === MIGRATIONS.length) return;
  database.exec('BEGIN IMMEDIATE');
  for (const migration of MIGRATIONS.slice(version)) database.exec(migration);
  database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  database.exec('COMMIT');
}
