import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { sealFernet } from '../../src/crypto/fernet-token.ts';
import {
  type Address,
  formatAddress,
  invitationClockWarning,
  mintInvitation,
  parseAddress,
  readInvitation,
} from '../../src/crypto/invitation.ts';
import { toBase64url, u32, utf8 } from '../../src/protocol/bytes.ts';
import { hash, invitationId, roomId } from '../../src/protocol/identifiers.ts';

const FIELDS = {
  roomId: roomId(randomBytes(16)),
  ownerFingerprint: hash(randomBytes(32)),
  tlsPin: hash(randomBytes(32)),
  invitationId: invitationId(randomBytes(8)),
  ttlSeconds: 86_400,
  uses: 16,
  addresses: [{ host: '192.168.178.123', port: 8_888 }],
};
const KEY = randomBytes(32);
const { text: TEXT } = await mintInvitation(FIELDS, KEY);
const damaged = { name: 'InputError', code: 'invitation-damaged' };

function withChecksum(body: string): string {
  return `${body}.${toBase64url(u32(crc32(utf8.encode(body))))}`;
}

/** An invitation with any payload, made by someone who holds the key. */
async function craft(payload: Uint8Array): Promise<string> {
  const token = await sealFernet(KEY, payload);
  return withChecksum(`sc1.${toBase64url(KEY)}.${token.replaceAll('=', '')}`);
}

const HOST = fc.oneof(
  fc.ipV4(),
  fc.ipV6().map((text) => new URL(`http://[${text}]`).hostname.slice(1, -1)),
  fc.stringMatching(/^[a-z][a-z0-9]{0,20}(\.[a-z]{2,9}){0,2}$/),
);
const ADDRESS: fc.Arbitrary<Address> = fc.record(
  { host: HOST, port: fc.integer({ min: 1, max: 65_535 }) },
  { noNullPrototype: true },
);
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

test('what is minted is read', async () => {
  const fields = fc.record({
    roomId: bytes(16).map(roomId),
    ownerFingerprint: bytes(32).map(hash),
    tlsPin: bytes(32).map(hash),
    invitationId: bytes(8).map(invitationId),
    ttlSeconds: fc.integer({ min: 1, max: 30 * 86_400 }),
    uses: fc.integer({ min: 1, max: 255 }),
    addresses: fc.array(ADDRESS, { minLength: 1, maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(fields, bytes(32), async (given, key) => {
      const { text, admissionKey, issuedAtMs } = await mintInvitation(given, key);
      const read = await readInvitation(text);
      assert.deepEqual(read.invitation, { ...given, issuedAtMs });
      assert.deepEqual(read.admissionKey, admissionKey);
    }),
    { numRuns: 50 },
  );
});

test('it is as long as the documents say, and its parts are what they say', async () => {
  assert.ok(TEXT.length > 250 && TEXT.length < 320, `${TEXT.length} characters`);
  const [prefix, key, token = '', checksum] = TEXT.split('.');
  assert.equal(prefix, 'sc1');
  assert.equal(key, toBase64url(KEY));
  assert.equal(TEXT, withChecksum(`sc1.${key}.${token}`));
  assert.equal(checksum?.length, 6);
  const salt = createHash('sha256').update(token).digest();
  const { admissionKey } = await readInvitation(TEXT);
  assert.deepEqual(admissionKey, new Uint8Array(hkdfSync('sha256', KEY, salt, 'sc1/admit', 32)));
});

test('P6: Python opens every token', async () => {
  const importable =
    spawnSync('/usr/bin/python3', ['-c', 'from cryptography.fernet import Fernet']).status === 0;
  if (!importable) {
    assert.notEqual(process.env['CI'], 'true', 'python3-cryptography is missing');
    console.log('left out: python3-cryptography is not installed');
    return;
  }
  const minted: { key: string; token: string; roomId: string }[] = [];
  for (let i = 0; i < 40; i += 1) {
    const key = randomBytes(32);
    const room = roomId(randomBytes(16));
    const addresses = new Array(1 + (i % 4)).fill({ host: `${'a'.repeat(1 + i)}.example`, port: 1 + i });
    const { fernetToken } = await mintInvitation({ ...FIELDS, roomId: room, addresses }, key);
    assert.equal(fernetToken.length % 4, 0);
    minted.push({
      key: `${toBase64url(key)}=`,
      token: fernetToken,
      roomId: Buffer.from(room).toString('hex'),
    });
  }
  const script = `import json, sys
from cryptography.fernet import Fernet
for m in json.load(sys.stdin):
    payload = Fernet(m['key']).decrypt(m['token'].encode(), ttl=60)
    assert payload[:2] == b'\\x01\\x01' and payload[2:18].hex() == m['roomId'], payload
    print('opened')`;
  const python = spawnSync('/usr/bin/python3', ['-c', script], {
    input: JSON.stringify(minted),
    encoding: 'utf8',
  });
  assert.equal(python.stderr, '');
  assert.equal(python.stdout, 'opened\n'.repeat(40));
});

test('P7: every one-character change is refused as damaged', async () => {
  // Each place with each character of the alphabet and some around it; a long dash for a hyphen is forgiven.
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_. =+/~é\u00a0';
  for (let at = 0; at < TEXT.length; at += 1) {
    for (const character of alphabet) {
      if (TEXT[at] === character) continue;
      await assert.rejects(
        readInvitation(TEXT.slice(0, at) + character + TEXT.slice(at + 1)),
        damaged,
        `${JSON.stringify(character)} at ${at}`,
      );
    }
  }
});

test('P7: any other character, one lost, one doubled, two changed places: damaged', async () => {
  const place = fc.nat(TEXT.length - 1);
  const longDash = /[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/;
  await fc.assert(
    fc.asyncProperty(
      place,
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
      async (at, character) => {
        fc.pre(character !== TEXT[at] && !(TEXT[at] === '-' && longDash.test(character)));
        await assert.rejects(readInvitation(TEXT.slice(0, at) + character + TEXT.slice(at + 1)), damaged);
      },
    ),
    { numRuns: 200 },
  );
  for (let at = 0; at < TEXT.length; at += 1) {
    await assert.rejects(readInvitation(TEXT.slice(0, at) + TEXT.slice(at + 1)), damaged, `lost at ${at}`);
    await assert.rejects(
      readInvitation(TEXT.slice(0, at) + TEXT[at] + TEXT.slice(at)),
      damaged,
      `doubled at ${at}`,
    );
    const swapped = TEXT.slice(0, at) + (TEXT[at + 1] ?? '') + TEXT[at] + TEXT.slice(at + 2);
    if (swapped !== TEXT) await assert.rejects(readInvitation(swapped), damaged, `swapped at ${at}`);
  }
});

test('a copy that was cut short is damaged, wherever the cut', async () => {
  for (let end = 40; end < TEXT.length; end += 1)
    await assert.rejects(readInvitation(TEXT.slice(0, end)), damaged);
  for (let start = 1; start < TEXT.length - 40; start += 1)
    await assert.rejects(readInvitation(TEXT.slice(start)), damaged);
});

test('what messengers do is forgiven', async () => {
  const wrapped = (width: number, joint: string) =>
    TEXT.replaceAll(new RegExp(`.{${width}}`, 'g'), `$&${joint}`);
  const forgiven = [
    `  ${TEXT}\r\n`,
    `"${TEXT}"`,
    `\u201c${TEXT}\u201d`,
    `<${TEXT}>`,
    `\`${TEXT}\``,
    `**${TEXT}**`,
    `invitation: ${TEXT}`,
    `Come in! Here it is:\n\n${TEXT}\n\nThe code follows. See you`,
    `${TEXT}. Thanks`,
    `${TEXT}, see you`,
    wrapped(64, '\n'),
    wrapped(76, '\r\n> '),
    wrapped(1, ' '),
    `${wrapped(40, '\n')} see you at nine`,
    wrapped(10, '\u200b'),
    wrapped(10, '\u00ad\ufeff'),
    `\u202a${TEXT}\u202c`,
    TEXT.replaceAll('.', ' . '),
    wrapped(60, '\u00a0'),
    `\u201e${TEXT}\u201c`,
    `\u2192${TEXT}\u2190`,
    `Here it is\u2014${TEXT}\u2014see you`,
    `- ${TEXT} - see you`,
    `[10:32, 21.11.2026] Ann: ${TEXT}`,
    `[join](${TEXT})`,
    `https://chat.example/#${TEXT}`,
    JSON.stringify({ token: TEXT }),
    `${TEXT}\n-- \nAnn`,
    `${TEXT}\n${TEXT}`,
  ];
  const expected = await readInvitation(TEXT);
  for (const text of forgiven) assert.deepEqual(await readInvitation(text), expected, text);
});

test('what mail, Markdown, addresses and pages write for an invitation is read', async () => {
  // Hyphens and underscores are what these change; this key holds some.
  const key = Buffer.from('_-A-'.repeat(10).concat('_-A'), 'base64url');
  const { text } = await mintInvitation(FIELDS, key);
  const expected = await readInvitation(text);
  const hex = (sign: string) => (character: string) =>
    sign + character.charCodeAt(0).toString(16).toUpperCase();
  const written = [
    text.replaceAll(/.{75}/g, '$&=\r\n'),
    // As a prompt hands on a paste.
    text.replaceAll(/.{75}/g, '$&= '),
    text.replaceAll('.', '=2E').replaceAll(/.{70}/g, '$&=\n'),
    text.replaceAll(/[._-]/g, hex('%')),
    text.replaceAll('.', '%2e'),
    text.replaceAll(/[._-]/g, '\\$&'),
    text.replaceAll(/.{60}/g, '$&\\\n'),
    `<p>Come in: <b>${text}</b></p>`,
    `<pre class="x">${text.replaceAll(/.{60}/g, '$&<br>\n')}</pre>`,
  ];
  for (const form of written) assert.deepEqual(await readInvitation(form), expected, form);
});

test('lost capitals are told as such', async () => {
  const cased = { code: 'invitation-damaged', message: /^Capital and small letters/ };
  for (const text of [
    TEXT.toUpperCase(),
    TEXT.toLowerCase(),
    TEXT.replace('sc1', 'Sc1'),
    `Here: ${TEXT.toUpperCase()}.`,
  ])
    await assert.rejects(readInvitation(text), cased);
});

test('lengthened and joined hyphens are forgiven', async () => {
  // This key holds `--` and single hyphens.
  const key = Buffer.from('--A-'.repeat(10).concat('--A'), 'base64url');
  const { text } = await mintInvitation(FIELDS, key);
  const expected = await readInvitation(text);
  for (const dash of ['\u2010', '\u2011', '\u2013', '\u2014', '\u2212']) {
    assert.deepEqual(await readInvitation(text.replaceAll('-', dash)), expected);
    assert.deepEqual(await readInvitation(text.replaceAll('--', dash)), expected);
  }
});

test('what is no invitation is told apart', async () => {
  for (const text of ['', ' \n\t', '\u200b', '""', '<>']) {
    await assert.rejects(readInvitation(text), { name: 'InputError', code: 'invitation-empty' });
  }
  const prose = ['hello', '123456', '192.168.1.10:8888', 'https://example.org/room', 'a '.repeat(200), 'sc1'];
  for (const text of [...prose, TEXT + ' '.repeat(8_192) + TEXT]) {
    await assert.rejects(readInvitation(text), { name: 'InputError', code: 'invitation-not' });
  }
});

test('hostile text is refused quickly', async () => {
  const startMs = performance.now();
  for (const unit of [
    'sc1.',
    'sc1',
    'a.',
    'sc1.a.',
    '-',
    '- ',
    'sc1 . ',
    '\u2014',
    '.',
    '<a',
    '\\',
    '=\n',
    'SC1.',
  ]) {
    for (const text of [unit.repeat(8_000 / unit.length), `sc1.${unit.repeat(7_900 / unit.length)}`]) {
      await assert.rejects(readInvitation(text), { name: 'InputError' });
    }
  }
  assert.ok(performance.now() - startMs < 1_000);
});

test('another version says so, whether in the prefix or inside', async () => {
  const version = { name: 'InputError', code: 'invitation-version' };
  const [, key, token] = TEXT.split('.');
  await assert.rejects(readInvitation(withChecksum(`sc2.${key}.${token}`)), version);
  await assert.rejects(readInvitation(await craft(Uint8Array.of(2, 1, 0))), version);
  await assert.rejects(readInvitation(await craft(Uint8Array.of(1, 2, 0))), version);
  await assert.rejects(readInvitation(await craft(new Uint8Array())), version);
});

test('a right checksum over a wrong invitation is invalid, not damaged', async () => {
  const invalid = { name: 'InputError', code: 'invitation-invalid' };
  const [, key = '', token = ''] = TEXT.split('.');
  const { text: other } = await mintInvitation(FIELDS, randomBytes(32));
  for (const body of [
    `sc1.${other.split('.')[1]}.${token}`,
    `sc1.${key.slice(1)}.${token}`,
    `sc1.${key.slice(0, -1)}_.${token}`,
    `sc1.${key}.${token.slice(1)}`,
    `sc1.${key}.${token.slice(0, -4)}`,
    `sc1.${key}.A`,
  ]) {
    await assert.rejects(readInvitation(withChecksum(body)), invalid);
  }
});

test('a payload that breaks a rule is invalid, even from someone who holds the key', async () => {
  const head = [1, 1, ...FIELDS.roomId, ...FIELDS.ownerFingerprint, ...FIELDS.tlsPin, ...FIELDS.invitationId];
  const address = (host: string, port = 80) => [host.length, ...utf8.encode(host), port >> 8, port & 255];
  const payload = (ttlSeconds: number, uses: number, ...addresses: number[][]) =>
    Uint8Array.of(...head, ...u32(ttlSeconds), uses, addresses.length, ...addresses.flat());
  const good = address('192.0.2.1');
  await readInvitation(await craft(payload(60, 1, good)));
  const bad = [
    payload(0, 1, good),
    payload(30 * 86_400 + 1, 1, good),
    payload(60, 0, good),
    payload(60, 1),
    payload(60, 1, good, good, good, good, good),
    payload(60, 1, address('192.0.2.1', 0)),
    payload(60, 1, address('192.0.2.01')),
    payload(60, 1, address('EXAMPLE.org')),
    payload(60, 1, address('')),
    payload(60, 1, address('a b')),
    payload(60, 1, address('\u001b[2J')),
    payload(60, 1, [2, 0xff, 0xfe, 0, 80]),
    Uint8Array.of(...payload(60, 1, good), 0),
    payload(60, 1, good).subarray(0, -1),
    Uint8Array.of(1, 1),
  ];
  for (const bytes of bad) {
    await assert.rejects(readInvitation(await craft(bytes)), {
      name: 'InputError',
      code: 'invitation-invalid',
    });
  }
});

test('minting refuses what reading would', async () => {
  const wrong = [
    { ttlSeconds: 0 },
    { ttlSeconds: 1.5 },
    { uses: 256 },
    { addresses: [] },
    { addresses: [{ host: '[::1]', port: 80 }] },
    { addresses: [{ host: '::1', port: 65_536 }] },
  ];
  for (const fields of wrong) await assert.rejects(mintInvitation({ ...FIELDS, ...fields }, KEY), RangeError);
});

test('the clock only warns, and an expired invitation is still read', async () => {
  const { invitation } = await readInvitation(TEXT);
  const endMs = invitation.issuedAtMs + invitation.ttlSeconds * 1_000;
  assert.equal(invitationClockWarning(invitation, invitation.issuedAtMs - 60_000), null);
  assert.equal(invitationClockWarning(invitation, endMs), null);
  assert.match(invitationClockWarning(invitation, endMs + 1) ?? '', /expired/);
  assert.match(invitationClockWarning(invitation, invitation.issuedAtMs - 60_001) ?? '', /future/);
});

test('no refusal repeats any part of the secret', async () => {
  const [, key = '', token = ''] = TEXT.split('.');
  for (const text of [
    TEXT.slice(1),
    withChecksum(`sc1.${key}.${token.slice(4)}`),
    withChecksum(`sc2.${key}.${token}`),
  ]) {
    await assert.rejects(readInvitation(text), (error: Error) => {
      assert.ok(error.cause === undefined && !error.message.includes(key.slice(0, 8)));
      return true;
    });
  }
});

test('addresses as people write them', () => {
  const cases: Readonly<Record<string, string>> = {
    '1.2.3.4': '1.2.3.4:8888',
    ' 1.2.3.4:80 ': '1.2.3.4:80',
    '::1': '[::1]:8888',
    '[::1]': '[::1]:8888',
    '[::1]:80': '[::1]:80',
    '2001:DB8:0:0::0:1': '[2001:db8::1]:8888',
    '[2001:db8::1]:65535': '[2001:db8::1]:65535',
    localhost: 'localhost:8888',
    'Chat.Example.ORG:443': 'chat.example.org:443',
    '4chan.example': '4chan.example:8888',
  };
  for (const [text, formatted] of Object.entries(cases)) {
    assert.equal(formatAddress(parseAddress(text, 8_888)), formatted);
  }
});

test('a formatted address is read as the same address', () => {
  fc.assert(
    fc.property(ADDRESS, (address) => assert.deepEqual(parseAddress(formatAddress(address), 1), address)),
  );
});

test('what is no address is refused', () => {
  const noAddress = [
    ...[
      '',
      ':80',
      '[]',
      '[]:80',
      '[::1',
      '::1]',
      '[1.2.3.4]:80',
      '[name]:80',
      '1.2.3',
      '256.1.1.1',
      '01.2.3.4',
    ],
    ...[
      '1.2.3.4.5',
      '1::2::3',
      'fe80::1%eth0',
      'a..b',
      '-a',
      'a-',
      'a_b',
      'a b',
      'user@host',
      'host/path',
      '0x7f.1',
    ],
    ...[
      'http://host',
      'ho\u202est',
      `${'a'.repeat(64)}.org`,
      `${'a.'.repeat(127)}a`,
      'ẞ.org',
      '[::1]x:80',
      '12345',
    ],
  ];
  for (const text of noAddress) {
    assert.throws(() => parseAddress(text, 8_888), { name: 'InputError', code: 'address-invalid' }, text);
  }
  for (const port of ['', '0', '65536', '-1', '1e3', '0x50', '8 0', '８０', '1.5']) {
    for (const host of ['name', '1.2.3.4', '[::1]']) {
      assert.throws(
        () => parseAddress(`${host}:${port}`, 8_888),
        { code: 'port-invalid' },
        `${host}:${port}`,
      );
    }
  }
});
