/**
 * Hashes as people read them.
 * @see docs/protocol.md#verification
 */
import { type Bytes, fromBase64url, fromHex, toHex } from './bytes.ts';
import { InputError } from './errors.ts';
import { type Hash, ID_BYTES } from './identifiers.ts';

/** 128 bits: as many as make finding a second key with the same form hopeless. */
const SHOWN_BYTES = 16;
const SHORT_CODE_DIGITS = 12;

/** @returns the first 16 bytes as eight groups of four hexadecimal digits: `3fa9 01c4 …` */
export function formatFingerprint(hash: Hash): string {
  return toHex(hash.subarray(0, SHOWN_BYTES)).replace(/.{4}(?!$)/g, '$& ');
}

/**
 * A fingerprint as this program shows it, to people or to programs.
 * @returns its first 16 bytes, or all 32
 * @throws InputError `bad-fingerprint`
 */
export function parseFingerprint(text: string): Bytes {
  const typed = text.replaceAll(/\s+/gu, '');
  const isHex = /^(?:[\da-f]{2})+$/i.test(typed);
  // No length in hexadecimal is one in base64url.
  const bytes = isHex && [SHOWN_BYTES, ID_BYTES.hash].includes(typed.length / 2) ? fromHex(typed) : null;
  const found = bytes ?? fromBase64url(typed);
  if (found === null || ![SHOWN_BYTES, ID_BYTES.hash].includes(found.length))
    throw new InputError(
      'bad-fingerprint',
      'Write a fingerprint as it is shown: eight groups of four hexadecimal digits, or the 43 characters of --json.',
    );
  return found;
}

/**
 * Twelve digits to read to each other. About 40 bits: enough to notice that two views differ, not enough to stand
 * for a key, since a match can be searched for.
 *
 * @returns exactly 12 digits, no spaces
 */
export function shortCode(hash: Hash): string {
  const number =
    new DataView(hash.buffer, hash.byteOffset).getBigUint64(0) % 10n ** BigInt(SHORT_CODE_DIGITS);
  return number.toString().padStart(SHORT_CODE_DIGITS, '0');
}
