import { createPublicKey } from 'node:crypto';
import { dsaVerify } from '../../src/crypto/primitives.ts';
import { verdict, wycheproof } from '../helpers/wycheproof.ts';

// These keys have groups of their own, which only `primitives.ts` takes: members' keys come without a group.
for (const bits of [2048, 3072]) {
  wycheproof(`dsa_${bits}_256_sha256_p1363_test.json`, { accepted: 81, refused: 58 }, (given, group) => {
    const key = createPublicKey({
      key: Buffer.from(group.hex('publicKeyDer')),
      format: 'der',
      type: 'spki',
    });
    return verdict(dsaVerify(key, given.hex('msg'), given.hex('sig')));
  });
}
