/** One identity, more than one way in. A member who joins again comes back; nobody becomes two. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeStatement } from '../../src/crypto/statement.ts';
import { ADMISSION_FRAME } from '../../src/protocol/admission-frames.ts';
import { RawCandidate } from '../helpers/door.ts';
import { dsaIdentity, wrapKeys } from '../helpers/keys.ts';
import { openRoom } from '../helpers/room.ts';

test('a JOIN by someone on the roster is a login: no use spent, nickname kept, one member', async () => {
  const room = await openRoom();
  const bob = await room.join('bob', { crowd: true });
  bob.loseLine();
  const invitation = room.invite({ uses: 3 });
  const epoch = room.room.position.epoch;

  const again = await RawCandidate.at(room, { place: 0 });
  again.toCode(invitation);
  again.join({ nick: 'robert' });
  assert.equal(again.lastType, ADMISSION_FRAME.welcome);
  assert.equal(room.room.invitations.find(invitation.key)?.usesLeft, 3);
  assert.deepEqual(
    room.room.members.map(({ nick }) => nick),
    ['bob'],
  );
  assert.equal(room.room.position.epoch, epoch, 'nothing for the owner to sign');
});

test('P36 a JOIN by someone who is online is a second login: refused', async () => {
  const room = await openRoom();
  const bob = await room.join('bob', { crowd: true });
  const again = await RawCandidate.at(room, { place: 0 });
  again.toCode(room.invite({ uses: 3 }));
  again.join({ nick: 'robert' });
  assert.equal(again.refused?.reason, 'already-online');
  assert.ok(bob.live);
});

test('a JOIN by someone on the roster with wrap keys older than the host has is refused', async () => {
  const room = await openRoom();
  const bob = await room.join('bob', { crowd: true });
  bob.renew(await wrapKeys(1));
  room.pump();
  bob.loseLine();
  const other = makeStatement(await dsaIdentity(0), room.id, 2, (await wrapKeys(0)).publicKeys);
  const again = await RawCandidate.at(room, { place: 0 });
  again.toCode(room.invite());
  again.join({ statement: other });
  assert.equal(again.refused?.reason, 'key-refused');
});

test('one identity twice in one rush of joins gets in once, and nobody else loses by it', async () => {
  const room = await openRoom();
  const invitation = room.invite({ uses: 16 });
  // The next operation is a quarter of a second away: everyone below waits for the same one.
  await room.join('alice', { crowd: true });
  const first = await RawCandidate.at(room, { place: 5 });
  const second = await RawCandidate.at(room, { place: 5 });
  const bystander = await RawCandidate.at(room, { place: 6 });
  for (const candidate of [first, second, bystander]) candidate.toCode(invitation);
  first.join({ nick: 'first' });
  second.join({ nick: 'second' });
  bystander.join({ nick: 'bystander' });
  room.advance(500);
  assert.equal(first.lastType, ADMISSION_FRAME.welcome);
  assert.equal(second.refused?.reason, 'already-online');
  assert.equal(bystander.lastType, ADMISSION_FRAME.welcome);
  assert.deepEqual(room.room.members.map(({ nick }) => nick).sort(), ['alice', 'bystander', 'first']);
  assert.equal(room.room.invitations.find(invitation.key)?.usesLeft, 14);
});

test('removing a member who joined twice suspends both invitations', async () => {
  const room = await openRoom();
  const [first, second] = [room.invite({ uses: 3 }), room.invite({ uses: 3 })];
  const bob = await room.join('bob', { crowd: true, invitation: first });
  bob.loseLine();
  const again = await RawCandidate.at(room, { place: 0 });
  again.toCode(second);
  again.join();
  assert.equal(again.lastType, ADMISSION_FRAME.welcome);
  room.perform(room.room.remove(bob.key, room.clock.moment));
  for (const { key } of [first, second]) assert.equal(room.room.invitations.find(key)?.suspended, true);
});
