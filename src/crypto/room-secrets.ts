/**
 * What a kept room must not lose and its file must not give away: sealed under a key that the owner's key leads to. Who
 * opens the owner's key, by its passphrase where it has one, opens the rest, and no second key is stretched.
 * @see docs/security.md#what-disk-and-memory-reveal
 */
import { randomBytes } from 'node:crypto';
import { type Bytes, concatBytes, utf8 } from '../protocol/bytes.ts';
import { codec, type Decoded, field } from '../protocol/codec.ts';
import { hkdf, sha256 } from './hash.ts';
import { AES_KEY_BYTES, GCM_NONCE_BYTES, gcmOpen, gcmSeal } from './primitives.ts';
import type { SigningKey } from './signature.ts';

const SALT_BYTES = 16;
const LABEL = 'sc1/room';

export const RoomSecrets = codec(
  'room secrets',
  field.struct({
    version: field.u8,
    /** The TLS key whose hash every invitation names, and its certificate. */
    keyPem: field.text,
    certPem: field.text,
    /** OPAQUE: the host's keys, and the record of the answer. */
    setup: field.text,
    record: field.text,
    /** The host's own identity as PKCS#8, where it takes part under one that no file of its own keeps; else empty. */
    identity: field.bytes,
  }),
);
export type RoomSecrets = Decoded<typeof RoomSecrets>;

/** Salt, nonce and key are new each time: the nonce could be anything. */
export function sealRoomSecrets(owner: SigningKey, secrets: RoomSecrets): Bytes {
  const salt = new Uint8Array(randomBytes(SALT_BYTES));
  const plaintext = RoomSecrets.encode(secrets);
  const sealed = gcmSeal({ ...keyFor(owner, salt), aad: utf8.encode(LABEL), plaintext });
  plaintext.fill(0);
  return concatBytes(salt, sealed);
}

/** @returns `null` when these bytes were not sealed under this owner's key, or are damaged. */
export function openRoomSecrets(owner: SigningKey, bytes: Bytes): RoomSecrets | null {
  if (bytes.length <= SALT_BYTES) return null;
  const sealed = bytes.subarray(SALT_BYTES);
  const plaintext = gcmOpen({
    ...keyFor(owner, bytes.subarray(0, SALT_BYTES)),
    aad: utf8.encode(LABEL),
    sealed,
  });
  return plaintext === null ? null : RoomSecrets.decode(plaintext);
}

function keyFor(owner: SigningKey, salt: Bytes): { readonly key: Bytes; readonly nonce: Bytes } {
  const pkcs8 = owner.exportPrivate();
  const derived = hkdf(sha256(pkcs8), salt, LABEL, AES_KEY_BYTES + GCM_NONCE_BYTES);
  pkcs8.fill(0);
  return { key: derived.slice(0, AES_KEY_BYTES), nonce: derived.slice(AES_KEY_BYTES) };
}
