/** How a membership ends or goes on: removal, leaving, absence, second logins. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frameBody } from '../../src/protocol/framing.ts';
import { ANY_SESSION } from '../../src/protocol/identifiers.ts';
import { Close } from '../../src/protocol/session-frames.ts';
import type { RoomNotice } from '../../src/room/effects.ts';
import { NO_SESSION, RawCandidate } from '../helpers/door.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';

const MINUTE_MS = 60_000;
const ABSENCE_MS = 15 * MINUTE_MS;

function nicks(room: TestRoom): readonly string[] {
  return room.room.members.map(({ nick }) => nick).sort();
}

function remove(room: TestRoom, key: string): void {
  room.perform(room.room.remove(key, room.clock.moment));
  room.pump();
}

test('someone removed is told, closed, shown as removed to everyone, and cannot log in', async () => {
  const room = await openRoom();
  const alice = await room.join('alice', { crowd: true });
  const bob = await room.join('bob', { crowd: true });
  room.advance(1_000);
  remove(room, bob.key);
  assert.deepEqual(nicks(room), ['alice']);
  assert.deepEqual(
    bob.eventsOf('closed').map(({ reason }) => reason),
    ['removed'],
  );
  assert.ok(bob.line?.closed);
  const changes = alice.eventsOf('roster').flatMap(({ change }) => change.removed);
  assert.deepEqual(
    changes.map(({ member, reason }) => [member.nick, reason]),
    [['bob', 'removed']],
  );
  bob.comeBack();
  room.pump();
  assert.deepEqual(bob.outcome, { kind: 'refused', reason: 'not-recognised', triesLeft: 0 });
});

test('a login under way when its member is removed is refused', async () => {
  const room = await openRoom();
  const bob = await room.join('bob', { crowd: true });
  bob.loseLine();
  room.advance(1_000);
  const returning = await RawCandidate.at(room, { place: 0 });
  const { accountKey = new Uint8Array() } = bob.welcome ?? {};
  returning.helloAs(bob.identity.memberId, accountKey, { mode: 'login' });
  remove(room, bob.key);
  returning.login({ accountKey });
  assert.equal(returning.refused?.reason, 'not-recognised');
  assert.ok(returning.closed);
});

test('a login between a removal and the owner\u2019s signature ends with it', async () => {
  const room = await openRoom();
  const bob = await room.join('bob', { crowd: true });
  bob.loseLine();
  room.advance(1_000);
  await room.join('alice', { crowd: true });
  // Alice's operation was just signed: the removal waits a quarter of a second.
  remove(room, bob.key);
  bob.comeBack();
  room.advance(500);
  assert.deepEqual(nicks(room), ['alice']);
  assert.ok(bob.line?.closed);
});

test('someone away for fifteen minutes is removed with the next minute, and the nickname is free', async () => {
  const room = await openRoom();
  const alice = await room.join('alice', { crowd: true });
  const bob = await room.join('bob', { crowd: true });
  bob.loseLine();
  room.advance(ABSENCE_MS - 250);
  assert.deepEqual(nicks(room), ['alice', 'bob']);
  room.advance(250 + MINUTE_MS - 250);
  assert.deepEqual(nicks(room), ['alice', 'bob'], 'absences are signed once a minute');
  room.advance(500);
  assert.deepEqual(nicks(room), ['alice']);
  assert.deepEqual(
    alice.eventsOf('roster').flatMap(({ change }) => change.removed.map(({ reason }) => reason)),
    ['absent'],
  );
  await room.join('bob', { crowd: true });
  assert.deepEqual(nicks(room), ['alice', 'bob']);
});

test('absences of one minute are one operation', async () => {
  const room = await openRoom();
  await room.join('alice', { crowd: true });
  const away = [await room.join('bob', { crowd: true }), await room.join('carol', { crowd: true })];
  for (const member of away) {
    member.loseLine();
    room.advance(10_000);
  }
  const { epoch } = room.room.position;
  room.advance(ABSENCE_MS + MINUTE_MS);
  assert.deepEqual(nicks(room), ['alice']);
  assert.equal(room.room.position.epoch, epoch + 1);
});

test('someone back before their absence is signed stays, and nothing is signed', async () => {
  const room = await openRoom();
  await room.join('alice', { crowd: true });
  const bob = await room.join('bob', { crowd: true });
  bob.loseLine();
  room.advance(ABSENCE_MS + MINUTE_MS / 2);
  const { epoch } = room.room.position;
  bob.comeBack();
  room.advance(2 * MINUTE_MS);
  assert.ok(bob.live);
  assert.equal(room.room.position.epoch, epoch, 'an operation without a change would be noise');
});

test('someone removed while away stays removed, whatever their absence says', async () => {
  const room = await openRoom();
  const bob = await room.join('bob', { crowd: true });
  bob.loseLine();
  room.advance(ABSENCE_MS - 100);
  await room.join('alice', { crowd: true });
  // The operation for Alice was just signed, so the removal waits; a tick comes first.
  remove(room, bob.key);
  room.clock.nowMs += 100;
  room.tick();
  bob.comeBack();
  room.advance(500);
  assert.deepEqual(nicks(room), ['alice']);
});

test('someone who leaves is off the roster at once, and cannot log in', async () => {
  const room = await openRoom();
  const alice = await room.join('alice', { crowd: true });
  const bob = await room.join('bob', { crowd: true });
  room.advance(1_000);
  bob.leave();
  room.pump();
  assert.deepEqual(nicks(room), ['alice']);
  assert.deepEqual(
    bob.eventsOf('closed').map(({ reason }) => reason),
    ['bye'],
  );
  assert.deepEqual(
    alice.eventsOf('roster').flatMap(({ change }) => change.removed.map(({ reason }) => reason)),
    ['left'],
  );
  bob.comeBack();
  room.pump();
  assert.deepEqual(bob.outcome, { kind: 'refused', reason: 'not-recognised', triesLeft: 0 });
});

test('P36 a second login that quotes no session is refused, and the first goes on', async () => {
  const room = await openRoom();
  const alice = await room.join('alice', { crowd: true });
  const bob = await room.join('bob', { crowd: true });
  const second = await RawCandidate.at(room, { place: 1 });
  const { accountKey = new Uint8Array() } = bob.welcome ?? {};
  second.helloAs(bob.identity.memberId, accountKey, { mode: 'login' });
  second.login({ accountKey, replaces: NO_SESSION });
  assert.equal(second.refused?.reason, 'already-online');
  alice.say('still there?');
  room.pump();
  assert.deepEqual(bob.texts, ['still there?']);
});

test('P36 a login that takes over replaces whatever session there is, and exactly one goes on', async () => {
  const room = await openRoom();
  const alice = await room.join('alice', { crowd: true });
  const bob = await room.join('bob', { crowd: true });
  room.advance(1_000);
  const first = bob.line;
  bob.comeBack({ replaces: ANY_SESSION });
  room.pump();
  assert.ok(bob.live);
  assert.ok(first?.closed);
  const last = first.sentByHost.at(-1);
  assert.ok(last);
  assert.equal(Close.decode(frameBody(last)).reason, 'replaced');
  assert.deepEqual(alice.eventsOf('presence'), []);
  alice.say('to one of you');
  room.pump();
  assert.deepEqual(bob.texts, ['to one of you']);
});

test('P36 a login that quotes its session replaces it, and nobody is told of a coming or going', async () => {
  const room = await openRoom();
  const alice = await room.join('alice', { crowd: true });
  const bob = await room.join('bob', { crowd: true });
  room.advance(1_000);
  const first = bob.line;
  const heard = alice.events.length;
  const noticed = room.notices.length;
  bob.comeBack();
  room.pump();
  room.advance(1_000);
  assert.ok(first?.closed);
  assert.ok(bob.live);
  assert.deepEqual(alice.events.slice(heard), []);
  const presence = room.notices.slice(noticed).filter(({ kind }: RoomNotice) => kind === 'presence');
  assert.deepEqual(presence, []);
});

test('a login with the account key but not the identity\u2019s signature is refused', async () => {
  const room = await openRoom();
  const bob = await room.join('bob', { crowd: true });
  bob.loseLine();
  const thief = await RawCandidate.at(room, { place: 9 });
  const { accountKey = new Uint8Array() } = bob.welcome ?? {};
  thief.helloAs(bob.identity.memberId, accountKey, { mode: 'login' });
  thief.login({ accountKey });
  assert.equal(thief.refused?.reason, 'not-recognised');
  assert.ok(thief.closed);
});
