/**
 * The few node:crypto operations everything else is built from, each with its parameters fixed, so that no caller
 * can forget one (Node accepts short GCM tags, any PSS salt and SHA-1 OAEP by default). Published test vectors run
 * against exactly these functions.
 *
 * House rule: a wrong size from our own code throws; anything a peer can cause is `null` or `false`.
 * @see docs/protocol.md#keys
 */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createPublicKey,
  decapsulate,
  encapsulate,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
  sign,
  verify,
} from 'node:crypto';
import { type Bytes, concatBytes } from '../protocol/bytes.ts';

export const AES_KEY_BYTES = 32;
export const GCM_NONCE_BYTES = 12;
export const GCM_TAG_BYTES = 16;
const KEM_PUBLIC_BYTES = 1_184;
const KEM_CIPHERTEXT_BYTES = 1_088;
const DSA_SIGNATURE_BYTES = 64;
const PSS_SALT_BYTES = 32;

interface GcmParameters {
  /** 32 bytes. */
  readonly key: Bytes;
  /** 12 bytes, used once under `key`. */
  readonly nonce: Bytes;
  readonly aad: Bytes;
}

function checkGcmSizes({ key, nonce }: GcmParameters): void {
  if (key.length !== AES_KEY_BYTES) throw new RangeError('an AES-256 key is 32 bytes');
  if (nonce.length !== GCM_NONCE_BYTES) throw new RangeError('a GCM nonce is 12 bytes');
}

/** @returns AES-256-GCM ciphertext with its 16-byte tag appended. */
export function gcmSeal(parameters: GcmParameters & { readonly plaintext: Bytes }): Bytes {
  checkGcmSizes(parameters);
  const { key, nonce, aad, plaintext } = parameters;
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: GCM_TAG_BYTES });
  cipher.setAAD(aad);
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  return concatBytes(ciphertext, cipher.getAuthTag());
}

/** @returns the plaintext, or `null` when the tag does not fit. */
export function gcmOpen(parameters: GcmParameters & { readonly sealed: Bytes }): Bytes | null {
  checkGcmSizes(parameters);
  const { key, nonce, aad, sealed } = parameters;
  const tagAt = sealed.length - GCM_TAG_BYTES;
  if (tagAt < 0) return null;
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: GCM_TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(tagAt));
  const plaintext = decipher.update(sealed.subarray(0, tagAt));
  try {
    decipher.final();
  } catch {
    return null;
  }
  return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength);
}

/** The length of this RSA key's signatures and ciphertexts. */
function modulusBytes(key: KeyObject): number {
  return Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8);
}

/** RSA-PSS with SHA-256 for hash and MGF1 and a 32-byte salt. */
export function pssSign(privateKey: KeyObject, message: Bytes): Bytes {
  return new Uint8Array(
    sign('sha256', message, {
      key: privateKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: PSS_SALT_BYTES,
    }),
  );
}

export function pssVerify(publicKey: KeyObject, message: Bytes, signature: Bytes): boolean {
  if (signature.length !== modulusBytes(publicKey)) return false;
  const key = { key: publicKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: PSS_SALT_BYTES };
  return verify('sha256', message, key, signature);
}

/** DSA with SHA-256; r and s as 32 bytes each (IEEE P1363), so a signature has one length and one form. */
export function dsaSign(privateKey: KeyObject, message: Bytes): Bytes {
  return new Uint8Array(sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' }));
}

export function dsaVerify(publicKey: KeyObject, message: Bytes, signature: Bytes): boolean {
  if (signature.length !== DSA_SIGNATURE_BYTES) return false;
  return verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, signature);
}

/** RSA-OAEP with SHA-256 for label hash and MGF1. */
export function oaepEncrypt(publicKey: KeyObject, label: Bytes, plaintext: Bytes): Bytes {
  return new Uint8Array(
    publicEncrypt(
      {
        key: publicKey,
        padding: constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash: 'sha256',
        oaepLabel: label,
      },
      plaintext,
    ),
  );
}

/** @returns the plaintext, or `null` for whatever reason it does not open; the reason is not for telling. */
export function oaepDecrypt(privateKey: KeyObject, label: Bytes, ciphertext: Bytes): Bytes | null {
  if (ciphertext.length !== modulusBytes(privateKey)) return null;
  const key = {
    key: privateKey,
    padding: constants.RSA_PKCS1_OAEP_PADDING,
    oaepHash: 'sha256',
    oaepLabel: label,
  };
  try {
    return new Uint8Array(privateDecrypt(key, ciphertext));
  } catch {
    return null;
  }
}

/** @returns the ML-KEM-768 key, or `null` when the 1,184 bytes are not one (FIPS 203's modulus check included). */
export function kemPublicKey(bytes: Bytes): KeyObject | null {
  if (bytes.length !== KEM_PUBLIC_BYTES) return null;
  try {
    return createPublicKey({
      key: Buffer.from(bytes),
      format: 'raw-public',
      asymmetricKeyType: 'ml-kem-768',
    });
  } catch {
    return null;
  }
}

/** @returns a fresh 32-byte secret and the 1,088 bytes that carry it to the key's holder. */
export function kemEncapsulate(publicKey: KeyObject): { readonly secret: Bytes; readonly ciphertext: Bytes } {
  const { sharedKey, ciphertext } = encapsulate(publicKey);
  return { secret: new Uint8Array(sharedKey), ciphertext: new Uint8Array(ciphertext) };
}

/**
 * @returns 32 bytes, or `null` for a wrong length. A forged ciphertext of the right length gives an unrelated secret
 * (implicit rejection): what is sealed under it then fails to open.
 */
export function kemDecapsulate(privateKey: KeyObject, ciphertext: Bytes): Bytes | null {
  if (ciphertext.length !== KEM_CIPHERTEXT_BYTES) return null;
  return new Uint8Array(decapsulate(privateKey, ciphertext));
}
