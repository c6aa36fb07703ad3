import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { CIPHERTEXT_BYTES, isCiphertextLength } from '../../src/crypto/ciphertext-length.ts';
import { openEnvelope, PADDED_BYTES, sealEnvelope } from '../../src/crypto/envelope.ts';
import { gcmSeal } from '../../src/crypto/primitives.ts';
import { type Bytes, utf8 } from '../../src/protocol/bytes.ts';
import { LIMITS } from '../../src/protocol/limits.ts';

const key = new Uint8Array(randomBytes(32));
const nonce = new Uint8Array(randomBytes(12));
const header = utf8.encode('the header');
const MOST_BODY_BYTES = 16_382;

function seal(body: Bytes): Bytes {
  return sealEnvelope({ key, nonce, header, body });
}

/** A sender's own key over whatever plaintext they like. */
function sealRaw(plaintext: Bytes): Bytes {
  return gcmSeal({ key, nonce, aad: header, plaintext });
}

test('what was sealed opens', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: MOST_BODY_BYTES, size: 'max' }), (body) => {
      assert.deepEqual(openEnvelope({ key, nonce, header, ciphertext: seal(body) }), new Uint8Array(body));
    }),
  );
});

test('P29: a ciphertext has one of seven lengths, the smallest that fits', () => {
  assert.deepEqual(CIPHERTEXT_BYTES, [272, 528, 1_040, 2_064, 4_112, 8_208, 16_400]);
  for (const [index, padded] of PADDED_BYTES.entries()) {
    const most = padded - 2;
    assert.equal(seal(new Uint8Array(most)).length, padded + 16);
    const next = PADDED_BYTES[index + 1];
    if (next !== undefined) assert.equal(seal(new Uint8Array(most + 1)).length, next + 16);
  }
  assert.equal(seal(new Uint8Array()).length, 272);
});

test('the longest text fits with room for what surrounds it; more is our own mistake', () => {
  assert.ok(MOST_BODY_BYTES - LIMITS.textBytes >= 300);
  assert.ok(seal(new Uint8Array(MOST_BODY_BYTES)));
  assert.throws(() => seal(new Uint8Array(MOST_BODY_BYTES + 1)), RangeError);
});

test('only the seven lengths are lengths', () => {
  for (const length of CIPHERTEXT_BYTES) {
    assert.ok(isCiphertextLength(length));
    assert.ok(!isCiphertextLength(length - 1) && !isCiphertextLength(length + 1));
  }
  assert.ok(!isCiphertextLength(0));
});

test('P23: no flipped bit, in ciphertext or header, opens', () => {
  const ciphertext = seal(utf8.encode('hello'));
  for (let bit = 0; bit < ciphertext.length * 8; bit += 1) {
    const flipped = new Uint8Array(ciphertext);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(openEnvelope({ key, nonce, header, ciphertext: flipped }), null);
  }
  for (let bit = 0; bit < header.length * 8; bit += 1) {
    const flipped = new Uint8Array(header);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(openEnvelope({ key, nonce, header: flipped, ciphertext }), null);
  }
});

test('another key, another nonce, another length do not open', () => {
  const ciphertext = seal(utf8.encode('hello'));
  const other = (bytes: Bytes) => new Uint8Array(bytes).fill(7);
  assert.equal(openEnvelope({ key: other(key), nonce, header, ciphertext }), null);
  assert.equal(openEnvelope({ key, nonce: other(nonce), header, ciphertext }), null);
  for (let length = 0; length < ciphertext.length; length += 1) {
    assert.equal(openEnvelope({ key, nonce, header, ciphertext: ciphertext.subarray(0, length) }), null);
  }
});

test("a sender's own malformed plaintext is refused", () => {
  const plaintext = new Uint8Array(256);
  plaintext.set([0, 5]);
  assert.deepEqual(openEnvelope({ key, nonce, header, ciphertext: sealRaw(plaintext) }), new Uint8Array(5));
  const withPadding = new Uint8Array(plaintext);
  withPadding[255] = 1;
  assert.equal(openEnvelope({ key, nonce, header, ciphertext: sealRaw(withPadding) }), null);
  const tooLong = new Uint8Array(plaintext);
  tooLong.set([0, 255]);
  assert.equal(openEnvelope({ key, nonce, header, ciphertext: sealRaw(tooLong) }), null);
  assert.equal(openEnvelope({ key, nonce, header, ciphertext: sealRaw(new Uint8Array(300)) }), null);
});
