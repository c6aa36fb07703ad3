/** P35: a kept identity opens with openssl, and never with a wrong passphrase or changed. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  formatIdentity,
  IDENTITY_FILE_BYTES_MOST,
  openIdentity,
  parseIdentity,
} from '../../src/crypto/identity-file.ts';
import type { SigningKey } from '../../src/crypto/signature.ts';
import { InputError } from '../../src/protocol/errors.ts';
import { dsaIdentity, rsaIdentity } from '../helpers/keys.ts';
import { available } from '../helpers/tools.ts';

const PASSPHRASE = 'correct horse';
const DAMAGED = { name: 'InputError', code: 'identity-file' };

const keys = { rsa: await rsaIdentity(0), dsa: await dsaIdentity(0) };
const files = {
  rsa: await formatIdentity(keys.rsa, PASSPHRASE),
  dsa: await formatIdentity(keys.dsa, PASSPHRASE),
};

/** The line before the block, made without the code under test. */
function withCheck(block: string, privateKey: KeyObject): string {
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' });
  const check = createHash('sha256').update(`sc1/identity${block}`).update(pkcs8).digest('base64url');
  return `securechat identity v1 check=${check}\n${block}`;
}

function blockOf(text: string): string {
  return text.slice(text.indexOf('\n') + 1);
}

/** Another character of base64 and of base64url in its place. */
function changed(text: string, at: number): string {
  return `${text.slice(0, at)}${text[at] === 'B' ? 'C' : 'B'}${text.slice(at + 1)}`;
}

for (const algorithm of ['rsa', 'dsa'] as const) {
  describe(algorithm, () => {
    test('P35: opens with its passphrase, as the same key', async () => {
      const opened = await openIdentity(parseIdentity(files[algorithm]), PASSPHRASE);
      assert.ok(opened !== null);
      assert.equal(opened.algorithm, algorithm);
      assert.deepEqual(opened.memberId, keys[algorithm].memberId);
    });

    test('a byte more or less is seen at once', () => {
      const text = files[algorithm];
      for (const at of [0, 10, 30, 72, 73, 100, 500, text.length - 60, text.length - 20]) {
        assert.throws(() => parseIdentity(text.slice(0, at) + text.slice(at + 1)), DAMAGED);
        assert.throws(() => parseIdentity(`${text.slice(0, at)}A${text.slice(at)}`), DAMAGED);
      }
      assert.throws(() => parseIdentity(`${text}${blockOf(text)}`), DAMAGED);
      assert.throws(() => parseIdentity(` ${text}`), DAMAGED);
    });
  });
}

test('P35: opens with no other passphrase', async () => {
  const sealed = parseIdentity(files.dsa);
  const wrongs = ['', 'Correct horse'];
  const opened = await Promise.all(wrongs.map((wrong) => openIdentity(sealed, wrong)));
  assert.deepEqual(opened, [null, null]);
});

test('P35: a character changed anywhere: seen at once, or no passphrase opens it', async () => {
  const text = files.rsa;
  const unseen = Array.from(text, (_, at) => at).filter((at) => {
    try {
      parseIdentity(changed(text, at));
      return true;
    } catch (error) {
      assert.ok(error instanceof InputError && error.code === 'identity-file');
      return false;
    }
  });
  const block = text.indexOf('\n-----BEGIN') + 1;
  const check = block - 44;
  const body = text.indexOf('\n', block) + 1;
  // Only the check, salt, IV and ciphertext can be anything. In base64, salt and IV begin at 48 and 104.
  assert.ok(unseen.every((at) => (at >= check && at < block) || at >= body + 48));
  const tried = [check, block - 3, body + 52, body + 108, body + 400, unseen.at(-1) ?? 0];
  const opened = await Promise.all(
    tried.map((at) => openIdentity(parseIdentity(changed(text, at)), PASSPHRASE)),
  );
  assert.ok(tried.every((at) => unseen.includes(at)));
  assert.ok(opened.every((key) => key === null));
});

test('any passphrase, typed on any keyboard, with or without white space around it', async () => {
  const text = await formatIdentity(keys.dsa, '  caf\u00e9 ');
  assert.notEqual(await openIdentity(parseIdentity(text), 'cafe\u0301\n'), null);
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 40 }), async (passphrase) => {
      const sealed = parseIdentity(await formatIdentity(keys.dsa, passphrase));
      const opened = await openIdentity(sealed, passphrase);
      assert.deepEqual(opened?.memberId, keys.dsa.memberId);
    }),
    { numRuns: 2 },
  );
  await assert.rejects(formatIdentity(keys.dsa, 'x'.repeat(1_025)), { code: 'passphrase' });
});

test('the same key and passphrase make another file each time', async () => {
  assert.notEqual(blockOf(await formatIdentity(keys.dsa, PASSPHRASE)), blockOf(files.dsa));
});

test('line ends of Windows and a lost last line feed are no damage', async () => {
  const windows = files.dsa.replaceAll('\n', '\r\n').trimEnd();
  assert.notEqual(await openIdentity(parseIdentity(windows), PASSPHRASE), null);
});

test('what is no identity file is told apart from a damaged one', () => {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  for (const text of ['', 'x', pem, blockOf(files.rsa)])
    assert.throws(() => parseIdentity(text), { ...DAMAGED, message: /identity new/ });
  const newer = files.rsa.replace(' v1 ', ' v2 ');
  assert.throws(() => parseIdentity(newer), { ...DAMAGED, message: /another version/ });
  const large = files.rsa + '\n'.repeat(IDENTITY_FILE_BYTES_MOST);
  assert.throws(() => parseIdentity(large), { ...DAMAGED, message: /too large/ });
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.throws(() => parseIdentity(`securechat identity v1 check=${text}`), DAMAGED);
    }),
  );
});

if (available(['openssl', 'version'], 'what openssl says of identity files')) {
  const openssl = (words: readonly string[], input: string): string =>
    execFileSync('openssl', words, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] });
  const SCRYPT = ['-scrypt', '-scrypt_N', '16384', '-scrypt_r', '8', '-scrypt_p', '5'];
  const pem = (key: KeyObject) => key.export({ format: 'pem', type: 'pkcs8' }).toString();
  const sealedByOpenssl = (key: KeyObject, words: readonly string[] = SCRYPT): string =>
    openssl(['pkcs8', '-topk8', '-passout', `pass:${PASSPHRASE}`, ...words], pem(key));
  const openedByOpenssl = (text: string): KeyObject =>
    createPrivateKey(openssl(['pkey', '-passin', `pass:${PASSPHRASE}`], text));

  describe('openssl', () => {
    for (const algorithm of ['rsa', 'dsa'] as const) {
      test(`P35: opens a file with ${algorithm} in it; its check is as specified`, () => {
        const key = openedByOpenssl(files[algorithm]);
        assert.deepEqual(
          new Uint8Array(key.export({ format: 'der', type: 'pkcs8' })),
          pkcs8Of(keys[algorithm]),
        );
        assert.equal(withCheck(blockOf(files[algorithm]), key), files[algorithm]);
      });

      test(`a block made by openssl with the same parameters opens here (${algorithm})`, async () => {
        const key = privateKey(keys[algorithm]);
        const sealed = parseIdentity(withCheck(sealedByOpenssl(key), key));
        assert.deepEqual((await openIdentity(sealed, PASSPHRASE))?.memberId, keys[algorithm].memberId);
      });
    }

    test('P35: opens no file with a wrong passphrase', () => {
      assert.throws(() => openssl(['pkey', '-passin', 'pass:wrong'], files.dsa));
    });

    test('a file without a passphrase opens with an empty one', async () => {
      const text = await formatIdentity(keys.dsa, '');
      assert.match(openssl(['pkey', '-passin', 'pass:'], text), /BEGIN PRIVATE KEY/);
      assert.notEqual(await openIdentity(parseIdentity(text), ''), null);
    });

    test('it names scrypt with its costs, and AES', () => {
      const shown = openssl(['asn1parse', '-inform', 'PEM'], blockOf(files.rsa));
      for (const part of [
        /PBES2/,
        /:scrypt\n/,
        /INTEGER +:4000\n/,
        /INTEGER +:08\n/,
        /INTEGER +:05\n/,
        /aes-256-cbc/,
      ])
        assert.match(shown, part);
    });

    test('blocks with other parameters are refused before a passphrase is asked for', () => {
      const key = privateKey(keys.dsa);
      const others = [
        [...SCRYPT.slice(0, 2), '1024', ...SCRYPT.slice(3)],
        [...SCRYPT.slice(0, 4), '1', '-scrypt_p', '5'],
        [...SCRYPT.slice(0, 5), '-scrypt_p', '1'],
        [...SCRYPT, '-v2', 'aes-128-cbc'],
        ['-v2', 'aes-256-cbc'],
        ['-v2', 'des3'],
      ];
      for (const words of others) {
        const text = withCheck(sealedByOpenssl(key, words), key);
        assert.throws(() => parseIdentity(text), DAMAGED, words.join(' '));
      }
    });

    const FOREIGN: readonly (readonly [string, () => KeyObject, RegExp])[] = [
      [
        'RSA of 2048 bits',
        () => generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
        /its length/,
      ],
      [
        'RSA for PSS alone',
        () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey,
        /is RSA or DSA/,
      ],
      [
        'DSA of another group',
        () => generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).privateKey,
        /its group/,
      ],
      ['RSA with the modulus of another key', mixedHalves, /do not belong together/],
      // Too short for the form.
      ['Ed25519', () => generateKeyPairSync('ed25519').privateKey, /changed or damaged/],
    ];
    for (const [what, make, message] of FOREIGN) {
      test(`${what} is refused, whoever sealed it`, async () => {
        const key = make();
        const text = withCheck(sealedByOpenssl(key), key);
        await assert.rejects(async () => openIdentity(parseIdentity(text), PASSPHRASE), { message });
      });
    }
  });
}

function pkcs8Of(key: SigningKey): Uint8Array {
  return new Uint8Array(key.exportPrivate());
}

function privateKey(key: SigningKey): KeyObject {
  return createPrivateKey({ key: Buffer.from(pkcs8Of(key)), format: 'der', type: 'pkcs8' });
}

/** A private key whose public half is somebody else's. */
function mixedHalves(): KeyObject {
  const other = generateKeyPairSync('rsa', { modulusLength: 3072 }).publicKey;
  const modulus = (key: KeyObject) => Buffer.from(key.export({ format: 'jwk' }).n ?? '', 'base64url');
  const der = Buffer.from(pkcs8Of(keys.rsa));
  modulus(other).copy(der, der.indexOf(modulus(privateKey(keys.rsa))));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}
