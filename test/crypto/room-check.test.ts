/** What all members compare at once: the words as they were published, and the same for the same list and owner alone. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { EVEN_WORDS, ODD_WORDS } from '../../src/crypto/check-words.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { roomCheck } from '../../src/crypto/room-check.ts';
import { hash } from '../../src/protocol/identifiers.ts';

const OWNER = hash(new Uint8Array(32).fill(1));
const OPERATION = hash(new Uint8Array(32).fill(2));

describe('the words', () => {
  test('are 512 different ones in plain letters', () => {
    const all = [...EVEN_WORDS, ...ODD_WORDS];
    assert.deepEqual([EVEN_WORDS.length, ODD_WORDS.length, new Set(all).size], [256, 256, 512]);
    for (const word of all) assert.match(word, /^[a-z]{4,11}$/);
  });

  test('stand at the places that PGP gives them', () => {
    // The fingerprint that the list is usually shown with.
    const bytes = [0xe5, 0x82, 0x94, 0xf2, 0xe9, 0xa2, 0x27, 0x48, 0x6e, 0x8b];
    const words = bytes.map((byte, place) => (place % 2 === 0 ? EVEN_WORDS : ODD_WORDS)[byte]);
    assert.equal(
      words.join(' '),
      'topmost istanbul pluto vagabond treadmill pacific brackish dictator goldfish medusa',
    );
  });
});

describe('the check', () => {
  test('is sixteen words, of either list in turn, and eight groups of five digits', () => {
    const { words, digits } = roomCheck(OWNER, OPERATION);
    assert.equal(words.length, 16);
    words.forEach((word, place) => {
      assert.ok((place % 2 === 0 ? EVEN_WORDS : ODD_WORDS).includes(word), word);
    });
    assert.equal(digits.length, 8);
    for (const group of digits) assert.match(group, /^\d{5}$/);
    assert.deepEqual(roomCheck(OWNER, OPERATION), { words, digits });
  });

  test('is another one for another owner or another operation, in most of its places', () => {
    const { words, digits } = roomCheck(OWNER, OPERATION);
    const others = [
      roomCheck(sha256(OWNER), OPERATION),
      roomCheck(OWNER, sha256(OPERATION)),
      roomCheck(OPERATION, OWNER),
    ];
    for (const other of others) {
      assert.ok(other.words.filter((word, place) => word === words[place]).length < 4);
      assert.ok(other.digits.filter((group, place) => group === digits[place]).length < 3);
    }
  });
});
