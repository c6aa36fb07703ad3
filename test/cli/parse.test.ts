import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  parseAdvertised,
  parseAutoAccept,
  parseCount,
  parseListen,
  parseSecretSource,
  parseSize,
  parseText,
} from '../../src/cli/parse.ts';
import { toBase64url } from '../../src/protocol/bytes.ts';
import { InputError } from '../../src/protocol/errors.ts';
import { formatFingerprint } from '../../src/protocol/fingerprint.ts';
import { hash } from '../../src/protocol/identifiers.ts';

function refuses(parse: () => unknown): void {
  assert.throws(parse, InputError);
}

describe('parseListen', () => {
  for (const [text, host, port] of [
    ['[::]:8888', '::', 8888],
    ['0.0.0.0:1', '0.0.0.0', 1],
    ['127.0.0.1:0', '127.0.0.1', 0],
    ['localhost:65535', 'localhost', 65_535],
    ['[2001:DB8::7]:22', '2001:db8::7', 22],
  ] as const) {
    test(text, () => assert.deepEqual(parseListen(text), { host, port }));
  }

  for (const text of [
    ...[
      '',
      '8888',
      ':8888',
      '[::]',
      '::',
      '0.0.0.0',
      'localhost',
      'localhost:',
      '[::]:65536',
      '[::]:x',
      '[::]:-1',
    ],
    ...[
      '[]:1',
      '[1.2.3.4]:1',
      '[name]:1',
      '1.2.3:1',
      '256.0.0.1:1',
      'a b:1',
      'http://a:1',
      'a_b:1',
      '-a:1',
      'a:1:1',
    ],
  ]) {
    test(`${JSON.stringify(text)} is refused`, () => refuses(() => parseListen(text)));
  }
});

describe('parseAdvertised', () => {
  for (const [text, host, port] of [
    ['chat.example.org', 'chat.example.org', null],
    ['chat.example.org:443', 'chat.example.org', 443],
    ['192.0.2.7', '192.0.2.7', null],
    ['2001:db8::7', '2001:db8::7', null],
    ['[2001:db8::7]', '2001:db8::7', null],
    ['[2001:db8::7]:8888', '2001:db8::7', 8888],
  ] as const) {
    test(text, () => assert.deepEqual(parseAdvertised(text), { host, port }));
  }

  for (const text of [
    '',
    ':1',
    'a:0',
    'a:70000',
    '192.0.2.700',
    '[::1',
    '::1]',
    'a..b',
    `${'a.'.repeat(130)}a`,
  ]) {
    test(`${JSON.stringify(text)} is refused`, () => refuses(() => parseAdvertised(text)));
  }

  test('never fails with anything but an InputError', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'[]:.019afz-% ') }), (text) => {
        try {
          parseAdvertised(text);
        } catch (error) {
          assert.ok(error instanceof InputError);
        }
      }),
    );
  });
});

describe('parseCount', () => {
  test('takes both ends', () => {
    assert.equal(parseCount('1', 1, 255), 1);
    assert.equal(parseCount('255', 1, 255), 255);
  });
  for (const text of ['', '0', '256', '-1', '1.0', '1e2', '0x1', 'ten', '99999999999999999999']) {
    test(`${JSON.stringify(text)} is refused`, () => refuses(() => parseCount(text, 1, 255)));
  }
});

describe('parseText', () => {
  test('drops white space around it', () => assert.equal(parseText('  a b ', 3), 'a b'));
  test('counts bytes, not characters', () => {
    assert.equal(parseText('éé', 4), 'éé');
    refuses(() => parseText('éé', 3));
  });
  test('refuses nothing at all', () => refuses(() => parseText('  ', 3)));
});

test('a secret comes from a file, or from standard input', () => {
  assert.deepEqual(parseSecretSource('answer.txt'), { kind: 'file', path: 'answer.txt' });
  assert.deepEqual(parseSecretSource('-'), { kind: 'standardInput' });
});

describe('parseSize', () => {
  const most = 64 * 2 ** 30;
  for (const [text, bytes] of [
    ['1', 1],
    ['1500', 1_500],
    ['10b', 10],
    ['4k', 4_096],
    ['500M', 500 * 2 ** 20],
    [' 500 ', 500],
    ['2GiB', 2 * 2 ** 30],
    ['2gb', 2 * 2 ** 30],
    ['64G', most],
  ] as const)
    test(text, () => assert.equal(parseSize(text, most), bytes));

  for (const text of ['', '0', '0M', '65G', '1.5G', '-1', '1T', 'G', '5 M', '9'.repeat(16), '1e3', 'NaN'])
    test(`${JSON.stringify(text)} is refused`, () => refuses(() => parseSize(text, most)));
});

describe('parseAutoAccept', () => {
  const most = 2 ** 30;
  const key = new Uint8Array(32).map((_, index) => 7 * index);
  const shown = formatFingerprint(hash(key));
  for (const [text, from, maxBytes] of [
    ['1M', null, 2 ** 20],
    ['ann', 'ann', most],
    ['@Ann:50k', 'ann', 50 * 2 ** 10],
    ['host:1G', 'host', most],
    // A nickname that reads like a size has its size named.
    ['500m:1k', '500m', 1_024],
    ['7up', '7up', most],
    [`${shown}:2K`, key.subarray(0, 16), 2_048],
    [shown, key.subarray(0, 16), most],
    [toBase64url(key), key, most],
  ] as const)
    test(text, () => assert.deepEqual(parseAutoAccept(text, most), { from, maxBytes }));

  for (const text of [
    '',
    ':',
    'ann:',
    ':1M',
    'ann:bob',
    'ann:1M:2',
    'a b',
    '2G',
    'everyone',
    `${shown} 00`,
    'n'.repeat(40),
  ])
    test(`${JSON.stringify(text)} is refused`, () => refuses(() => parseAutoAccept(text, most)));

  test('what is too long for a nickname is told as that', () => {
    assert.throws(() => parseAutoAccept(`${'n'.repeat(21)}:1M`, most), /^InputError: A nickname is /);
  });
});
