/** What senders are told of members who were offline: waiting, delivered, dropped. Time is a test's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameType } from '../../src/protocol/framing.ts';
import { Receipts, SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { bodiesOf } from '../helpers/evil-host.ts';
import { dsaIdentity, wrapKeys } from '../helpers/keys.ts';
import type { MemberOptions, TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom, type TestRoomOptions } from '../helpers/room.ts';

const SECOND_MS = 1_000;

async function trio(
  options: TestRoomOptions = {},
  bobs: Partial<MemberOptions> = {},
): Promise<{ room: TestRoom; alice: TestMember; bob: TestMember; carol: TestMember }> {
  const room = await openRoom(options);
  const join = async (nick: string, place: number, more: Partial<MemberOptions> = {}) =>
    room.join(nick, { identity: await dsaIdentity(place), wrapPair: await wrapKeys(place), ...more });
  const members = {
    alice: await join('alice', 0),
    bob: await join('bob', 1, bobs),
    carol: await join('carol', 2),
  };
  room.advance(2 * SECOND_MS);
  return { room, ...members };
}

/** e.g. `waiting "hello" bob carol`, in order. */
function receipts(member: TestMember): readonly string[] {
  const texts = new Map(member.messages.map(({ id, text }) => [id, text]));
  return member
    .eventsOf('receipt')
    .map(({ id, state, members }) =>
      [state, JSON.stringify(texts.get(id)), ...members.map(({ nick }) => nick).sort()].join(' '),
    );
}

function markFrames(member: TestMember): number {
  return member.lines.flatMap(({ sentByHost }) => sentByHost).filter(isMarks).length;
}

function isMarks(frame: Uint8Array): boolean {
  return frameType(frame) === SESSION_FRAME.receipts;
}

test('what is said to someone offline waits, and is delivered when they have it', async () => {
  const { room, alice, bob, carol } = await trio();
  alice.say('to everyone');
  room.advance(2 * SECOND_MS);
  bob.loseLine();
  room.advance(SECOND_MS);
  alice.say('one');
  alice.say('two');
  room.advance(SECOND_MS);
  assert.deepEqual(receipts(alice), ['waiting "one" bob', 'waiting "two" bob']);
  bob.comeBack();
  room.advance(3 * SECOND_MS);
  assert.deepEqual(bob.texts, ['to everyone', 'one', 'two']);
  assert.deepEqual(receipts(alice).slice(2), ['delivered "one" bob', 'delivered "two" bob']);
  alice.say('three');
  room.advance(3 * SECOND_MS);
  assert.equal(receipts(alice).length, 4, 'who is here is waited for no more');
  assert.deepEqual([receipts(bob), receipts(carol)], [[], []]);
});

test('several who are offline, and who allows no receipts is never named', async () => {
  const { room, alice, bob, carol } = await trio(
    {},
    { prefers: { stays: false, receipts: false, lastSeen: true } },
  );
  const dave = await room.join('dave', { crowd: true });
  room.advance(2 * SECOND_MS);
  for (const member of [bob, carol, dave]) member.loseLine();
  room.advance(SECOND_MS);
  alice.say('hello');
  room.advance(SECOND_MS);
  assert.deepEqual(receipts(alice), ['waiting "hello" carol dave']);
  for (const member of [bob, dave, carol]) {
    member.comeBack();
    room.advance(3 * SECOND_MS);
  }
  assert.deepEqual(receipts(alice).slice(1), ['delivered "hello" dave', 'delivered "hello" carol']);
  const marked = bodiesOf(
    room.members.flatMap(({ lines }) => lines.flatMap(({ sentByHost }) => sentByHost)),
    SESSION_FRAME.receipts,
  ).flatMap((body) =>
    Receipts.decode(body).marks.map(({ memberId }) => Buffer.from(memberId).toString('hex')),
  );
  assert.ok(marked.length > 0);
  assert.ok(!marked.includes(bob.key));
});

test('a message costs no receipt frame, and catching up at most one a tick', async () => {
  const { room, alice, bob } = await trio();
  bob.loseLine();
  room.advance(SECOND_MS);
  assert.equal(markFrames(alice), 1);
  for (let place = 0; place < 300; place += 1) {
    alice.say(`meanwhile ${place}`);
    if (place % 10 === 0) room.advance(SECOND_MS);
  }
  room.advance(5 * SECOND_MS);
  assert.equal(alice.texts.length, 300);
  assert.equal(markFrames(alice), 1, 'nothing for a message');
  bob.comeBack();
  const ticks = 12;
  room.advance(ticks * 250);
  assert.ok(markFrames(alice) > 1 && markFrames(alice) <= 1 + ticks);
  const delivered = receipts(alice).filter((line) => line.startsWith('delivered'));
  assert.equal(delivered.length, 300);
  const frames = markFrames(alice);
  alice.say('and on');
  room.advance(5 * SECOND_MS);
  assert.equal(markFrames(alice), frames, 'an ACK of someone who is here is no news');
});

test('said while a line was dead and nobody had noticed: it waits once that is noticed', async () => {
  const { room, alice, bob } = await trio();
  assert.ok(bob.line);
  bob.line.toHost = () => [];
  bob.line.toMember = () => [];
  alice.say('into the dark');
  room.advance(SECOND_MS);
  assert.deepEqual(receipts(alice), []);
  room.advance(60 * SECOND_MS);
  assert.deepEqual(receipts(alice), ['waiting "into the dark" bob']);
  bob.loseLine();
  bob.comeBack();
  room.advance(3 * SECOND_MS);
  assert.deepEqual(receipts(alice).slice(1), ['delivered "into the dark" bob']);
});

test('said after they were back and before anyone was told: delivered all the same', async () => {
  const { room, alice, bob } = await trio();
  bob.loseLine();
  room.advance(SECOND_MS);
  bob.comeBack();
  room.pump();
  assert.ok(bob.live);
  alice.say('just now');
  room.pump();
  assert.deepEqual(receipts(alice), ['waiting "just now" bob']);
  room.advance(3 * SECOND_MS);
  assert.deepEqual(receipts(alice).slice(1), ['delivered "just now" bob']);
});

test('a sender who was gone when they came back is told on return; one whose line is replaced as well', async () => {
  const { room, alice, bob, carol } = await trio();
  bob.loseLine();
  room.advance(SECOND_MS);
  alice.say('from alice');
  carol.say('from carol');
  room.advance(SECOND_MS);
  alice.loseLine();
  assert.ok(carol.line);
  carol.line.toMember = () => [];
  bob.comeBack();
  room.advance(5 * SECOND_MS);
  alice.comeBack();
  carol.comeBack();
  room.advance(3 * SECOND_MS);
  for (const [member, nick] of [
    [alice, 'alice'],
    [carol, 'carol'],
  ] as const)
    assert.deepEqual(
      receipts(member).filter((line) => line.includes(`"from ${nick}"`)),
      [`waiting "from ${nick}" bob`, `delivered "from ${nick}" bob`],
    );
  // Bob is here: what alice says now waits for nobody, whatever her list said before she was gone.
  const told = alice.eventsOf('receipt').length;
  alice.say('and on');
  room.advance(3 * SECOND_MS);
  assert.equal(alice.eventsOf('receipt').length, told);
});

test('one’s own message of before the line was lost, read on return, waits only for who is gone by then', async () => {
  const { room, alice, bob } = await trio();
  bob.loseLine();
  room.advance(SECOND_MS);
  assert.ok(alice.line);
  // Alice hears nothing any more: not that bob is back, nor that her message has its place.
  alice.say('first, for the key');
  room.advance(SECOND_MS);
  alice.line.toMember = () => [];
  bob.comeBack();
  room.advance(5 * SECOND_MS);
  alice.say('while she is deaf');
  room.pump();
  assert.equal(bob.texts.at(-1), 'while she is deaf');
  alice.comeBack();
  room.pump();
  room.advance(3 * SECOND_MS);
  assert.deepEqual(receipts(alice), [
    'waiting "first, for the key" bob',
    'delivered "first, for the key" bob',
  ]);
  assert.ok(alice.texts.includes('while she is deaf'));
});

test('a newcomer knows who is offline: what they say waits too', async () => {
  const { room, bob } = await trio();
  bob.loseLine();
  room.advance(SECOND_MS);
  const dave = await room.join('dave', { identity: await dsaIdentity(5), wrapPair: await wrapKeys(3) });
  dave.say('hello from dave');
  room.advance(SECOND_MS);
  assert.deepEqual(receipts(dave), ['waiting "hello from dave" bob']);
  bob.comeBack();
  room.advance(3 * SECOND_MS);
  assert.deepEqual(receipts(dave).slice(1), ['delivered "hello from dave" bob']);
});

test('of who is removed while something waits, no more is told', async () => {
  const { room, alice, bob } = await trio();
  bob.loseLine();
  room.advance(SECOND_MS);
  alice.say('one');
  room.advance(SECOND_MS);
  room.perform(room.room.remove(bob.key, room.clock.moment));
  room.advance(2 * SECOND_MS);
  alice.say('two');
  room.advance(2 * SECOND_MS);
  assert.deepEqual(receipts(alice), ['waiting "one" bob']);
});

test('P38 what the host let go of before they had it is told to its sender as dropped, the rest as delivered', async () => {
  const { room, alice, bob } = await trio({ limits: { backlogEntries: 5 } });
  bob.loseLine();
  room.advance(SECOND_MS);
  for (let place = 0; place < 8; place += 1) alice.say(`meanwhile ${place}`);
  room.advance(2 * SECOND_MS);
  bob.comeBack();
  room.advance(3 * SECOND_MS);
  assert.deepEqual(
    bob.texts,
    [3, 4, 5, 6, 7].map((place) => `meanwhile ${place}`),
  );
  assert.deepEqual(
    bob.eventsOf('notice').map(({ code, text }) => [code, text]),
    [['gap', '3 messages waited longer than the host keeps them.']],
    'and to them as a gap',
  );
  assert.deepEqual(receipts(alice).slice(8), [
    ...[0, 1, 2].map((place) => `dropped "meanwhile ${place}" bob`),
    ...[3, 4, 5, 6, 7].map((place) => `delivered "meanwhile ${place}" bob`),
  ]);
  assert.deepEqual([alice.alarms, bob.alarms], [[], []]);
});

test('P38 what became too old is dropped too', async () => {
  const { room, alice, bob } = await trio({ limits: { backlogMs: 60 * SECOND_MS } });
  bob.loseLine();
  room.advance(SECOND_MS);
  alice.say('old');
  room.advance(90 * SECOND_MS);
  alice.say('fresh');
  room.advance(SECOND_MS);
  bob.comeBack();
  room.advance(3 * SECOND_MS);
  assert.deepEqual(bob.texts, ['fresh']);
  assert.deepEqual(receipts(alice).slice(2), ['dropped "old" bob', 'delivered "fresh" bob']);
});

test('P38 who comes back with nothing of the log has lost what waited: it is not told as delivered', async () => {
  const { room, alice, bob } = await trio();
  bob.loseLine();
  room.advance(SECOND_MS);
  alice.say('for bob as he was');
  room.advance(SECOND_MS);
  const again = await room.person('bob', {
    identity: bob.identity,
    wrapPair: await wrapKeys(3),
    firstGeneration: 1_000_000,
  });
  again.knock(room.invite());
  room.advance(3 * SECOND_MS);
  assert.ok(again.live);
  assert.deepEqual(again.texts, []);
  assert.deepEqual(receipts(alice).slice(1), ['dropped "for bob as he was" bob']);
});

test('P38 who is so far behind that they begin anew has lost what lay between', async () => {
  const { room, alice, bob } = await trio({ limits: { headsKept: 12, backlogEntries: 11 } });
  bob.loseLine();
  room.advance(SECOND_MS);
  // Too large for one page: the one that passes over entries is not the last.
  for (let place = 0; place < 20; place += 1) alice.say(`meanwhile ${place}`.padEnd(8_000));
  room.advance(5 * SECOND_MS);
  bob.comeBack();
  room.advance(3 * SECOND_MS);
  assert.ok(bob.live);
  assert.deepEqual(bob.texts, []);
  const told = receipts(alice).slice(20);
  assert.equal(told.length, 20);
  assert.ok(told.every((line) => line.startsWith('dropped')));
});
