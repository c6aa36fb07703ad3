/** Where what a person types goes: and where it never goes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Chat } from '../../src/app/chat.ts';
import type { Status } from '../../src/app/front/front.ts';
import { toBase64url } from '../../src/protocol/bytes.ts';
import { ROOM_CONVERSATION } from '../../src/protocol/identifiers.ts';
import type { JsonEvent } from '../../src/terminal/json-lines.ts';
import { type Company, company } from '../helpers/company.ts';
import type { TestMember } from '../helpers/member.ts';
import type { TestRoom } from '../helpers/room.ts';

/** A person at a screen. */
function sit(room: TestRoom, member: TestMember) {
  const told: JsonEvent[] = [];
  let status: Status | null = null;
  const chat = new Chat({
    front: {
      emit: (event) => told.push(event),
      ask: () => assert.fail('nothing is asked'),
      readLine: () => assert.fail('nothing is read'),
      listen: () => {},
      setStatus(next) {
        status = next;
      },
      setFiles() {},
      display: () => {},
      messageCalled: (name) => name,
      get latestOfOthers() {
        return member.messages.findLast(({ own }) => !own)?.id ?? null;
      },
      copy: () => false,
      showQr: () => {},
      showPicture: async () => {},
      onGone() {},
      close() {},
    },
    membership: { ...member.asMembership, hurry: () => {} },
    host: null,
    roomId: room.id,
    roomName: 'test room',
    ownerFingerprint: room.ownerFingerprint,
    keeps: 'nothing',
    onQuit: () => assert.fail('nobody quits'),
  });
  let shown = 0;
  const look = (): void => {
    for (const event of member.events.slice(shown)) chat.show(event);
    shown = member.events.length;
  };
  const type = (line: string): void => {
    look();
    if (line.startsWith('/')) chat.command(line);
    else chat.say(line, null);
    room.advance(1_000);
    look();
  };
  const errors = (): readonly string[] =>
    told.flatMap((event) => (event.type === 'error' ? [event.code] : []));
  return { chat, type, look, errors, told, status: () => status };
}

/** All that anybody of the company has been shown, by nickname. */
function heard({ all }: Company): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(all.map((member) => [member.session.self?.nick, member.texts]));
}

const NOTHING = { olga: [], mona: [], mike: [], ann: [], ben: [] };

test('P33 what is for a name that nobody and nothing has goes to nobody', async () => {
  const here = await company();
  const ann = sit(here.room, here.ann);
  ann.type('/msg zoe secret');
  ann.type('/msg an secret');
  ann.type('/reply secret');
  ann.type('/join plans');
  ann.type('/join @zoe');
  ann.type('/new plans zoe');
  ann.chat.say('secret', null, { to: 'zoe' });
  ann.chat.say('secret', null, { to: 'AAAAAAAAAAAAAAAAAAAAAB' });
  here.room.advance(1_000);
  assert.equal(ann.errors().length, 8);
  assert.deepEqual(heard(here), NOTHING);
  assert.deepEqual(here.ann.session.conversations, []);
});

test('P33 a name that stands for two conversations sends nothing, and says how to tell them apart', async () => {
  const here = await company();
  const ann = sit(here.room, here.ann);
  const ben = sit(here.room, here.ben);
  ann.type('/new plans ben');
  ann.type('/join');
  ben.type('/new plans ann');
  ann.type('/join plans');
  assert.deepEqual(ann.errors(), ['ambiguous']);
  ann.type('still for the room');
  assert.deepEqual(here.mike.texts, ['still for the room']);
  ann.type('/join plans/ben');
  ann.type('for the one that ben made');
  assert.deepEqual(here.mike.texts, ['still for the room']);
  assert.deepEqual(
    here.ben.messages.map(({ text }) => text),
    ['still for the room', 'for the one that ben made'],
  );
});

test('P33 a conversation that one is no longer in takes nothing, and nothing lands in the room', async () => {
  const here = await company();
  const ann = sit(here.room, here.ann);
  const ben = sit(here.room, here.ben);
  ann.type('/new plans ben');
  ben.look();
  ben.type('/join plans');
  ben.type('one');
  ann.type('/remove-from plans ben');
  ben.type('two');
  ben.type('/me waves');
  assert.deepEqual(ben.errors(), ['conversation-gone', 'conversation-gone']);
  assert.deepEqual(here.ann.texts, ['one']);
  ben.type('/join');
  ben.type('three');
  assert.deepEqual(here.mona.texts, ['three']);
});

test('P33 what is for a member who has left the room goes to nobody', async () => {
  const here = await company();
  const ann = sit(here.room, here.ann);
  ann.type('/join @ben');
  ann.type('hello');
  assert.deepEqual(here.ben.texts, ['hello']);
  here.ben.leave();
  here.room.advance(2_000);
  ann.type('are you there');
  assert.deepEqual(ann.errors(), ['no-such-member']);
  for (const member of [here.olga, here.mona, here.mike]) assert.deepEqual(member.texts, []);
});

test('P33 an answer goes where it is meant to, or nowhere', async () => {
  const here = await company();
  const ann = sit(here.room, here.ann);
  const ben = sit(here.room, here.ben);
  ben.type('to all');
  const id = here.ann.messages[0]?.id ?? assert.fail();
  ben.type('/new plans mona');
  const before = heard(here);
  const [plans = assert.fail()] = here.ben.session.conversations;
  for (const to of ['ben', '@ben', 'nobody', toBase64url(plans.id), 'B'.repeat(21).concat('A')])
    ann.chat.say('for one alone', null, { to, replyTo: id });
  ann.type('/join @ben');
  ann.type(`/re ${id} for ben alone`);
  ann.type('/react +1');
  here.room.advance(1_000);
  assert.deepEqual(heard(here), before);
  assert.deepEqual(here.olga.eventsOf('reaction'), []);
  assert.deepEqual(ann.errors(), [
    ...['elsewhere', 'elsewhere', 'no-such-member', 'no-such-member', 'no-such-member'],
    ...['elsewhere', 'elsewhere'],
  ]);
  ann.chat.say('an answer', null, { to: toBase64url(ROOM_CONVERSATION), replyTo: id });
  here.room.advance(1_000);
  assert.deepEqual(here.olga.texts.at(-1), 'an answer');
  ben.type('/msg ann psst');
  const direct = here.ann.messages.at(-1)?.id ?? assert.fail();
  ann.look();
  ann.chat.say('and psst', null, { to: 'ben', replyTo: direct });
  here.room.advance(1_000);
  assert.deepEqual([here.ben.texts.at(-1), here.olga.texts.at(-1)], ['and psst', 'an answer']);
});

test('the mark of a verified key stands beside what is said, wherever it is said', async () => {
  const here = await company();
  const ann = sit(here.room, here.ann);
  const ben = sit(here.room, here.ben);
  ben.type('/new plans ann mona');
  const mona = sit(here.room, here.mona);
  here.ann.mark('ben', 'verified');
  ben.type('in plans');
  ben.type('/msg ann alone');
  ben.type('/join room');
  ben.type('to all');
  mona.type('hello');
  ann.look();
  const marked = (told: readonly JsonEvent[]) =>
    told.flatMap((event) => (event.type === 'message' && event.verified ? [event.text] : []));
  assert.deepEqual(marked(ann.told), ['in plans', 'alone', 'to all']);
  assert.deepEqual(marked(mona.told), []);
});

test('where one is, and what is unread elsewhere, is told', async () => {
  const here = await company();
  const ann = sit(here.room, here.ann);
  const ben = sit(here.room, here.ben);
  ann.type('/new plans ben');
  assert.equal(ann.status()?.place, 'plans');
  ben.type('/msg ann psst');
  ben.type('to the room');
  ann.look();
  assert.equal(ann.status()?.unread, 2);
  ann.type('/conversations');
  const lines = ann.told.flatMap((event) =>
    event.type === 'notice' && event.code === 'conversations' ? [event.text] : [],
  );
  assert.deepEqual(lines.slice(1).sort(), [
    '  @ben  you and ben; 1 unread',
    '  plans  ann (creator), ben',
    '  room  everyone; 1 unread',
  ]);
  ann.type('/join room');
  assert.equal(ann.status()?.unread, 1);
  assert.equal(ann.status()?.place, undefined);
  ann.type('/reply read');
  ann.look();
  assert.equal(ann.status()?.unread, 0);
});

test('/security tells who reads what is typed now: in the room, in a conversation, alone with someone', async () => {
  // How old a key is goes by the machine's own clock.
  const here = await company({ startMs: Date.now() });
  const ann = sit(here.room, here.ann);
  const row = (label: string): string => {
    ann.type('/security');
    const lines = ann.told.flatMap((event) =>
      event.type === 'notice' && event.code === 'security' ? [event.text.trim()] : [],
    );
    return lines.findLast((line) => line.startsWith(label)) ?? assert.fail();
  };
  ann.type('to all');
  assert.match(row('Members'), /5 members can read/);
  assert.match(row('From you'), /Number 1, .*, 1 said under it/);
  ann.type('/new plans ben');
  assert.match(row('Members'), /2 members of plans can read/);
  assert.match(row('Host'), /is not in plans/);
  ann.type('/join @olga');
  assert.match(row('Members'), /2 members of @olga can read/);
  assert.match(row('Host'), /olga hosts and takes part/);
  assert.match(row('From you'), /The next thing you say makes a new one/);
  ann.type('hello');
  assert.match(row('From you'), /Number 1, .*, 1 said under it/);
});
