import assert from 'node:assert/strict';
import { checkPrimeSync, createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { DSA_GROUP } from '../../src/crypto/dsa-group.ts';
import { dsaPublicValue, generateDsaPrivateKey, importDsaPublicKey } from '../../src/crypto/dsa-key.ts';
import { type Bytes, concatBytes, toHex, utf8 } from '../../src/protocol/bytes.ts';

const P_BITS = 3_072n;
const Q_BITS = 256n;
const HASH_BITS = 256n;
const SEED_BITS = 256n;
/** FIPS 186-4 table C.1 asks for 64 Miller-Rabin rounds at this size; OpenSSL's own number is used for "not prime". */
const ROUNDS = { checks: 64 };
const KEY_POLICY = { name: 'SecurityError', code: 'key-policy' };

const p = toBigInt(DSA_GROUP.p);
const q = toBigInt(DSA_GROUP.q);
const g = toBigInt(DSA_GROUP.g);

function toBigInt(bytes: Bytes): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

function toBytes(value: bigint, lengthBytes: number): Bytes {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(lengthBytes * 2, '0'), 'hex'));
}

function sha256(...parts: readonly Bytes[]): Bytes {
  return createHash('sha256')
    .update(concatBytes(...parts))
    .digest();
}

/** From the least significant bit up: another way round than the code under test. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (let square = base % p, left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % p;
    square = (square * square) % p;
  }
  return result;
}

test('the seed is the hash of a text, so nobody chose it', () => {
  assert.deepEqual(new Uint8Array(sha256(utf8.encode(DSA_GROUP.seedText))), DSA_GROUP.seed);
});

test('no earlier number in that text gives a prime q: 106 was not picked', () => {
  const [, stem = '', last = ''] = /^(.* )(\d+)$/.exec(DSA_GROUP.seedText) ?? [];
  assert.equal(last, '106');
  for (let number = 0; number < Number(last); number += 1) {
    const seed = sha256(utf8.encode(`${stem}${number}`));
    assert.equal(checkPrimeSync(qFromSeed(seed)), false);
  }
});

// A.1.1.3, steps 6 to 9.
function qFromSeed(seed: Bytes): bigint {
  const u = toBigInt(sha256(seed)) % 2n ** (Q_BITS - 1n);
  return 2n ** (Q_BITS - 1n) + u + 1n - (u % 2n);
}

// A.1.1.3, step 13, for one value of the counter.
function candidateForP(counter: bigint): bigint {
  const n = (P_BITS + HASH_BITS - 1n) / HASH_BITS - 1n;
  const b = P_BITS - 1n - n * HASH_BITS;
  const offset = 1n + counter * (n + 1n);
  let w = 0n;
  for (let j = 0n; j <= n; j += 1n) {
    const input = (toBigInt(DSA_GROUP.seed) + offset + j) % 2n ** SEED_BITS;
    const v = toBigInt(sha256(toBytes(input, 32)));
    w += (j === n ? v % 2n ** b : v) * 2n ** (j * HASH_BITS);
  }
  const x = w + 2n ** (P_BITS - 1n);
  return x - ((x % (2n * q)) - 1n);
}

test('q follows from the seed and is prime (FIPS 186-4 A.1.1.3)', () => {
  assert.equal(qFromSeed(DSA_GROUP.seed), q);
  assert.equal(q >> (Q_BITS - 1n), 1n);
  assert.ok(checkPrimeSync(q, ROUNDS));
});

test('p follows from the seed: the counter is that of the first prime candidate', () => {
  for (let counter = 0; counter < DSA_GROUP.counter; counter += 1) {
    const candidate = candidateForP(BigInt(counter));
    assert.ok(candidate < 2n ** (P_BITS - 1n) || !checkPrimeSync(candidate), `counter ${counter}`);
  }
  assert.equal(candidateForP(BigInt(DSA_GROUP.counter)), p);
  assert.equal(p >> (P_BITS - 1n), 1n);
  assert.ok(checkPrimeSync(p, ROUNDS));
});

test('g follows from the seed and its order is q (A.2.3, A.2.4)', () => {
  const cofactor = (p - 1n) / q;
  assert.equal((p - 1n) % q, 0n);
  const index = Uint8Array.of(DSA_GROUP.generatorIndex);
  const count = Uint8Array.of(0, 1);
  const w = toBigInt(sha256(DSA_GROUP.seed, utf8.encode('ggen'), index, count));
  assert.equal(power(w, cofactor), g);
  assert.ok(g > 1n);
  assert.equal(power(g, q), 1n);
});

test('a generated key is in the group, and new each time', () => {
  const values = [generateDsaPrivateKey(), generateDsaPrivateKey()].map(dsaPublicValue);
  for (const y of values) {
    assert.equal(y.length, 384);
    assert.equal(power(toBigInt(y), q), 1n);
    assert.equal(importDsaPublicKey(y).asymmetricKeyType, 'dsa');
  }
  assert.notDeepEqual(values[0], values[1]);
});

/** PKCS#8 whose last 32 bytes are an exponent with its top bit set: behind INTEGER, length 33, zero. */
function keyWithLongExponent(): Buffer {
  for (;;) {
    const pkcs8 = generateDsaPrivateKey().export({ format: 'der', type: 'pkcs8' });
    if (pkcs8.at(-34) === 33 && pkcs8.at(-33) === 0) return pkcs8;
  }
}

test('a generated exponent is below q', () => {
  for (let drawn = 0; drawn < 40; drawn += 1) {
    assert.ok(toBigInt(keyWithLongExponent().subarray(-32)) < q);
  }
});

test('a short y keeps its fixed length: one key in 256 has one', () => {
  const pkcs8 = keyWithLongExponent();
  const low = pkcs8.length - 2;
  pkcs8.writeUInt16BE(0, low);
  let value = power(g, toBigInt(pkcs8.subarray(-32)));
  let added = 0;
  for (; value >= 2n ** (P_BITS - 8n); added += 1) value = (value * g) % p;
  pkcs8.writeUInt16BE(added, low);
  const y = dsaPublicValue(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' }));
  assert.deepEqual(y, toBytes(value, 384));
  const spki = importDsaPublicKey(y).export({ format: 'der', type: 'spki' });
  assert.ok(toHex(spki).endsWith(value.toString(16)));
});

test('P30: values outside the group are refused', () => {
  const inside = power(g, 123_456_789n);
  assert.ok(importDsaPublicKey(toBytes(inside, 384)));
  for (const outside of [0n, 1n, p - 1n, p, p + 1n, inside + p, 2n, p - inside, inside + 1n]) {
    if (outside < 2n ** P_BITS) {
      assert.throws(() => importDsaPublicKey(toBytes(outside, 384)), KEY_POLICY);
    }
  }
  for (const lengthBytes of [0, 383, 385]) {
    assert.throws(() => importDsaPublicKey(new Uint8Array(lengthBytes).fill(2)), KEY_POLICY);
  }
});

test('a private key of another group is refused', () => {
  const { privateKey } = generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 });
  assert.throws(() => dsaPublicValue(privateKey), KEY_POLICY);
});
