/** A name for each key, the same for both halves, and public keys that are parsed once. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { type Bytes, toHex, utf8 } from '../../src/protocol/bytes.ts';

const names = new WeakMap<KeyObject, Bytes>();

export function nameOf(key: KeyObject): Bytes {
  const known = names.get(key);
  if (known !== undefined) return known;
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const isKem = publicKey.asymmetricKeyType === 'ml-kem-768';
  const name = isKem
    ? new Uint8Array(publicKey.export({ format: 'raw-public' }))
    : new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
  const short = utf8.encode(toHex(name.subarray(-96)));
  names.set(key, short);
  return short;
}

/** Parses each key once. */
export function once(parse: (bytes: Bytes) => KeyObject): (bytes: Bytes) => KeyObject {
  const parsed = new Map<string, KeyObject>();
  return (bytes) => {
    const at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
    const key = parsed.get(at) ?? parse(bytes);
    parsed.set(at, key);
    return key;
  };
}
