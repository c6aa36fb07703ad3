import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  parseAdvertised,
  parseCount,
  parseListen,
  parseSecretSource,
  parseText,
} from '../../src/cli/parse.ts';
import { InputError } from '../../src/protocol/errors.ts';

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
