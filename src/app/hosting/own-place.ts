/**
 * The host's own membership in a kept room, as a guest's saved room is: sealed for its identity, beside the room's file.
 * So what was said to it while it had crashed is not lost on it.
 */
import { join } from 'node:path';
import type { SigningKey } from '../../crypto/signature.ts';
import { InputError } from '../../protocol/errors.ts';
import type { SavedMembership } from '../membership.ts';
import type { KeptRoom } from '../rooms/kept-room.ts';
import type { RoomPlace } from '../rooms/room-folder.ts';
import { openRoom, readSavedFile } from '../saved/saved-file.ts';
import { SavedPlace } from '../saved/saved-place.ts';

export function ownPlace(
  { name, folder }: RoomPlace,
  { keys, roomName }: Pick<KeptRoom, 'keys' | 'roomName'>,
  identity: SigningKey,
): SavedPlace {
  const { roomId, tlsPin } = keys;
  return new SavedPlace({
    name,
    path: join(folder, `${name}.self`),
    // The room's own lock holds this file too.
    lock: { release() {} },
    identity,
    door: { addresses: [], tlsPin, keeps: 'ciphertext' },
    head: { roomId, roomName, identity: '' },
  });
}

/** @returns `null` where nothing was saved, or not for this identity: the host comes in with nothing but its key then */
export async function ownSaved(place: SavedPlace, identity: SigningKey): Promise<SavedMembership | null> {
  const file = await readSavedFile(place.path).catch(() => null);
  if (file === null) return null;
  try {
    return { state: openRoom(identity, file).state, place, takeover: false };
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}
