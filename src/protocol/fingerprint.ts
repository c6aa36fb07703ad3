/**
 * Hashes as people read them.
 * @see docs/protocol.md#verification
 */
import { toHex } from './bytes.ts';
import type { Hash } from './identifiers.ts';

/** 128 bits: as many as make finding a second key with the same form hopeless. */
const SHOWN_BYTES = 16;
const SHORT_CODE_DIGITS = 12;

/** @returns the first 16 bytes as eight groups of four hexadecimal digits: `3fa9 01c4 …` */
export function formatFingerprint(hash: Hash): string {
  return toHex(hash.subarray(0, SHOWN_BYTES)).replace(/.{4}(?!$)/g, '$& ');
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
