/**
 * A kept identity as text: a line with a check, then the private key under a passphrase, as PEM that OpenSSL opens.
 *
 * Node's own export of encrypted PEM is PBKDF2 with 2,048 rounds, so the little ASN.1 that scrypt needs is written
 * here. What is read must be exactly what is written: other parameters could be weak, or take hours.
 * @see docs/protocol.md#identity-files
 */
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { type Bytes, bytesEqual, concatBytes, fromBase64url, toBase64url, utf8 } from '../protocol/bytes.ts';
import { InputError, SecurityError } from '../protocol/errors.ts';
import { secretsEqual } from './constant-time.ts';
import { DER, der, derInteger } from './der.ts';
import { sha256 } from './hash.ts';
import { importSigningKey, importVerifyKey, type SigningKey } from './signature.ts';

/** More than a key of 4096 bits takes. */
export const IDENTITY_FILE_BYTES_MOST = 8_192;
/** A phrase, not a document; scrypt takes any length. */
const PASSPHRASE_BYTES_MOST = 1_024;

/** 16 MiB and about 0.15 s a guess. */
const SCRYPT = { N: 16_384, r: 8, p: 5 } as const;
const AES_KEY_BYTES = 32;
const IV_BYTES = 16;
const SALT_BYTES = 16;
/** OpenSSL 3.0 itself takes 8. */
const SALT_LEAST_BYTES = 8;
const SALT_MOST_BYTES = 32;

const CHECK_PREFIX = utf8.encode('sc1/identity');
const FIRST_LINE = 'securechat identity v1 check=';
const BEGIN = '-----BEGIN ENCRYPTED PRIVATE KEY-----\n';
const END = '-----END ENCRYPTED PRIVATE KEY-----\n';
const PEM_COLUMNS = 64;
const FORM =
  /^securechat identity v1 check=([\w-]{43})\n-----BEGIN [A-Z ]+-----\n([A-Za-z0-9+/=\n]+)-----END /;

const PBES2 = oid(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d);
const SCRYPT_KDF = oid(0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x04, 0x0b);
const AES_256_CBC = oid(0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a);
/** Where the salt's length stands: behind seven headers and the two names before it. */
const SALT_LENGTH_AT = 35;
/** From the salt's end to the IV: three numbers, two headers and a name. */
const SALT_TO_IV_BYTES = 25;
/** From the IV's end to the ciphertext: a header with a length of two bytes. */
const IV_TO_CIPHERTEXT_BYTES = 4;

/** A file's content, whole and undamaged as far as can be told without its passphrase. */
export interface SealedIdentity {
  /** The PEM block, with its line feeds. */
  readonly block: Bytes;
  readonly check: Bytes;
  readonly salt: Bytes;
  readonly iv: Bytes;
  readonly ciphertext: Bytes;
}

/**
 * @param passphrase as it was typed: white space at both ends does not count; empty protects nothing
 * @returns the file's text. Takes about 0.15 s, off the main thread.
 * @throws InputError `passphrase` when it is too long
 */
export async function formatIdentity(key: SigningKey, passphrase: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const iv = randomBytes(IV_BYTES);
  const aesKey = await deriveKey(passphrase, salt);
  const pkcs8 = key.exportPrivate();
  const cipher = createCipheriv('aes-256-cbc', aesKey, iv);
  const block = pemBlock(encryptedKey(salt, iv, concatBytes(cipher.update(pkcs8), cipher.final())));
  const check = sha256(CHECK_PREFIX, utf8.encode(block), pkcs8);
  aesKey.fill(0);
  pkcs8.fill(0);
  return `${FIRST_LINE}${toBase64url(check)}\n${block}`;
}

/**
 * @param text a file's content; lines may end as on Windows
 * @throws InputError `identity-file` unless it is one that `formatIdentity` could have written; the message goes on
 * from the file's name
 */
export function parseIdentity(text: string): SealedIdentity {
  if (text.length > IDENTITY_FILE_BYTES_MOST) throw damaged('is too large for an identity file');
  const lines = text.replaceAll('\r\n', '\n');
  if (!lines.startsWith('securechat identity '))
    throw damaged('is no identity file; "securechat identity new" makes one');
  if (!lines.startsWith('securechat identity v1 '))
    throw damaged('was written by another version of securechat; use that one, or a newer one');
  const [, check = '', base64 = ''] = FORM.exec(lines) ?? [];
  const checkBytes = fromBase64url(check);
  const parts = takeApart(new Uint8Array(Buffer.from(base64, 'base64')));
  if (parts === null || checkBytes === null) throw damaged(DAMAGED);
  const block = pemBlock(encryptedKey(parts.salt, parts.iv, parts.ciphertext));
  if (lines.trimEnd() !== `${FIRST_LINE}${check}\n${block}`.trimEnd()) throw damaged(DAMAGED);
  return { block: utf8.encode(block), check: checkBytes, ...parts };
}

const DAMAGED = 'has been changed or damaged since it was written; take it from a copy';

/**
 * Takes about 0.15 s, off the main thread.
 * @returns the key, or `null` when the passphrase does not fit or the file was changed: the two look alike
 * @throws InputError `identity-key` when rooms would refuse the key, `passphrase` when it is too long
 */
export async function openIdentity(sealed: SealedIdentity, passphrase: string): Promise<SigningKey | null> {
  const aesKey = await deriveKey(passphrase, sealed.salt);
  const pkcs8 = decrypt(aesKey, sealed);
  aesKey.fill(0);
  if (pkcs8 === null) return null;
  try {
    // Deriving the public key again would miss most flipped bits; this misses none.
    if (!secretsEqual(sha256(CHECK_PREFIX, sealed.block, pkcs8), sealed.check)) return null;
    return usableKey(importSigningKey(pkcs8));
  } catch (error) {
    if (!(error instanceof SecurityError)) throw error;
    throw new InputError('identity-key', `holds a key that rooms refuse: ${error.message}`);
  } finally {
    pkcs8.fill(0);
  }
}

function decrypt(aesKey: Bytes, { iv, ciphertext }: SealedIdentity): Bytes | null {
  const decipher = createDecipheriv('aes-256-cbc', aesKey, iv);
  const start = decipher.update(ciphertext);
  try {
    return concatBytes(start, decipher.final());
  } catch {
    return null;
  } finally {
    start.fill(0);
  }
}

/** @throws SecurityError `key-policy` when the public half is outside policy, or is not the private one's. */
function usableKey(key: SigningKey): SigningKey {
  const half = importVerifyKey(key.spki, key.algorithm);
  const probe = randomBytes(AES_KEY_BYTES);
  if (!half.verify('sc1/identity', probe, key.sign('sc1/identity', probe)))
    throw new SecurityError('key-policy', 'its two halves do not belong together');
  return key;
}

/**
 * One form of it, whatever keyboard or file it comes from: NFC, without white space at both ends.
 * @throws InputError `passphrase` when it is too long
 */
export function normalisePassphrase(typed: string): string {
  const passphrase = typed.trim().normalize('NFC');
  if (utf8.encode(passphrase).length <= PASSPHRASE_BYTES_MOST) return passphrase;
  throw new InputError('passphrase', `A passphrase is at most ${PASSPHRASE_BYTES_MOST} bytes.`);
}

async function deriveKey(passphrase: string, salt: Bytes): Promise<Bytes> {
  const bytes = utf8.encode(normalisePassphrase(passphrase));
  return new Promise((resolve, reject) => {
    scrypt(bytes, salt, AES_KEY_BYTES, SCRYPT, (error, derived) => {
      bytes.fill(0);
      if (error === null) resolve(derived);
      else reject(error);
    });
  });
}

/** PKCS#8 EncryptedPrivateKeyInfo (RFC 5958) with PBES2 (RFC 8018), scrypt (RFC 7914) and AES-256-CBC. */
function encryptedKey(salt: Bytes, iv: Bytes, ciphertext: Bytes): Bytes {
  const { N, r, p } = SCRYPT;
  const costs = [Uint8Array.of(N >> 8, N & 0xff), Uint8Array.of(r), Uint8Array.of(p)].map(derInteger);
  const kdf = der(DER.sequence, SCRYPT_KDF, der(DER.sequence, der(DER.octetString, salt), ...costs));
  const encryption = der(DER.sequence, AES_256_CBC, der(DER.octetString, iv));
  const algorithm = der(DER.sequence, PBES2, der(DER.sequence, kdf, encryption));
  return der(DER.sequence, algorithm, der(DER.octetString, ciphertext));
}

/** Reads where things lie if the form is ours; building the whole again proves that it is. */
function takeApart(bytes: Bytes): Pick<SealedIdentity, 'salt' | 'iv' | 'ciphertext'> | null {
  const saltBytes = bytes[SALT_LENGTH_AT] ?? 0;
  if (saltBytes < SALT_LEAST_BYTES || saltBytes > SALT_MOST_BYTES) return null;
  const saltAt = SALT_LENGTH_AT + 1;
  const ivAt = saltAt + saltBytes + SALT_TO_IV_BYTES;
  const ciphertextAt = ivAt + IV_BYTES + IV_TO_CIPHERTEXT_BYTES;
  const salt = bytes.slice(saltAt, saltAt + saltBytes);
  const iv = bytes.slice(ivAt, ivAt + IV_BYTES);
  const ciphertext = bytes.slice(ciphertextAt);
  return bytesEqual(encryptedKey(salt, iv, ciphertext), bytes) ? { salt, iv, ciphertext } : null;
}

function pemBlock(bytes: Bytes): string {
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  const lines = base64.replaceAll(new RegExp(`.{1,${PEM_COLUMNS}}`, 'g'), '$&\n');
  return BEGIN + lines + END;
}

function oid(...content: readonly number[]): Bytes {
  return Uint8Array.of(0x06, content.length, ...content);
}

function damaged(text: string): InputError {
  return new InputError('identity-file', text);
}
