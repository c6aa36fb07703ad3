/** The kept rooms of this account. One that cannot be read is listed as such. */
import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
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
  let known: KeptRoomEvent = { type: 'room-kept', name, file, bytes: await sizeOf(file), open: false };
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

/** With what SQLite has beside it. */
async function sizeOf(file: string): Promise<number> {
  const sizes = ['', '-wal'].map((end) =>
    stat(`${file}${end}`).then(
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
