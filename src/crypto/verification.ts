/**
 * Sixty digits for two people to compare, thirty for each identity key.
 * @see docs/protocol.md#verification
 */
import { type Bytes, compareBytes, utf8 } from '../protocol/bytes.ts';
import type { Hash } from '../protocol/identifiers.ts';
import { sha256 } from './hash.ts';

const LABEL = utf8.encode('sc1/verify');
/** As many as Signal takes: whoever searches for a key with the same digits does all of it for each that they try. */
const ROUNDS = 5_200;
const GROUPS = 6;
const GROUP_BYTES = 5;
const GROUP_DIGITS = 5;

/** @returns twelve groups of five digits, the same at both whatever the order */
export function verificationDigits(one: Hash, other: Hash): readonly string[] {
  const both = [one, other].sort(compareBytes);
  return both.flatMap(keyDigits);
}

function keyDigits(identity: Hash): readonly string[] {
  let digest = sha256(LABEL, identity);
  for (let round = 0; round < ROUNDS; round += 1) digest = sha256(digest, identity);
  return Array.from({ length: GROUPS }, (_, place) =>
    group(digest.subarray(place * GROUP_BYTES, (place + 1) * GROUP_BYTES)),
  );
}

function group(bytes: Bytes): string {
  const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  return String(number % 10 ** GROUP_DIGITS).padStart(GROUP_DIGITS, '0');
}
