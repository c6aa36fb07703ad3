/**
 * Thousands of different RSA-3072 keys in seconds: each is the product of two primes out of a small pool. Any two keys
 * that share a prime break each other. For benchmarks and nothing else.
 */
import { createPrivateKey, createPublicKey, generatePrime, type KeyObject } from 'node:crypto';
import { type Bytes, toBase64url } from '../../../src/protocol/bytes.ts';

const PRIME_BITS = 1_536;
const EXPONENT = 65_537n;

function makePrime(): Promise<bigint> {
  return new Promise((resolve, reject) => {
    generatePrime(PRIME_BITS, { bigint: true }, (error, prime) => {
      if (prime !== undefined) resolve(prime);
      else reject(error);
    });
  });
}

async function suitablePrime(): Promise<bigint> {
  for (;;) {
    const prime = await makePrime();
    if (prime % EXPONENT !== 1n) return prime;
  }
}

/** Each call of the result gives another key. @param count how many will be wanted */
async function unsafePrimePairs(count: number): Promise<() => readonly [bigint, bigint]> {
  const poolSize = Math.ceil((1 + Math.sqrt(1 + 8 * count)) / 2);
  const pool = await Promise.all(Array.from({ length: poolSize }, suitablePrime));
  let [low, high] = [0, 1];
  return () => {
    const [p, q] = [pool[low], pool[high]];
    if (p === undefined || q === undefined) throw new Error(`no more than ${count} keys were asked for`);
    low += 1;
    if (low === high) [low, high] = [0, high + 1];
    return [p, q];
  };
}

/** @param count how many will be wanted */
export async function unsafePrivateKeys(count: number): Promise<() => KeyObject> {
  const nextPair = await unsafePrimePairs(count);
  return () => {
    const [p, q] = nextPair();
    const order = (p - 1n) * (q - 1n);
    const d = (1n + order * (EXPONENT - inverse(order % EXPONENT, EXPONENT))) / EXPONENT;
    const parts = { d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q % p, p) };
    const texts = Object.entries(parts).map(([name, value]) => [name, base64url(value)]);
    return createPrivateKey({ format: 'jwk', key: { ...publicJwk(p, q), ...Object.fromEntries(texts) } });
  };
}

/** SubjectPublicKeyInfo in DER. @param count how many will be wanted */
export async function unsafePublicKeys(count: number): Promise<() => Bytes> {
  const nextPair = await unsafePrimePairs(count);
  return () => {
    const key = createPublicKey({ format: 'jwk', key: publicJwk(...nextPair()) });
    return new Uint8Array(key.export({ format: 'der', type: 'spki' }));
  };
}

function publicJwk(p: bigint, q: bigint) {
  return { kty: 'RSA', n: base64url(p * q), e: base64url(EXPONENT) };
}

function base64url(value: bigint): string {
  const digits = value.toString(16);
  return toBase64url(Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex'));
}

/** By Euclid's extended algorithm. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [remainder, next] = [modulus, value];
  let [factor, nextFactor] = [0n, 1n];
  while (next !== 0n) {
    const quotient = remainder / next;
    [remainder, next] = [next, remainder - quotient * next];
    [factor, nextFactor] = [nextFactor, factor - quotient * nextFactor];
  }
  return factor < 0n ? factor + modulus : factor;
}
