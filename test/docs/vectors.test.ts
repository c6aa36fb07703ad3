/** The worked example of docs/protocol.md holds: derived by the code, and again in Python, which shares none of it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { publicEncrypt, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { test } from 'node:test';
import { EVEN_WORDS, ODD_WORDS } from '../../src/crypto/check-words.ts';
import { DSA_GROUP } from '../../src/crypto/dsa-group.ts';
import { hkdf, sha256 } from '../../src/crypto/hash.ts';
import { generateWrapKeys, importWrapKeys, unwrapChainKey } from '../../src/crypto/key-wrap.ts';
import { gcmSeal, kemEncapsulate } from '../../src/crypto/primitives.ts';
import { concatBytes, toHex, utf8 } from '../../src/protocol/bytes.ts';
import { memberId } from '../../src/protocol/identifiers.ts';
import { assignments, blocks, readDocument } from './document.ts';
import { workedExample } from './worked-example.ts';

const VECTORS = assignments(blocks(readDocument('docs/protocol.md'), 'vectors').join(''));

test('the code derives what the document says', async () => {
  assert.deepEqual(Object.fromEntries(VECTORS), Object.fromEntries(await workedExample()));
});

test('Python derives what the document says', () => {
  if (spawnSync('/usr/bin/python3', ['-c', 'import cryptography']).status !== 0) {
    assert.notEqual(process.env['CI'], 'true', 'python3-cryptography is missing');
    console.log('left out: python3-cryptography is not installed');
    return;
  }
  const { stdout, stderr } = spawnSync('/usr/bin/python3', [join(import.meta.dirname, 'worked_example.py')], {
    input: JSON.stringify({
      g: toHex(DSA_GROUP.g),
      words: [EVEN_WORDS, ODD_WORDS],
      vectors: Object.fromEntries(VECTORS),
    }),
    encoding: 'utf8',
  });
  assert.equal(stderr, '');
  assert.deepEqual(JSON.parse(stdout), [...VECTORS.keys()].sort());
});

test('a wrap made by the words of the document opens', async () => {
  const pair = await generateWrapKeys();
  const keys = importWrapKeys(pair.publicKeys);
  const announcementHash = sha256(utf8.encode('announcement'));
  const statementHash = sha256(utf8.encode('statement'));
  const member = memberId(new Uint8Array(randomBytes(16)));
  const chainKey = new Uint8Array(randomBytes(32));

  const r = randomBytes(32);
  const rsaCiphertext = publicEncrypt(
    {
      key: keys.rsa,
      oaepHash: 'sha256',
      oaepLabel: concatBytes(utf8.encode('sc1/wrap\0'), announcementHash, member),
    },
    r,
  );
  const { secret: s, ciphertext: kemCiphertext } = kemEncapsulate(keys.kem);
  const info = concatBytes(utf8.encode('sc1/kek'), announcementHash, member, statementHash);
  const kek = hkdf(concatBytes(r, s), sha256(rsaCiphertext, kemCiphertext), info, 32);
  const sealed = gcmSeal({ key: kek, nonce: new Uint8Array(12), aad: announcementHash, plaintext: chainKey });

  const opened = unwrapChainKey({
    with: pair,
    wrapped: { rsaCiphertext, kemCiphertext, sealed },
    announcementHash,
    statementHash,
    memberId: member,
  });
  assert.deepEqual(opened, chainKey);
});
