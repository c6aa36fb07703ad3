import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { oaepDecrypt, oaepEncrypt, pssVerify } from '../../src/crypto/primitives.ts';
import { importRsaPublicKey } from '../../src/crypto/rsa-key.ts';
import { bytesEqual } from '../../src/protocol/bytes.ts';
import { type Fields, verdict, wycheproof } from '../helpers/wycheproof.ts';

const KEY_POLICY = { name: 'SecurityError', code: 'key-policy' };

/** The key as the protocol imports it, or where policy forbids its size, as Node does. */
function publicKey(group: Fields): KeyObject {
  const spki = group.hex('publicKeyDer');
  if (group.number('keySize') >= 3_072) return importRsaPublicKey(spki);
  assert.throws(() => importRsaPublicKey(spki), KEY_POLICY);
  return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
}

for (const bits of [2048, 3072, 4096]) {
  wycheproof(`rsa_pss_${bits}_sha256_mgf1_32_test.json`, { accepted: 63, refused: 45 }, (given, group) =>
    verdict(pssVerify(publicKey(group), given.hex('msg'), given.hex('sig'))),
  );
}

// Every signature here is valid under its own hash, MGF hash and salt length; ours is one combination of them.
wycheproof('rsa_pss_misc_test.json', { accepted: 1, refused: 0 }, (given, group) => {
  const verified = pssVerify(publicKey(group), given.hex('msg'), given.hex('sig'));
  const ours =
    group.text('sha') === 'SHA-256' && group.text('mgfSha') === 'SHA-256' && group.number('sLen') === 32;
  if (ours) return verdict(verified);
  assert.equal(verified, false, `tcId ${given.number('tcId')} has foreign parameters`);
  return 'left-out';
});

for (const bits of [2048, 3072, 4096]) {
  wycheproof(
    `rsa_oaep_${bits}_sha256_mgf1sha256_test.json`,
    { accepted: 18, refused: 19 },
    (given, group) => {
      const key = createPrivateKey({
        key: Buffer.from(group.hex('privateKeyPkcs8')),
        format: 'der',
        type: 'pkcs8',
      });
      const label = given.hex('label');
      const opened = oaepDecrypt(key, label, given.hex('ct'));
      if (opened === null) return 'refused';
      const again = oaepDecrypt(key, label, oaepEncrypt(createPublicKey(key), label, given.hex('msg')));
      assert.deepEqual(again, opened);
      return verdict(bytesEqual(opened, given.hex('msg')));
    },
  );
}
