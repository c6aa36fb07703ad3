/** The kept rooms of this account. One that cannot be read is listed as such. */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError } from '../../storage/errors.ts';
import { lookAt } from '../../storage/room-look.ts';
import type { KeptRoomEvent } from '../../terminal/json-lines.ts';
import { tryLockRoom } from './kept-room.ts';
import type { RoomFolder, RoomPlace } from './room-folder.ts';

/** By name. */
export async function listRooms(folder: RoomFolder): Promise<readonly KeptRoomEvent[]> {
  return Promise.all((await folder.all()).map(described));
}

async function described(place: RoomPlace): Promise<KeptRoomEvent> {
  const { name, file } = place;
  const bytes = (await sizeOf([file, `${file}-wal`])) + (await sizeOfFolder(place.files));
  let known: KeptRoomEvent = { type: 'room-kept', name, file, bytes, open: false };
  try {
    known = { ...known, open: isOpen(place) };
    const { roomName, members, waiting, openedAtMs } = lookAt(file);
    const openedAt = openedAtMs === null ? {} : { openedAt: new Date(openedAtMs).toISOString() };
    return { ...known, room: roomName, members, waiting, ...openedAt };
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    return { ...known, problem: { code: error.code, text: error.message } };
  }
}

/** What waits for members as files. */
async function sizeOfFolder(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  return sizeOf(names.map((name) => join(folder, name)));
}

/** Of those that are there. */
async function sizeOf(files: readonly string[]): Promise<number> {
  const sizes = files.map((file) =>
    stat(file).then(
      ({ size }) => size,
      () => 0,
    ),
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

function isOpen(place: RoomPlace): boolean {
  if (!existsSync(place.lock)) return false;
  const taken = tryLockRoom(place);
  taken?.release();
  return taken === null;
}
