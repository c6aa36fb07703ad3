/**
 * Sealed for whoever can open a private key: there is no second passphrase. The key is derived from the private key itself, anew
 * each time.
 */
import { randomBytes } from 'node:crypto';
import type { Bytes } from '../protocol/bytes.ts';
import { hkdf, sha256 } from './hash.ts';
import { AES_KEY_BYTES, GCM_NONCE_BYTES, gcmOpen, gcmSeal } from './primitives.ts';
import type { SigningKey } from './signature.ts';

export const SEAL_SALT_BYTES = 16;
export const SEAL_NONCE_BYTES = GCM_NONCE_BYTES;

export interface KeySealed {
  /** 16 random bytes, new each time. */
  readonly salt: Bytes;
  /** 12 random bytes. */
  readonly nonce: Bytes;
  readonly sealed: Bytes;
}

/** For whom, as what, and what it is bound to: in any other place it does not open. */
interface KeySealPlace {
  readonly key: SigningKey;
  readonly info: Bytes;
  readonly aad: Bytes;
}

export function sealForKey(place: KeySealPlace, plaintext: Bytes): KeySealed {
  const salt = randomBytes(SEAL_SALT_BYTES);
  const nonce = randomBytes(SEAL_NONCE_BYTES);
  const key = aesKey(place, salt);
  const sealed = gcmSeal({ key, nonce, aad: place.aad, plaintext });
  key.fill(0);
  return { salt, nonce, sealed };
}

/** @returns the plaintext, or `null` when it is another key's or place's, or was changed: the three look alike */
export function openForKey(place: KeySealPlace, { salt, nonce, sealed }: KeySealed): Bytes | null {
  const key = aesKey(place, salt);
  const plaintext = gcmOpen({ key, nonce, aad: place.aad, sealed });
  key.fill(0);
  return plaintext;
}

function aesKey({ key, info }: KeySealPlace, salt: Bytes): Bytes {
  const pkcs8 = key.exportPrivate();
  const secret = sha256(pkcs8);
  pkcs8.fill(0);
  const derived = hkdf(secret, salt, info, AES_KEY_BYTES);
  secret.fill(0);
  return derived;
}
