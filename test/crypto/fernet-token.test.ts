import assert from 'node:assert/strict';
import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { openFernet, sealFernet } from '../../src/crypto/fernet-token.ts';
import { type Bytes, utf8 } from '../../src/protocol/bytes.ts';
import { vectors } from '../helpers/vectors.ts';

interface Vector {
  readonly desc?: string;
  readonly token: string;
  readonly now: string;
  readonly ttl_sec: number;
  readonly src: string;
  readonly secret: string;
}

const suite = (name: string) => (vectors(`fernet-spec/${name}.json`) ?? []) as readonly Vector[];
const open = ({ secret, token, now, ttl_sec }: Vector) =>
  openFernet(Buffer.from(secret, 'base64url'), token, { nowMs: Date.parse(now), ttlMs: ttl_sec * 1_000 });

/** A token with any content, signed properly: what someone who holds the key can make. */
function signedToken(
  key: Bytes,
  parts: { readonly version?: number; readonly seconds?: bigint; readonly ciphertext: Bytes },
): string {
  const { version = 0x80, seconds = 1n, ciphertext } = parts;
  const time = Buffer.alloc(8);
  time.writeBigUInt64BE(seconds);
  const signed = Buffer.concat([Buffer.of(version), time, Buffer.alloc(16), ciphertext]);
  const mac = createHmac('sha256', key.subarray(0, 16)).update(signed).digest();
  return Buffer.concat([signed, mac]).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/** AES-CBC under a zero IV, with the padding already in `blocks` or, without it, made by the cipher. */
function encrypt(key: Bytes, blocks: Bytes, autoPadding = true): Bytes {
  const cipher = createCipheriv('aes-128-cbc', key.subarray(16), Buffer.alloc(16)).setAutoPadding(
    autoPadding,
  );
  return Buffer.concat([cipher.update(blocks), cipher.final()]);
}

test('the specification: valid tokens open', async () => {
  for (const vector of suite('verify')) {
    const { payload, issuedAtMs } = await open(vector);
    assert.equal(utf8.decode(payload), vector.src);
    assert.equal(issuedAtMs, Date.parse('1985-10-26T01:20:00-07:00'));
  }
});

test('the specification: its generated token is what we read, and our own has the same shape', async () => {
  for (const { token, secret, src, now } of suite('generate')) {
    const key = Buffer.from(secret, 'base64url');
    const { payload, issuedAtMs } = await openFernet(key, token);
    assert.deepEqual([utf8.decode(payload), issuedAtMs], [src, Date.parse(now)]);
    assert.equal((await sealFernet(key, utf8.encode(src))).length, token.length);
  }
});

test('the specification: each invalid token is refused for its own reason', async () => {
  const codes: Readonly<Record<string, string>> = {
    'incorrect mac': 'token-forged',
    'too short': 'token-malformed',
    'invalid base64': 'token-malformed',
    'payload size not multiple of block size': 'token-malformed',
    'payload padding error': 'token-malformed',
    'far-future TS (unacceptable clock skew)': 'token-future',
    'expired TTL': 'token-expired',
    'incorrect IV (causes padding error)': 'token-malformed',
  };
  for (const vector of suite('invalid')) {
    const { desc = '' } = vector;
    await assert.rejects(open(vector), { name: 'InputError', code: codes[desc] }, desc);
  }
});

test('any bytes come back, stamped with the present second', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (payload) => {
      const key = randomBytes(32);
      const beforeMs = Date.now();
      const opened = await openFernet(key, await sealFernet(key, payload));
      assert.deepEqual(opened.payload, payload);
      assert.equal(opened.issuedAtMs % 1_000, 0);
      assert.ok(opened.issuedAtMs >= beforeMs - 1_000 && opened.issuedAtMs <= Date.now() + 1_000);
    }),
    { numRuns: 60 },
  );
});

test('one payload never makes the same token twice', async () => {
  const key = randomBytes(32);
  const payload = utf8.encode('again');
  const ivs = new Set<string>();
  for (let i = 0; i < 20; i += 1) ivs.add((await sealFernet(key, payload)).slice(12, 33));
  assert.equal(ivs.size, 20);
});

test('the other key opens nothing', async () => {
  const token = await sealFernet(randomBytes(32), utf8.encode('secret'));
  await assert.rejects(openFernet(randomBytes(32), token), { code: 'token-forged' });
});

test('a token properly signed over nonsense is refused', async () => {
  const key = randomBytes(32);
  const good = encrypt(key, utf8.encode('hello'));
  const opened = await openFernet(key, signedToken(key, { ciphertext: good }));
  assert.equal(utf8.decode(opened.payload), 'hello');
  const bad: readonly Parameters<typeof signedToken>[1][] = [
    { version: 0x81, ciphertext: good },
    { ciphertext: Buffer.alloc(0) },
    { ciphertext: good.subarray(0, 15) },
    { ciphertext: good, seconds: 2n ** 64n - 1n },
  ];
  for (const parts of bad) {
    await assert.rejects(openFernet(key, signedToken(key, parts)), { code: 'token-malformed' });
  }
  for (const ending of [[0], [17], [255], [1, 2], [9, 3, 3], [...new Array(15).fill(16), 15]]) {
    const blocks = Uint8Array.of(...new Array(32 - ending.length).fill(7), ...ending);
    const token = signedToken(key, { ciphertext: encrypt(key, blocks, false) });
    await assert.rejects(openFernet(key, token), { code: 'token-malformed' }, `padding ${ending}`);
  }
});

test('base64url in any but its one form is refused', async () => {
  const key = randomBytes(32);
  const token = signedToken(key, { ciphertext: encrypt(key, utf8.encode('hello')) });
  assert.match(token, /==$/);
  const stray = `${token.slice(0, -3)}${String.fromCharCode(token.charCodeAt(token.length - 3) + 1)}==`;
  for (const text of [
    token.slice(0, -1),
    token.slice(0, -2),
    `${token}=`,
    `${token}====`,
    ` ${token}`,
    stray,
    '',
  ]) {
    await assert.rejects(openFernet(key, text), { code: 'token-malformed' });
  }
});

test('time is judged only when asked, and the limits are inclusive', async () => {
  const key = randomBytes(32);
  const token = signedToken(key, { seconds: 1_000n, ciphertext: encrypt(key, utf8.encode('x')) });
  const at = (nowMs: number) => openFernet(key, token, { nowMs, ttlMs: 5_000, maxClockSkewMs: 2_000 });
  assert.equal((await openFernet(key, token)).issuedAtMs, 1_000_000);
  for (const nowMs of [998_000, 1_000_000, 1_005_000]) assert.equal((await at(nowMs)).issuedAtMs, 1_000_000);
  await assert.rejects(at(997_999), { code: 'token-future' });
  await assert.rejects(at(1_005_001), { code: 'token-expired' });
});

test('a key of another length is our own mistake', async () => {
  await assert.rejects(sealFernet(new Uint8Array(31), new Uint8Array(1)), RangeError);
  await assert.rejects(openFernet(new Uint8Array(33), ''), RangeError);
});

test('no deprecated call is made, so that the bundled program prints no warning', async () => {
  // Node keeps quiet about packages under node_modules; a bundle is not one, so the constructor itself is watched.
  const key = randomBytes(32);
  const real = globalThis.Buffer;
  let constructed = 0;
  globalThis.Buffer = new Proxy(real, {
    construct(target, args, newTarget) {
      constructed += 1;
      return Reflect.construct(target, args, newTarget);
    },
  });
  try {
    await openFernet(key, await sealFernet(key, utf8.encode('hello')));
  } finally {
    globalThis.Buffer = real;
  }
  assert.equal(constructed, 0);
});
