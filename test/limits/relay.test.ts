/** The rows of the limits table that hold for members: over a rate is WAIT, never a lost connection. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '../../src/crypto/hash.ts';
import { SignedAct } from '../../src/protocol/acts.ts';
import { InputError } from '../../src/protocol/errors.ts';
import { encodeFrame, frameBody, frameType } from '../../src/protocol/framing.ts';
import { memberId, ROOM_CONVERSATION, ZERO_HASH } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import {
  Deferred,
  KEYS_PAGE,
  ListPage,
  NeedKeyFrame,
  Placed,
  Post,
  SESSION_FRAME,
  WRAPS_PAGE,
} from '../../src/protocol/session-frames.ts';
import {
  MessageHeader,
  NeedKey,
  ROSTER_CAUSES_MOST,
  ROSTER_CHANGES_MOST,
  RosterOperation,
} from '../../src/protocol/signed-objects.ts';
import { company } from '../helpers/company.ts';
import { TEST_ROOM } from '../helpers/line.ts';
import type { TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';

interface Answers {
  readonly placed: number;
  readonly deferred: readonly Deferred[];
}

function lastSent(member: TestMember, type: number): Uint8Array {
  const frame = member.line?.sentByMember.findLast((sent) => frameType(sent) === type);
  assert.ok(frame, `${member.identity.memberId} never sent frame ${type}`);
  return frame;
}

/** Sends the same POST again and again, as fast as can be: the host answers a message it knows with its place. */
function flood(room: TestRoom, member: TestMember, count: number): Answers {
  const post = lastSent(member, SESSION_FRAME.post);
  const { line } = member;
  assert.ok(line);
  const before = line.sentByHost.length;
  for (let sent = 0; sent < count; sent += 1) room.inject(line, 'host', post);
  // What comes back is for the evil member's eyes, not for the honest session behind it.
  const { toMember } = line;
  line.toMember = (frame) =>
    frameType(frame) === SESSION_FRAME.placed || frameType(frame) === SESSION_FRAME.deferred ? [] : [frame];
  room.pump();
  line.toMember = toMember;
  const answers = line.sentByHost.slice(before);
  return {
    placed: answers.filter((frame) => frameType(frame) === SESSION_FRAME.placed).length,
    deferred: answers
      .filter((frame) => frameType(frame) === SESSION_FRAME.deferred)
      .map((frame) => Deferred.decode(frameBody(frame))),
  };
}

/** A message like the last, with another header that the sender signs as well. */
function altered(member: TestMember, change: (header: MessageHeader) => Partial<MessageHeader>): Uint8Array {
  const post = Post.decode(frameBody(lastSent(member, SESSION_FRAME.post)));
  const header = MessageHeader.decode(post.header);
  const bytes = MessageHeader.encode({ ...header, ...change(header) });
  const signature = member.identity.sign('sc1/msg', [sha256(bytes), sha256(post.ciphertext)]);
  return encodeFrame(SESSION_FRAME.post, Post.encode({ ...post, header: bytes, signature }));
}

async function talking(limits: Parameters<typeof openRoom>[0] = {}) {
  const room = await openRoom(limits);
  const alice = await room.join('alice');
  const bob = await room.join('bob');
  room.advance(60_000);
  alice.say('first');
  bob.say('second');
  room.pump();
  assert.deepEqual(alice.texts, ['first', 'second']);
  return { room, alice, bob };
}

test('messages per member: a burst of 40, then 20 a second, and nobody is disconnected', async () => {
  const { room, alice } = await talking({ limits: { messagesPerRoomPerSecond: 10_000 } });
  room.advance(60_000);
  const burst = flood(room, alice, 100);
  assert.equal(burst.placed, LIMITS.messagesPerMemberBurst);
  assert.ok(burst.deferred.every(({ reason }) => reason === 'wait'));
  assert.ok(burst.deferred.every(({ retryAfterMs }) => retryAfterMs === 50));
  room.clock.nowMs += 1_000;
  assert.equal(flood(room, alice, 100).placed, LIMITS.messagesPerMemberPerSecond);
  assert.equal(alice.line?.closed, false);
});

test('messages per member: an honest member who types faster than the rate loses nothing', async () => {
  const { room, alice, bob } = await talking();
  const said = Array.from({ length: 90 }, (_, count) => `line ${count}`);
  for (const text of said) alice.say(text);
  room.pump();
  room.advance(10_000);
  assert.deepEqual(bob.texts.slice(2), said);
  assert.deepEqual([...alice.alarms, ...bob.alarms], []);
});

test('bytes per member: the burst, then the rate', async () => {
  const limits = { bytesPerMemberBurst: 10_000, bytesPerMemberPerSecond: 2_000 };
  const { room, alice } = await talking({ limits });
  room.advance(60_000);
  const bytes = frameBody(lastSent(alice, SESSION_FRAME.post)).length;
  const burst = flood(room, alice, 30);
  assert.equal(burst.placed, Math.floor(10_000 / bytes));
  assert.equal(burst.deferred[0]?.reason, 'wait');
  room.clock.nowMs += 3_000;
  const left = 10_000 - burst.placed * bytes;
  assert.equal(flood(room, alice, 30).placed, Math.floor((left + 6_000) / bytes));
});

test('messages per room: deliveries over members, and a flooder slows only themselves', async () => {
  // Two members and 20 deliveries a second: ten messages a second, twenty at once.
  const { room, alice, bob } = await talking({ limits: { deliveriesPerRoomPerSecond: 20 } });
  room.advance(60_000);
  const alone = flood(room, alice, 39);
  assert.ok(alone.placed <= 20 && alone.placed >= 10, `${alone.placed} at once`);
  assert.ok(alone.deferred.every(({ reason }) => reason === 'wait'));
  // Alice goes on as hard as she can; Bob says three things a second, for ten seconds.
  let flooded = 0;
  for (let second = 0; second < 10; second += 1) {
    flooded += flood(room, alice, 15).placed;
    const honest = flood(room, bob, 3);
    assert.equal(honest.placed, 3, `second ${second}`);
    flooded += flood(room, alice, 15).placed;
    room.clock.nowMs += 1_000;
  }
  assert.ok(flooded + 30 <= 10 * 10 + 20, `${flooded} of Alice in ten seconds`);
  assert.equal(alice.line?.closed, false);
});

test('wraps: a burst of one full set, then their own rate', async () => {
  const limits = { membersMost: 8, wrapsPerMemberPerSecond: 2 };
  const { room, alice } = await talking({ limits });
  room.advance(60_000);
  const wraps = lastSent(alice, SESSION_FRAME.wraps);
  const { line } = alice;
  assert.ok(line);
  line.toMember = () => [];
  const taken = (count: number): number => {
    const before = line.sentByHost.length;
    for (let sent = 0; sent < count; sent += 1) room.inject(line, 'host', wraps);
    room.pump();
    const answers = line.sentByHost.slice(before).map(frameType);
    assert.equal(answers.length, count);
    return answers.filter((type) => type === SESSION_FRAME.wrapsTaken).length;
  };
  assert.equal(taken(20), 8);
  room.clock.nowMs += 2_000;
  assert.equal(taken(20), 4);
  assert.equal(line.closed, false);
});

test('requests for keys: 64 a minute reach anyone', async () => {
  const { room, alice, bob } = await talking();
  const chainId = MessageHeader.decode(
    Post.decode(frameBody(lastSent(alice, SESSION_FRAME.post))).header,
  ).chainId;
  const bytes = NeedKey.encode({
    version: 1,
    roomId: room.id,
    conversation: ROOM_CONVERSATION,
    asker: bob.identity.memberId,
    sender: alice.identity.memberId,
    chainId,
    generation: 1,
  });
  const request = { bytes, signature: bob.identity.sign('sc1/needkey', bytes) };
  const frame = encodeFrame(SESSION_FRAME.needKey, NeedKeyFrame.encode({ request }));
  const before = alice.line?.sentByHost.length ?? 0;
  for (let count = 0; count < 100; count += 1) bob.send(frame);
  room.pump();
  const arrived = alice.line?.sentByHost
    .slice(before)
    .filter((sent) => frameType(sent) === SESSION_FRAME.needKey);
  assert.equal(arrived?.length, LIMITS.needKeyPerMinute);
});

test('ratchet jump: a message further ahead has to be sealed again', async () => {
  const { room, alice } = await talking();
  const { line } = alice;
  assert.ok(line);
  line.toMember = () => [];
  const answer = (frame: Uint8Array) => {
    room.inject(line, 'host', frame);
    room.pump();
    const last = line.sentByHost.at(-1);
    assert.ok(last);
    return frameType(last) === SESSION_FRAME.deferred
      ? Deferred.decode(frameBody(last)).reason
      : frameType(last);
  };
  const leap = (by: number) =>
    altered(alice, ({ n }) => ({
      n: n + by,
      previous: room.log.read(room.log.index - 2, { entries: 1, bytes: 1 }).items[0]
        ?.leaf as MessageHeader['previous'],
    }));
  assert.equal(answer(leap(LIMITS.ratchetJump + 1)), 'order');
  assert.equal(answer(leap(LIMITS.ratchetJump)), SESSION_FRAME.entry);
});

test('heads kept: a quoted head that is too old is stale, one that never was closes', async () => {
  const { room, alice, bob } = await talking({ limits: { quotedHeadAge: 3 } });
  for (const text of ['one', 'two', 'three', 'four']) {
    bob.say(text);
    room.pump();
  }
  const { line } = alice;
  assert.ok(line);
  line.toMember = () => [];
  const quote = (seenIndex: number, seenHead: MessageHeader['seenHead']) => {
    room.inject(
      line,
      'host',
      altered(alice, ({ n }) => ({ n: n + 1, seenIndex, seenHead })),
    );
    room.pump();
  };
  const head = (index: number) => room.log.headAt(index) ?? room.log.head;
  quote(room.log.index - 4, head(room.log.index - 4));
  const stale = line.sentByHost.at(-1);
  assert.equal(stale === undefined ? null : Deferred.decode(frameBody(stale)).reason, 'stale');
  assert.equal(line.closed, false);
  quote(room.log.index + 1, room.log.head);
  assert.equal(line.closed, true);
});

test('pages: the list comes in pages within their size, and whole', async () => {
  // A page holds its own fields, and here two hundred bytes of members.
  const room = await openRoom({ limits: { pageBytes: 4_096 + 200 } });
  const people = [];
  for (let count = 0; count < 15; count += 1) people.push(await room.join(`person${count}`, { crowd: true }));
  const last = people.at(-1);
  const pages = (last?.line?.sentByHost ?? []).filter((frame) => frameType(frame) === SESSION_FRAME.list);
  assert.ok(pages.length >= 3, `${pages.length} pages`);
  for (const page of pages) assert.ok(ListPage.decode(frameBody(page)).entries.length <= 200);
  assert.equal(last?.session.members.length, 15);
});

test('pages: more statements or wraps than a page holds close the connection', async () => {
  for (const [type, head, each, count] of [
    [SESSION_FRAME.pullKeys, 0, 16, KEYS_PAGE + 1],
    // An empty announcement and signature, then the count.
    [SESSION_FRAME.wraps, 4, 16 + 4 + 2 + 1_088 + 48, WRAPS_PAGE + 1],
  ] as const) {
    const room = await openRoom();
    const alice = await room.join('alice');
    const body = new Uint8Array(head + 1 + count * each);
    body[head] = count;
    alice.send(encodeFrame(type, body));
    room.pump();
    assert.equal(alice.line?.closed, true);
    assert.equal(alice.eventsOf('closed')[0]?.reason, 'protocol');
  }
});

test('roster operations: the largest one fits a page of the log, and a frame', () => {
  const member = memberId(new Uint8Array(16));
  const roomId = TEST_ROOM;
  const act = SignedAct.encode({
    version: 1,
    roomId,
    memberId: member,
    epoch: 1,
    rosterHash: ZERO_HASH,
    kind: 'topic',
    target: member,
    seconds: 0,
    text: 'x'.repeat(LIMITS.topicBytes),
    algorithm: 'rsa',
    identityKey: new Uint8Array(550),
  });
  const entry = {
    identity: ZERO_HASH,
    nick: 'x'.repeat(LIMITS.nicknameCharactersMost),
    role: 'member',
  } as const;
  const operation = RosterOperation.encode({
    version: 1,
    roomId,
    epoch: 1,
    previous: ZERO_HASH,
    listHash: ZERO_HASH,
    atMs: 0,
    roomName: 'x'.repeat(LIMITS.roomNameBytes),
    settings: {
      topic: 'x'.repeat(LIMITS.topicBytes),
      motd: 'x'.repeat(LIMITS.motdBytes),
      slowSeconds: LIMITS.slowSecondsMost,
      locked: true,
      approval: true,
      staySeconds: LIMITS.stayMsMost / 1_000,
      edits: false,
      readReceipts: false,
    },
    removes: Array.from({ length: ROSTER_CHANGES_MOST }, () => ({
      memberId: member,
      reason: 'left' as const,
    })),
    puts: Array.from({ length: ROSTER_CHANGES_MOST }, () => ({
      ...entry,
      algorithm: 'rsa' as const,
      muted: false,
    })),
    causes: Array.from({ length: ROSTER_CAUSES_MOST }, () => ({
      bytes: act,
      signature: new Uint8Array(512),
    })),
  });
  // What else stands in a page, and the owner's signature.
  assert.ok(operation.length + 512 + 4_096 <= LIMITS.pageBytes, `${operation.length}`);
});

test('acts: so many wait for the owner as there may, and the next is told to come later', async () => {
  const { room, all, mona } = await company({ limits: { actsWaiting: 3, rosterOperationsPerSecond: 1 } });
  all.forEach((member, place) => {
    member.act({ kind: 'rename', nick: `other-${'abcde'[place]}` });
  });
  room.pump();
  const refused = all.flatMap((member) =>
    member.eventsOf('notice').filter(({ code, text }) => code === 'act-refused' && /too much/.test(text)),
  );
  assert.ok(refused.length > 0 && refused.length <= 2, `${refused.length}`);
  room.advance(3_000);
  const renamed = room.room.members.filter(({ nick }) => nick.startsWith('other-'));
  assert.equal(renamed.length, all.length - refused.length);
  assert.deepEqual(mona.alarms, []);
});

test('acts: an operation holds twelve at the most, and the others follow', async () => {
  const room = await openRoom();
  const crowd: TestMember[] = [];
  for (let place = 0; place < ROSTER_CAUSES_MOST + 3; place += 1)
    crowd.push(await room.join(`member-${place}`, { crowd: true }));
  room.advance(1_000);
  const [first] = crowd;
  assert.ok(first);
  const before = first.eventsOf('roster').length;
  for (const [place, member] of crowd.entries()) member.act({ kind: 'rename', nick: `other-${place}` });
  room.pump();
  room.advance(1_000);
  const changes = first.eventsOf('roster').slice(before);
  const counts = changes.map(({ change }) => change.changed.length);
  assert.ok(Math.max(...counts) <= ROSTER_CAUSES_MOST, `${counts}`);
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    crowd.length,
  );
  for (const { change } of changes)
    for (const { before: was, by } of change.changed) assert.equal(by?.key, was.key);
  for (const member of crowd) assert.deepEqual(member.alarms, []);
});

test('message text: 16,000 bytes of UTF-8 go, one more is refused before anything is sealed', async () => {
  const { room, alice, bob } = await talking();
  const most = 'é'.repeat(LIMITS.textBytes / 2);
  alice.say(most);
  room.pump();
  assert.equal(bob.texts.at(-1), most);
  assert.throws(() => alice.say(`${most}x`), InputError);
  alice.say('and on');
  room.pump();
  assert.equal(bob.texts.at(-1), 'and on');
});

test('liveness: half a line is noticed within a minute and told, a ping in time keeps one', async () => {
  const room = await openRoom();
  const alice = await room.join('alice', { crowd: true });
  const bob = await room.join('bob', { crowd: true });
  if (bob.line !== null) bob.line.toHost = () => [];
  room.advance(LIMITS.deadMs - 250);
  assert.equal(bob.line?.closed, false);
  room.advance(500);
  assert.equal(bob.line?.closed, true);
  assert.equal(bob.eventsOf('closed')[0]?.reason, 'silent');
  assert.equal(alice.line?.closed, false);
  const pings = alice.line?.sentByMember.filter((frame) => frameType(frame) === SESSION_FRAME.ping).length;
  assert.equal(pings, 2);
  assert.deepEqual(
    alice.eventsOf('presence').map(({ member, online }) => [member.nick, online]),
    [['bob', false]],
  );
});

test('a message sent again is answered with its place', async () => {
  const { room, alice } = await talking();
  const { line } = alice;
  assert.ok(line);
  room.advance(1_000);
  const before = room.log.index;
  room.inject(line, 'host', lastSent(alice, SESSION_FRAME.post));
  line.toMember = () => [];
  room.pump();
  const answer = line.sentByHost.at(-1);
  assert.ok(answer);
  assert.equal(Placed.decode(frameBody(answer)).index, before - 1);
  assert.equal(room.log.index, before);
});
