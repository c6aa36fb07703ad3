import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { kemDecapsulate, kemEncapsulate, kemPublicKey } from '../../src/crypto/primitives.ts';
import { type Bytes, bytesEqual } from '../../src/protocol/bytes.ts';
import { verdict, wycheproof } from '../helpers/wycheproof.ts';

function fromSeed(seed: Bytes): KeyObject | null {
  try {
    return createPrivateKey({
      key: Buffer.from(seed),
      format: 'raw-seed',
      asymmetricKeyType: 'ml-kem-768',
    });
  } catch {
    return null;
  }
}

function encapsulationKey(key: KeyObject): Bytes {
  return new Uint8Array(createPublicKey(key).export({ format: 'raw-public' }));
}

wycheproof('mlkem_768_keygen_seed_test.json', { accepted: 100, refused: 0 }, (given) => {
  const key = fromSeed(given.hex('seed'));
  assert.ok(key !== null);
  return verdict(bytesEqual(encapsulationKey(key), given.hex('ek')));
});

wycheproof('mlkem_768_test.json', { accepted: 153, refused: 40 }, (given) => {
  const key = fromSeed(given.hex('seed'));
  if (key === null) return 'refused';
  assert.deepEqual(encapsulationKey(key), given.hex('ek'));
  const secret = kemDecapsulate(key, given.hex('c'));
  return verdict(secret !== null && bytesEqual(secret, given.hex('K')));
});

// Node does not take the randomness m, so c and K cannot be compared: which keys are refused is what counts here.
wycheproof('mlkem_768_encaps_test.json', { accepted: 133, refused: 132 }, (given) => {
  const key = kemPublicKey(given.hex('ek'));
  if (key === null) return 'refused';
  const { secret, ciphertext } = kemEncapsulate(key);
  return verdict(secret.length === 32 && ciphertext.length === given.hex('c').length);
});

// The protocol makes its own decapsulation keys and never reads one in this form; what opens with them is ours.
wycheproof('mlkem_768_semi_expanded_decaps_test.json', { accepted: 3, refused: 6 }, (given) => {
  const key = fromExpanded(given.hex('dk'));
  if (key === null) return 'refused';
  const secret = kemDecapsulate(key, given.hex('c'));
  return verdict(secret !== null && bytesEqual(secret, given.hex('K')));
});

/** PKCS#8 around the expanded key alone (RFC 9935): version 0, id-alg-ml-kem-768, OCTET STRING. */
function fromExpanded(dk: Bytes): KeyObject | null {
  const octets = (content: Bytes) => Buffer.concat([long(0x04, content.length), content]);
  const algorithm = Buffer.from('300b0609608648016503040402', 'hex');
  const body = Buffer.concat([Buffer.of(2, 1, 0), algorithm, octets(octets(dk))]);
  try {
    return createPrivateKey({
      key: Buffer.concat([long(0x30, body.length), body]),
      format: 'der',
      type: 'pkcs8',
    });
  } catch {
    return null;
  }
}

function long(tag: number, length: number): Buffer {
  return Buffer.of(tag, 0x82, length >> 8, length & 0xff);
}
