import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InputError } from '../../src/protocol/errors.ts';
import { checkNickname, foldNickname } from '../../src/protocol/nickname.ts';

const refusedWith = (code: string) => (error: unknown) => error instanceof InputError && error.code === code;

test('two to twenty of a-z, 0-9, _ and - make a nickname', () => {
  for (const nick of ['ann', 'bo', 'x-1', '__z', 'a'.repeat(20), 'hostess', 'you-know', '2b']) {
    assert.equal(checkNickname(nick), nick);
  }
});

test('P47: any other shape is refused, saying what is allowed', () => {
  const shapes = [
    '',
    'a',
    'a'.repeat(21),
    'Ann',
    'an n',
    'ann\n',
    'ánn',
    'аnn',
    'ann\u200b',
    'a.b',
    '\u202enna',
    '＠nn',
  ];
  for (const text of shapes) assert.throws(() => checkNickname(text), refusedWith('nick-shape'));
  assert.throws(() => checkNickname('Ann!'), /2 to 20 characters: a-z, 0-9, _ and -/);
});

test('P47: reserved words are refused, also when disguised', () => {
  for (const nick of [
    'host',
    'h0st',
    '_host_',
    'h-o-s-t',
    'server',
    'systern',
    'adrnin',
    'adm1n',
    'owner',
    'ovvner',
  ]) {
    assert.throws(() => checkNickname(nick), refusedWith('nick-reserved'), nick);
  }
  for (const nick of [
    'moderator',
    'securechat',
    'everyone',
    'all',
    'a11',
    'here',
    'you',
    'me',
    '--',
    '_-_',
  ]) {
    assert.throws(() => checkNickname(nick), refusedWith('nick-reserved'), nick);
  }
});

test('the owner may be called by a reserved word, by no other shape', () => {
  assert.equal(checkNickname('host', true), 'host');
  for (const nick of ['--', 'Host', 'h'])
    assert.throws(() => checkNickname(nick, true), { name: 'InputError' }, nick);
});

test('P47: look-alikes share one fold', () => {
  const alike: readonly (readonly string[])[] = [
    ['bob', 'b0b'],
    ['bill', 'bi11', 'b1ll', 'blil', 'BILL'],
    ['tom', 't0rn', 'torn'],
    ['owl', '0vvi', 'ovv1'],
    ['vw', 'wv', 'vvv'],
    ['a-b', 'a_b', 'a__b', 'a-_b'],
  ];
  for (const [first, ...others] of alike) {
    for (const other of others) assert.equal(foldNickname(other), foldNickname(first ?? ''), other);
  }
  const apart = ['ann', 'anna', 'an-n', 'anne', 'amm', 'bob', 'rob', 'b-ob'];
  assert.equal(new Set(apart.map(foldNickname)).size, apart.length);
});

test('property: folding twice changes nothing, and a fold never depends on case', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-z0-9_-]{2,20}$/), (nick) => {
      assert.equal(foldNickname(foldNickname(nick)), foldNickname(nick));
      assert.equal(foldNickname(nick.toUpperCase()), foldNickname(nick));
    }),
  );
});
