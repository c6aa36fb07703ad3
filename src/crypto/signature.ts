/**
 * Identity keys: who signed what. A signature covers domain ‖ 0x00 ‖ message, so that one made for one purpose
 * is worth nothing for another.
 * @see docs/protocol.md#bytes
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { type Bytes, concatBytes, utf8 } from '../protocol/bytes.ts';
import { SecurityError, unreachable } from '../protocol/errors.ts';
import { type Hash, ID_BYTES, type MemberId, memberId } from '../protocol/identifiers.ts';
import { dsaPublicValue, generateDsaPrivateKey, importDsaPublicKey } from './dsa-key.ts';
import { sha256 } from './hash.ts';
import { generateRsaKeys } from './key-generation.ts';
import { dsaSign, dsaVerify, pssSign, pssVerify } from './primitives.ts';
import { importRsaPublicKey } from './rsa-key.ts';

export type SigningAlgorithm = 'rsa' | 'dsa';

/** As written on the wire. */
export const ALGORITHM_NUMBER = { rsa: 1, dsa: 2 } as const;

type Domain =
  | 'sc1/roster'
  | 'sc1/conv'
  | 'sc1/moderate'
  | 'sc1/era'
  | 'sc1/wrapkey'
  | 'sc1/chain'
  | 'sc1/needkey'
  | 'sc1/msg'
  | 'sc1/leave'
  | 'sc1/identity'
  | 'sc1/join'
  | 'sc1/login';

const ID_PREFIX = utf8.encode('sc1/id');
const OWNER_PREFIX = utf8.encode('sc1/owner');

/** One part, or several that are joined as they are: the caller's fields must be unambiguous without separators. */
type Message = Bytes | readonly Bytes[];

function signedBytes(domain: Domain, message: Message): Bytes {
  const parts = message instanceof Uint8Array ? [message] : message;
  return concatBytes(utf8.encode(`${domain}\0`), ...parts);
}

/** The public half's names, the same for both halves. */
class Identity {
  readonly algorithm: SigningAlgorithm;
  /** As it travels: canonical DER SubjectPublicKeyInfo for RSA, y in 384 bytes for DSA. */
  readonly spki: Bytes;
  /** H("sc1/id" ‖ spki). */
  readonly idFingerprint: Hash;
  readonly memberId: MemberId;
  /** Of the modulus, or of the DSA group's p. */
  readonly bits: number;

  constructor(algorithm: SigningAlgorithm, spki: Bytes, key: KeyObject) {
    this.algorithm = algorithm;
    this.spki = spki;
    this.idFingerprint = sha256(ID_PREFIX, spki);
    this.memberId = memberId(this.idFingerprint.slice(0, ID_BYTES.member));
    this.bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  }
}

class CheckedVerifyKey extends Identity {
  readonly #key: KeyObject;

  constructor(algorithm: SigningAlgorithm, spki: Bytes, key: KeyObject) {
    super(algorithm, spki, key);
    this.#key = key;
  }

  /** @returns whether this key's holder signed exactly this, for exactly this purpose. Garbage is `false`. */
  verify(domain: Domain, message: Message, signature: Bytes): boolean {
    const signed = signedBytes(domain, message);
    switch (this.algorithm) {
      case 'rsa':
        return pssVerify(this.#key, signed, signature);
      case 'dsa':
        return dsaVerify(this.#key, signed, signature);
      default:
        return unreachable(this.algorithm);
    }
  }
}

class CheckedSigningKey extends Identity {
  readonly #key: KeyObject;

  constructor(algorithm: SigningAlgorithm, spki: Bytes, key: KeyObject) {
    super(algorithm, spki, key);
    this.#key = key;
  }

  /** @returns the signature: as long as the modulus for RSA-PSS, 64 bytes for DSA. */
  sign(domain: Domain, message: Message): Bytes {
    const signed = signedBytes(domain, message);
    switch (this.algorithm) {
      case 'rsa':
        return pssSign(this.#key, signed);
      case 'dsa':
        return dsaSign(this.#key, signed);
      default:
        return unreachable(this.algorithm);
    }
  }

  /** @returns the private key as DER PKCS#8, for keeping it under a passphrase; the caller overwrites it. */
  exportPrivate(): Bytes {
    return this.#key.export({ format: 'der', type: 'pkcs8' });
  }
}

/** A public key that passed the policy. Made by `importVerifyKey` alone. */
export type VerifyKey = CheckedVerifyKey;

/** A private identity key. Made by `generateSigningKey` and `signingKeyFromPrivate` alone. */
export type SigningKey = CheckedSigningKey;

/**
 * Imports once and keeps the parsed key; a DSA key costs about 3 ms.
 *
 * @param spki as it travels (see `VerifyKey.spki`); copied
 * @throws SecurityError `key-policy` when the key is not one this protocol accepts
 * @see docs/protocol.md#keys
 */
export function importVerifyKey(spki: Bytes, algorithm: SigningAlgorithm): VerifyKey {
  const key = algorithm === 'rsa' ? importRsaPublicKey(spki) : importDsaPublicKey(spki);
  return new CheckedVerifyKey(algorithm, new Uint8Array(spki), key);
}

/** Makes a key off the main thread (RSA-3072: 0.1 to 1 s; DSA, in the shipped group: a millisecond, at once). */
export async function generateSigningKey(algorithm: SigningAlgorithm): Promise<SigningKey> {
  if (algorithm === 'dsa') return signingKeyFromPrivate(generateDsaPrivateKey());
  const { privateKey } = await generateRsaKeys();
  return signingKeyFromPrivate(privateKey);
}

/**
 * @param privateKey an RSA or DSA private key that was made or loaded here
 * @throws SecurityError `key-policy` when others would refuse its public half
 */
export function signingKeyFromPrivate(privateKey: KeyObject): SigningKey {
  switch (privateKey.asymmetricKeyType) {
    case 'rsa': {
      const spki = new Uint8Array(createPublicKey(privateKey).export({ format: 'der', type: 'spki' }));
      importRsaPublicKey(spki);
      return new CheckedSigningKey('rsa', spki, privateKey);
    }
    case 'dsa':
      return new CheckedSigningKey('dsa', dsaPublicValue(privateKey), privateKey);
    default:
      throw new SecurityError('key-policy', 'an identity key is RSA or DSA');
  }
}

/**
 * @param pkcs8 as `exportPrivate` gave it
 * @throws SecurityError `key-policy` when it is no key that others would accept
 */
export function importSigningKey(pkcs8: Bytes): SigningKey {
  try {
    return signingKeyFromPrivate(createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' }));
  } catch (error) {
    if (error instanceof SecurityError) throw error;
    throw new SecurityError('key-policy', 'it is no private key');
  }
}

/** H("sc1/owner" ‖ spki): how an invitation names the room's owner. */
export function ownerFingerprint(spki: Bytes): Hash {
  return sha256(OWNER_PREFIX, spki);
}
