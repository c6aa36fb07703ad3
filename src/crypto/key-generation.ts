/**
 * New key pairs, made on Node's thread pool: an RSA key takes 0.1 to 1 s, and nobody's typing waits for it.
 * @see docs/protocol.md#keys
 */
import { generateKeyPair, type KeyObject } from 'node:crypto';

const RSA_MADE_BITS = 3_072;

export interface KeyHalves {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

type Done = (error: Error | null, publicKey: KeyObject, privateKey: KeyObject) => void;

function whenDone(start: (done: Done) => void): Promise<KeyHalves> {
  return new Promise((resolve, reject) => {
    start((error, publicKey, privateKey) => {
      if (error === null) resolve({ publicKey, privateKey });
      else reject(error);
    });
  });
}

/** RSA, 3072 bits, e = 65537. */
export function generateRsaKeys(): Promise<KeyHalves> {
  return whenDone((done) => generateKeyPair('rsa', { modulusLength: RSA_MADE_BITS }, done));
}

/** ML-KEM-768. */
export function generateKemKeys(): Promise<KeyHalves> {
  return whenDone((done) => generateKeyPair('ml-kem-768', {}, done));
}
