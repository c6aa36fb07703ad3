/** Keys that take long to make, made once and shared by every test of a run. */
import { generateWrapKeys, type WrapKeyPair } from '../../src/crypto/key-wrap.ts';
import { generateSigningKey, type SigningKey } from '../../src/crypto/signature.ts';

function pool<Key>(make: () => Promise<Key>): (place: number) => Promise<Key> {
  const made: Promise<Key>[] = [];
  return (place) => {
    while (made.length <= place) made.push(make());
    return made[place] as Promise<Key>;
  };
}

/** An RSA identity; the same number, the same key. About half a second for each new one. */
export const rsaIdentity: (place: number) => Promise<SigningKey> = pool(() => generateSigningKey('rsa'));
/** A DSA identity, made in a millisecond: for crowds. */
export const dsaIdentity: (place: number) => Promise<SigningKey> = pool(() => generateSigningKey('dsa'));
export const wrapKeys: (place: number) => Promise<WrapKeyPair> = pool(generateWrapKeys);

let owner: Promise<SigningKey> | null = null;

/** The key that signs every test room's roster. */
export function roomOwnerKey(): Promise<SigningKey> {
  owner ??= generateSigningKey('rsa');
  return owner;
}
