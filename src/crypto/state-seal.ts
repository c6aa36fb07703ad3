/**
 * What a member keeps of a room, sealed for whoever can open their identity: there is no second passphrase. The key is
 * derived from the private key itself, anew for each save.
 * @see docs/protocol.md#saved-rooms
 */
import { randomBytes } from 'node:crypto';
import { type Bytes, concatBytes, utf8 } from '../protocol/bytes.ts';
import type { RoomId } from '../protocol/identifiers.ts';
import { hkdf, sha256 } from './hash.ts';
import { AES_KEY_BYTES, GCM_NONCE_BYTES, gcmOpen, gcmSeal } from './primitives.ts';
import type { SigningKey } from './signature.ts';

export const STATE_SALT_BYTES = 16;
export const STATE_NONCE_BYTES = GCM_NONCE_BYTES;

const LABEL = utf8.encode('sc1/state');

export interface SealedState {
  /** 16 random bytes, new each time. */
  readonly salt: Bytes;
  /** 12 random bytes. */
  readonly nonce: Bytes;
  readonly sealed: Bytes;
}

/** Whose state it is, and what stands before it in plain: in any other place it does not open. */
interface StatePlace {
  readonly identity: SigningKey;
  readonly roomId: RoomId;
  readonly head: Bytes;
}

export function sealState(place: StatePlace, plaintext: Bytes): SealedState {
  const salt = randomBytes(STATE_SALT_BYTES);
  const nonce = randomBytes(STATE_NONCE_BYTES);
  const key = stateKey(place, salt);
  const sealed = gcmSeal({ key, nonce, aad: place.head, plaintext });
  key.fill(0);
  return { salt, nonce, sealed };
}

/** @returns the plaintext, or `null` when it is another identity's or room's, or was changed: the three look alike */
export function openState(place: StatePlace, { salt, nonce, sealed }: SealedState): Bytes | null {
  const key = stateKey(place, salt);
  const plaintext = gcmOpen({ key, nonce, aad: place.head, sealed });
  key.fill(0);
  return plaintext;
}

function stateKey({ identity, roomId }: StatePlace, salt: Bytes): Bytes {
  const pkcs8 = identity.exportPrivate();
  const secret = sha256(pkcs8);
  pkcs8.fill(0);
  const key = hkdf(secret, salt, concatBytes(LABEL, roomId), AES_KEY_BYTES);
  secret.fill(0);
  return key;
}
