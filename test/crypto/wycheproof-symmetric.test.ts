import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hkdf, hmacSha256 } from '../../src/crypto/hash.ts';
import { gcmOpen, gcmSeal } from '../../src/crypto/primitives.ts';
import { bytesEqual, concatBytes } from '../../src/protocol/bytes.ts';
import { verdict, wycheproof } from '../helpers/wycheproof.ts';

// 256-bit keys with 12-byte nonces are what this protocol has; every other size must not even start.
wycheproof('aes_gcm_test.json', { accepted: 39, refused: 27 }, (given, group) => {
  const key = given.hex('key');
  const nonce = given.hex('iv');
  const aad = given.hex('aad');
  const plaintext = given.hex('msg');
  const sealed = concatBytes(given.hex('ct'), given.hex('tag'));
  assert.equal(group.number('tagSize'), 128);
  if (key.length !== 32 || nonce.length !== 12) {
    assert.throws(() => gcmSeal({ key, nonce, aad, plaintext }), RangeError);
    assert.throws(() => gcmOpen({ key, nonce, aad, sealed }), RangeError);
    return 'left-out';
  }
  const opened = gcmOpen({ key, nonce, aad, sealed });
  if (opened !== null) {
    assert.deepEqual(opened, plaintext);
    assert.deepEqual(gcmSeal({ key, nonce, aad, plaintext }), sealed);
  }
  return verdict(opened !== null);
});

wycheproof('hkdf_sha256_test.json', { accepted: 83, refused: 3 }, (given) => {
  const derive = () => hkdf(given.hex('ikm'), given.hex('salt'), given.hex('info'), given.number('size'));
  if (given.text('result') === 'invalid') {
    assert.throws(derive, RangeError);
    return 'refused';
  }
  return verdict(bytesEqual(derive(), given.hex('okm')));
});

// Half of the cases have the tag cut to 16 bytes: the whole must begin with it.
wycheproof('hmac_sha256_test.json', { accepted: 66, refused: 108 }, (given, group) => {
  const mac = hmacSha256(given.hex('key'), given.hex('msg'));
  return verdict(bytesEqual(mac.subarray(0, group.number('tagSize') / 8), given.hex('tag')));
});

test('P30: what is shorter than a tag does not open', () => {
  const parameters = { key: new Uint8Array(32), nonce: new Uint8Array(12), aad: new Uint8Array() };
  const sealed = gcmSeal({ ...parameters, plaintext: new Uint8Array() });
  assert.deepEqual(gcmOpen({ ...parameters, sealed }), new Uint8Array());
  for (let length = 0; length < 16; length += 1) {
    assert.equal(gcmOpen({ ...parameters, sealed: sealed.subarray(0, length) }), null);
  }
});
