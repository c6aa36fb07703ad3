/** A locked room: nobody new, whoever they are and wherever they stand; everyone who is in stays in and comes back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ADMISSION_FRAME } from '../../src/protocol/admission-frames.ts';
import { RawCandidate } from '../helpers/door.ts';
import { RIGHT_ANSWER } from '../helpers/line.ts';
import { openRoom, type TestRoom } from '../helpers/room.ts';

function lock(room: TestRoom, locked = true): void {
  room.perform(room.room.change({ locked }, room.clock.moment));
  room.advance(500);
}

test('P53 whoever holds an invitation is told that the room is locked; whoever holds none is told nothing', async () => {
  const room = await openRoom();
  const invitation = room.invite();
  lock(room);
  const holder = await RawCandidate.at(room, { place: 9 });
  holder.hello(invitation);
  assert.equal(holder.refused?.reason, 'locked');
  assert.ok(holder.closed);
  const stranger = await RawCandidate.at(room, { place: 9 });
  stranger.hello({ ...invitation, admissionKey: new Uint8Array(32).fill(3) });
  assert.equal(stranger.refused?.reason, 'not-recognised');
});

test('P53 people on their way when the lock falls are refused at their next step, and lose no try by it', async () => {
  const room = await openRoom();
  const invitation = room.invite({ uses: 9 });
  const atQuestion = await RawCandidate.at(room, { place: 9 });
  atQuestion.hello(invitation);
  const atProof = await RawCandidate.at(room, { place: 10 });
  atProof.hello(invitation);
  atProof.answer();
  const atCode = await RawCandidate.at(room, { place: 11 });
  atCode.toCode(invitation);
  lock(room);
  atQuestion.answer();
  assert.equal(atQuestion.refused?.reason, 'locked');
  atCode.join({ code: 'abcdef' });
  assert.equal(atCode.refused?.reason, 'locked');
  atProof.prove();
  assert.equal(
    atProof.lastType,
    ADMISSION_FRAME.proved,
    'a guess under way is decided, so its try comes back',
  );
  atProof.join();
  assert.equal(atProof.refused?.reason, 'locked');
  const { triesLeft, usesLeft } = room.room.invitations.find(invitation.key) ?? assert.fail();
  assert.deepEqual({ triesLeft, usesLeft }, { triesLeft: room.limits.triesPerInvitation, usesLeft: 9 });
});

test('a lock says what it is before a full room does, and not before a withdrawn invitation', async () => {
  const room = await openRoom({ maxMembers: 1 });
  await room.join('alice', { crowd: true });
  const revoked = room.invite();
  room.room.invitations.revoke(revoked.key);
  lock(room);
  const [first, second] = [
    await RawCandidate.at(room, { place: 9 }),
    await RawCandidate.at(room, { place: 9 }),
  ];
  first.hello(room.invite());
  second.hello(revoked);
  assert.deepEqual([first.refused?.reason, second.refused?.reason], ['locked', 'revoked']);
});

test('members come back to a locked room, by login and by the whole way', async () => {
  const room = await openRoom();
  const code = () => room.room.code.value;
  const twice = { answers: [RIGHT_ANSWER, RIGHT_ANSWER], codes: [code, code], nicks: ['bob', 'bob'] };
  const alice = await room.join('alice', { crowd: true });
  const bob = await room.join('bob', { crowd: true, ...twice });
  const again = room.invite();
  bob.loseLine();
  bob.knock(again);
  // The JOIN is on its way as the lock falls.
  while (bob.asked.filter(({ what }) => what === 'code').length < 2) assert.ok(room.step());
  room.perform(room.room.change({ locked: true }, room.clock.moment));
  alice.loseLine();
  alice.comeBack();
  room.advance(1_000);
  assert.ok(alice.live && bob.live);
  assert.equal(room.room.members.length, 2);
  assert.equal(room.room.settings.locked, true);
});

test('an approved person whose signature is due with the lock is still in; unlocked, everyone may come', async () => {
  const room = await openRoom();
  const invitation = room.invite({ uses: 9 });
  await room.join('alice', { crowd: true });
  const approved = await RawCandidate.at(room, { place: 9 });
  approved.toCode(invitation);
  approved.join({ nick: 'bob' });
  lock(room);
  assert.equal(approved.lastType, ADMISSION_FRAME.welcome);
  lock(room, false);
  await room.join('carol', { crowd: true, invitation });
});

test('the host\u2019s own way in is open while the room is locked', async () => {
  const room = await openRoom();
  lock(room);
  const owner = await room.join('owner', { crowd: true, invitation: room.invite({ role: 'owner' }) });
  assert.ok(owner.live);
});
