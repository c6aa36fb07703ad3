/**
 * The rows of the limits table that the door keeps. Counting connections and addresses: test/room/door-gate.test.ts;
 * frame sizes and queues: test/transport/.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMISSION_FRAME } from '../../src/protocol/admission-frames.ts';
import { LIMITS, type Limits } from '../../src/protocol/limits.ts';
import { PROTOCOL_VERSION, SUITE } from '../../src/protocol/version.ts';
import { DoorGate } from '../../src/room/door-gate.ts';
import type { Gate } from '../../src/room/entrance.ts';
import { RawCandidate } from '../helpers/door.ts';
import { openRoom } from '../helpers/room.ts';

interface CountingGate {
  readonly gate: Gate;
  readonly door: DoorGate;
  readonly arrive: (id: number, address?: string) => void;
  failed: number;
}

/** The product's gate, for lines that all come from here. */
function countingGate(limits: Limits = LIMITS): CountingGate {
  const door = new DoorGate(limits);
  const counted: CountingGate = {
    failed: 0,
    door,
    arrive: (id, address = '127.0.0.1') => {
      door.arrive(id, address, 0);
    },
    gate: {
      recognised: (holder, purpose) => door.promoted(holder, purpose),
      unrecognised: () => {
        counted.failed += 1;
      },
      proved: (holder) => door.proved(holder),
      judged: (holder) => door.judged(holder),
      admitted: (holder) => door.left(holder),
    },
  };
  return counted;
}

test('frame before admission / after: the larger limit comes with WELCOME and not before', async () => {
  const room = await openRoom();
  const candidate = await RawCandidate.at(room, { place: 9 });
  candidate.toCode(room.invite());
  assert.equal(candidate.line.admitted, false);
  candidate.join({ code: 'abcdef' });
  assert.equal(candidate.line.admitted, false);
  candidate.join();
  assert.equal(candidate.lastType, ADMISSION_FRAME.welcome);
  assert.equal(candidate.line.admitted, true);
});

test('frame before admission: the largest honest one fits', async () => {
  const room = await openRoom();
  const alice = await room.join('a'.repeat(LIMITS.nicknameCharactersMost));
  const largest = Math.max(...(alice.line?.sentByMember ?? []).map((frame) => frame.length));
  assert.ok(largest <= LIMITS.frameBytesBeforeAdmission, `${largest} bytes`);
});

test('after a valid HELLO: 64 an invitation, and the next is told to come back', async () => {
  const counted = countingGate();
  const room = await openRoom({ gate: counted.gate });
  const [crowded, other] = [room.invite({ uses: 3 }), room.invite()];
  const typing: RawCandidate[] = [];
  for (let count = 0; count <= LIMITS.candidatesPerInvitation; count += 1) {
    const candidate = await RawCandidate.at(room, { place: 9 });
    counted.arrive(candidate.line.id);
    candidate.hello(crowded);
    typing.push(candidate);
  }
  assert.equal(typing.pop()?.refused?.reason, 'busy');
  assert.ok(typing.every(({ lastType }) => lastType === ADMISSION_FRAME.question));
  const elsewhere = await RawCandidate.at(room, { place: 9 });
  counted.arrive(elsewhere.line.id);
  elsewhere.hello(other);
  assert.equal(elsewhere.lastType, ADMISSION_FRAME.question);
  // Someone admitted makes room.
  typing[0]?.answer();
  typing[0]?.prove();
  typing[0]?.join();
  const next = await RawCandidate.at(room, { place: 9 });
  counted.arrive(next.line.id);
  next.hello(crowded);
  assert.equal(next.lastType, ADMISSION_FRAME.question);
});

test('after a valid HELLO: one of many from one address makes room, unless the answer is proved', async () => {
  const counted = countingGate({ ...LIMITS, candidatesPerInvitation: 2 });
  const room = await openRoom({ gate: counted.gate });
  const invitation = room.invite({ uses: 9 });
  const from = async (address: string) => {
    const candidate = await RawCandidate.at(room, { place: 9 });
    counted.arrive(candidate.line.id, address);
    candidate.hello(invitation);
    return candidate;
  };
  const [first, second] = [await from('192.0.2.1'), await from('192.0.2.1')];
  first.answer();
  first.prove();
  const third = await from('198.51.100.1');
  assert.equal(third.lastType, ADMISSION_FRAME.question);
  assert.deepEqual(counted.door.crowdedOut(), [second.line.id]);
  room.perform(room.room.turnAway(second.line.id, 'busy', room.clock.moment));
  room.pump();
  counted.door.left(second.line.id);
  assert.equal(second.refused?.reason, 'busy');
  assert.equal((await from('203.0.113.1')).refused?.reason, 'busy', 'nobody else is to be crowded out');
});

test('waiting: the time of someone who types is over with the last check', async () => {
  const counted = countingGate();
  const room = await openRoom({ gate: counted.gate, settings: { approval: true } });
  const candidate = await RawCandidate.at(room, { place: 9 });
  counted.arrive(candidate.line.id);
  candidate.toCode(room.invite());
  const { nowMs } = room.clock;
  assert.deepEqual(counted.door.dueEvictions(nowMs), [candidate.line.id]);
  candidate.join();
  assert.equal(candidate.lastType, ADMISSION_FRAME.wait);
  assert.deepEqual(counted.door.dueEvictions(nowMs), []);
});

test('failed HELLOs: each is counted, a valid one is not', async () => {
  const counted = countingGate();
  const room = await openRoom({ gate: counted.gate });
  const invitation = room.invite();
  for (let count = 1; count <= 3; count += 1) {
    const stranger = await RawCandidate.at(room, { place: 9 });
    counted.arrive(stranger.line.id);
    stranger.helloAs(invitation.id, new Uint8Array(32).fill(count));
    assert.equal(counted.failed, count);
  }
  const others: Record<string, (stranger: RawCandidate) => void> = {
    'another version': (stranger) => stranger.hello(invitation, { version: 2 }),
    'another suite': (stranger) => stranger.hello(invitation, { suite: 2 }),
    'no body': (stranger) => stranger.send(ADMISSION_FRAME.hello),
    malformed: (stranger) => stranger.send(ADMISSION_FRAME.hello, Uint8Array.of(PROTOCOL_VERSION, SUITE, 9)),
    'another frame': (stranger) => stranger.answer(),
  };
  for (const [name, knock] of Object.entries(others)) {
    const before = counted.failed;
    const stranger = await RawCandidate.at(room, { place: 9 });
    counted.arrive(stranger.line.id);
    knock(stranger);
    assert.equal(counted.failed, before + 1, name);
    assert.ok(stranger.closed, name);
  }
  const before = counted.failed;
  const holder = await RawCandidate.at(room, { place: 9 });
  counted.arrive(holder.line.id);
  holder.hello(invitation);
  assert.equal(counted.failed, before);
});

test('after a valid HELLO: time at the door over, the connection is told and closed', async () => {
  const room = await openRoom();
  const candidate = await RawCandidate.at(room, { place: 9 });
  candidate.toCode(room.invite());
  room.perform(room.room.turnAway(candidate.line.id, 'timed-out', room.clock.moment));
  room.pump();
  assert.equal(candidate.refused?.reason, 'timed-out');
  assert.ok(candidate.closed);
});

test('tries per invitation: three answers a run, whatever tries are left', async () => {
  const room = await openRoom();
  const invitation = room.invite();
  const candidate = await RawCandidate.at(room, { place: 9 });
  candidate.hello(invitation);
  for (let count = 0; count < LIMITS.answersPerRun; count += 1) {
    candidate.answer();
    assert.equal(candidate.lastType, ADMISSION_FRAME.challenge);
  }
  candidate.answer();
  assert.equal(candidate.refused?.reason, 'too-many-answers');
  assert.equal(room.room.invitations.find(invitation.key)?.triesLeft, 2);
});

test('JOINs a run: sixteen nicknames with the code accepted once, then the run is over', async () => {
  const room = await openRoom();
  await room.join('alice', { crowd: true });
  const invitation = room.invite();
  const candidate = await RawCandidate.at(room, { place: 9 });
  candidate.toCode(invitation);
  for (let count = 0; count < LIMITS.joinsPerRun; count += 1) {
    candidate.join({ nick: 'alice', ...(count > 0 && { code: 'abcdef' }) });
    assert.equal(candidate.refused?.reason, 'nick-taken');
  }
  candidate.join({ nick: 'walter' });
  assert.equal(candidate.refused?.reason, 'timed-out');
  assert.ok(candidate.closed);
  const { triesLeft, usesLeft } = room.room.invitations.find(invitation.key) ?? assert.fail();
  assert.deepEqual({ triesLeft, usesLeft }, { triesLeft: LIMITS.triesPerInvitation, usesLeft: 1 });
});

test('members: the room is full at its number, those waiting for a signature counted, and not before', async () => {
  const room = await openRoom({ maxMembers: 3 });
  const invitation = room.invite({ uses: 9 });
  await room.join('alice', { crowd: true });
  const candidates: RawCandidate[] = [];
  for (let place = 10; place < 13; place += 1) {
    const candidate = await RawCandidate.at(room, { place });
    candidate.toCode(invitation);
    candidates.push(candidate);
  }
  for (const [count, candidate] of candidates.entries()) candidate.join({ nick: `person${count}` });
  room.advance(500);
  assert.deepEqual(
    candidates.map((candidate) => candidate.refused?.reason ?? candidate.lastType),
    [ADMISSION_FRAME.welcome, ADMISSION_FRAME.welcome, 'room-full'],
  );
  assert.equal(room.room.members.length, 3);
});

test('rosters: a rush of joins is at most four operations a second', async () => {
  const room = await openRoom();
  const people = [];
  for (let count = 0; count < 40; count += 1)
    people.push(await room.person(`person${count}`, { crowd: true }));
  const invitation = room.invite({ uses: 40 });
  const { epoch } = room.room.position;
  for (const [count, person] of people.entries()) {
    person.knock(invitation);
    room.pump();
    if (count % 4 === 3) room.advance(100);
  }
  room.advance(250);
  assert.equal(room.room.members.length, 40);
  // One second and a quarter, both ends counted.
  assert.ok(room.room.position.epoch - epoch <= 6, `${room.room.position.epoch - epoch} operations`);
});
