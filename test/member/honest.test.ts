/** P49: none of the honest events of the protocol raises an alarm. @see docs/protocol.md */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '../../src/crypto/hash.ts';
import { History } from '../../src/member/history.ts';
import { frameType } from '../../src/protocol/framing.ts';
import { hash } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { MessageHeader } from '../../src/protocol/signed-objects.ts';
import { bodiesOf } from '../helpers/evil-host.ts';
import { dsaIdentity, wrapKeys } from '../helpers/keys.ts';
import type { TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom, type TestRoomOptions } from '../helpers/room.ts';
import { postsOf } from '../helpers/thief.ts';

/** People who sign with DSA: the tests say thousands of things. */
async function party(
  nicks: readonly string[],
  options: TestRoomOptions = {},
): Promise<{ room: TestRoom; members: TestMember[] }> {
  const room = await openRoom(options);
  const members: TestMember[] = [];
  for (const [place, nick] of nicks.entries()) {
    const identity = await dsaIdentity(place);
    members.push(await room.join(nick, { identity, wrapPair: await wrapKeys(place % 4) }));
  }
  return { room, members };
}

function say(room: TestRoom, from: TestMember, text: string): void {
  from.say(text);
  room.advance(250);
}

function assertCalm(members: readonly TestMember[]): void {
  for (const member of members) {
    assert.deepEqual(member.alarms, []);
    assert.equal(member.outcome.kind, 'in');
    assert.deepEqual(member.eventsOf('closed'), []);
  }
}

/** How many chains a member has announced. */
function chainsOf(member: TestMember): number {
  return new Set(postsOf([member]).map(({ header }) => sha256(MessageHeader.decode(header).chainId).join()))
    .size;
}

test('P49 wrap keys made anew each hour, and chains as well, while people talk', async () => {
  const { room, members } = await party(['alice', 'bob', 'carol']);
  const [alice, bob, carol] = members as [TestMember, TestMember, TestMember];
  const said: string[] = [];
  for (let minute = 0; minute < 200; minute += 7) {
    for (const member of members) {
      said.push(`minute ${minute} ${member.key}`);
      say(room, member, said.at(-1) ?? '');
      if (member.wantsWrapKeys) member.renew(await wrapKeys((minute + members.indexOf(member)) % 4));
    }
    room.advance(7 * 60_000);
  }
  assertCalm(members);
  for (const member of members) assert.deepEqual(member.texts, said);
  assert.ok(bob.session.wrapGeneration >= 3);
  assert.ok(chainsOf(carol) >= 3);
  assert.deepEqual(alice.eventsOf('unopened'), []);
});

test('P49 a wrap on its way while its wrap key is replaced opens within the grace', async () => {
  const { room, members } = await party(['alice', 'bob']);
  const [alice, bob] = members as [TestMember, TestMember];
  assert.ok(bob.line);
  const { line } = bob;
  const late: Uint8Array[] = [];
  line.toMember = (frame) => {
    late.push(frame);
    return [];
  };
  alice.say('wrapped to the old key');
  room.pump();
  bob.renew(await wrapKeys(3));
  room.advance(LIMITS.wrapKeyGraceMs - 1_000);
  line.toMember = (frame) => [frame];
  for (const frame of late) room.inject(line, 'member', frame);
  room.pump();
  assert.deepEqual(bob.texts, ['wrapped to the old key']);
  assertCalm(members);
});

test('P49 a chain is replaced after 200 messages, at the rate that the host allows', async () => {
  const { room, members } = await party(['alice', 'bob']);
  const [alice, bob] = members as [TestMember, TestMember];
  for (let place = 0; place < 450; place += 1) {
    if (alice.session.unplaced > 200) room.advance(2_000);
    alice.say(`message ${place}`);
  }
  room.advance(30_000);
  assert.equal(alice.session.unplaced, 0);
  assert.equal(bob.texts.length, 450);
  assert.deepEqual(bob.texts, alice.texts);
  assert.ok(chainsOf(alice) >= 3);
  assertCalm(members);
});

test('P49 everyone talks at once, over every rate, while people come and go', async () => {
  const { room, members } = await party(['alice', 'bob', 'carol', 'dave', 'erin'], {
    limits: { messagesPerRoomPerSecond: 30 },
  });
  const stay = members.slice(0, 4);
  const [erin] = members.slice(4);
  for (let place = 0; place < 60; place += 1) for (const member of members) member.say(`${place}`);
  for (let steps = 0; steps < 200; steps += 1) room.stepAny(steps * 7);
  erin?.leave();
  const frank = await room.person('frank', { identity: await dsaIdentity(7), wrapPair: await wrapKeys(3) });
  frank.knock(room.invite());
  for (let steps = 0; steps < 500; steps += 1) room.stepAny(steps * 5);
  room.advance(60_000);
  assertCalm([...stay, frank]);
  for (const member of stay) {
    assert.equal(member.session.unplaced, 0);
    assert.equal(member.messages.filter(({ own }) => own).length, 60);
    assert.deepEqual(
      member.messages.map(({ id }) => id),
      stay[0]?.messages.map(({ id }) => id),
    );
  }
  const deferred = stay.flatMap(({ lines }) =>
    lines.flatMap((line) => bodiesOf(line.sentByHost, SESSION_FRAME.deferred)),
  );
  assert.ok(deferred.length > 50, 'the rates were felt');
});

test('P49 a quoted position that has become too old is STALE, and sealed again', async () => {
  const { room, members } = await party(['alice', 'bob'], { limits: { quotedHeadAge: 8 } });
  const [alice, bob] = members as [TestMember, TestMember];
  say(room, alice, 'first');
  assert.ok(alice.line);
  const { line } = alice;
  const late: Uint8Array[] = [];
  line.toHost = (frame) => {
    if (frameType(frame) !== SESSION_FRAME.post) return [frame];
    late.push(frame);
    return [];
  };
  alice.say('slow');
  room.pump();
  for (let place = 0; place < 20; place += 1) say(room, bob, `fast ${place}`);
  line.toHost = (frame) => [frame];
  for (const frame of late) room.inject(line, 'host', frame);
  room.advance(1_000);
  assert.equal(bob.texts.at(-1), 'slow');
  assert.equal(bodiesOf(line.sentByHost, SESSION_FRAME.deferred).length, 1);
  assertCalm(members);
});

test('P49 positions before what a member has kept, or before they came, are not judged', () => {
  const head = hash(new Uint8Array(32).fill(1));
  const other = hash(new Uint8Array(32).fill(2));
  const history = new History(100, head);
  assert.equal(history.judge(99, other), 'unknown');
  assert.equal(history.judge(100, head), 'same');
  assert.equal(history.judge(100, other), 'different');
  const heads = [head];
  for (let index = 101; index <= 100 + LIMITS.headsKept + 50; index += 1)
    heads.push(
      history.append({ kind: 'message', placedAtMs: index, leaf: sha256(new Uint8Array([index & 255])) }),
    );
  const oldest = history.index - LIMITS.headsKept + 1;
  assert.equal(history.judge(oldest - 1, other), 'unknown');
  for (const index of [oldest, oldest + 1, oldest + 5_000, history.index]) {
    assert.equal(history.judge(index, heads[index - 100] ?? assert.fail()), 'same');
    assert.equal(history.judge(index, other), 'different');
  }
  assert.equal(history.judge(history.index + 1, other), 'unknown');
});

test('P49 away until the host keeps only hashes: a notice, and on it goes', async () => {
  const { room, members } = await party(['alice', 'bob'], { limits: { backlogEntries: 20 } });
  const [alice, bob] = members as [TestMember, TestMember];
  for (const member of members) say(room, member, 'hello');
  bob.loseLine();
  for (let place = 0; place < 60; place += 1) say(room, alice, `meanwhile ${place}`);
  bob.comeBack();
  room.pump();
  assert.equal(bob.texts.at(-1), 'meanwhile 59');
  assert.equal(bob.eventsOf('notice').filter(({ code }) => code === 'gap').length, 1);
  say(room, alice, 'welcome back');
  say(room, bob, 'thank you');
  assert.deepEqual([alice.texts.at(-1), bob.texts.at(-2)], ['thank you', 'welcome back']);
  assertCalm(members);
});

test('P49 away beyond all hashes: the record begins anew, and on it goes', async () => {
  const limits = {
    backlogEntries: 20,
    headsKept: 600,
    quotedHeadAge: 300,
    messagesPerMemberPerSecond: 1_000,
  };
  const { room, members } = await party(['alice', 'bob', 'carol'], { limits });
  const [alice, bob, carol] = members as [TestMember, TestMember, TestMember];
  for (const member of members) say(room, member, 'hello');
  bob.loseLine();
  for (let place = 0; place < 800; place += 1) {
    alice.say(`meanwhile ${place}`);
    if (place % 30 === 0) room.advance(2_000);
  }
  room.advance(5_000);
  carol.leave();
  room.advance(500);
  bob.comeBack();
  room.pump();
  assert.ok(bob.live);
  assert.equal(bob.eventsOf('notice').filter(({ code }) => code === 'gap').length, 1);
  assert.deepEqual(bob.session.members.map(({ member }) => member.nick).sort(), ['alice', 'bob']);
  assert.equal(bob.eventsOf('roster').at(-1)?.change.removed[0]?.member.nick, 'carol');
  say(room, alice, 'welcome back');
  say(room, bob, 'thank you');
  say(room, alice, 'not at all');
  assert.deepEqual(bob.texts.slice(-2), ['thank you', 'not at all']);
  assert.equal(alice.texts.at(-2), 'thank you');
  assertCalm([alice, bob]);
});

test('P49 what is not placed in ten seconds is a notice; sent again, the same bytes are placed once', async () => {
  const { room, members } = await party(['alice', 'bob']);
  const [alice, bob] = members as [TestMember, TestMember];
  say(room, alice, 'hello');
  assert.ok(alice.line);
  alice.line.toHost = (frame) => (frameType(frame) === SESSION_FRAME.post ? [] : [frame]);
  alice.say('into a dead line');
  room.advance(11_000);
  assert.equal(alice.eventsOf('notice').filter(({ code }) => code === 'not-placed').length, 1);
  alice.loseLine();
  alice.comeBack();
  room.advance(1_000);
  assert.deepEqual(bob.texts, ['hello', 'into a dead line']);
  const posts = postsOf([alice]).map(({ header }) => Buffer.from(header).toString('hex'));
  assert.equal(posts.length, 3);
  assert.equal(posts[1], posts[2]);
  assertCalm(members);
});

test('P49 the sender of a message has left before their key could be asked for', async () => {
  const { room, members } = await party(['alice', 'bob', 'carol']);
  const [alice, bob, carol] = members as [TestMember, TestMember, TestMember];
  assert.ok(bob.line);
  bob.line.toMember = (frame) => (frameType(frame) === SESSION_FRAME.wrap ? [] : [frame]);
  const { line } = bob;
  let question: Uint8Array | null = null;
  line.toHost = (frame) => {
    if (frameType(frame) !== SESSION_FRAME.pullKeys) return [frame];
    question = frame;
    return [];
  };
  say(room, carol, 'goodbye');
  carol.leave();
  room.advance(500);
  // By the time the host reads the question, carol has gone.
  assert.ok(question);
  room.inject(line, 'host', question);
  room.pump();
  assert.equal(bob.eventsOf('unopened').length, 1);
  bob.line.toMember = (frame) => [frame];
  line.toHost = (frame) => [frame];
  say(room, alice, 'she is gone');
  say(room, bob, 'yes');
  assert.deepEqual(alice.texts, ['goodbye', 'she is gone', 'yes']);
  assertCalm([alice, bob]);
});

test('P49 wrap keys that are ready while the login is under way reach the host', async () => {
  const { room, members } = await party(['alice', 'bob']);
  const [alice, bob] = members as [TestMember, TestMember];
  say(room, alice, 'hello');
  alice.loseLine();
  alice.comeBack();
  // HELLO and NONCE are done, LOGIN with the old statement is under way.
  for (let steps = 0; steps < 2; steps += 1) room.step();
  alice.renew(await wrapKeys(3));
  room.pump();
  say(room, alice, 'with new keys');
  say(room, bob, 'I see');
  assert.deepEqual(bob.texts, ['hello', 'with new keys', 'I see']);
  assert.deepEqual(alice.texts, bob.texts);
  assertCalm(members);
});

test('a text that is too long is refused before it is taken, and nothing is stuck', async () => {
  const { room, members } = await party(['alice', 'bob']);
  const [alice, bob] = members as [TestMember, TestMember];
  assert.throws(() => alice.say('x'.repeat(LIMITS.textBytes + 1)), { code: 'text-too-long' });
  assert.throws(() => alice.say('🐚'.repeat(LIMITS.textBytes / 4 + 1)), { code: 'text-too-long' });
  say(room, alice, 'short');
  assert.deepEqual(bob.texts, ['short']);
});
