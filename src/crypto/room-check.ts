/**
 * What all members of a room compare in one go, by voice: the same for everyone who has the same list of members, with all
 * that led to it, of the same owner.
 * @see docs/protocol.md#verification
 */
import { type Bytes, utf8 } from '../protocol/bytes.ts';
import type { Hash } from '../protocol/identifiers.ts';
import { EVEN_WORDS, ODD_WORDS } from './check-words.ts';
import { sha256 } from './hash.ts';

const LABEL = utf8.encode('sc1/check');
/** A host that searches for two lists with one check does all of it for each that it tries. */
const ROUNDS = 5_200;
/** A word each. Two lists of one host's own choice are found with half as many bits of work: 64, times the rounds. */
const WORD_BYTES = 16;
/** As digits: eight groups of five, some 132 bits. */
const GROUPS = 8;
const GROUP_BYTES = 4;
const GROUP_DIGITS = 5;

export interface RoomCheck {
  /** Sixteen, of two and of three syllables in turn. */
  readonly words: readonly string[];
  readonly digits: readonly string[];
}

/** @param operation the hash of the latest roster operation */
export function roomCheck(ownerFingerprint: Hash, operation: Hash): RoomCheck {
  let digest = sha256(LABEL, ownerFingerprint, operation);
  for (let round = 0; round < ROUNDS; round += 1) digest = sha256(digest, ownerFingerprint, operation);
  return {
    words: Array.from(digest.subarray(0, WORD_BYTES), wordOf),
    digits: Array.from({ length: GROUPS }, (_, place) =>
      group(digest.subarray(place * GROUP_BYTES, (place + 1) * GROUP_BYTES)),
    ),
  };
}

function wordOf(byte: number, place: number): string {
  const words = place % 2 === 0 ? EVEN_WORDS : ODD_WORDS;
  return words[byte] ?? '';
}

function group(bytes: Bytes): string {
  const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  return String(number % 10 ** GROUP_DIGITS).padStart(GROUP_DIGITS, '0');
}
