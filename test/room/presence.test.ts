/** Who is here, away or gone, as the host tells it and members see it. Time is a test's. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFrame, frameBody, frameType } from '../../src/protocol/framing.ts';
import { ListPage, PRESENCE_BYTES, Presence, SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { bodiesOf } from '../helpers/evil-host.ts';
import type { MemberOptions, TestMember } from '../helpers/member.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';

const SECOND_MS = 1_000;
/** To the host, gathered there for a tick, and on to the others. */
const TOLD_MS = 500;
const MINUTE_MS = 60_000;

async function trio(bobs: Partial<MemberOptions> = {}): Promise<{
  room: TestRoom;
  alice: TestMember;
  bob: TestMember;
  carol: TestMember;
}> {
  const room = await openRoom();
  const alice = await room.join('alice', { crowd: true });
  const bob = await room.join('bob', { crowd: true, ...bobs });
  const carol = await room.join('carol', { crowd: true });
  room.advance(SECOND_MS);
  return { room, alice, bob, carol };
}

/** What a member saw others do, from the event of that number on. */
function seen(member: TestMember, from = 0): readonly string[] {
  return member
    .eventsOf('presence')
    .slice(from)
    .map(({ member: { nick }, before, presence }) => `${nick} ${before} ${presence}`);
}

function shownTo(member: TestMember, nick: string) {
  const { presence, online, lastSeenMs } =
    member.session.members.find((shown) => shown.member.nick === nick) ?? assert.fail(`no ${nick}`);
  return { presence, online, lastSeenMs };
}

function framesOf(member: TestMember, type: number): number {
  return member.sent.filter((frame) => frameType(frame) === type).length;
}

test('who is away is shown so to all, to whoever joins then, and counts as online', async () => {
  const { room, alice, bob, carol } = await trio();
  bob.setAway(true);
  room.advance(TOLD_MS);
  for (const other of [alice, carol]) {
    assert.deepEqual(seen(other), ['bob online away']);
    assert.deepEqual(shownTo(other, 'bob'), { presence: 'away', online: true, lastSeenMs: null });
    assert.equal(other.session.onlineCount, 3);
  }
  assert.deepEqual(shownTo(bob, 'bob').presence, 'away', 'to oneself as well');
  const dave = await room.join('dave', { crowd: true });
  assert.equal(shownTo(dave, 'bob').presence, 'away');
  bob.setAway(false);
  room.advance(TOLD_MS);
  for (const other of [alice, carol]) assert.deepEqual(seen(other, 1), ['bob away online']);
  assert.deepEqual(seen(dave), ['bob away online']);
  assert.deepEqual(
    room.notices.flatMap((notice) =>
      notice.kind === 'presence' ? [[notice.before, notice.presence, notice.online]] : [],
    ),
    [
      ['online', 'away', true],
      ['away', 'online', true],
    ],
    'the host is told the same',
  );
});

test('saying something ends being away, and that is told once', async () => {
  const { room, alice, bob } = await trio();
  bob.setAway(true);
  bob.setAway(true);
  room.advance(SECOND_MS);
  bob.say('I am here');
  bob.say('and still am');
  room.advance(SECOND_MS);
  assert.deepEqual(seen(alice), ['bob online away', 'bob away online']);
  assert.deepEqual(alice.texts, ['I am here', 'and still am']);
  assert.equal(framesOf(bob, SESSION_FRAME.away), 2, 'one to go, one to be back');
  assert.equal(bob.session.isAway, false);
});

test('a lost line ends being away for the others, until they are back and it holds again', async () => {
  const { room, alice, bob } = await trio();
  bob.setAway(true);
  room.advance(TOLD_MS);
  bob.loseLine();
  room.advance(TOLD_MS);
  assert.equal(shownTo(alice, 'bob').presence, 'offline');
  bob.comeBack();
  room.advance(TOLD_MS);
  assert.deepEqual(seen(alice), ['bob online away', 'bob away offline', 'bob offline away']);
  bob.loseLine();
  bob.setAway(false);
  room.advance(TOLD_MS);
  bob.comeBack();
  room.advance(TOLD_MS);
  assert.equal(shownTo(alice, 'bob').presence, 'online', 'taken back without a line');
});

test('someone away whose line is replaced unnoticed is not seen to move', async () => {
  const { room, alice, bob } = await trio();
  bob.setAway(true);
  room.advance(TOLD_MS);
  bob.comeBack();
  room.advance(SECOND_MS);
  assert.ok(bob.live);
  assert.deepEqual(seen(alice), ['bob online away']);
});

test('last seen is told to the minute, rounded down, and only of who is gone', async () => {
  const { room, alice, bob, carol } = await trio();
  const minuteMs = room.clock.nowMs - (room.clock.nowMs % MINUTE_MS);
  room.advance(minuteMs + MINUTE_MS - 250 - room.clock.nowMs);
  bob.loseLine();
  room.advance(TOLD_MS);
  const gone = { presence: 'offline', online: false, lastSeenMs: minuteMs } as const;
  assert.deepEqual(shownTo(alice, 'bob'), gone);
  assert.deepEqual(seen(carol), ['bob online offline']);
  room.advance(5 * MINUTE_MS);
  const dave = await room.join('dave', { crowd: true });
  assert.deepEqual(shownTo(dave, 'bob'), gone, 'the list says the same');
  bob.comeBack();
  room.advance(TOLD_MS);
  for (const other of [alice, dave])
    assert.deepEqual(shownTo(other, 'bob'), { presence: 'online', online: true, lastSeenMs: null });
});

test('of who has last seen turned off, no frame to anyone holds a time', async () => {
  const { room, alice, bob } = await trio({ prefers: { stays: false, receipts: true, lastSeen: false } });
  bob.loseLine();
  room.advance(MINUTE_MS);
  assert.deepEqual(shownTo(alice, 'bob'), { presence: 'offline', online: false, lastSeenMs: null });
  const dave = await room.join('dave', { crowd: true });
  assert.deepEqual(shownTo(dave, 'bob'), { presence: 'offline', online: false, lastSeenMs: null });
  const sent = room.members.flatMap(({ lines }) => lines.flatMap(({ sentByHost }) => sentByHost));
  const minutes = bodiesOf(sent, SESSION_FRAME.presence).flatMap((body) =>
    Presence.decode(body).changes.map(({ seenMinute }) => seenMinute),
  );
  assert.ok(minutes.length > 0);
  assert.deepEqual(new Set(minutes), new Set([0]));
  for (const body of bodiesOf(sent, SESSION_FRAME.list)) {
    const { presence } = ListPage.decode(body);
    const view = new DataView(presence.buffer, presence.byteOffset);
    for (let at = 0; at < presence.length; at += PRESENCE_BYTES) assert.equal(view.getUint32(at + 1), 0);
  }
});

test('what they want is told on every connection', async () => {
  const { room, bob } = await trio({ prefers: { stays: false, receipts: true, lastSeen: true } });
  assert.equal(framesOf(bob, SESSION_FRAME.prefer), 1);
  bob.loseLine();
  bob.comeBack();
  room.advance(TOLD_MS);
  assert.equal(framesOf(bob, SESSION_FRAME.prefer), 2);
});

test('what the program before wanted does not outlive it', async () => {
  const { room, alice, bob } = await trio({ prefers: { stays: false, receipts: false, lastSeen: false } });
  bob.loseLine();
  room.advance(TOLD_MS);
  assert.equal(shownTo(alice, 'bob').lastSeenMs, null);
  const prefers = { stays: false, receipts: true, lastSeen: true };
  const again = await room.person('bob', { identity: bob.identity, firstGeneration: 1_000_000, prefers });
  again.knock(room.invite());
  room.advance(SECOND_MS);
  assert.ok(again.live);
  again.loseLine();
  room.advance(TOLD_MS);
  assert.ok(shownTo(alice, 'bob').lastSeenMs);
});

test('a list whose presence is not five bytes for each entry is refused', async () => {
  for (const change of [(bytes: Uint8Array) => bytes.subarray(1), (bytes: Uint8Array) => bytes.slice(0, 0)]) {
    const room = await openRoom();
    await room.join('alice', { crowd: true });
    const bob = await room.person('bob', { crowd: true });
    const line = bob.knock(room.invite());
    line.toMember = (frame) => {
      if (frameType(frame) !== SESSION_FRAME.list) return [frame];
      const page = ListPage.decode(frameBody(frame));
      return [encodeFrame(SESSION_FRAME.list, ListPage.encode({ ...page, presence: change(page.presence) }))];
    };
    room.pump();
    room.advance(SECOND_MS);
    assert.equal(bob.outcome.kind, 'failed');
    assert.deepEqual(bob.eventsOf('joined'), []);
  }
});

test('a line dead in one half is noticed within a minute: by the host and all others, and by its member', async () => {
  const { room, alice, bob, carol } = await trio();
  assert.ok(bob.line && carol.line);
  // Nothing of bob arrives; nothing arrives at carol. Both have just been heard.
  bob.line.toHost = () => [];
  carol.line.toMember = () => [];
  room.advance(MINUTE_MS - 2 * SECOND_MS);
  assert.equal(shownTo(alice, 'bob').presence, 'offline');
  assert.equal(bob.line.closed, true);
  assert.equal(carol.session.isDead(room.clock.nowMs), true);
  assert.equal(alice.session.isDead(room.clock.nowMs), false);
  assert.equal(shownTo(alice, 'carol').presence, 'online', 'the host still hears her');
});

test('one who toggles is news four times a second at most, and one frame a tick', async () => {
  const { room, alice, bob } = await trio();
  const before = alice.line?.sentByHost.length ?? 0;
  for (let toggle = 0; toggle < 41; toggle += 1) bob.setAway(toggle % 2 === 0);
  room.pump();
  room.advance(TOLD_MS);
  assert.deepEqual(seen(alice), ['bob online away']);
  const frames = alice.line?.sentByHost.slice(before).map(frameType) ?? [];
  assert.equal(frames.filter((type) => type === SESSION_FRAME.presence).length, 1);
});
