/**
 * SHA-256, and HMAC and HKDF over it. Parts are joined without separators: what a caller hashes
 * must be unambiguous by itself (fixed lengths, or one variable part at the end).
 */
import { createHash, createHmac, hkdfSync } from 'node:crypto';
import type { Bytes } from '../protocol/bytes.ts';
import { type Hash, hash } from '../protocol/identifiers.ts';

/** A plain view of a Buffer that owns its memory, so `fill(0)` still reaches the only copy. */
function plain(buffer: Buffer): Bytes {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/** @returns SHA-256 of all parts, 32 bytes. */
export function sha256(...parts: readonly Bytes[]): Hash {
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return hash(plain(digest.digest()));
}

/** @returns HMAC-SHA256 of all parts under `key`, 32 bytes. */
export function hmacSha256(key: Bytes, ...parts: readonly Bytes[]): Bytes {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return plain(mac.digest());
}

/**
 * HKDF-SHA256 (RFC 5869).
 *
 * @param ikm secret input; its length is the caller's business
 * @param salt public; may be empty
 * @param info what the output is for; text is taken as UTF-8
 * @param lengthBytes at most 8,160
 * @throws RangeError when more than 8,160 bytes are asked for
 */
export function hkdf(ikm: Bytes, salt: Bytes, info: string | Bytes, lengthBytes: number): Bytes {
  return new Uint8Array(hkdfSync('sha256', ikm, salt, info, lengthBytes));
}
