/**
 * What an RSA public key must be, for signing and for wrapping alike. Node itself imports e = 1, 512-bit moduli and
 * several encodings of one key.
 * @see docs/protocol.md#keys
 */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Bytes, bytesEqual } from '../protocol/bytes.ts';
import { SecurityError } from '../protocol/errors.ts';

const RSA_LEAST_BITS = 3_072;
const RSA_MOST_BITS = 4_096;
const RSA_EXPONENT = 65_537n;
/** The DER of a 3072-bit and of a 4096-bit key with e = 65537: nothing outside is worth parsing. */
const RSA_SPKI_LEAST_BYTES = 422;
const RSA_SPKI_MOST_BYTES = 550;

/**
 * @param spki DER SubjectPublicKeyInfo, in its one canonical form: identities are hashes of these bytes
 * @throws SecurityError `key-policy` unless it is rsaEncryption, 3072 to 4096 bits, odd modulus, e = 65537
 */
export function importRsaPublicKey(spki: Bytes): KeyObject {
  if (spki.length < RSA_SPKI_LEAST_BYTES || spki.length > RSA_SPKI_MOST_BYTES) throw policy('its length');
  const key = parse(spki);
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== 'rsa') throw policy('its type');
  if (bits < RSA_LEAST_BITS || bits > RSA_MOST_BITS) throw policy('its size');
  if (key.asymmetricKeyDetails?.publicExponent !== RSA_EXPONENT) throw policy('its exponent');
  // OpenSSL cannot encrypt to an even modulus: it would throw in the middle of someone's sending.
  if (!hasOddModulus(key)) throw policy('its modulus');
  if (!bytesEqual(key.export({ format: 'der', type: 'spki' }), spki)) throw policy('its encoding');
  return key;
}

function parse(spki: Bytes): KeyObject {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch {
    throw policy('its encoding');
  }
}

function hasOddModulus(key: KeyObject): boolean {
  const modulus = Buffer.from(key.export({ format: 'jwk' }).n ?? '', 'base64url');
  return ((modulus.at(-1) ?? 0) & 1) === 1;
}

function policy(what: string): SecurityError {
  return new SecurityError('key-policy', `an RSA public key is refused for ${what}`);
}
