/**
 * Handing a chain key to one member, shut by RSA-OAEP and ML-KEM-768 together: a recorded wrap opens only if both are
 * broken.
 *
 * Old private keys are dropped by letting go of the `WrapKeyPair`; Node cannot wipe a key object.
 * @see docs/protocol.md#sender-chains
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { type Bytes, concatBytes, utf8 } from '../protocol/bytes.ts';
import { SecurityError } from '../protocol/errors.ts';
import type { Hash, MemberId } from '../protocol/identifiers.ts';
import { hkdf, sha256 } from './hash.ts';
import { generateKemKeys, generateRsaKeys, type KeyHalves } from './key-generation.ts';
import {
  AES_KEY_BYTES,
  GCM_NONCE_BYTES,
  GCM_TAG_BYTES,
  gcmOpen,
  gcmSeal,
  kemDecapsulate,
  kemEncapsulate,
  kemPublicKey,
  oaepDecrypt,
  oaepEncrypt,
} from './primitives.ts';
import { importRsaPublicKey } from './rsa-key.ts';

const SECRET_BYTES = 32;
const CHAIN_KEY_BYTES = 32;
const WRAP_SEALED_BYTES = CHAIN_KEY_BYTES + GCM_TAG_BYTES;
const LABEL_PREFIX = utf8.encode('sc1/wrap\0');
const KEY_PREFIX = utf8.encode('sc1/kek');
/** The key beneath it is derived for one wrap and never used again. */
const ZERO_NONCE = new Uint8Array(GCM_NONCE_BYTES);

/** As a wrap-key statement carries them. */
export interface WrapPublicBytes {
  /** DER SubjectPublicKeyInfo, 422 to 550 bytes. */
  readonly rsaSpki: Bytes;
  /** ML-KEM-768 encapsulation key, 1,184 bytes. */
  readonly kemPublic: Bytes;
}

declare const checked: unique symbol;

/** Someone's wrap keys, parsed and within policy. Made by `importWrapKeys` alone. */
export interface WrapPublicKeys {
  readonly rsa: KeyObject;
  readonly kem: KeyObject;
  readonly [checked]: true;
}

export interface WrapKeyPair {
  readonly publicKeys: WrapPublicBytes;
  readonly rsaPrivate: KeyObject;
  readonly kemPrivate: KeyObject;
}

export interface WrappedKey {
  /** As long as the RSA modulus: 384 to 512 bytes. */
  readonly rsaCiphertext: Bytes;
  /** 1,088 bytes. */
  readonly kemCiphertext: Bytes;
  /** 48 bytes. */
  readonly sealed: Bytes;
}

/** What a wrap is bound to: moved to any other place, it does not open. */
interface WrapPlace {
  /** H(chain announcement). */
  readonly announcementHash: Hash;
  /** Whom it is for. */
  readonly memberId: MemberId;
  /** H(the wrap-key statement it is for). */
  readonly statementHash: Hash;
}

/** Makes RSA-3072 and ML-KEM-768 keys off the main thread, in 0.35 to 1 s. */
export async function generateWrapKeys(): Promise<WrapKeyPair> {
  const [rsa, kem] = await Promise.all([generateRsaKeys(), generateKemKeys()]);
  return wrapKeyPair(rsa, kem);
}

/** Both private keys as bytes, for a file that is sealed. */
export interface WrapPrivateBytes {
  /** DER PKCS#8. */
  readonly rsaPkcs8: Bytes;
  /** The 64 bytes that an ML-KEM key is made from. */
  readonly kemSeed: Bytes;
}

/** @returns bytes that the caller overwrites */
export function exportWrapKeys({ rsaPrivate, kemPrivate }: WrapKeyPair): WrapPrivateBytes {
  return {
    rsaPkcs8: bytesOf(rsaPrivate.export({ format: 'der', type: 'pkcs8' })),
    kemSeed: bytesOf(kemPrivate.export({ format: 'raw-seed' })),
  };
}

/** @throws Error when these are not two private keys that were exported here */
export function wrapKeysFromPrivate({ rsaPkcs8, kemSeed }: WrapPrivateBytes): WrapKeyPair {
  const rsaPrivate = createPrivateKey({ key: bufferOf(rsaPkcs8), format: 'der', type: 'pkcs8' });
  const kemPrivate = createPrivateKey({
    key: bufferOf(kemSeed),
    format: 'raw-seed',
    asymmetricKeyType: 'ml-kem-768',
  });
  return wrapKeyPair(
    { publicKey: createPublicKey(rsaPrivate), privateKey: rsaPrivate },
    { publicKey: createPublicKey(kemPrivate), privateKey: kemPrivate },
  );
}

/** The same bytes, here and below: a copy would be one that nobody overwrites. */
function bytesOf({ buffer, byteOffset, byteLength }: Buffer): Bytes {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function bufferOf({ buffer, byteOffset, byteLength }: Bytes): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

function wrapKeyPair(rsa: KeyHalves, kem: KeyHalves): WrapKeyPair {
  return {
    publicKeys: {
      rsaSpki: new Uint8Array(rsa.publicKey.export({ format: 'der', type: 'spki' })),
      kemPublic: new Uint8Array(kem.publicKey.export({ format: 'raw-public' })),
    },
    rsaPrivate: rsa.privateKey,
    kemPrivate: kem.privateKey,
  };
}

/** @throws SecurityError `key-policy` when either key is not one this protocol accepts */
export function importWrapKeys({ rsaSpki, kemPublic }: WrapPublicBytes): WrapPublicKeys {
  const rsa = importRsaPublicKey(rsaSpki);
  const kem = kemPublicKey(kemPublic);
  if (kem === null) throw new SecurityError('key-policy', 'an ML-KEM public key is refused');
  return { rsa, kem } as WrapPublicKeys;
}

/** @param wrap.chainKey 32 bytes */
export function wrapChainKey(
  wrap: WrapPlace & { readonly to: WrapPublicKeys; readonly chainKey: Bytes },
): WrappedKey {
  if (wrap.chainKey.length !== CHAIN_KEY_BYTES) throw new RangeError('a chain key is 32 bytes');
  const rsaSecret = randomBytes(SECRET_BYTES);
  const rsaCiphertext = oaepEncrypt(wrap.to.rsa, label(wrap), rsaSecret);
  const { secret: kemSecret, ciphertext: kemCiphertext } = kemEncapsulate(wrap.to.kem);
  const key = wrappingKey({ rsaSecret, kemSecret, rsaCiphertext, kemCiphertext }, wrap);
  const sealed = gcmSeal({ key, nonce: ZERO_NONCE, aad: wrap.announcementHash, plaintext: wrap.chainKey });
  key.fill(0);
  return { rsaCiphertext, kemCiphertext, sealed };
}

/** @returns the 32-byte chain key, or `null` when the wrap is not for these keys, this member and these statements. */
export function unwrapChainKey(
  unwrap: WrapPlace & { readonly with: WrapKeyPair; readonly wrapped: WrappedKey },
): Bytes | null {
  const { rsaCiphertext, kemCiphertext, sealed } = unwrap.wrapped;
  if (sealed.length !== WRAP_SEALED_BYTES) return null;
  const kemSecret = kemDecapsulate(unwrap.with.kemPrivate, kemCiphertext);
  if (kemSecret === null) return null;
  const rsaSecret = oaepDecrypt(unwrap.with.rsaPrivate, label(unwrap), rsaCiphertext);
  if (rsaSecret?.length !== SECRET_BYTES) return null;
  const key = wrappingKey({ rsaSecret, kemSecret, rsaCiphertext, kemCiphertext }, unwrap);
  const chainKey = gcmOpen({ key, nonce: ZERO_NONCE, aad: unwrap.announcementHash, sealed });
  key.fill(0);
  return chainKey;
}

function label({ announcementHash, memberId }: WrapPlace): Bytes {
  return concatBytes(LABEL_PREFIX, announcementHash, memberId);
}

interface WrapSecrets {
  readonly rsaSecret: Bytes;
  readonly kemSecret: Bytes;
  readonly rsaCiphertext: Bytes;
  readonly kemCiphertext: Bytes;
}

/** Wipes both secrets: nothing but the key is needed from here on. */
function wrappingKey(secrets: WrapSecrets, place: WrapPlace): Bytes {
  const both = concatBytes(secrets.rsaSecret, secrets.kemSecret);
  const salt = sha256(secrets.rsaCiphertext, secrets.kemCiphertext);
  const info = concatBytes(KEY_PREFIX, place.announcementHash, place.memberId, place.statementHash);
  const key = hkdf(both, salt, info, AES_KEY_BYTES);
  both.fill(0);
  secrets.rsaSecret.fill(0);
  secrets.kemSecret.fill(0);
  return key;
}
