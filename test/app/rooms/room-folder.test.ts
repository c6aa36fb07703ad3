/** Names of kept rooms, and the files that belong to them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { checkRoomName, nameFor, RoomFolder } from '../../../src/app/rooms/room-folder.ts';

const home = mkdtempSync(join(tmpdir(), 'securechat-folder-'));
after(() => rmSync(home, { recursive: true }));

test('a name is a file name everywhere, and leads nowhere else', () => {
  for (const name of ['kitchen', 'a', '0-night_shift', 'x'.repeat(40)])
    assert.equal(checkRoomName(name), name);
  for (const name of [
    '',
    'Kitchen',
    '.',
    '..',
    '../up',
    'a/b',
    'a.b',
    '-a',
    'con',
    'nul',
    'lpt1',
    'ü',
    'x'.repeat(41),
  ])
    assert.throws(() => checkRoomName(name), { code: 'room-name' }, name);
});

test('what a room is called becomes a name that can be had', () => {
  const cases = [
    ['Kitchen', 'kitchen'],
    ['Our  Küche!', 'our-kuche'],
    ['--', 'room'],
    ['会議', 'room'],
    ['CON', 'room'],
    ['x'.repeat(60), 'x'.repeat(40)],
  ] as const;
  for (const [roomName, name] of cases) assert.equal(nameFor(roomName), name, roomName);
});

test('the folder is for its owner alone; its rooms are found by name, with all that is theirs', async () => {
  const folder = new RoomFolder(home);
  assert.deepEqual(await folder.all(), []);
  await folder.make();
  assert.equal(statSync(folder.path).mode & 0o777, 0o700);
  for (const file of ['b.room', 'b.room-wal', 'b.lock', 'b.self', 'a.room', 'bakery.room', 'B.room', 'b'])
    writeFileSync(join(folder.path, file), '');
  assert.deepEqual(
    (await folder.all()).map(({ name }) => name),
    ['a', 'b', 'bakery'],
  );
  const own = (await folder.filesOf('b')).map((path) => basename(path));
  assert.deepEqual([...own].sort(), ['b.lock', 'b.room', 'b.room-wal', 'b.self']);
  assert.equal(own.at(-1), 'b.lock');
  await assert.rejects(folder.find('bakry'), { code: 'no-such-room', message: /Did you mean bakery\?/ });
  await assert.rejects(folder.find('../b'), { code: 'no-such-room' });
  await assert.rejects(folder.checkFree('b'), { code: 'room-taken' });
  await folder.checkFree('c');
});

test('an account without a home keeps no room', () => {
  assert.throws(() => new RoomFolder(null), { code: 'no-home' });
});

test('a folder that cannot be made is told in words, with its name', async () => {
  const file = join(home, 'a-file');
  writeFileSync(file, '');
  const { path } = new RoomFolder(file);
  await assert.rejects(new RoomFolder(file).make(), {
    code: 'file',
    message: `Cannot keep rooms in ${path}: a part of the path is a file, not a folder.`,
  });
});
