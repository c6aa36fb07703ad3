import assert from 'node:assert/strict';
import { constants, decapsulate, hkdfSync, privateDecrypt, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { hkdf, sha256 } from '../../src/crypto/hash.ts';
import {
  generateWrapKeys,
  importWrapKeys,
  unwrapChainKey,
  type WrappedKey,
  wrapChainKey,
} from '../../src/crypto/key-wrap.ts';
import { gcmOpen, gcmSeal, kemEncapsulate, oaepEncrypt } from '../../src/crypto/primitives.ts';
import { type Bytes, concatBytes, utf8 } from '../../src/protocol/bytes.ts';
import { memberId } from '../../src/protocol/identifiers.ts';

const [keys, otherKeys] = await Promise.all([generateWrapKeys(), generateWrapKeys()]);
const to = importWrapKeys(keys.publicKeys);
const chainKey = new Uint8Array(randomBytes(32));
const place = {
  announcementHash: sha256(utf8.encode('announcement')),
  memberId: memberId(new Uint8Array(16).fill(5)),
  statementHash: sha256(utf8.encode('statement')),
};
const wrapped = wrapChainKey({ ...place, to, chainKey });

function unwrap(changed: Partial<WrappedKey>): Bytes | null {
  return unwrapChainKey({ ...place, with: keys, wrapped: { ...wrapped, ...changed } });
}

test('a wrap opens for whom it was made', () => {
  assert.deepEqual(unwrap({}), chainKey);
  assert.deepEqual(
    [wrapped.rsaCiphertext, wrapped.kemCiphertext, wrapped.sealed].map((bytes) => bytes.length),
    [384, 1_088, 48],
  );
});

test('the construction is what the specification says, opened here without our wrappers', () => {
  const { announcementHash, statementHash } = place;
  const rsaSecret = privateDecrypt(
    {
      key: keys.rsaPrivate,
      padding: constants.RSA_PKCS1_OAEP_PADDING,
      oaepHash: 'sha256',
      oaepLabel: concatBytes(utf8.encode('sc1/wrap\0'), announcementHash, place.memberId),
    },
    wrapped.rsaCiphertext,
  );
  const kemSecret = decapsulate(keys.kemPrivate, wrapped.kemCiphertext);
  assert.deepEqual([rsaSecret.length, kemSecret.length], [32, 32]);
  const salt = sha256(wrapped.rsaCiphertext, wrapped.kemCiphertext);
  const info = concatBytes(utf8.encode('sc1/kek'), announcementHash, place.memberId, statementHash);
  const key = new Uint8Array(hkdfSync('sha256', Buffer.concat([rsaSecret, kemSecret]), salt, info, 32));
  const nonce = new Uint8Array(12);
  assert.deepEqual(gcmOpen({ key, nonce, aad: announcementHash, sealed: wrapped.sealed }), chainKey);
});

test('two wraps of one key share nothing', () => {
  const again = wrapChainKey({ ...place, to, chainKey });
  assert.notDeepEqual(again.rsaCiphertext, wrapped.rsaCiphertext);
  assert.notDeepEqual(again.kemCiphertext, wrapped.kemCiphertext);
  assert.notDeepEqual(again.sealed, wrapped.sealed);
});

test('both halves count: a wrap half made for someone else opens for neither', () => {
  const foreign = wrapChainKey({ ...place, to: importWrapKeys(otherKeys.publicKeys), chainKey });
  assert.equal(unwrap(foreign), null);
  assert.equal(unwrap({ rsaCiphertext: foreign.rsaCiphertext }), null);
  assert.equal(unwrap({ kemCiphertext: foreign.kemCiphertext }), null);
  assert.equal(unwrap({ sealed: foreign.sealed }), null);
  for (const half of [{ rsaPrivate: otherKeys.rsaPrivate }, { kemPrivate: otherKeys.kemPrivate }]) {
    assert.equal(unwrapChainKey({ ...place, with: { ...keys, ...half }, wrapped }), null);
  }
});

test('P25: moved to another announcement, member or statement it does not open', () => {
  const moved = {
    announcementHash: sha256(utf8.encode('another announcement')),
    memberId: memberId(new Uint8Array(16).fill(6)),
    statementHash: sha256(utf8.encode('another generation')),
  };
  for (const name of ['announcementHash', 'memberId', 'statementHash'] as const) {
    const elsewhere = { ...place, [name]: moved[name] };
    assert.equal(unwrapChainKey({ ...elsewhere, with: keys, wrapped }), null, name);
  }
});

test('a flipped bit, a missing byte or one too many is null, never an error', () => {
  for (const name of ['rsaCiphertext', 'kemCiphertext', 'sealed'] as const) {
    const whole = wrapped[name];
    for (const at of [0, whole.length >> 1, whole.length - 1]) {
      const flipped = new Uint8Array(whole);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      assert.equal(unwrap({ [name]: flipped }), null);
    }
    const wrongSizes = [new Uint8Array(), whole.subarray(1), concatBytes(whole, Uint8Array.of(0))];
    for (const wrong of wrongSizes) assert.equal(unwrap({ [name]: wrong }), null);
  }
});

test("a sender's own wrap of something that is no chain key is refused", () => {
  const { announcementHash, statementHash } = place;
  const craft = (rsaSecret: Bytes, plaintext: Bytes): WrappedKey => {
    const label = concatBytes(utf8.encode('sc1/wrap\0'), announcementHash, place.memberId);
    const rsaCiphertext = oaepEncrypt(to.rsa, label, rsaSecret);
    const { secret, ciphertext: kemCiphertext } = kemEncapsulate(to.kem);
    const info = concatBytes(utf8.encode('sc1/kek'), announcementHash, place.memberId, statementHash);
    const key = hkdf(concatBytes(rsaSecret, secret), sha256(rsaCiphertext, kemCiphertext), info, 32);
    const nonce = new Uint8Array(12);
    return {
      rsaCiphertext,
      kemCiphertext,
      sealed: gcmSeal({ key, nonce, aad: announcementHash, plaintext }),
    };
  };
  assert.deepEqual(unwrap(craft(new Uint8Array(32), chainKey)), chainKey);
  assert.equal(unwrap(craft(new Uint8Array(32), chainKey.subarray(1))), null);
  assert.equal(unwrap(craft(new Uint8Array(32), new Uint8Array(33))), null);
  assert.equal(unwrap(craft(new Uint8Array(31), chainKey)), null);
});

test('wrapping leaves the chain key as it was, and takes no other size', () => {
  const before = new Uint8Array(chainKey);
  wrapChainKey({ ...place, to, chainKey });
  assert.deepEqual(chainKey, before);
  assert.throws(() => wrapChainKey({ ...place, to, chainKey: chainKey.subarray(1) }), RangeError);
});

test('P30: wrap keys outside policy are refused', () => {
  const { rsaSpki, kemPublic } = keys.publicKeys;
  // The first coefficient becomes 4,095, above the modulus 3,329 (FIPS 203 section 7.2).
  const overflowing = new Uint8Array(kemPublic);
  overflowing.set([0xff, 0xff]);
  const refused = [
    { rsaSpki: rsaSpki.subarray(1), kemPublic },
    { rsaSpki: concatBytes(rsaSpki, Uint8Array.of(0)), kemPublic },
    { rsaSpki, kemPublic: kemPublic.subarray(1) },
    { rsaSpki, kemPublic: concatBytes(kemPublic, Uint8Array.of(0)) },
    { rsaSpki, kemPublic: overflowing },
  ];
  for (const bytes of refused) {
    assert.throws(() => importWrapKeys(bytes), { name: 'SecurityError', code: 'key-policy' });
  }
});
