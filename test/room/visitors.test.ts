/** What the host sees of its door: who stands at which check, and how each of them left. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RoomNotice } from '../../src/room/effects.ts';
import { RawCandidate } from '../helpers/door.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';

function stages(room: TestRoom): readonly string[] {
  return room.room.atDoor.map(({ stage }) => stage);
}

function doorNotices(room: TestRoom): readonly string[] {
  return room.notices.flatMap((notice: RoomNotice) => {
    if (notice.kind === 'door') return [notice.stage];
    if (notice.kind === 'door-left') return [`${notice.how} ${notice.reason ?? ''}`.trim()];
    return notice.kind === 'refused' ? [`stranger ${notice.reason}`] : [];
  });
}

test('each check is shown as it is reached, and the end of the visit', async () => {
  const room = await openRoom();
  const candidate = await RawCandidate.at(room, { place: 9 });
  const invitation = room.invite();
  candidate.hello(invitation);
  const { nowMs } = room.clock;
  assert.deepEqual(room.room.atDoor, [
    {
      holder: candidate.line.id,
      invitation: invitation.key,
      stage: 'question',
      sinceMs: nowMs,
      nick: null,
      fingerprint: null,
    },
  ]);
  room.advance(1_000);
  candidate.answer();
  assert.deepEqual(stages(room), ['answer-tested']);
  assert.equal(room.room.atDoor[0]?.sinceMs, nowMs + 1_000, 'since when they stand at this check');
  candidate.prove();
  assert.deepEqual(stages(room), ['answer-proved']);
  candidate.join({ code: 'abcdef' });
  assert.deepEqual(stages(room), ['wrong-code']);
  candidate.join({ nick: 'admin' });
  assert.deepEqual(stages(room), ['nick-refused']);
  candidate.join();
  room.advance(500);
  assert.deepEqual(stages(room), []);
  assert.deepEqual(doorNotices(room), [
    'question',
    'answer-tested',
    'answer-proved',
    'wrong-code',
    'nick-refused',
    'admitted',
  ]);
});

test('whoever turns away is told of once, whichever way it went', async () => {
  const room = await openRoom();
  const ways: Readonly<Record<string, (candidate: RawCandidate) => void>> = {
    gone: (candidate) => room.cut(candidate.line),
    'refused answer-unproved': (candidate) => {
      candidate.answer();
      candidate.proveNothing();
    },
    'refused timed-out': (candidate) =>
      room.perform(room.room.turnAway(candidate.line.id, 'timed-out', room.clock.moment)),
    refused: (candidate) => candidate.join(),
  };
  for (const [end, go] of Object.entries(ways)) {
    room.notices.length = 0;
    const candidate = await RawCandidate.at(room, { place: 9 });
    candidate.hello(room.invite());
    go(candidate);
    room.pump();
    const told = doorNotices(room);
    assert.equal(told[0], 'question');
    assert.equal(told.at(-1), end);
    assert.equal(told.filter((word) => /gone|refused|admitted|stranger/.test(word)).length, 1, end);
    assert.deepEqual(room.room.atDoor, [], end);
  }
});

test('strangers and members who come back do not stand in view; a stranger refused is told of', async () => {
  const room = await openRoom();
  const alice = await room.join('alice', { crowd: true });
  room.notices.length = 0;
  const stranger = await RawCandidate.at(room, { place: 9 });
  stranger.hello({ ...room.invite(), admissionKey: new Uint8Array(32).fill(3) });
  alice.loseLine();
  alice.comeBack();
  room.pump();
  assert.ok(alice.live);
  assert.deepEqual(doorNotices(room), ['stranger not-recognised']);
  assert.deepEqual(room.room.atDoor, []);
});
