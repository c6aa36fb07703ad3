/** Whether a room that someone joins is saved, and where. */
import { resolve } from 'node:path';
import type { SigningKey } from '../../crypto/signature.ts';
import { InputError } from '../../protocol/errors.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import { comeBackWords } from '../finish.ts';
import type { JoinOptions } from '../options.ts';
import type { SavedDoor } from './saved-file.ts';
import { SavedPlace } from './saved-place.ts';
import { SavedRooms } from './saved-rooms.ts';

export interface JoinedRoom extends SavedDoor {
  readonly roomId: RoomId;
  readonly roomName: string;
  readonly identity: SigningKey;
}

/**
 * @returns `null` when nothing is to be saved
 * @throws InputError when it was asked for and cannot be
 */
export async function savePlace(room: JoinedRoom, options: JoinOptions): Promise<SavedPlace | null> {
  const { identity: source, dataFolder, save, saveAs } = options;
  const isWanted = save ?? room.keeps === 'ciphertext';
  if (!isWanted || source === null) return null;
  if (dataFolder === null)
    throw new InputError('no-home', 'There is no folder for saved rooms: HOME is not set.');
  const { addresses, tlsPin, keeps, identity, roomId, roomName } = room;
  const rooms = new SavedRooms(dataFolder);
  const name = saveAs ?? (await rooms.nameFor(roomName, roomId));
  const lock = await rooms.lock(name);
  if (lock === null)
    throw new InputError(
      'already-open',
      `@${name} is open in another program on this machine. End it there.`,
    );
  return new SavedPlace({
    ...{ name, path: rooms.path(name), lock, identity },
    door: { addresses, tlsPin, keeps },
    head: { roomId, roomName, identity: resolve(source.path) },
  });
}

export function savedText(name: string): string {
  return `This room is saved: ${comeBackWords(name)} comes back to it. /quit keeps your place, /leave gives it up.`;
}
