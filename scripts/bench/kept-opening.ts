/** How long a kept room takes to open that has a long life behind it, beside one that is new. */
import { randomBytes } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { leafHash, startHead } from '../../src/crypto/log-hash.ts';
import { ciphertext, hash, roomId } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { Meta } from '../../src/storage/meta.ts';
import { openDatabase } from '../../src/storage/room-database.ts';
import { SqliteStore } from '../../src/storage/sqlite-store.ts';
import { type Program, Stage } from '../../test/helpers/program.ts';
import { OURS, type Row, row } from './report.ts';

const ENTRIES = 1_000_000;
const NEW = 'a new room';
const FILES = { [OURS]: 'old', [NEW]: 'new' };
/** As a message of 200 bytes has them. */
const HEADER_BYTES = 237;
const CIPHERTEXT_BYTES = 272;
const SIGNATURE_BYTES = 384;
const HASH_BYTES = 32;

export async function measureOpening(openings: number, progress: (text: string) => void): Promise<Row[]> {
  progress(`kept: a room of ${ENTRIES} entries`);
  const stage = new Stage();
  try {
    const fileOf = (name: string): string => join(stage.rooms, `${name}.room`);
    const { host } = await stage.room(['--keep', FILES[NEW], '--no-chat']);
    await end(host);
    await copyFile(fileOf(FILES[NEW]), fileOf(FILES[OURS]));
    age(fileOf(FILES[OURS]));
    const names = Object.keys(FILES);
    const whole = new Map(names.map((name) => [name, [] as number[]]));
    const alone = new Map(names.map((name) => [name, [] as number[]]));
    // The first round brings program and files into memory.
    for (let opening = -1; opening < openings; opening += 1) {
      for (const [name, file] of Object.entries(FILES)) {
        const readyMs = await timeToReady(stage, file);
        const loadedMs = timeToLoad(fileOf(file));
        if (opening < 0) continue;
        whole.get(name)?.push(readyMs);
        alone.get(name)?.push(loadedMs);
      }
    }
    const what = `opening a room of ${ENTRIES} entries`;
    return [
      row({ topic: 'kept', what: `${what}, until it is ready`, unit: 'ms' }, whole),
      row({ topic: 'kept', what: `${what}, the file alone`, unit: 'ms' }, alone),
    ];
  } finally {
    await stage.close();
  }
}

/** Leaves a file as it is after a million messages, while somebody is absent. */
function age(path: string): void {
  const database = openDatabase(path, 'host');
  // Those before are not in such a file any more.
  const before = ENTRIES - LIMITS.headsKept;
  const someHash = randomBytes(HASH_BYTES);
  database
    .prepare('INSERT INTO log (place, kind, placed_at_ms, leaf, head) VALUES (?, ?, ?, ?, ?)')
    .run(before, 'message', Date.now(), someHash, someHash);
  const store = storeOf(database, path);
  for (let index = before; index < ENTRIES; index += 1) {
    const entry = {
      header: randomBytes(HEADER_BYTES),
      ciphertext: ciphertext(randomBytes(CIPHERTEXT_BYTES)),
      signature: randomBytes(SIGNATURE_BYTES),
    };
    store.log.append({ kind: 'message', placedAtMs: Date.now(), leaf: hash(leafHash(entry)), ...entry });
  }
  store.commit();
  store.close();
}

function storeOf(database: DatabaseSync, path: string): SqliteStore {
  const id = new Meta(database).bytes('room-id');
  if (id === null) throw new Error('the room was never made');
  const room = roomId(id);
  return new SqliteStore(database, { path, startHead: (log) => startHead(room, log), limits: LIMITS });
}

async function timeToReady(stage: Stage, name: string): Promise<number> {
  const startMs = performance.now();
  const host = stage.start('host', ['s', '--json', '--no-chat', '--listen', '127.0.0.1:0', '--keep', name]);
  await host.until('ready');
  const tookMs = performance.now() - startMs;
  await end(host);
  return tookMs;
}

function timeToLoad(path: string): number {
  const startMs = performance.now();
  const store = storeOf(openDatabase(path, 'host'), path);
  const tookMs = performance.now() - startMs;
  store.close();
  return tookMs;
}

async function end(host: Program): Promise<void> {
  host.kill('SIGTERM');
  await host.exit;
}
