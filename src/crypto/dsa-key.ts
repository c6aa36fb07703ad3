/**
 * DSA keys in the shipped group. On the wire such a key is y alone, 384 bytes big-endian.
 * @see docs/protocol.md#keys
 */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto';
import { type Bytes, bytesEqual, compareBytes, toHex } from '../protocol/bytes.ts';
import { SecurityError } from '../protocol/errors.ts';
import { DER, der, derInteger } from './der.ts';
import { DSA_GROUP } from './dsa-group.ts';

/** The length of p, and so of y. */
const VALUE_BYTES = DSA_GROUP.p.length;
const EXPONENT_BYTES = DSA_GROUP.q.length;

const P = toBigInt(DSA_GROUP.p);
const Q = toBigInt(DSA_GROUP.q);

const DSA_OID = Uint8Array.of(0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01);
const NO_UNUSED_BITS = Uint8Array.of(0);
const VERSION_0 = Uint8Array.of(DER.integer, 1, 0);
const LONG_HEADER_BYTES = 4;
const ALGORITHM = der(
  DER.sequence,
  DSA_OID,
  der(DER.sequence, derInteger(DSA_GROUP.p), derInteger(DSA_GROUP.q), derInteger(DSA_GROUP.g)),
);

/**
 * @param y 384 bytes
 * @throws SecurityError `key-policy` unless 1 < y < p and y^q = 1 mod p. Node imports y = 1, under which anyone can
 * sign. The power takes about 3 ms, once a key.
 */
export function importDsaPublicKey(y: Bytes): KeyObject {
  if (y.length !== VALUE_BYTES) throw policy('its length');
  const value = toBigInt(y);
  if (value <= 1n || value >= P || power(value, Q, P) !== 1n) throw policy('being outside the group');
  return createPublicKey({ key: Buffer.from(spkiOf(y)), format: 'der', type: 'spki' });
}

/** A private exponent by FIPS 186-4 B.1.2 (drawn again until below q), in the shipped group. */
export function generateDsaPrivateKey(): KeyObject {
  const zero = new Uint8Array(EXPONENT_BYTES);
  let x: Bytes;
  do x = randomBytes(EXPONENT_BYTES);
  while (compareBytes(x, DSA_GROUP.q) >= 0 || bytesEqual(x, zero));
  const pkcs8 = der(DER.sequence, VERSION_0, ALGORITHM, der(DER.octetString, derInteger(x)));
  const key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  x.fill(0);
  pkcs8.fill(0);
  return key;
}

/**
 * @returns y of a private key, 384 bytes
 * @throws SecurityError `key-policy` when the key is of another group
 */
export function dsaPublicValue(privateKey: KeyObject): Bytes {
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  // Where y lies if the group is ours; building the whole again proves that it is.
  const tail = spki.subarray(LONG_HEADER_BYTES * 3 + ALGORITHM.length + NO_UNUSED_BITS.length);
  const digits = tail[0] === 0 ? tail.subarray(1) : tail;
  if (digits.length > VALUE_BYTES) throw policy('its group');
  const y = new Uint8Array(VALUE_BYTES);
  y.set(digits, VALUE_BYTES - digits.length);
  if (!bytesEqual(spkiOf(y), spki)) throw policy('its group');
  return y;
}

function spkiOf(y: Bytes): Bytes {
  return der(DER.sequence, ALGORITHM, der(DER.bitString, NO_UNUSED_BITS, derInteger(y)));
}

function toBigInt(bytes: Bytes): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

/** Public values only: its time depends on them. */
function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus;
    if (bit === '1') result = (result * base) % modulus;
  }
  return result;
}

function policy(what: string): SecurityError {
  return new SecurityError('key-policy', `a DSA key is refused for ${what}`);
}
