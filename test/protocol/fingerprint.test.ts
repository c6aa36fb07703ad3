import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toBase64url, toHex } from '../../src/protocol/bytes.ts';
import { formatFingerprint, parseFingerprint, shortCode } from '../../src/protocol/fingerprint.ts';
import { hash } from '../../src/protocol/identifiers.ts';

const anyHash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => hash(new Uint8Array(bytes)));

test('fixed forms', () => {
  const counting = hash(Uint8Array.from({ length: 32 }, (_, index) => index));
  assert.equal(formatFingerprint(counting), '0001 0203 0405 0607 0809 0a0b 0c0d 0e0f');
  // 0x0001020304050607 = 283,686,952,306,183
  assert.equal(shortCode(counting), '686952306183');
  assert.equal(shortCode(hash(new Uint8Array(32))), '000000000000');
});

test('every hash has a form of one shape', () => {
  fc.assert(
    fc.property(anyHash, (any) => {
      assert.match(formatFingerprint(any), /^([0-9a-f]{4} ){7}[0-9a-f]{4}$/);
      assert.match(shortCode(any), /^\d{12}$/);
    }),
  );
});

test('a hash inside a larger buffer reads the same', () => {
  fc.assert(
    fc.property(anyHash, (any) => {
      const larger = new Uint8Array(50);
      larger.set(any, 9);
      assert.equal(shortCode(hash(larger.subarray(9, 41))), shortCode(any));
    }),
  );
});

test('whatever the program shows of a fingerprint is read again', () => {
  fc.assert(
    fc.property(anyHash, (any) => {
      const half = any.slice(0, 16);
      const shown = formatFingerprint(any);
      const forms = [shown, shown.toUpperCase(), shown.replaceAll(' ', ''), ` ${shown}\n`, toBase64url(half)];
      for (const text of forms) assert.deepEqual(parseFingerprint(text), half, text);
      for (const text of [toBase64url(any), toHex(any)])
        assert.deepEqual(parseFingerprint(text), new Uint8Array(any));
    }),
  );
});

test('what is no fingerprint is refused: half of one would fit many keys', () => {
  const shown = formatFingerprint(hash(new Uint8Array(32)));
  for (const text of [
    '',
    'ann',
    shown.slice(5),
    `${shown} 0000`,
    shown.replace('0', 'g'),
    toBase64url(new Uint8Array(31)),
  ])
    assert.throws(() => parseFingerprint(text), { name: 'InputError', code: 'bad-fingerprint' }, text);
});
