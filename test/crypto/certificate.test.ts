import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeCertificate, pinOfCertificate } from '../../src/crypto/certificate.ts';

const NOW_MS = Date.parse('2027-03-04T15:16:17Z');
const make = (nowMs = NOW_MS, serial = randomBytes(16)) => makeCertificate({ nowMs, serial });

test('it is signed by its own key, and the pin is the hash of that key', async () => {
  for (let i = 0; i < 20; i += 1) {
    const { keyPem, certPem, pin } = await make();
    const certificate = new X509Certificate(certPem);
    const publicKey = createPublicKey(createPrivateKey(keyPem));
    assert.ok(certificate.verify(publicKey));
    assert.ok(certificate.checkPrivateKey(createPrivateKey(keyPem)));
    assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, 'prime256v1');
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    assert.deepEqual(Buffer.from(pin), createHash('sha256').update(spki).digest());
    assert.deepEqual(pinOfCertificate(certificate.raw), pin);
  }
});

test('it tells nothing about the host: one name, a random serial, validity from midnight', async () => {
  const certificate = new X509Certificate((await make()).certPem);
  assert.equal(certificate.subject, 'CN=securechat');
  assert.equal(certificate.issuer, 'CN=securechat');
  assert.equal(certificate.subjectAltName, undefined);
  assert.equal(certificate.ca, false);
  assert.equal(certificate.validFromDate.toISOString(), '2027-03-04T00:00:00.000Z');
  assert.equal(certificate.validToDate.toISOString(), '2037-03-01T00:00:00.000Z');
});

test('a date from 2050 on is written in full', async () => {
  const certificate = new X509Certificate((await make(Date.parse('2045-01-01T00:00:00Z'))).certPem);
  assert.equal(certificate.validToDate.getUTCFullYear(), 2054);
});

test('every serial is a positive number in its shortest form', async () => {
  for (const fill of [0x00, 0x7f, 0x80, 0xff]) {
    const { serialNumber } = new X509Certificate((await make(NOW_MS, Buffer.alloc(16, fill))).certPem);
    assert.match(serialNumber, /^[4-7][0-9A-F]{31}$/);
  }
  await assert.rejects(make(NOW_MS, Buffer.alloc(7)), RangeError);
  await assert.rejects(make(NOW_MS, Buffer.alloc(21)), RangeError);
});

test('bytes that are no certificate have no pin', async () => {
  const { raw } = new X509Certificate((await make()).certPem);
  for (const bytes of [new Uint8Array(), randomBytes(300), raw.subarray(0, 100)]) {
    assert.throws(() => pinOfCertificate(bytes));
  }
});

test('openssl reads and verifies it', async () => {
  if (spawnSync('openssl', ['version']).error) {
    assert.notEqual(process.env['CI'], 'true', 'openssl is missing');
    console.log('left out: openssl is not installed');
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'securechat-certificate-'));
  try {
    const file = join(folder, 'cert.pem');
    const { certPem, keyPem } = await make(Date.now());
    writeFileSync(file, certPem);
    const run = (...args: string[]) =>
      execFileSync('openssl', args, { input: keyPem, stdio: 'pipe' }).toString();
    assert.match(run('x509', '-in', file, '-noout', '-text'), /Version: 3[\s\S]*ecdsa-with-SHA256/);
    assert.match(run('verify', '-x509_strict', '-check_ss_sig', '-CAfile', file, file), /OK/);
    assert.equal(run('x509', '-in', file, '-noout', '-pubkey'), run('pkey', '-pubout'));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
