/**
 * What a member keeps of a room, sealed for whoever can open their identity.
 * @see docs/protocol.md#saved-rooms
 */
import { type Bytes, concatBytes, utf8 } from '../protocol/bytes.ts';
import type { RoomId } from '../protocol/identifiers.ts';
import { type KeySealed, openForKey, sealForKey } from './key-seal.ts';
import type { SigningKey } from './signature.ts';

const LABEL = utf8.encode('sc1/state');

/** Whose state it is, and what stands before it in plain: in any other place it does not open. */
interface StatePlace {
  readonly identity: SigningKey;
  readonly roomId: RoomId;
  readonly head: Bytes;
}

export function sealState(place: StatePlace, plaintext: Bytes): KeySealed {
  return sealForKey(sealPlace(place), plaintext);
}

/** @returns the plaintext, or `null` when it is another identity's or room's, or was changed: the three look alike */
export function openState(place: StatePlace, sealed: KeySealed): Bytes | null {
  return openForKey(sealPlace(place), sealed);
}

function sealPlace({ identity, roomId, head }: StatePlace): Parameters<typeof sealForKey>[0] {
  return { key: identity, info: concatBytes(LABEL, roomId), aad: head };
}
