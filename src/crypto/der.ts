/** The few forms of DER that keys need; OpenSSL takes and gives nothing else. */
import { type Bytes, concatBytes } from '../protocol/bytes.ts';

/** Tags. */
export const DER = { integer: 0x02, bitString: 0x03, octetString: 0x04, sequence: 0x30 } as const;

/** @param parts the content, joined; shorter than 64 KiB */
export function der(tag: number, ...parts: readonly Bytes[]): Bytes {
  const content = concatBytes(...parts);
  const { length } = content;
  if (length < 0x80) return concatBytes(Uint8Array.of(tag, length), content);
  if (length < 0x100) return concatBytes(Uint8Array.of(tag, 0x81, length), content);
  return concatBytes(Uint8Array.of(tag, 0x82, length >> 8, length & 0xff), content);
}

/** Unsigned and big-endian, in the fewest bytes. */
export function derInteger(value: Bytes): Bytes {
  const first = value.findIndex((byte) => byte !== 0);
  const digits = value.subarray(first === -1 ? value.length - 1 : first);
  return der(DER.integer, (digits[0] ?? 0) & 0x80 ? Uint8Array.of(0) : new Uint8Array(), digits);
}
