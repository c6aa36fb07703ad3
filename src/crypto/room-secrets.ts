/**
 * What a kept room must not lose and its file must not give away: sealed under a key that the owner's key leads to. Who
 * opens the owner's key, by its passphrase where it has one, opens the rest, and no second key is stretched.
 * @see docs/security.md#what-disk-and-memory-reveal
 */
import { type Bytes, concatBytes, utf8 } from '../protocol/bytes.ts';
import { codec, type Decoded, field } from '../protocol/codec.ts';
import { openForKey, SEAL_NONCE_BYTES, SEAL_SALT_BYTES, sealForKey } from './key-seal.ts';
import type { SigningKey } from './signature.ts';

const LABEL = utf8.encode('sc1/room');

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

/** Salt, nonce and key are new each time. */
export function sealRoomSecrets(owner: SigningKey, secrets: RoomSecrets): Bytes {
  const plaintext = RoomSecrets.encode(secrets);
  const { salt, nonce, sealed } = sealForKey(placeOf(owner), plaintext);
  plaintext.fill(0);
  return concatBytes(salt, nonce, sealed);
}

/** @returns `null` when these bytes were not sealed under this owner's key, or are damaged. */
export function openRoomSecrets(owner: SigningKey, bytes: Bytes): RoomSecrets | null {
  const nonceAt = SEAL_SALT_BYTES;
  const sealedAt = nonceAt + SEAL_NONCE_BYTES;
  if (bytes.length <= sealedAt) return null;
  const plaintext = openForKey(placeOf(owner), {
    salt: bytes.subarray(0, nonceAt),
    nonce: bytes.subarray(nonceAt, sealedAt),
    sealed: bytes.subarray(sealedAt),
  });
  return plaintext === null ? null : RoomSecrets.decode(plaintext);
}

function placeOf(owner: SigningKey): Parameters<typeof sealForKey>[0] {
  return { key: owner, info: LABEL, aad: LABEL };
}
