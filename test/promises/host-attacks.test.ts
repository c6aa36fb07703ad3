/** What a host tried against those who come back to it, kept from reviews. @see docs/security.md#promises */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { leafHash } from '../../src/crypto/log-hash.ts';
import { encodeFrame, frameType } from '../../src/protocol/framing.ts';
import { idKey } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import type { Moment } from '../../src/protocol/moment.ts';
import {
  DigestItem,
  Entry,
  LogPage,
  Placed,
  PullLog,
  SESSION_FRAME,
  WholeItem,
  Wraps,
} from '../../src/protocol/session-frames.ts';
import { MessageHeader } from '../../src/protocol/signed-objects.ts';
import { Room } from '../../src/room/room.ts';
import { bodiesOf, changeWelcome, EvilHost, on } from '../helpers/evil-host.ts';
import { dsaIdentity, wrapKeys } from '../helpers/keys.ts';
import type { Hook } from '../helpers/line.ts';
import type { TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom, type TestRoomOptions } from '../helpers/room.ts';

interface Circle {
  readonly room: TestRoom;
  readonly alice: TestMember;
  readonly bob: TestMember;
  readonly mallory: TestMember;
}

/** Three people who have spoken. */
async function circle(options: TestRoomOptions = {}): Promise<Circle> {
  const room = await openRoom(options);
  const members: TestMember[] = [];
  for (const [place, nick] of ['alice', 'bob', 'mallory'].entries()) {
    const identity = await dsaIdentity(place);
    members.push(await room.join(nick, { identity, wrapPair: await wrapKeys(place) }));
  }
  const [alice, bob, mallory] = members as [TestMember, TestMember, TestMember];
  for (const member of members) say(room, member, 'hello');
  return { room, alice, bob, mallory };
}

function say(room: TestRoom, from: TestMember, text: string): void {
  from.say(text);
  room.advance(250);
}

/** Whatever was said to the evil host, nothing more goes out until the person has taken note. */
function assertHeldBack(room: TestRoom, member: TestMember): void {
  const before = member.sent.length;
  say(room, member, 'is anyone there?');
  assert.equal(member.session.heldBack, true);
  assert.ok(member.sent.slice(before).every((frame) => frameType(frame) !== SESSION_FRAME.post));
}

/** A hook that turns the first `count` whole messages of the log into digests. */
function digesting(count: number): Hook {
  let left = count;
  return on(SESSION_FRAME.log, (body) => {
    const page = LogPage.decode(body);
    const items = page.items.map((item) => {
      const entry = item.form === 'whole' ? WholeItem.decode(item.body) : null;
      if (entry?.kind !== 'message' || left === 0) return item;
      left -= 1;
      const { kind, placedAtMs } = entry;
      return {
        form: 'digest' as const,
        body: DigestItem.encode({ kind, placedAtMs, leaf: leafHash(entry) }),
      };
    });
    return [LogPage.encode({ ...page, items })];
  });
}

/** Has the host answer the first PULL_LOG with a page that begins `skipped` entries later and holds none of them. */
function passOver(room: TestRoom, member: TestMember, skipped: number): void {
  const { line } = member;
  assert.ok(line);
  line.toHost = (frame) => {
    const [body] = bodiesOf([frame], SESSION_FRAME.pullLog);
    if (body === undefined) return [frame];
    line.toHost = (later) => [later];
    const { conversation, after } = PullLog.decode(body);
    const headBefore = room.log.head;
    const page = { conversation, first: after + 1 + skipped, headBefore, items: [], live: true };
    room.inject(line, 'member', encodeFrame(SESSION_FRAME.log, LogPage.encode(page)));
    return [];
  };
}

test('P20 a member list from before a removal, shown again at a claimed gap, ends the membership', async () => {
  for (const alsoShorter of [false, true]) {
    const { room, alice, mallory } = await circle();
    const old = mallory.firstWelcome ?? assert.fail();
    const oldList = mallory.lines[0]?.sentByHost.filter((frame) => frameType(frame) === SESSION_FRAME.list);
    room.perform(room.room.remove(mallory.key, room.clock.moment));
    room.advance(1_000);
    alice.loseLine();
    const line = alice.comeBack();
    changeWelcome(alice, ({ positions }) => ({
      operation: old.operation,
      positions: alsoShorter ? old.positions : positions,
    }));
    passOver(room, alice, 1);
    line.toMember = (frame) =>
      frameType(frame) === SESSION_FRAME.list ? (oldList?.splice(0, 1) ?? []) : [frame];
    const before = alice.sent.length;
    room.advance(1_000);
    assert.ok(alice.outcome.kind === 'failed');
    assert.deepEqual((alice.outcome.error as { code?: string }).code, 'roster-rollback');
    assert.ok(alice.session.members.every(({ member }) => member.key !== mallory.key));
    alice.say('not for mallory');
    room.advance(1_000);
    const wrapped = bodiesOf(alice.sent.slice(before), SESSION_FRAME.wraps).flatMap(
      (body) => Wraps.decode(body).wraps,
    );
    assert.ok(wrapped.every(({ memberId }) => idKey(memberId) !== mallory.key));
    assert.equal(alice.session.unplaced, 1);
  }
});

test('P38 a message withheld as a digest from someone who was away: an alarm, and nothing is sent', async () => {
  const { room, alice, bob } = await circle();
  bob.loseLine();
  say(room, alice, 'do NOT pay');
  say(room, alice, 'goodbye');
  bob.comeBack().toMember = digesting(1);
  room.advance(1_000);
  assert.ok(bob.live);
  assert.deepEqual(bob.alarms, ['withheld']);
  assert.deepEqual(bob.eventsOf('notice'), []);
  assert.equal(bob.texts.at(-1), 'goodbye');
  assertHeldBack(room, bob);
});

test('P38 a host whose clock is late by more than it keeps may leave out no more for it', async () => {
  const room = await openRoom();
  const { room: host, clock } = room;
  const lateMs = 8 * 24 * 60 * 60_000;
  clock.nowMs += lateMs;
  const late = (): Moment => ({ ...clock.moment, nowMs: clock.nowMs - lateMs });
  host.frame = (connection, frame) => Room.prototype.frame.call(host, connection, frame, late());
  host.tick = () => Room.prototype.tick.call(host, late());
  const alice = await room.join('alice');
  const bob = await room.join('bob');
  say(room, alice, 'all as ever');
  assert.equal(bob.texts.at(-1), 'all as ever');
  bob.loseLine();
  say(room, alice, 'do NOT pay');
  say(room, alice, 'goodbye');
  bob.comeBack().toMember = digesting(1);
  room.advance(1_000);
  assert.ok(bob.live);
  assert.deepEqual(bob.alarms, ['withheld']);
  assertHeldBack(room, bob);
});

test('P38 a gap of one entry, claimed to someone who was away: an alarm, and nothing is sent', async () => {
  const { room, alice, bob } = await circle();
  bob.loseLine();
  say(room, alice, 'do NOT pay');
  say(room, alice, 'goodbye');
  bob.comeBack();
  passOver(room, bob, 1);
  room.advance(1_000);
  assert.ok(bob.live);
  assert.deepEqual(bob.alarms, ['withheld']);
  assert.deepEqual(bob.eventsOf('notice'), []);
  assertHeldBack(room, bob);
});

test('P38 one digest more than what the host announced to keep is an alarm, and not one less', async () => {
  const backlogEntries = 20;
  for (const more of [0, 1]) {
    const { room, alice, bob } = await circle({ limits: { backlogEntries } });
    bob.loseLine();
    for (let place = 0; place < 30; place += 1) say(room, alice, `meanwhile ${place}`);
    bob.comeBack().toMember = digesting(more);
    room.advance(1_000);
    assert.deepEqual(bob.alarms, more === 0 ? [] : ['withheld']);
    assert.equal(bob.eventsOf('notice').length, more === 0 ? 1 : 0);
    assert.equal(bob.texts.filter((text) => text.startsWith('meanwhile')).length, backlogEntries - more);
  }
});

test('P38 the bytes that a host keeps count as well: what is well within them may not be left out', async () => {
  const text = 'x'.repeat(3_000);
  for (const [spoken, withheld, alarms] of [
    // 64 KiB hold 14 of these. Bob cannot know how large the first digest was, so the room of one large entry is granted.
    [40, 0, []],
    [40, 1, []],
    [40, 8, ['withheld']],
    [3, 1, ['withheld']],
  ] as const) {
    const { room, alice, bob } = await circle({ limits: { backlogBytes: 64 * 1_024 } });
    bob.loseLine();
    for (let place = 0; place < spoken; place += 1) say(room, alice, text);
    bob.comeBack().toMember = digesting(withheld);
    room.advance(1_000);
    assert.ok(bob.live);
    assert.deepEqual(bob.alarms, alarms, `${spoken} spoken, ${withheld} withheld`);
  }
});

test('P38 a gap is an alarm unless the hashes before it are more than the host announced to keep', async () => {
  const limits = { backlogEntries: 5, headsKept: 20, quotedHeadAge: 10 };
  for (const [skipped, alarms] of [
    [20, []],
    [21, ['withheld']],
  ] as const) {
    const { room, alice, bob } = await circle({ limits });
    bob.loseLine();
    // Of these forty the host has the hashes of the last twenty.
    for (let place = 0; place < 40; place += 1) say(room, alice, `meanwhile ${place}`);
    bob.comeBack();
    passOver(room, bob, skipped);
    room.advance(1_000);
    assert.ok(bob.live);
    assert.deepEqual(bob.alarms, alarms);
    assert.equal(bob.eventsOf('notice').length, alarms.length === 0 ? 1 : 0);
  }
});

test('P38 a host that says it keeps less than it said before is an alarm', async () => {
  const { room, alice } = await circle();
  for (const field of ['entries', 'bytes', 'hashes'] as const) {
    alice.loseLine();
    alice.comeBack();
    changeWelcome(alice, ({ retention }) => ({ retention: { ...retention, [field]: 1 } }));
    room.advance(500);
    assert.equal(alice.alarms.at(-1), 'retention-changed');
    assertHeldBack(room, alice);
    alice.acknowledge();
    alice.loseLine();
    changeWelcome(alice, () => ({}));
    alice.comeBack();
    room.advance(500);
    alice.acknowledge();
    room.advance(500);
    assert.equal(alice.session.unplaced, 0);
  }
});

test('P21 a place for one’s message where one saw none, or before it was sealed: an alarm, and nothing is shown', async () => {
  for (const index of [1, 4, 7, 1_000]) {
    const { room, alice, bob } = await circle();
    const { line } = alice;
    assert.ok(line);
    const lost = new EvilHost(room).catchPost(alice, 'evacuate now');
    const { conversation, chainId, n } = MessageHeader.decode(lost.header);
    const placed = Placed.encode({ conversation, chainId, n, index });
    room.inject(line, 'member', encodeFrame(SESSION_FRAME.placed, placed));
    room.pump();
    assert.deepEqual(alice.alarms, ['placed-unseen'], `at ${index}`);
    assert.ok(!alice.texts.includes('evacuate now'));
    assert.equal(alice.session.unplaced, 1);
    assert.deepEqual(bob.alarms, []);
  }
});

test('P21 a recorded message and its recorded key, shown again once their chain is over: no second message', async () => {
  for (const chains of [1, 2]) {
    const { room, alice, bob } = await circle();
    say(room, alice, 'pay 100 now');
    const { line } = bob;
    assert.ok(line);
    const wraps = line.sentByHost.filter((frame) => frameType(frame) === SESSION_FRAME.wrap);
    // From the first of the chain on: each follows the one before, as it did the first time.
    const recorded = bodiesOf(line.sentByHost, SESSION_FRAME.entry)
      .map((body) => Entry.decode(body))
      .filter(({ kind }) => kind === 'message')
      .filter(({ header }) => idKey(MessageHeader.decode(header).memberId) === alice.key);
    assert.equal(recorded.length, 2);
    for (let chain = 0; chain < chains; chain += 1) {
      room.advance(LIMITS.chainMs);
      say(room, alice, 'under the next chain');
    }
    for (const frame of wraps) room.inject(line, 'member', frame);
    room.pump();
    for (const { header, ciphertext, signature } of recorded)
      new EvilHost(room).show(bob, { header, ciphertext, signature });
    assert.equal(bob.texts.filter((text) => text === 'pay 100 now').length, 1);
    // The extra entry has parted bob's log from everyone's.
    say(room, alice, 'what now?');
    assert.notDeepEqual(bob.alarms, []);
  }
});

test('P21 after an alarm and a new beginning each message of one’s own is placed and shown once', async () => {
  const { room, alice, bob } = await circle();
  const { line } = bob;
  assert.ok(line);
  // The host places bob's message and does not show it to him.
  line.toMember = on(SESSION_FRAME.entry, () => []);
  bob.say('only once');
  room.pump();
  line.toMember = (frame) => [frame];
  bob.say('and this once');
  say(room, alice, 'next');
  assert.deepEqual(bob.alarms, ['history-order']);
  bob.acknowledge();
  assert.ok(bob.wantsReconnect);
  bob.loseLine();
  bob.comeBack();
  room.advance(2_000);
  for (const member of [alice, bob]) {
    for (const text of ['only once', 'and this once'])
      assert.equal(member.texts.filter((shown) => shown === text).length, 1, text);
  }
  assert.equal(bob.session.unplaced, 0);
});

test('P21 at a gap that the host claims each message of one’s own is placed and shown once', async () => {
  const { room, alice, bob } = await circle();
  const { line } = bob;
  assert.ok(line);
  line.toMember = on(SESSION_FRAME.entry, () => []);
  bob.say('only once');
  room.pump();
  bob.loseLine();
  bob.comeBack();
  passOver(room, bob, 1);
  room.advance(1_000);
  assert.deepEqual(bob.alarms, ['withheld']);
  bob.acknowledge();
  room.advance(1_000);
  for (const member of [alice, bob])
    assert.equal(member.texts.filter((text) => text === 'only once').length, 1);
  assert.equal(bob.session.unplaced, 0);
  assert.deepEqual(alice.alarms, []);
});
