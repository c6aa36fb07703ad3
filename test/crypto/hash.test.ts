import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hkdf, hmacSha256, sha256 } from '../../src/crypto/hash.ts';
import { toHex, utf8 } from '../../src/protocol/bytes.ts';

test('hashing parts is hashing them joined', () => {
  const whole = sha256(utf8.encode('abc'));
  assert.equal(toHex(whole), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  assert.deepEqual(sha256(utf8.encode('a'), utf8.encode('bc')), whole);
  const key = utf8.encode('key');
  assert.deepEqual(hmacSha256(key, utf8.encode('a'), utf8.encode('bc')), hmacSha256(key, utf8.encode('abc')));
});

test('HKDF takes its info as text or as the same bytes', () => {
  const none = new Uint8Array();
  assert.deepEqual(hkdf(none, none, 'sc1/msg', 44), hkdf(none, none, utf8.encode('sc1/msg'), 44));
});
