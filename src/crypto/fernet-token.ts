/**
 * Fernet tokens. The only file that knows the npm package `fernet`, which mints and decrypts.
 *
 * The package accepts tokens that the Fernet specification calls invalid, so nothing reaches it that has not
 * passed the checks below. It is never given `iv` (it would write 00..0f for any) or `time` (it corrupts
 * fractions of a second). Its `Secret` and `Token` classes are left alone, because they decode base64 with the
 * deprecated `new Buffer`, which prints a warning once bundled; the functions beneath them do not.
 */
import { createCipheriv, createHmac } from 'node:crypto';
import { type Bytes, bytesEqual, fromBase64url, toBase64url, toHex } from '../protocol/bytes.ts';
import { InputError } from '../protocol/errors.ts';
import { secretsEqual } from './constant-time.ts';

type Fernet = typeof import('fernet');

const VERSION = 0x80;
const KEY_BYTES = 32;
/** Version and time, then the IV, then the ciphertext, then the MAC. */
const IV_START = 9;
const CIPHERTEXT_START = 25;
const MAC_BYTES = 32;
const BLOCK_BYTES = 16;
/** The specification leaves the tolerance open and uses a minute in its vectors. */
const CLOCK_SKEW_MS = 60_000;
/** The year 144,683. The field holds 64 bits of seconds, which neither numbers nor dates here can. */
const TIME_MS_MOST = 2 ** 52;

/** Loaded at first use: the package takes longer to load than the program takes to start. */
async function loadFernet(): Promise<Fernet> {
  return (await import('fernet')).default;
}

function splitKey(key: Bytes): { readonly signing: Bytes; readonly encryption: Bytes } {
  if (key.length !== KEY_BYTES) throw new RangeError(`a Fernet key is ${KEY_BYTES} bytes, not ${key.length}`);
  return { signing: key.subarray(0, 16), encryption: key.subarray(16) };
}

/** Base64url as the Fernet specification writes it: padded to a multiple of four characters. */
export function padBase64url(text: string): string {
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

/**
 * Mints a token with the package's clock and a random IV.
 *
 * @param key 32 random bytes.
 * @returns the token in padded base64url.
 * @throws RangeError when the key is not 32 bytes.
 * @see docs/protocol.md#invitation
 */
export async function sealFernet(key: Bytes, payload: Bytes): Promise<string> {
  const { signing, encryption } = splitKey(key);
  const fernet = await loadFernet();
  const words = (bytes: Bytes) => fernet.Hex.parse(toHex(bytes));
  const iv = fernet.Hex.parse(fernet.setIV());
  const ciphertext = fernet.encryptMessage(words(payload), words(encryption), iv);
  return fernet.createToken(words(signing), fernet.timeBytes(), iv, ciphertext);
}

/**
 * Opens a token, strictly: canonical base64url, exact shape, MAC before anything is decrypted, exact padding.
 *
 * @param key 32 bytes.
 * @param token in padded base64url.
 * @param options without `nowMs` no time is judged; `ttlMs` counts from the token's own time.
 * @returns the payload and the second in which the token was minted.
 * @throws InputError `token-malformed`, `token-forged`, `token-future` or `token-expired`;
 *   RangeError when the key is not 32 bytes.
 * @see docs/protocol.md#invitation
 */
export async function openFernet(
  key: Bytes,
  token: string,
  options: { readonly nowMs?: number; readonly ttlMs?: number; readonly maxClockSkewMs?: number } = {},
): Promise<{ readonly payload: Bytes; readonly issuedAtMs: number }> {
  const { signing, encryption } = splitKey(key);
  const bytes = decodeToken(token);
  const signed = bytes.subarray(0, -MAC_BYTES);
  const mac = createHmac('sha256', signing).update(signed).digest();
  if (!secretsEqual(mac, bytes.subarray(-MAC_BYTES))) {
    throw new InputError('token-forged', 'the token was not made with this key');
  }
  const issuedAtMs = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(1)) * 1_000;
  if (issuedAtMs > TIME_MS_MOST) throw malformed();
  if (options.nowMs !== undefined) judgeTime(issuedAtMs, options.nowMs, options);

  const iv = bytes.subarray(IV_START, CIPHERTEXT_START);
  const ciphertext = signed.subarray(CIPHERTEXT_START);
  const payload = decrypt(await loadFernet(), { encryption, iv, ciphertext });
  // The package does not look at the padding. Only the right one encrypts to the same bytes again.
  const cipher = createCipheriv('aes-128-cbc', encryption, iv);
  if (!bytesEqual(Buffer.concat([cipher.update(payload), cipher.final()]), ciphertext)) throw malformed();
  return { payload, issuedAtMs };
}

function malformed(): InputError {
  return new InputError('token-malformed', 'this is not a Fernet token');
}

function decodeToken(token: string): Bytes {
  const bytes = fromBase64url(token.replace(/=+$/, ''));
  if (bytes === null || padBase64url(toBase64url(bytes)) !== token) throw malformed();
  const ciphertextBytes = bytes.length - CIPHERTEXT_START - MAC_BYTES;
  if (bytes[0] !== VERSION || ciphertextBytes < BLOCK_BYTES || ciphertextBytes % BLOCK_BYTES !== 0) {
    throw malformed();
  }
  return bytes;
}

function judgeTime(
  issuedAtMs: number,
  nowMs: number,
  { ttlMs, maxClockSkewMs = CLOCK_SKEW_MS }: { readonly ttlMs?: number; readonly maxClockSkewMs?: number },
): void {
  if (issuedAtMs > nowMs + maxClockSkewMs) {
    throw new InputError('token-future', 'the token was made in the future');
  }
  if (ttlMs !== undefined && nowMs > issuedAtMs + ttlMs) {
    throw new InputError('token-expired', 'the token has expired');
  }
}

interface Sealed {
  readonly encryption: Bytes;
  readonly iv: Bytes;
  readonly ciphertext: Bytes;
}

/**
 * The package reads every plaintext as UTF-8, and ours is bytes: while it decrypts, its word arrays print
 * themselves in hexadecimal whatever encoding they are asked for. The call is synchronous, so nobody else sees it.
 */
function decrypt(fernet: Fernet, { encryption, iv, ciphertext }: Sealed): Bytes {
  const words = (bytes: Bytes) => fernet.Hex.parse(toHex(bytes));
  const key = words(encryption);
  const wordArray: { toString: unknown } = Object.getPrototypeOf(key);
  const print = wordArray.toString;
  wordArray.toString = function toHexadecimal(this: typeof key) {
    return fernet.Hex.stringify(this);
  };
  try {
    return new Uint8Array(Buffer.from(fernet.decryptMessage(words(ciphertext), key, words(iv)), 'hex'));
  } finally {
    wordArray.toString = print;
  }
}
