/** Opening a room's file: who may read it, and what is no file of ours. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { cannotMake, StorageError, storageError } from '../../src/storage/errors.ts';
import { createDatabase, openDatabase } from '../../src/storage/room-database.ts';
import { APPLICATION_ID, MIGRATIONS } from '../../src/storage/schema.ts';
import { newPath } from '../helpers/room-file.ts';

function refusal(code: string, text: RegExp) {
  return (error: unknown): boolean =>
    error instanceof StorageError && error.code === code && text.test(error.message);
}

/** A room's file with something on every page, closed. */
function room(): string {
  const path = newPath();
  const database = createDatabase(path);
  for (let place = 1; place <= 60; place += 1)
    database
      .prepare(
        'INSERT INTO log (place, kind, placed_at_ms, leaf, head, ciphertext) VALUES (?, ?, ?, ?, ?, ?)',
      )
      .run(place, 'message', 1, new Uint8Array(32), new Uint8Array(32), new Uint8Array(3_000).fill(place));
  database.close();
  return path;
}

describe('a new file', () => {
  test('is for its owner alone, and so is what SQLite puts beside it', () => {
    const path = newPath();
    const before = process.umask(0);
    const database = createDatabase(path);
    database.exec("INSERT INTO meta VALUES ('room-name', x'00')");
    for (const end of ['', '-wal', '-shm']) assert.equal(statSync(path + end).mode & 0o777, 0o600, end);
    process.umask(before);
    database.close();
  });

  test('never takes the place of another', () => {
    const path = newPath();
    writeFileSync(path, 'something else');
    assert.throws(() => createDatabase(path), refusal('room-file', /is there already/));
    assert.equal(readFileSync(path, 'utf8'), 'something else');
    assert.throws(() => createDatabase('/nowhere/at/all.room'), refusal('room-file', /cannot be made/));
  });

  test('is durable, forgetful, and keeps its tables in order', () => {
    const database = createDatabase(newPath());
    const pragma = (name: string): unknown =>
      Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    assert.deepEqual(
      ['journal_mode', 'synchronous', 'secure_delete', 'foreign_keys', 'temp_store'].map(pragma),
      ['wal', 2, 1, 1, 2],
    );
    assert.deepEqual([pragma('application_id'), pragma('user_version')], [APPLICATION_ID, MIGRATIONS.length]);
    database.close();
  });
});

describe('a file that is opened', () => {
  test('is there', () => {
    const path = newPath();
    for (const use of ['host', 'look'] as const)
      assert.throws(() => openDatabase(path, use), refusal('room-file', /is not there/));
    assert.ok(!existsSync(path), 'and is not made by the way');
  });

  test('is a database', () => {
    const path = newPath();
    writeFileSync(path, 'a letter to someone, long enough for a header '.repeat(100));
    for (const use of ['host', 'look'] as const)
      assert.throws(() => openDatabase(path, use), refusal('room-damaged', /Restore a backup/));
  });

  test('is a file: a pipe would keep the program waiting for ever', () => {
    const path = newPath();
    execFileSync('mkfifo', [path]);
    for (const place of [path, dirname(path), '/dev/zero'])
      for (const use of ['host', 'look'] as const)
        assert.throws(() => openDatabase(place, use), refusal('room-file', /no room of securechat/));
  });

  test('is for its owner alone again, with what lies beside it, whoever copied it there', () => {
    const path = newPath();
    createDatabase(path).close();
    chmodSync(path, 0o644);
    // As left behind by someone who looked while the file was for reading only.
    for (const end of ['-wal', '-shm']) writeFileSync(`${path}${end}`, '', { mode: 0o400 });
    const database = openDatabase(path, 'host');
    database.exec('PRAGMA user_version = 1');
    for (const end of ['', '-wal', '-shm']) assert.equal(statSync(`${path}${end}`).mode & 0o777, 0o600, end);
    database.close();
  });

  test('is a room of this program', () => {
    const path = newPath();
    const other = new DatabaseSync(path);
    other.exec('CREATE TABLE letters (text TEXT)');
    other.close();
    for (const use of ['host', 'look'] as const)
      assert.throws(() => openDatabase(path, use), refusal('room-file', /no room of securechat/));
  });

  test('is no newer than the program', () => {
    const path = room();
    const database = openDatabase(path, 'host');
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    database.close();
    for (const use of ['host', 'look'] as const)
      assert.throws(() => openDatabase(path, use), refusal('room-newer', /newer securechat/));
  });

  test('of an older version is brought up to date, all of it or nothing', () => {
    const path = newPath();
    const older = new DatabaseSync(path);
    older.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    older.close();
    const database = openDatabase(path, 'host');
    const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
    assert.ok(tables.some(({ name }) => name === 'wraps'));
    assert.equal(database.prepare('PRAGMA user_version').get()?.['user_version'], MIGRATIONS.length);
    database.close();
  });

  test('is whole: a page that was changed is found before the room is used', () => {
    const path = room();
    const bytes = readFileSync(path);
    // A page of the log's tree, past the tables' own first ones.
    const at = bytes.indexOf(Buffer.from(new Uint8Array(1_000).fill(30)));
    const page = Math.floor(at / 4_096) * 4_096;
    assert.ok(page > 0);
    writeFileSync(
      path,
      Buffer.concat([bytes.subarray(0, page), Buffer.alloc(64, 0xff), bytes.subarray(page + 64)]),
    );
    assert.throws(() => openDatabase(path, 'host'), refusal('room-damaged', /is damaged/));
  });

  test('is whole: one that was cut off is found too', () => {
    const path = room();
    truncateSync(path, statSync(path).size - 8_192);
    assert.throws(() => openDatabase(path, 'host'), refusal('room-damaged', /is damaged/));
  });

  test('names only what is there: a wrap for nobody is damage', () => {
    const path = room();
    const database = new DatabaseSync(path, { enableForeignKeyConstraints: false });
    database.exec(
      "INSERT INTO wraps (id, member, sender, log_place, came_at_ms, frame) VALUES (1, 'nobody', 'bob', 1, 1, x'00')",
    );
    database.close();
    assert.throws(() => openDatabase(path, 'host'), refusal('room-damaged', /is damaged/));
  });

  test('can be looked at while its host has it, and after the host was killed', async () => {
    const path = newPath();
    createDatabase(path).close();
    const writer = spawn(process.execPath, [new URL('./writer.ts', import.meta.url).pathname, path]);
    const exit = once(writer, 'exit');
    await once(writer.stdout, 'data');
    const count = (): unknown => {
      const database = openDatabase(path, 'look');
      const { number } = database.prepare('SELECT count(*) AS number FROM log').get() ?? {};
      assert.throws(() => database.exec('DELETE FROM log'));
      database.close();
      return number;
    };
    assert.equal(count(), 2);
    writer.kill('SIGKILL');
    await exit;
    assert.equal(count(), 2);
    const host = openDatabase(path, 'host');
    host.close();
    assert.equal(count(), 2);
  });
});

test("SQLite's own errors are told in words, and no others", () => {
  const told = (errcode: number): unknown =>
    storageError('/r/a.room', Object.assign(new Error('sqlite says'), { errcode }));
  const code = (errcode: number): string => {
    const error = told(errcode);
    assert.ok(error instanceof StorageError);
    assert.ok(error.message.includes('/r/a.room'));
    return error.code;
  };
  // With what extends them: a folder that can only be read, a page that fails its check.
  assert.deepEqual([5, 8, 8 | (6 << 8), 11, 11 | (1 << 8), 13, 26, 10 | (3 << 8), 14].map(code), [
    ...['room-busy', 'read-only', 'read-only', 'room-damaged', 'room-damaged', 'disk-full', 'room-damaged'],
    ...['room-file', 'read-only'],
  ]);
  const other = new Error('not of SQLite');
  assert.equal(storageError('/r/a.room', other), other);
});

test('what keeps a file from being made is told in words, with what to do', () => {
  const told = (code: string): string => {
    const error = cannotMake('/r/a.lock', Object.assign(new Error('the system says'), { code }));
    assert.ok(error.message.includes('/r/a.lock'));
    return error.code;
  };
  assert.deepEqual(['EROFS', 'EACCES', 'EPERM', 'ENOSPC', 'EDQUOT', 'ENOTDIR'].map(told), [
    ...['read-only', 'read-only', 'read-only', 'disk-full', 'disk-full', 'room-file'],
  ]);
});
