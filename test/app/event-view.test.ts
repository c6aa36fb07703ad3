/** What programs are told of members and messages: no more than is known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EventContext, fileEvent, jsonEvents, offeredFile } from '../../src/app/event-view.ts';
import type { RosterMember } from '../../src/crypto/roster.ts';
import type { RosterChange } from '../../src/crypto/roster-change.ts';
import type { Quoted, SessionEvent, ShownMember } from '../../src/member/events.ts';
import type { FileView } from '../../src/member/file-view.ts';
import { toBase64url } from '../../src/protocol/bytes.ts';
import { conversationId, idKey, ROOM_CONVERSATION } from '../../src/protocol/identifiers.ts';
import { TEST_ROOM } from '../helpers/line.ts';
import { person } from '../helpers/people.ts';
import { openRoom } from '../helpers/room.ts';

const inRoom = (member: RosterMember): ShownMember => ({
  ...{ member, presence: 'online', online: true, lastSeenMs: null },
});

test('a program is told of each message of its own that will not be sent', () => {
  const context = {
    room: { id: TEST_ROOM, name: 'Kitchen' },
    ...{ settings: null, self: null, conversations: [], shown: inRoom },
  };
  const about = { code: 'unsaid', text: 'That conversation is over for you. Not sent: "one" and 1 more' };
  const told = jsonEvents({ kind: 'notice', level: 'warning', ...about, refs: ['a', 'b'] }, context);
  assert.deepEqual(
    told.map((event) => (event.type === 'error' ? [event.code, event.ref] : event.type)),
    ['notice', ['unsaid', 'a'], ['unsaid', 'b']],
  );
});

test('somebody who went unseen is gone: neither left nor removed', async () => {
  const room = await openRoom({ answer: 'stand-in' });
  const ann = await room.join('ann');
  const { self: member, roomId } = ann.eventsOf('joined')[0] ?? assert.fail();
  const kitchen = { id: roomId, name: 'Kitchen' };
  const context = {
    room: kitchen,
    settings: null,
    self: null,
    conversations: [],
    shown: () => assert.fail('nobody is here'),
  };
  const told = (reason: RosterChange['removed'][number]['reason']) => {
    const nothing = { epoch: 7, atMs: 0, added: [], changed: [], settings: null };
    const change: RosterChange = { ...nothing, removed: [{ member, reason, by: null }] };
    return jsonEvents({ kind: 'roster', change }, context).flatMap((event) =>
      event.type === 'member' ? [[event.change, event.reason]] : [],
    );
  };
  assert.deepEqual(told('unseen'), [['gone', undefined]]);
  assert.deepEqual(told('left'), [['left', undefined]]);
  assert.deepEqual(told('absent'), [['left', 'absent for too long']]);
  assert.deepEqual(told('removed'), [['removed', undefined]]);
  assert.deepEqual(told('banned'), [['removed', 'banned']]);
});

test('where someone is: away is online too, last seen is of who is gone, and coming back away is both', async () => {
  const room = await openRoom({ answer: 'stand-in' });
  const ann = await room.join('ann');
  const { self: member, roomId } = ann.eventsOf('joined')[0] ?? assert.fail();
  const here = { member, presence: 'online', online: true, lastSeenMs: null } as const;
  const away = { ...here, presence: 'away' } as const;
  const gone = {
    ...here,
    presence: 'offline',
    online: false,
    lastSeenMs: Date.UTC(2026, 0, 1, 14, 2),
  } as const;
  const kitchen = { id: roomId, name: 'Kitchen' };
  const context: EventContext = {
    room: kitchen,
    settings: null,
    self: null,
    conversations: [],
    shown: () => away,
  };
  const told = (...event: Parameters<typeof jsonEvents>) =>
    jsonEvents(...event).flatMap((json) =>
      json.type === 'member'
        ? [[json.change, json.member.online, json.member.away, json.member.lastSeen]]
        : [],
    );
  const moved = (before: typeof here | typeof away | typeof gone, now: typeof before) =>
    told({ kind: 'presence', before: before.presence, ...now }, context);
  assert.deepEqual(moved(here, away), [['away', true, true, undefined]]);
  assert.deepEqual(moved(away, here), [['back', true, false, undefined]]);
  assert.deepEqual(moved(away, gone), [['offline', false, false, '2026-01-01T14:02:00.000Z']]);
  assert.deepEqual(moved(gone, here), [['online', true, false, undefined]]);
  assert.deepEqual(moved(gone, away), [
    ['online', true, true, undefined],
    ['away', true, true, undefined],
  ]);
  // What is told of them for another reason says where they are.
  const nothing = { epoch: 7, atMs: 0, added: [], removed: [], settings: null };
  const changed = [{ before: member, after: { ...member, muted: true }, by: null }];
  assert.deepEqual(told({ kind: 'roster', change: { ...nothing, changed } }, context), [
    ['muted', true, true, undefined],
  ]);
});

test('a receipt is one event for each message and member', async () => {
  const room = await openRoom({ answer: 'stand-in' });
  const ann = await room.join('ann');
  const bob = await room.join('bob');
  const { self, roomId } = bob.eventsOf('joined')[0] ?? assert.fail();
  const members = [ann.session.self ?? assert.fail(), self];
  const kitchen = { id: roomId, name: 'Kitchen' };
  const context = {
    room: kitchen,
    settings: null,
    self,
    conversations: [],
    shown: () => assert.fail('nobody moved'),
  };
  const told = jsonEvents({ kind: 'receipt', id: 'x', state: 'waiting', members }, context);
  assert.deepEqual(
    told.map((event) => (event.type === 'receipt' ? [event.id, event.state, event.member.nick] : [])),
    [
      ['x', 'waiting', 'ann'],
      ['x', 'waiting', 'bob'],
    ],
  );
});
test('a message says when it disappears, where it does', async () => {
  const room = await openRoom({ answer: 'stand-in', settings: { staySeconds: 3_600 } });
  const ann = await room.join('ann');
  ann.say('hello');
  room.advance(500);
  const { roomId } = ann.eventsOf('joined')[0] ?? assert.fail();
  const message = ann.messages[0] ?? assert.fail();
  const context = {
    ...{ room: { id: roomId, name: 'Kitchen' }, settings: ann.session.settings, self: null },
    conversations: [],
    shown: inRoom,
  };
  const at = (event: typeof message) => {
    const [json] = jsonEvents(event, context);
    return json?.type === 'message' ? json.disappearsAt : assert.fail();
  };
  assert.equal(at(message), new Date(message.goesAtMs ?? 0).toISOString());
  assert.equal(message.goesAtMs, message.atMs + 3_600_000);
  const { goesAtMs, ...stays } = message;
  assert.equal(at(stays), undefined);
});

test('somebody under another key is one event, with both fingerprints: nobody came or went', async () => {
  const room = await openRoom({ answer: 'stand-in', keeps: 'ciphertext' });
  const [ann, ben] = [await room.join('ann', { crowd: true }), await room.join('ben', { crowd: true })];
  ann.register('nine lives of a cat');
  room.pump();
  const again = await room.person('ann', { crowd: true, passwords: ['nine lives of a cat'] });
  again.knock(room.invite());
  room.advance(500);
  const { roomId } = ben.eventsOf('joined')[0] ?? assert.fail();
  const context: EventContext = {
    ...{ room: { id: roomId, name: 'Kitchen' }, settings: null, self: null, conversations: [] },
    shown: (member) => ({ member, presence: 'online', online: true, lastSeenMs: null }),
  };
  const change = ben.eventsOf('roster').at(-1) ?? assert.fail();
  assert.deepEqual(jsonEvents(change, context), [
    {
      type: 'member',
      change: 'key-changed',
      member: {
        id: toBase64url(again.identity.memberId),
        nick: 'ann',
        algorithm: 'dsa',
        fingerprint: toBase64url(again.identity.idFingerprint),
        role: 'member',
        online: true,
        away: false,
        muted: false,
      },
      formerFingerprint: toBase64url(ann.identity.idFingerprint),
    },
  ]);
});

test('what is said about messages names them by id, and says only what is known', async () => {
  const room = await openRoom({ answer: 'stand-in' });
  const ann = await room.join('ann');
  const { self, roomId } = ann.eventsOf('joined')[0] ?? assert.fail();
  const bob = person('bob');
  const context: EventContext = {
    room: { id: roomId, name: 'Kitchen' },
    settings: null,
    self,
    conversations: [],
    shown: inRoom,
  };
  const atMs = Date.UTC(2026, 0, 1, 14, 2);
  const about = { id: 'M', from: self, excerpt: 'tea?', saidAtMs: atMs };
  const unknown = { id: 'M', from: null, excerpt: '', saidAtMs: null };
  const by = { from: bob, atMs, own: false };
  const fromBob = { id: toBase64url(bob.memberId), nick: 'bob' };
  const fromAnn = { id: toBase64url(self.memberId), nick: 'ann' };
  const common = {
    id: 'M',
    conversation: 'AAAAAAAAAAAAAAAAAAAAAA',
    from: fromBob,
    at: '2026-01-01T14:02:00.000Z',
    own: false,
  };
  const told = (event: SessionEvent) => jsonEvents(event, context)[0];
  assert.deepEqual(told({ kind: 'edited', conversation: ROOM_CONVERSATION, about, text: 'x', ...by }), {
    type: 'edited',
    ...common,
    text: 'x',
    before: 'tea?',
  });
  assert.deepEqual(
    told({ kind: 'edited', conversation: ROOM_CONVERSATION, about: unknown, text: 'x', ...by }),
    {
      type: 'edited',
      ...common,
      unknown: true,
      text: 'x',
    },
  );
  assert.deepEqual(
    told({ kind: 'deleted', conversation: ROOM_CONVERSATION, about: { ...about, excerpt: '' }, ...by }),
    {
      type: 'deleted',
      ...common,
      saidAt: '2026-01-01T14:02:00.000Z',
    },
  );
  assert.deepEqual(told({ kind: 'deleted', conversation: ROOM_CONVERSATION, about: unknown, ...by }), {
    type: 'deleted',
    ...common,
    unknown: true,
  });
  assert.deepEqual(told({ kind: 'reaction', conversation: ROOM_CONVERSATION, about, text: '👍', ...by }), {
    type: 'reaction',
    ...common,
    text: '👍',
    author: fromAnn,
    excerpt: 'tea?',
  });
  assert.deepEqual(
    told({ kind: 'reaction', conversation: ROOM_CONVERSATION, about: unknown, text: '', ...by }),
    {
      type: 'reaction',
      ...common,
      unknown: true,
      text: '',
    },
  );
  const { own: _, ...read } = common;
  assert.deepEqual(
    told({ kind: 'read', conversation: ROOM_CONVERSATION, id: 'M', from: bob, atMs, ofOwn: true }),
    {
      type: 'read',
      ...read,
      ofOwn: true,
    },
  );

  const says = {
    kind: 'message',
    conversation: ROOM_CONVERSATION,
    id: 'N',
    content: 'text',
    text: 'yes',
    away: false,
    ref: null,
    ...by,
  } as const;
  const answering = (replyTo: Quoted | null) => {
    const event = told({ ...says, replyTo });
    return event?.type === 'message' ? [event.replyTo, event.mention] : assert.fail();
  };
  assert.deepEqual(answering(null), [undefined, false]);
  assert.deepEqual(answering(about), [{ id: 'M', from: fromAnn, excerpt: 'tea?' }, true]);
  assert.deepEqual(answering({ ...about, from: bob }), [{ id: 'M', from: fromBob, excerpt: 'tea?' }, false]);
  assert.deepEqual(answering(unknown), [{ id: 'M' }, false]);
});

test("what becomes of a file: what is not known is left out, and takers are only of one's own", () => {
  const [ann, bob] = [person('ann'), person('bob')];
  const plans = conversationId(new Uint8Array(16).fill(7));
  const view = { id: plans, isDirect: false, partner: null, name: 'plans', topic: '', members: [] };
  const context: EventContext = {
    room: { id: TEST_ROOM, name: 'Kitchen' },
    ...{ settings: null, self: ann, conversations: [view], shown: inRoom },
  };
  const offered: FileView = {
    ...{ number: 3, id: 'AAAA', isOwn: false, from: bob, conversation: idKey(ROOM_CONVERSATION) },
    message: 'BBBB',
    ...{ name: 'a\u202eb', bytes: 10, files: null, state: 'offered', doneBytes: 0 },
    ...{ bytesPerSecond: null, leftMs: null, path: null, problem: null, takers: [] },
  };
  const from = { id: toBase64url(bob.memberId), nick: 'bob' };
  const about = { number: 3, id: 'AAAA', name: 'a\u202eb', bytes: 10 };
  assert.deepEqual(offeredFile(offered), about);
  assert.deepEqual(fileEvent(offered, context), {
    ...{ type: 'file', ...about, own: false, from, conversation: toBase64url(ROOM_CONVERSATION) },
    ...{ state: 'offered', doneBytes: 0 },
  });
  const running = { state: 'running', doneBytes: 4, bytesPerSecond: 2, leftMs: 3_000, path: '/x' } as const;
  const own: FileView = {
    ...offered,
    ...running,
    ...{ isOwn: true, files: 2, conversation: idKey(plans), problem: 'No.' },
    takers: [{ member: bob, state: 'stopped', doneBytes: 4 }],
  };
  assert.deepEqual(fileEvent(own, context), {
    ...{ type: 'file', ...about, files: 2, own: true, from, conversation: toBase64url(plans), in: 'plans' },
    ...{ ...running, problem: 'No.', takers: [{ member: from, state: 'stopped', doneBytes: 4 }] },
  });
});
