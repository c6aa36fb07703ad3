import assert from 'node:assert/strict';
import { constants, createHash, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { DSA_GROUP } from '../../src/crypto/dsa-group.ts';
import { generateDsaPrivateKey } from '../../src/crypto/dsa-key.ts';
import {
  ALGORITHM_NUMBER,
  generateSigningKey,
  importVerifyKey,
  ownerFingerprint,
  type SigningAlgorithm,
  signingKeyFromPrivate,
} from '../../src/crypto/signature.ts';
import { type Bytes, concatBytes, utf8 } from '../../src/protocol/bytes.ts';

const KEY_POLICY = { name: 'SecurityError', code: 'key-policy' };
const hello = utf8.encode('hello');

function der(key: ReturnType<typeof createPublicKey>): Bytes {
  return new Uint8Array(key.export({ format: 'der', type: 'spki' }));
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 3072 });
const keys = {
  rsa: signingKeyFromPrivate(rsa.privateKey),
  dsa: await generateSigningKey('dsa'),
};

for (const algorithm of ['rsa', 'dsa'] as const satisfies readonly SigningAlgorithm[]) {
  const signer = keys[algorithm];
  const verifier = importVerifyKey(signer.spki, algorithm);
  const signature = signer.sign('sc1/msg', hello);

  test(`${algorithm}: a signature holds for its message and domain alone`, () => {
    assert.equal(signature.length, algorithm === 'rsa' ? 384 : 64);
    assert.ok(verifier.verify('sc1/msg', hello, signature));
    assert.ok(verifier.verify('sc1/msg', [utf8.encode('he'), utf8.encode('llo')], signature));
    assert.ok(!verifier.verify('sc1/leave', hello, signature));
    assert.ok(!verifier.verify('sc1/msg', utf8.encode('hello!'), signature));
  });

  test(`${algorithm}: another member's signature does not hold`, () => {
    const other = signingKeyFromPrivate(
      algorithm === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey
        : generateDsaPrivateKey(),
    );
    assert.ok(!verifier.verify('sc1/msg', hello, other.sign('sc1/msg', hello)));
  });

  test(`${algorithm}: garbage is no signature and throws nothing`, () => {
    const sized = [0, 1, 63, 64, 65, 383, 384, 385, 512, 768];
    const chosen = sized.flatMap((length) => [0, 1, 0xff].map((byte) => new Uint8Array(length).fill(byte)));
    for (const garbage of [...chosen, concatBytes(signature, Uint8Array.of(0)), signature.subarray(1)]) {
      assert.equal(verifier.verify('sc1/msg', hello, garbage), false);
    }
    fc.assert(
      fc.property(fc.nat(signature.length * 8 - 1), (bit) => {
        const flipped = new Uint8Array(signature);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        return !verifier.verify('sc1/msg', hello, flipped);
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 800 }), (bytes) => !verifier.verify('sc1/msg', hello, bytes)),
    );
  });

  test(`${algorithm}: both halves have the same names, made of the travelling bytes`, () => {
    const expected = createHash('sha256').update('sc1/id').update(signer.spki).digest();
    assert.deepEqual(Buffer.from(signer.idFingerprint), expected);
    assert.deepEqual(verifier.idFingerprint, signer.idFingerprint);
    assert.deepEqual(Buffer.from(verifier.memberId), expected.subarray(0, 16));
    assert.deepEqual(signer.memberId, verifier.memberId);
    assert.deepEqual(
      Buffer.from(ownerFingerprint(signer.spki)),
      createHash('sha256').update('sc1/owner').update(signer.spki).digest(),
    );
  });
}

test('the numbers on the wire stay as they are', () => {
  assert.deepEqual(ALGORITHM_NUMBER, { rsa: 1, dsa: 2 });
});

test('a made RSA key is within policy', async () => {
  const made = await generateSigningKey('rsa');
  assert.equal(made.algorithm, 'rsa');
  assert.ok(importVerifyKey(made.spki, 'rsa').verify('sc1/join', hello, made.sign('sc1/join', hello)));
});

test('PSS: only a salt of exactly 32 bytes, and no PKCS#1 v1.5', () => {
  const verifier = importVerifyKey(keys.rsa.spki, 'rsa');
  const bytes = utf8.encode('sc1/msg\0hello');
  const key = rsa.privateKey;
  for (const saltLength of [0, 20, 31, 32, 33, 64]) {
    const signature = sign('sha256', bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
    assert.equal(verifier.verify('sc1/msg', hello, signature), saltLength === 32);
  }
  assert.ok(!verifier.verify('sc1/msg', hello, sign('sha256', bytes, key)));
});

test('P30: RSA keys outside policy are refused, though Node imports them', () => {
  const spki = keys.rsa.spki;
  const modulus = Buffer.from(rsa.publicKey.export({ format: 'jwk' }).n ?? '', 'base64url');
  const jwk = (n: Buffer, e: string) =>
    der(createPublicKey({ key: { kty: 'RSA', n: n.toString('base64url'), e }, format: 'jwk' }));
  const even = Buffer.from(modulus);
  even[even.length - 1] = (even.at(-1) ?? 0) & 0xfe;
  const shorter = Buffer.from(modulus);
  shorter[0] = (shorter[0] ?? 0) & 0x7f;
  const longer = Buffer.concat([Buffer.of(1), modulus, modulus.subarray(-128)]);
  const refused: Record<string, Bytes> = {
    'e = 1': jwk(modulus, 'AQ'),
    'e = 3': jwk(modulus, 'Aw'),
    'e = 65539': jwk(modulus, 'AQAD'),
    '2048 bits': der(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey),
    '3071 bits': jwk(shorter, 'AQAB'),
    '4097 bits': jwk(longer, 'AQAB'),
    'an even modulus': jwk(even, 'AQAB'),
    'the RSA-PSS identifier': der(generateKeyPairSync('rsa-pss', { modulusLength: 3200 }).publicKey),
    'an EC key': der(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey),
    'PKCS#1 instead of SPKI': new Uint8Array(rsa.publicKey.export({ format: 'der', type: 'pkcs1' })),
    'a trailing byte': concatBytes(spki, Uint8Array.of(0)),
    'a missing byte': spki.subarray(0, -1),
    nothing: new Uint8Array(),
    zeros: new Uint8Array(422),
    'a DSA value': keys.dsa.spki,
  };
  for (const [what, bytes] of Object.entries(refused)) {
    assert.throws(() => importVerifyKey(bytes, 'rsa'), KEY_POLICY, what);
  }
  const widest = new Uint8Array(der(generateKeyPairSync('rsa', { modulusLength: 4096 }).publicKey));
  assert.equal(importVerifyKey(widest, 'rsa').algorithm, 'rsa');
});

test('P30: another encoding of the same RSA key is refused: it would be a second identity', () => {
  const spki = keys.rsa.spki;
  // 30 82 LL LL becomes 30 83 00 LL LL, and the NULL parameters (05 00) go.
  const longHeader = concatBytes(Uint8Array.of(0x30, 0x83, 0), spki.subarray(2));
  assert.throws(() => importVerifyKey(longHeader, 'rsa'), KEY_POLICY);
  const withoutNull = concatBytes(
    Uint8Array.of(0x30, 0x82, (spki.length - 6) >> 8, (spki.length - 6) & 0xff, 0x30, 0x0b),
    spki.subarray(6, 17),
    spki.subarray(19),
  );
  assert.throws(() => importVerifyKey(withoutNull, 'rsa'), KEY_POLICY);
});

test('P30: y = 1, under which Node lets anyone sign, never becomes a key', () => {
  const one = new Uint8Array(384);
  one[383] = 1;
  assert.throws(() => importVerifyKey(one, 'dsa'), KEY_POLICY);
  assert.throws(() => importVerifyKey(DSA_GROUP.p, 'dsa'), KEY_POLICY);
  assert.throws(() => importVerifyKey(keys.rsa.spki, 'dsa'), KEY_POLICY);
});

test('private keys of another kind or size make no identity', () => {
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  assert.throws(() => signingKeyFromPrivate(ec), KEY_POLICY);
  const small = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  assert.throws(() => signingKeyFromPrivate(small), KEY_POLICY);
});

test('the caller may reuse the buffer a key was imported from', () => {
  const bytes = new Uint8Array(keys.dsa.spki);
  const verifier = importVerifyKey(bytes, 'dsa');
  bytes.fill(0);
  assert.deepEqual(verifier.spki, keys.dsa.spki);
});
