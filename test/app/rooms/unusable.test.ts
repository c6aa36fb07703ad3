/** Files of kept rooms that cannot be used: told in words, and in the way of nothing else. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { deleteRoom, renameRoom } from '../../../src/app/rooms/change-room.ts';
import { listRooms } from '../../../src/app/rooms/list-rooms.ts';
import { RoomFolder } from '../../../src/app/rooms/room-folder.ts';
import { createDatabase } from '../../../src/storage/room-database.ts';

async function folderOf(context: TestContext): Promise<RoomFolder> {
  const home = mkdtempSync(join(tmpdir(), 'securechat-unusable-'));
  context.after(() => rmSync(home, { recursive: true }));
  const folder = new RoomFolder(home);
  await folder.make();
  for (const name of ['attic', 'kitchen']) createDatabase(folder.place(name).file).close();
  return folder;
}

test('a lock that is none keeps its own room shut, and no other from being listed', async (context) => {
  const folder = await folderOf(context);
  writeFileSync(folder.place('attic').lock, 'a letter to someone');
  const refused = {
    code: 'room-file',
    message: /attic cannot be locked by .*attic\.lock: .*\. Make its folder/,
  };
  assert.deepEqual(
    (await listRooms(folder)).map(({ name, problem }) => [name, problem?.code]),
    [
      ['attic', 'room-file'],
      ['kitchen', undefined],
    ],
  );
  await assert.rejects(deleteRoom(folder, 'attic', true, null), refused);
  await assert.rejects(renameRoom(folder, 'attic', 'cellar'), refused);
});

test('what cannot be removed is told with its name', async (context) => {
  const folder = await folderOf(context);
  mkdirSync(join(folder.path, 'attic.self'));
  await assert.rejects(deleteRoom(folder, 'attic', true, null), {
    code: 'file',
    message: /Cannot write .*attic\.self: /,
  });
});
