import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InputError } from '../../../src/protocol/errors.ts';
import { helpLines, helpTopicLines } from '../../../src/terminal/commands/help.ts';
import { parseInput, unknownText } from '../../../src/terminal/commands/input.ts';
import { COMMANDS, findCommand } from '../../../src/terminal/commands/table.ts';

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

// Once these made an invitation for one, with a label that had the number or the duration in it.
test('what stands behind the name of an invitation is not swallowed', () => {
  const refused = (line: string): string => {
    try {
      call(line);
    } catch (error) {
      if (error instanceof InputError && error.code === 'usage') return error.message;
    }
    return 'not refused';
  };
  assert.match(refused('/invite new Bob Miller 2h'), /come before the name: \/invite new 2h Bob Miller\./);
  assert.match(refused('/invite new Ann 99d'), /: \/invite new 99d Ann\./);
  assert.match(refused('/invite new Ann 5'), /: \/invite new 5 Ann\./);
  assert.match(refused('/invite new 2h 5 the team'), /: \/invite new 5 2h the team\./);
  assert.match(refused('/invite new 5 Ann 2h'), /: \/invite new 5 2h Ann\./);
  assert.match(refused('/kick bob being rude'), /Usage: \/kick NICK\. Reasons are not sent/);
  assert.match(refused('/ban bob 2h being rude'), /Usage: \/ban NICK \[DURATION\]\. Reasons are not sent/);
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

test('what is no command is told with the nearest that is one', () => {
  assert.equal(unknownText('nosuch'), 'There is no /nosuch. /help lists the commands.');
  assert.equal(unknownText('kik'), 'There is no /kik. Did you mean /kick? /help lists the commands.');
});

test('arguments are understood', () => {
  assert.deepEqual(call('/who'), { name: 'names' });
  assert.deepEqual(call('/me waves'), { name: 'me', text: 'waves' });
  assert.deepEqual(call('/help'), { name: 'help', topic: null });
  assert.deepEqual(call('/help /Kick'), { name: 'help', topic: 'kick' });
  assert.deepEqual(call('/invite'), { name: 'invite', act: 'list' });
  const fresh = { name: 'invite', act: 'new', uses: null, forMs: null, label: '' };
  assert.deepEqual(call('/invite new'), fresh);
  assert.deepEqual(call('/invite new Ann Lee'), { ...fresh, label: 'Ann Lee' });
  assert.deepEqual(call('/invite new 5 2h the team'), {
    ...fresh,
    uses: 5,
    forMs: 7_200_000,
    label: 'the team',
  });
  assert.deepEqual(call('/invite new 1d bob'), { ...fresh, forMs: 86_400_000, label: 'bob' });
  assert.deepEqual(call('/invite new 3musketeers'), { ...fresh, label: '3musketeers' });
  assert.deepEqual(call('/invite new 2 4dances'), { ...fresh, uses: 2, label: '4dances' });
  for (const slip of ['2hours Ann', '90min Ann', '2h30 Ann', '3Days'])
    assert.throws(() => call(`/invite new ${slip}`), { code: 'bad-duration' }, slip);
  assert.deepEqual(call('/qr'), { name: 'invite', act: 'qr', id: null });
  assert.deepEqual(call('/invite qr 2'), { name: 'invite', act: 'qr', id: '2' });
  assert.deepEqual(call('/invite save 2 my  file.txt'), {
    name: 'invite',
    act: 'save',
    id: '2',
    path: 'my  file.txt',
  });
  assert.deepEqual(call('/invite raw'), { name: 'invite', act: 'raw' });
  assert.deepEqual(call('/invite revoke 2'), { name: 'invite', act: 'revoke', id: '2' });
  assert.deepEqual(call('/invite resume Ab_-1'), { name: 'invite', act: 'resume', id: 'Ab_-1' });
  assert.deepEqual(call('/kick @Bob'), { name: 'kick', nick: 'bob' });
  assert.deepEqual(call('/whois ann'), { name: 'whois', nick: 'ann' });
  assert.deepEqual(call('/fork ack'), { name: 'fork', act: 'ack' });
  assert.deepEqual(call('/verify'), { name: 'verify', nick: null, answer: null });
  assert.deepEqual(call('/verify @Ann'), { name: 'verify', nick: 'ann', answer: null });
  assert.deepEqual(call('/verify ann YES'), { name: 'verify', nick: 'ann', answer: 'yes' });
  assert.deepEqual(call('/verify ann no'), { name: 'verify', nick: 'ann', answer: 'no' });
  assert.deepEqual(call('/proof Ab_-'), { name: 'proof', id: 'Ab_-', path: null });
  assert.deepEqual(call('/proof Ab_- my proof.txt'), { name: 'proof', id: 'Ab_-', path: 'my proof.txt' });
  assert.deepEqual(call('/trust ann'), { name: 'trust', nick: 'ann' });
  assert.deepEqual(call('/ban bob:'), { name: 'ban', nick: 'bob', forMs: null });
  assert.deepEqual(call('/mute @bob 15m'), { name: 'mute', nick: 'bob', forMs: 900_000 });
  assert.deepEqual(call('/slow 30'), { name: 'slow', seconds: 30 });
  assert.deepEqual(call('/slow 1m'), { name: 'slow', seconds: 60 });
  assert.deepEqual(call('/slow OFF'), { name: 'slow', seconds: 0 });
  assert.deepEqual(call('/policy'), { name: 'policy', part: null });
  assert.deepEqual(call('/policy stay 7d'), { name: 'policy', part: { staySeconds: 604_800 } });
  assert.deepEqual(call('/policy STAY Off'), { name: 'policy', part: { staySeconds: 0 } });
  assert.deepEqual(call('/policy edits off'), { name: 'policy', part: { edits: false } });
  assert.deepEqual(call('/policy receipts ON'), { name: 'policy', part: { readReceipts: true } });
  assert.deepEqual(call('/topic'), { name: 'topic', text: null });
  assert.deepEqual(call('/topic -'), { name: 'topic', text: '' });
  assert.deepEqual(call('/motd Hello\nall'), { name: 'motd', text: 'Hello\nall' });
  assert.deepEqual(call('/approve'), { name: 'approve', value: null });
  assert.deepEqual(call('/approve off'), { name: 'approve', value: false });
  assert.deepEqual(call('/timestamp on'), { name: 'timestamp', value: 'minutes' });
  assert.deepEqual(call('/bell all'), { name: 'bell', value: 'all' });
  assert.deepEqual(call('/search two words'), { name: 'search', words: 'two words' });
  assert.deepEqual(call('/ignore'), { name: 'ignore', nick: null });
  for (const name of ['quit', 'code', 'room', 'security', 'lock', 'door'])
    assert.deepEqual(call(`/${name}`), { name });
});

test('what is sent: paths, quoted or escaped, and whom it is for', () => {
  const sent = (paths: readonly string[], to: string | null = null) => ({ name: 'send', paths, to });
  assert.deepEqual(call('/send a.txt'), sent(['a.txt']));
  assert.deepEqual(call('/send ~/a.txt ./b'), sent(['~/a.txt', './b']));
  assert.deepEqual(call('/send "a  b.txt" to @Ann'), sent(['a  b.txt'], '@Ann'));
  assert.deepEqual(call('/send \'a "b".txt\' to plans'), sent(['a "b".txt'], 'plans'));
  assert.deepEqual(call('/send a\\ b.txt c to "the plans"'), sent(['a b.txt', 'c'], 'the plans'));
  assert.deepEqual(call("/send ann's.txt"), sent(["ann's.txt"]));
  // What a backslash does not stand before stays: as in the name of a file that has one.
  assert.deepEqual(call('/send a\\b.txt'), sent(['a\\b.txt']));
  assert.deepEqual(call('/send ./to'), sent(['./to']));
  assert.deepEqual(call('/send "to" bob'), sent(['to', 'bob']));
});

test('which files are taken, declined and cancelled', () => {
  assert.deepEqual(call('/accept'), { name: 'accept', numbers: null, folder: null });
  assert.deepEqual(call('/accept 3'), { name: 'accept', numbers: [3], folder: null });
  assert.deepEqual(call('/accept #3 4,5 4'), { name: 'accept', numbers: [3, 4, 5], folder: null });
  assert.deepEqual(call('/accept ALL to ~/x'), { name: 'accept', numbers: 'all', folder: '~/x' });
  assert.deepEqual(call('/accept to "my folder"'), { name: 'accept', numbers: null, folder: 'my folder' });
  assert.deepEqual(call('/decline all'), { name: 'decline', numbers: 'all' });
  assert.deepEqual(call('/cancel 1 2'), { name: 'cancel', numbers: [1, 2] });
  assert.deepEqual(call('/files'), { name: 'files' });
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
    '/verify ann maybe',
    '/verify ann yes please',
    '/proof',
    '/trust',
    '/trust ann yes',
    '/ban',
    '/ban bob 1h now',
    '/slow',
    '/slow 3601',
    '/policy stay',
    '/policy stay 7d off',
    '/policy edits',
    '/policy edits maybe',
    '/policy receipts constructor',
    '/policy topic on',
    '/quiet maybe',
    '/theme constructor',
    '/search',
    '/unban',
    '/invite new 0',
    '/send',
    '/send ""',
    '/send to bob',
    '/send a.txt to',
    '/send a.txt to bob carl',
    '/send a.txt to ""',
    '/send "a.txt',
    '/accept x',
    '/accept 0',
    '/accept 3 all',
    '/accept ,',
    '/accept 3 to',
    '/accept 3 to my folder',
    '/decline 1 to x',
    '/files now',
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
    '/invite save 1',
    '/invite revoke 1 2',
  ]) {
    assert.throws(() => call(line), /Usage: \/invite \[new /, line);
  }
  assert.throws(() => call('/policy stay 29s'), { code: 'bad-setting' });
  for (const line of [
    '/policy stay 31d',
    '/policy stay on',
    '/ban bob 1',
    '/mute bob 400d',
    '/slow 2h',
    '/invite new 31d',
  ]) {
    assert.throws(
      () => call(line),
      (error) => error instanceof InputError && error.code === 'bad-duration',
      line,
    );
  }
});

test('names and aliases are each one word of the table only once', () => {
  const names = COMMANDS.flatMap((entry) => [entry.name, ...entry.aliases]);
  assert.equal(new Set(names).size, names.length);
});

test('help shows everyone the commands they may give, section by section', () => {
  const guest = helpLines('everyone').join('\n');
  const moderator = helpLines('moderators').join('\n');
  const host = helpLines('host').join('\n');
  assert.match(guest, /^Talking$/m);
  assert.match(guest, /^ {2}\/quit\s+leave the room$/m);
  assert.doesNotMatch(guest, /\/kick|\/invite\s|\/code|Keeping order|The door/);
  assert.match(moderator, /^ {2}\/kick\s/m);
  assert.doesNotMatch(moderator, /\/invite\s|\/banned|\/op\s/);
  assert.match(host, /^The door\n {2}\/invite\s/m);
});

test('help on one command says who may give it', () => {
  const kick = findCommand('KICK');
  assert.ok(kick !== undefined);
  assert.deepEqual(helpTopicLines(kick), [
    '/kick NICK',
    '  remove a member; everyone is shown it',
    '  The invitation they came by is suspended, because they still have it.',
    '  For moderators and the host.',
  ]);
  const names = findCommand('who');
  assert.ok(names !== undefined);
  assert.deepEqual(helpTopicLines(names), ['/names', '  show who is here, away or offline', '  Also: /who']);
});

test('every row of the table can be read: a summary without a full stop, details with one', () => {
  for (const { name, summary, details } of COMMANDS) {
    assert.match(summary, /^[a-z].*[^.]$/, name);
    assert.match(details, /^$|^[A-Z/].*\.$/, name);
  }
});

test('property: no line that begins with one slash is ever text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (rest) => {
      if (!rest.startsWith('/')) assert.notEqual(parseInput(`/${rest}`).kind, 'text');
    }),
  );
});
