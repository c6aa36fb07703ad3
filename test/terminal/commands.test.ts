import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InputError } from '../../src/protocol/errors.ts';
import { COMMANDS, findCommand, helpLines, helpTopicLines, parseInput } from '../../src/terminal/commands.ts';

/** What a typed command line means, or the usage it is refused with. */
function call(line: string): unknown {
  const input = parseInput(line);
  assert.ok(input.kind === 'command', line);
  return findCommand(input.name)?.parse(input.args);
}

test('text, escaped slashes, commands, aliases', () => {
  assert.deepEqual(parseInput('hello /quit'), { kind: 'text', text: 'hello /quit' });
  assert.deepEqual(parseInput('//quit'), { kind: 'text', text: '/quit' });
  assert.deepEqual(parseInput('///x'), { kind: 'text', text: '//x' });
  assert.deepEqual(parseInput('/quit'), { kind: 'command', name: 'quit', args: '' });
  assert.deepEqual(parseInput('/EXIT '), { kind: 'command', name: 'quit', args: '' });
  assert.deepEqual(parseInput('/me  waves  at all '), { kind: 'command', name: 'me', args: 'waves  at all' });
  assert.deepEqual(parseInput('/me two\nlines'), { kind: 'command', name: 'me', args: 'two\nlines' });
});

test('an unknown command is never text, and the nearest is named', () => {
  const nearest = (line: string): string | null => {
    const input = parseInput(line);
    assert.equal(input.kind, 'unknown');
    return input.kind === 'unknown' ? input.nearest : null;
  };
  for (const [line, name] of [
    ['/qiut', 'quit'],
    ['/quti', 'quit'],
    ['/hlep me', 'help'],
    ['/name', 'names'],
    ['/inv', 'invite'],
    ['/invit', 'invite'],
    ['/kik bob', 'kick'],
    ['/sec', 'security'],
  ]) {
    assert.equal(nearest(line ?? ''), name);
  }
  for (const line of [
    '/',
    '/ quit',
    '/home/ann/file',
    '/x',
    '/zzzz',
    `/${'a'.repeat(10_000)}`,
    '/constructor',
  ]) {
    assert.equal(nearest(line), null, line);
  }
});

test('arguments are understood', () => {
  assert.deepEqual(call('/who'), { name: 'names' });
  assert.deepEqual(call('/me waves'), { name: 'me', text: 'waves' });
  assert.deepEqual(call('/help'), { name: 'help', topic: null });
  assert.deepEqual(call('/help /Kick'), { name: 'help', topic: 'kick' });
  assert.deepEqual(call('/invite'), { name: 'invite', act: 'list' });
  assert.deepEqual(call('/invite new'), { name: 'invite', act: 'new' });
  assert.deepEqual(call('/invite raw'), { name: 'invite', act: 'raw' });
  assert.deepEqual(call('/invite revoke 2'), { name: 'invite', act: 'revoke', id: '2' });
  assert.deepEqual(call('/invite resume Ab_-1'), { name: 'invite', act: 'resume', id: 'Ab_-1' });
  assert.deepEqual(call('/kick @Bob'), { name: 'kick', nick: 'bob' });
  assert.deepEqual(call('/whois ann'), { name: 'whois', nick: 'ann' });
  assert.deepEqual(call('/fork ack'), { name: 'fork', act: 'ack' });
  for (const name of ['quit', 'code', 'room', 'security']) assert.deepEqual(call(`/${name}`), { name });
});

test('arguments that do not fit are refused with the usage', () => {
  for (const line of [
    '/quit now',
    '/me',
    '/help a b',
    '/kick',
    '/whois',
    '/whois a b',
    '/fork',
    '/fork no',
    '/fork ack 1',
  ]) {
    assert.throws(
      () => call(line),
      (error) => error instanceof InputError && error.code === 'usage',
      line,
    );
  }
  for (const line of [
    '/invite bob',
    '/invite revoke',
    '/invite resume',
    '/invite new 2',
    '/invite revoke 1 2',
  ]) {
    assert.throws(() => call(line), /Usage: \/invite \[new\|list\|revoke ID\|resume ID\|raw\]/, line);
  }
});

test('names and aliases are each one word of the table only once', () => {
  const names = COMMANDS.flatMap((entry) => [entry.name, ...entry.aliases]);
  assert.equal(new Set(names).size, names.length);
});

test('help shows the host its own commands and others not', () => {
  const guest = helpLines(COMMANDS, { host: false }).join('\n');
  const host = helpLines(COMMANDS, { host: true }).join('\n');
  assert.match(guest, /^\/quit\s+leave the room$/m);
  assert.doesNotMatch(guest, /\/kick|\/invite|\/code/);
  assert.match(host, /^\/kick\s/m);
  const kick = findCommand('KICK');
  assert.ok(kick !== undefined);
  assert.deepEqual(helpTopicLines(kick), [
    '/kick NICK',
    '  remove a member; everyone is shown it',
    'For the host.',
  ]);
});

test('property: no line that begins with one slash is ever text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (rest) => {
      if (!rest.startsWith('/')) assert.notEqual(parseInput(`/${rest}`).kind, 'text');
    }),
  );
});
