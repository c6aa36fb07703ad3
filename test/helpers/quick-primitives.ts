/** In place of `src/crypto/primitives.ts`, see `quick-crypto.ts`: lengths are as ever, secrecy is none. */
import { createHash, type KeyObject, randomBytes } from 'node:crypto';
import type * as real from '../../src/crypto/primitives.ts';
import { kemPublicKey as checked } from '../../src/crypto/primitives.ts';
import { type Bytes, bytesEqual } from '../../src/protocol/bytes.ts';
import { nameOf, once } from './quick-keys.ts';

export {
  AES_KEY_BYTES,
  GCM_NONCE_BYTES,
  GCM_TAG_BYTES,
  gcmOpen,
  gcmSeal,
} from '../../src/crypto/primitives.ts';

const SECRET_BYTES = 32;
const RSA_BYTES = 384;
const DSA_BYTES = 64;
const KEM_CIPHERTEXT_BYTES = 1_088;

function mac(key: KeyObject, ...parts: readonly Bytes[]): Bytes {
  const hash = createHash('sha256').update(nameOf(key));
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

function padded(length: number, ...parts: readonly Bytes[]): Bytes {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export const pssSign: typeof real.pssSign = (key, message) => padded(RSA_BYTES, mac(key, message));
export const pssVerify: typeof real.pssVerify = (key, message, signature) =>
  bytesEqual(signature, padded(RSA_BYTES, mac(key, message)));
export const dsaSign: typeof real.dsaSign = (key, message) => padded(DSA_BYTES, mac(key, message));
export const dsaVerify: typeof real.dsaVerify = (key, message, signature) =>
  bytesEqual(signature, padded(DSA_BYTES, mac(key, message)));

export const oaepEncrypt: typeof real.oaepEncrypt = (key, label, plaintext) =>
  padded(RSA_BYTES, plaintext, mac(key, label, plaintext));
export const oaepDecrypt: typeof real.oaepDecrypt = (key, label, ciphertext) => {
  const plaintext = ciphertext.slice(0, SECRET_BYTES);
  return bytesEqual(ciphertext, padded(RSA_BYTES, plaintext, mac(key, label, plaintext))) ? plaintext : null;
};

const parsed = once((bytes) => checked(bytes) as KeyObject);
export const kemPublicKey: typeof real.kemPublicKey = (bytes) => parsed(bytes);
export const kemEncapsulate: typeof real.kemEncapsulate = (key) => {
  const ciphertext = padded(KEM_CIPHERTEXT_BYTES, new Uint8Array(randomBytes(SECRET_BYTES)));
  return { secret: mac(key, ciphertext), ciphertext };
};
export const kemDecapsulate: typeof real.kemDecapsulate = (key, ciphertext) =>
  ciphertext.length === KEM_CIPHERTEXT_BYTES ? mac(key, ciphertext) : null;
