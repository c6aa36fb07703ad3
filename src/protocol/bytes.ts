/**
 * Byte helpers that every layer shares. Nothing here knows the protocol.
 */

export type Bytes = Uint8Array;

export const utf8 = {
  encode(text: string): Bytes {
    return new TextEncoder().encode(text);
  },
  /** @throws TypeError when the bytes are not well-formed UTF-8. */
  decode(bytes: Bytes): string {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  },
};

/** One new array holding all parts in order. */
export function concatBytes(...parts: readonly Bytes[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/**
 * Equality of public values: hashes, identifiers, keys anyone may see.
 * Its time depends on the contents; secrets go through `crypto/constant-time.ts`.
 */
export function bytesEqual(left: Bytes, right: Bytes): boolean {
  return left.length === right.length && Buffer.compare(left, right) === 0;
}

/** Lexicographic order, for sorted lists that two sides must agree on. */
export function compareBytes(left: Bytes, right: Bytes): number {
  return Buffer.compare(left, right);
}

/** Base64url without padding, the text form of identifiers and keys. */
export function toBase64url(bytes: Bytes): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url');
}

/**
 * @returns the bytes, or `null` unless `text` is the one canonical unpadded base64url form of them.
 */
export function fromBase64url(text: string): Bytes | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null;
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? new Uint8Array(bytes) : null;
}

/** Lower-case hexadecimal, used as a map key. */
export function toHex(bytes: Bytes): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}

/** @param hex as `toHex` writes it */
export function fromHex(hex: string): Bytes {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

/**
 * Gives memory that lies outside of V8's heap back at once, and not when V8 comes to collect: what is new then lies where it did, which
 * is still in the caches. Nobody may look at the bytes any more; where they share their memory with others nothing is done.
 */
export function freeNow({ buffer, byteLength }: Bytes): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}

export function u32(value: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** Eight bytes, big-endian, for times in milliseconds (safe integers only). */
export function u64(value: number): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}
