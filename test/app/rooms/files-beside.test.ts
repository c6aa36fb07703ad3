/** Files that wait beside a kept room, and what is done to the room from outside. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { backupRoom, restoreRoom } from '../../../src/app/rooms/backup-room.ts';
import { deleteRoom, renameRoom } from '../../../src/app/rooms/change-room.ts';
import { listRooms } from '../../../src/app/rooms/list-rooms.ts';
import { RoomFolder } from '../../../src/app/rooms/room-folder.ts';
import { createDatabase } from '../../../src/storage/room-database.ts';

const NAME = '0'.repeat(32);

/** A room of which a file of 1,000 bytes waits. */
async function folderOf(context: TestContext): Promise<RoomFolder> {
  const home = mkdtempSync(join(tmpdir(), 'securechat-beside-'));
  context.after(() => rmSync(home, { recursive: true }));
  const folder = new RoomFolder(home);
  await folder.make();
  const { file, files } = folder.place('kitchen');
  createDatabase(file).close();
  mkdirSync(files, { mode: 0o700 });
  writeFileSync(join(files, NAME), Buffer.alloc(1_000));
  return folder;
}

test('they count as the room does, move with it, and go with it', async (context) => {
  const folder = await folderOf(context);
  const bytes = async (): Promise<number> => (await listRooms(folder))[0]?.bytes ?? 0;
  const before = await bytes();
  writeFileSync(join(folder.place('kitchen').files, `${NAME}.part`), Buffer.alloc(500));
  assert.equal(await bytes(), before + 500);
  await renameRoom(folder, 'kitchen', 'attic');
  assert.deepEqual(readdirSync(folder.place('attic').files), [NAME, `${NAME}.part`]);
  await deleteRoom(folder, 'attic', true, null);
  assert.deepEqual(readdirSync(folder.path), []);
});

test('they are in no backup, which is said, and none of an earlier room is taken for one of a restored room', async (context) => {
  const folder = await folderOf(context);
  const backup = join(folder.path, '..', 'backup');
  assert.match(await backupRoom(folder, 'kitchen', backup), /Files that wait for members are not in it\./);
  rmSync(folder.place('kitchen').file);
  const told = await restoreRoom(folder, backup, 'kitchen');
  assert.match(told.join(' '), /No file waits in it/);
  assert.equal(readdirSync(folder.path).includes('kitchen.files'), false);
  rmSync(backup);
  assert.doesNotMatch(await backupRoom(folder, 'kitchen', backup), /Files that wait/);
});
