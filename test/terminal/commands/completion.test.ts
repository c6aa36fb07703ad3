import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  type CompletionSources,
  completeLine,
  pathsFrom,
} from '../../../src/terminal/commands/completion.ts';

const sources: CompletionSources = {
  viewer: 'host',
  nicks: ['ann', 'anton', 'bob'],
  visitors: ['carl', 'cleo', '#7'],
  waiting: ['carl', 'cleo'],
  banned: ['mallory'],
  invitations: ['1', '2', '12'],
  conversations: ['plans'],
  offers: ['3', '4'],
  transfers: ['7'],
  paths: (prefix) => [`${prefix}…`],
};

/** The lines that Tab can lead to, with the cursor at the end. */
function tab(line: string, viewer: CompletionSources['viewer'] = 'host'): readonly string[] {
  const completion = completeLine(line, line.length, { ...sources, viewer });
  return completion?.candidates.map((candidate) => line.slice(0, completion.from) + candidate) ?? [];
}

describe('completeLine', () => {
  for (const [line, expected] of [
    ['/wh', ['/whois ']],
    ['/un', ['/unban ', '/unignore ', '/unlock ', '/unmute ']],
    // An alias where no name begins like that.
    ['/exi', ['/exit ']],
    ['/WHOIS', ['/whois ']],
    ['/nothing', []],
    ['//wh', []],
    ['/whois a', ['/whois ann ', '/whois anton ']],
    ['/whois @b', ['/whois @bob ']],
    ['/whois ann ', []],
    ['/bell ', ['/bell on ', '/bell off ', '/bell all ']],
    ['/help wh', ['/help whois ']],
    ['/help /wh', ['/help whois ']],
    ['/me hugs a', ['/me hugs ann ', '/me hugs anton ']],
    ['/invite re', ['/invite revoke ', '/invite resume ']],
    ['/invite save 2 ~/my fi', ['/invite save 2 ~/my fi…']],
    ['/invite revoke 2 x', []],
    ['/invite revoke 1', ['/invite revoke 1 ', '/invite revoke 12 ']],
    ['/invite save ', ['/invite save 1 ', '/invite save 2 ', '/invite save 12 ']],
    ['/invite new ', []],
    ['/invite new 2 ', []],
    ['/qr 2', ['/qr 2 ']],
    ['/admit ', ['/admit carl ', '/admit cleo ']],
    ['/deny CA', ['/deny carl ']],
    ['/deny #', ['/deny #7 ']],
    ['/unban m', ['/unban mallory ']],
    ['/unban a', []],
    ['/send my', ['/send my… ']],
    ['/send my.txt a\\ b', ['/send my.txt a\\ b… ']],
    ['/send "a b', ['/send "a b…" ']],
    ["/send 'a b", ["/send 'a b…' "]],
    [
      '/send a.txt to ',
      ['/send a.txt to ann ', '/send a.txt to anton ', '/send a.txt to bob ', '/send a.txt to plans '],
    ],
    ['/send a.txt to @b', ['/send a.txt to @bob ']],
    ['/send a.txt to pl', ['/send a.txt to plans ']],
    // Nothing is sent yet: that is the name of a file.
    ['/send to', ['/send to… ']],
    ['/send a.txt "to" b', ['/send a.txt "to" b… ']],
    ['/accept ', ['/accept 3 ', '/accept 4 ', '/accept all ']],
    ['/accept 3 ', ['/accept 3 3 ', '/accept 3 4 ', '/accept 3 all ']],
    ['/accept 3 to ~/a\\ b', ['/accept 3 to ~/a\\ b… ']],
    ['/decline 3 4', ['/decline 3 4 ']],
    ['/cancel ', ['/cancel 7 ']],
    ['/files ', []],
    // A new name is nobody's yet.
    ['/nick a', []],
    ['/topic ask b', ['/topic ask bob ']],
    ['/search @b', ['/search @bob ']],
    ['a', ['ann: ', 'anton: ']],
    ['hello b', ['hello bob ']],
    ['hello @b', ['hello @bob ']],
    ['@b', ['@bob ']],
    ['hello ', []],
    ['', ['ann: ', 'anton: ', 'bob: ']],
    ['hello x', []],
  ] as const) {
    test(`${JSON.stringify(line)} goes on to ${expected.length === 0 ? 'nothing' : expected.join('| ')}`, () =>
      assert.deepEqual(tab(line), expected));
  }

  test('a command that someone may not give is not offered to them', () => {
    assert.deepEqual(tab('/kic', 'everyone'), []);
    assert.deepEqual(tab('/kic', 'moderators'), ['/kick ']);
    assert.deepEqual(tab('/invite re', 'moderators'), []);
  });

  test('in the middle of a line only what stands before the cursor counts', () => {
    assert.deepEqual(completeLine('hi bo, hello', 5, sources), { from: 3, candidates: ['bob '] });
  });
});

// An expression that ends with `$` once tried every beginning: in a line like this it would not come to an end.
test('the word before the cursor of a very long line is found at once', () => {
  const long = 'x'.repeat(2_000_000);
  assert.deepEqual(tab(`${long} b`), [`${long} bob `]);
  assert.deepEqual(tab(`${long} `), []);
  assert.deepEqual(tab(`/me ${long} b`), [`/me ${long} bob `]);
});

describe('pathsFrom', () => {
  test('files, folders with a slash, hidden ones only when asked for', (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'securechat-paths-'));
    context.after(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, 'photos'));
    writeFileSync(join(folder, 'plan.txt'), '');
    writeFileSync(join(folder, '.secret'), '');
    writeFileSync(join(folder, 'p\u001b[31m'), '');
    assert.deepEqual(pathsFrom(`${folder}/p`), [`${folder}/photos/`, `${folder}/plan.txt`]);
    assert.deepEqual(pathsFrom(`${folder}/.`), [`${folder}/.secret`]);
    assert.deepEqual(pathsFrom(`${folder}/nothing/x`), []);
  });
});
