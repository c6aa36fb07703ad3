/** Kept rooms' files in a folder that goes with the test file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { after } from 'node:test';
import { startHead } from '../../src/crypto/log-hash.ts';
import { ROOM_CONVERSATION } from '../../src/protocol/identifiers.ts';
import { LIMITS, type Limits } from '../../src/protocol/limits.ts';
import { createDatabase, openDatabase } from '../../src/storage/room-database.ts';
import { SqliteStore } from '../../src/storage/sqlite-store.ts';
import { TEST_ROOM } from './line.ts';

export const START_HEAD = startHead(TEST_ROOM, ROOM_CONVERSATION);

const folder = mkdtempSync(join(tmpdir(), 'securechat-rooms-'));
after(() => rmSync(folder, { recursive: true }));
let files = 0;

/** A name that nothing has yet. */
export function newPath(): string {
  files += 1;
  return join(folder, `${files}.room`);
}

export function createStore(path: string, limits: Partial<Limits> = {}): SqliteStore {
  return storeOn(createDatabase(path), path, limits);
}

export function openStore(path: string, limits: Partial<Limits> = {}): SqliteStore {
  return storeOn(openDatabase(path, 'host'), path, limits);
}

export function storeOn(database: DatabaseSync, path: string, limits: Partial<Limits> = {}): SqliteStore {
  // No test takes the power away.
  database.exec('PRAGMA synchronous = OFF');
  return new SqliteStore(database, {
    path,
    startHead: (id) => startHead(TEST_ROOM, id),
    limits: { ...LIMITS, ...limits },
  });
}
