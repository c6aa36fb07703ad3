/** What a single member tried against the others, kept from reviews. @see docs/security.md#promises */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '../../src/crypto/hash.ts';
import { KeyRequests } from '../../src/member/key-requests.ts';
import { said } from '../../src/protocol/content.ts';
import { encodeFrame, frameBody, frameType } from '../../src/protocol/framing.ts';
import { newChainId, ROOM_CONVERSATION } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { Post, PullKeys, SESSION_FRAME, type Wrap, Wraps } from '../../src/protocol/session-frames.ts';
import { MessageHeader } from '../../src/protocol/signed-objects.ts';
import { bodiesOf } from '../helpers/evil-host.ts';
import { EvilMember } from '../helpers/evil-member.ts';
import { dsaIdentity, wrapKeys } from '../helpers/keys.ts';
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

/** These talk to each other as if nothing had happened. */
function assertUndisturbed(room: TestRoom, members: readonly TestMember[]): void {
  for (const member of members) {
    assert.equal(member.session.heldBack, false);
    say(room, member, `${member.session.self?.nick} goes on`);
    for (const other of members) assert.equal(other.texts.at(-1), member.texts.at(-1));
  }
}

function assertCalm(room: TestRoom, members: readonly TestMember[]): void {
  assertUndisturbed(room, members);
  for (const member of members) assert.deepEqual(member.alarms, []);
}

test('P24 two keys for one message: each such sender is named once, and nobody is silenced', async () => {
  const { room, alice, bob, mallory } = await circle();
  const oscar = await room.join('oscar', { identity: await dsaIdentity(3), wrapPair: await wrapKeys(3) });
  say(room, oscar, 'hello');
  const commitment = sha256(new Uint8Array(1));
  for (const sender of [mallory, oscar]) {
    const evil = new EvilMember(sender, bob);
    for (const round of [1, 2]) {
      evil.post(said('text', 'for some'), { commitment });
      evil.post(said('text', `for all ${round}`));
      room.advance(250);
      for (const member of [alice, bob]) assert.equal(member.texts.at(-1), `for all ${round}`);
    }
  }
  for (const member of [alice, bob]) {
    assert.deepEqual(member.alarms, ['two-keys', 'two-keys']);
    const [first, second] = member.eventsOf('alarm').map(({ text }) => text);
    assert.match(first ?? '', /mallory/);
    assert.match(second ?? '', /oscar/);
    assert.ok(!member.texts.includes('for some'));
    assert.equal(member.eventsOf('unopened').length, 4);
  }
  assertUndisturbed(room, [alice, bob]);
});

test('a text longer than anyone may send, or one that cannot be read, is its sender’s fault alone', async () => {
  const { room, alice, bob, mallory } = await circle();
  const evil = new EvilMember(mallory, bob);
  evil.post(said('text', 'x'.repeat(LIMITS.textBytes)));
  room.advance(250);
  assert.equal(bob.texts.at(-1)?.length, LIMITS.textBytes);
  evil.post(said('text', 'é'.repeat(LIMITS.textBytes / 2 + 1)));
  evil.post(Uint8Array.of(99, 0, 0));
  evil.post(said('text', 'short again'));
  room.advance(250);
  for (const member of [alice, bob]) {
    assert.deepEqual([...new Set(member.alarms)], ['unreadable']);
    assert.equal(member.texts.at(-1), 'short again');
    assert.ok(member.texts.every((text) => !text.startsWith('é')));
    assert.equal(member.eventsOf('unopened').length, 2);
  }
  assertUndisturbed(room, [alice, bob]);
});

test('a chain that is over, announced again, closes that member’s connection and alarms nobody', async () => {
  const { room, alice, bob, mallory } = await circle();
  const [old] = mallory.sent.filter((frame) => frameType(frame) === SESSION_FRAME.wraps);
  assert.ok(old);
  room.advance(LIMITS.chainMs);
  say(room, mallory, 'under a new chain');
  mallory.send(old);
  room.pump();
  assert.deepEqual(
    mallory.eventsOf('closed').map(({ reason }) => reason),
    ['protocol'],
  );
  assertCalm(room, [alice, bob]);
});

test('wraps for someone absent: one member’s flood does not push out what another wrapped', async () => {
  const { room, alice, bob, mallory } = await circle({ limits: { wrapsWaitingPerMember: 8 } });
  const { announcement, wraps } = Wraps.decode(
    bodiesOf(mallory.sent, SESSION_FRAME.wraps).at(-1) ?? assert.fail(),
  );
  const forBob = wraps.find(({ memberId }) => Buffer.from(memberId).toString('hex') === bob.key);
  assert.ok(forBob);
  room.advance(LIMITS.chainMs - 10_000);
  bob.loseLine();
  room.advance(10_000);
  // Her chain is an hour old: this one is new, and bob is handed its key when he is back.
  say(room, alice, 'wrapped for bob');
  for (let count = 0; count < 40; count += 1) {
    mallory.send(encodeFrame(SESSION_FRAME.wraps, Wraps.encode({ announcement, wraps: [forBob] })));
  }
  room.pump();
  assert.equal(mallory.outcome.kind, 'in');
  bob.comeBack();
  room.pump();
  const waited = bob.line?.sentByHost.filter((frame) => frameType(frame) === SESSION_FRAME.wrap).length ?? 0;
  assert.ok(waited > 1 && waited <= 8, `${waited} waited`);
  assert.equal(bob.texts.at(-1), 'wrapped for bob');
  assert.deepEqual(bob.eventsOf('unopened'), []);
});

test('wraps larger than RSA makes them, or two for one member, close the connection and are not kept', async () => {
  const twists: readonly ((wrap: Wrap) => Wrap[])[] = [
    (wrap) => [{ ...wrap, rsaCiphertext: new Uint8Array(60_000) }],
    (wrap) => [{ ...wrap, rsaCiphertext: new Uint8Array(100) }],
    (wrap) => [wrap, wrap],
  ];
  for (const twist of twists) {
    const { room, alice, bob, mallory } = await circle();
    const { announcement, wraps } = Wraps.decode(
      bodiesOf(mallory.sent, SESSION_FRAME.wraps).at(-1) ?? assert.fail(),
    );
    const body = Wraps.encode({ announcement, wraps: wraps.flatMap(twist) });
    mallory.send(encodeFrame(SESSION_FRAME.wraps, body));
    room.pump();
    assert.equal(mallory.eventsOf('closed')[0]?.reason, 'protocol');
    assertCalm(room, [alice, bob]);
  }
});

test('P45 a flood of any frame closes the flooder only, after a bounded number of answers', async () => {
  const floods: Record<string, (circle: Circle) => Uint8Array> = {
    'requests for keys': ({ bob }) =>
      encodeFrame(
        SESSION_FRAME.pullKeys,
        PullKeys.encode({ members: Array.from({ length: 24 }, () => bob.identity.memberId) }),
      ),
    pings: () => encodeFrame(SESSION_FRAME.ping, new Uint8Array()),
    pongs: () => encodeFrame(SESSION_FRAME.pong, new Uint8Array()),
    'empty wraps': ({ mallory }) => {
      const { announcement } = Wraps.decode(
        bodiesOf(mallory.sent, SESSION_FRAME.wraps).at(-1) ?? assert.fail(),
      );
      return encodeFrame(SESSION_FRAME.wraps, Wraps.encode({ announcement, wraps: [] }));
    },
  };
  for (const [name, make] of Object.entries(floods)) {
    const all = await circle();
    const { room, alice, bob, mallory } = all;
    const frame = make(all);
    const { line } = mallory;
    assert.ok(line);
    // What the host answers is for the flood, and not for the honest machine behind it.
    line.toMember = (answer) => (frameType(answer) === SESSION_FRAME.close ? [answer] : []);
    const before = line.sentByHost.length;
    for (let count = 0; count < 2 * LIMITS.framesPerMemberBurst; count += 1) mallory.send(frame);
    room.pump();
    assert.equal(mallory.eventsOf('closed')[0]?.reason, 'protocol', name);
    assert.ok(line.sentByHost.length - before <= LIMITS.framesPerMemberBurst + 1, name);
    assertCalm(room, [alice, bob]);
  }
});

test('P45 posts beyond the rate are told to wait, and a flood of them closes the flooder only', async () => {
  const { room, alice, bob, mallory } = await circle();
  const { line } = mallory;
  const post = mallory.sent.findLast((frame) => frameType(frame) === SESSION_FRAME.post);
  assert.ok(line && post);
  line.toMember = (answer) => (frameType(answer) === SESSION_FRAME.close ? [answer] : []);
  for (let count = 0; count < 2 * LIMITS.framesPerMemberBurst; count += 1) mallory.send(post);
  room.pump();
  assert.equal(mallory.eventsOf('closed')[0]?.reason, 'protocol');
  assertCalm(room, [alice, bob]);
});

test('P45 whoever says more than the rates allow, without end, is slowed down and not taken for a flooder', async () => {
  const { room, alice, bob } = await circle({ limits: { framesPerMemberBurst: 128 } });
  let said = 0;
  // The room is busy: something arrives all the time, and the sender looks each time whether it may go on.
  for (let step = 0; step < 500; step += 1) {
    while (alice.session.unplaced < LIMITS.outboxMessages) alice.say(`line ${said++}`);
    if (step % 10 === 0) bob.say(`answer ${step}`);
    room.clock.nowMs += 10;
    room.tick();
  }
  assert.equal(alice.outcome.kind, 'in');
  const placed = bob.messages.filter(({ from }) => from.nick === 'alice').length;
  assert.ok(placed > 5 * LIMITS.messagesPerMemberPerSecond, `${placed} in five seconds`);
  assert.deepEqual([alice.alarms, bob.alarms], [[], []]);
});

test('P45 someone who can open nothing asks for keys no faster than the host passes requests on', async () => {
  const { room, mallory } = await circle();
  const last = mallory.sent.findLast((frame) => frameType(frame) === SESSION_FRAME.post) ?? assert.fail();
  const header = MessageHeader.decode(Post.decode(frameBody(last)).header);
  const requests = new KeyRequests(room.id, ROOM_CONVERSATION, await dsaIdentity(0));
  const asked = (nowMs: number): number => {
    let count = 0;
    for (let chain = 0; chain < 200; chain += 1) {
      const chainId = newChainId(chain, new Uint8Array(4));
      if (requests.ask({ ...header, chainId }, 1, nowMs + chain) !== null) count += 1;
    }
    return count;
  };
  assert.equal(asked(0), LIMITS.needKeyPerMinute);
  assert.equal(asked(30_000), 0);
  assert.equal(asked(61_000), LIMITS.needKeyPerMinute);
});
