/** What /re, /fix, /delete and /react say, over a real room, and what they are refused for. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, contentOf } from '../../src/app/content-calls.ts';
import { InputError } from '../../src/protocol/errors.ts';
import { ROOM_CONVERSATION } from '../../src/protocol/identifiers.ts';
import type { ContentCall } from '../../src/terminal/commands/calls.ts';
import { parseInput } from '../../src/terminal/commands/input.ts';
import { findCommand } from '../../src/terminal/commands/table.ts';
import { company } from '../helpers/company.ts';
import type { TestMember } from '../helpers/member.ts';
import type { TestRoom } from '../helpers/room.ts';

const UNKNOWN = 'AAAAAAAAAAA1';

function callOf(line: string): ContentCall {
  const input = parseInput(line);
  const call = input.kind === 'command' ? findCommand(input.name)?.parse(input.args) : undefined;
  if (call?.name === 're' || call?.name === 'fix' || call?.name === 'delete' || call?.name === 'react')
    return call;
  return assert.fail(line);
}

/** A person whose screen has numbered all messages; the company has said nothing else. */
function sit(room: TestRoom, member: TestMember) {
  const ids = (): readonly string[] => member.messages.map(({ id }) => id);
  const front = {
    messageCalled: (name: string) => ids()[Number(name) - 1] ?? null,
    get latestOfOthers() {
      return member.messages.findLast(({ own }) => !own)?.id ?? null;
    },
  };
  const context = { front, session: member.session, here: ROOM_CONVERSATION };
  const give = (line: string): void => {
    member.utter(contentOf(callOf(line), context).content);
    room.advance(1_000);
  };
  const refused = (line: string): string => {
    try {
      contentOf(callOf(line), context);
    } catch (error) {
      if (error instanceof InputError) return `${error.code}: ${error.message}`;
      throw error;
    }
    return assert.fail(`${line} was not refused`);
  };
  return { context, give, refused };
}

test('each says what it is meant to, about the message that is meant', async () => {
  const { room, ann, ben, olga } = await company();
  const person = sit(room, ann);
  for (const [from, text] of [
    [ann, 'helo'],
    [ben, 'tea?'],
    [ann, 'yes'],
  ] as const) {
    from.say(text);
    room.advance(1_000);
  }
  person.give('/re #2 with milk');
  person.give('/fix yes, please');
  assert.deepEqual(
    olga.eventsOf('edited').map(({ about, text }) => [about.excerpt, text]),
    [['with milk', 'yes, please']],
  );
  person.give('/fix #1 hello');
  person.give('/react 👍');
  person.give('/react 2 +1');
  person.give('/react 2 off');
  person.give('/delete');
  person.give('/delete 3');
  assert.equal(olga.messages.at(-1)?.replyTo?.excerpt, 'tea?');
  assert.deepEqual(
    olga.eventsOf('edited').map(({ about, text }) => [about.excerpt, text]),
    [
      ['with milk', 'yes, please'],
      ['helo', 'hello'],
    ],
  );
  assert.deepEqual(
    olga.eventsOf('reaction').map(({ about, text }) => [about.excerpt, text]),
    [
      ['tea?', '👍'],
      ['tea?', ''],
    ],
  );
  const ids = olga.messages.map(({ id }) => id);
  assert.deepEqual(
    olga.eventsOf('deleted').map(({ about }) => ids.indexOf(about.id)),
    [3, 2],
  );
});

test('what cannot be said is refused before it goes out, with a reason', async () => {
  const { room, ann, ben } = await company();
  const person = sit(room, ann);
  const { refused } = person;
  assert.match(refused('/fix x'), /^no-such-message: You have said nothing here yet\.$/);
  assert.match(refused('/delete'), /^no-such-message: /);
  assert.match(refused('/react 👍'), /^no-such-message: Nobody else has said anything here yet\.$/);
  ben.say('mine');
  room.advance(1_000);
  assert.match(refused('/re 7 yes'), /^no-such-message: No message 7 is remembered here\. \/ids on/);
  assert.match(refused('/fix #1 his'), /^not-yours: ben said that: only they can change or delete it\.$/);
  assert.match(refused('/delete 1'), /^not-yours: /);
  for (const sign of ['ok', '👍👍', '\u200b', 'x'.repeat(33)])
    assert.match(refused(`/react 1 ${sign}`), /^bad-reaction: /, sign);
  ann.say('oops');
  assert.match(refused('/fix x'), /^not-placed: /);
  assert.match(refused('/delete'), /^not-placed: /);
  room.advance(1_000);
  person.give('/delete');
  assert.match(refused('/delete'), /^was-deleted: That message has been deleted\.$/);
  assert.match(refused('/fix x'), /^was-deleted: /);
  assert.match(refused('/re 2 yes'), /^was-deleted: /);
  assert.throws(() => answer('yes', UNKNOWN, person.context), { code: 'no-such-message' });
});

test('how messages are named', () => {
  assert.deepEqual(callOf('/re #7  two  words'), { name: 're', id: '7', text: 'two  words' });
  assert.deepEqual(callOf('/re AAAAAAAAAAA1 yes'), { name: 're', id: 'AAAAAAAAAAA1', text: 'yes' });
  assert.deepEqual(callOf('/fix 7 cups of tea'), { name: 'fix', id: null, text: '7 cups of tea' });
  assert.deepEqual(callOf('/fix #7 cups of tea'), { name: 'fix', id: '7', text: 'cups of tea' });
  assert.deepEqual(callOf('/fix two\nlines'), { name: 'fix', id: null, text: 'two\nlines' });
  assert.deepEqual(callOf('/delete'), { name: 'delete', id: null });
  assert.deepEqual(callOf('/delete #7'), { name: 'delete', id: '7' });
  assert.deepEqual(callOf('/react <3'), { name: 'react', id: null, text: '❤️' });
  assert.deepEqual(callOf('/react constructor'), { name: 'react', id: null, text: 'constructor' });
  assert.deepEqual(callOf('/react off'), { name: 'react', id: null, text: '' });
  assert.deepEqual(callOf('/react #7 off'), { name: 'react', id: '7', text: '' });
  for (const line of [
    '/re',
    '/re 7',
    '/fix',
    '/fix #7',
    '/delete 7 8',
    '/react',
    '/react 7',
    '/react #7',
    '/react 7 👍 x',
  ])
    assert.throws(() => callOf(line), { code: 'usage' }, line);
});
