/** A room that was opened again, and what its host had not got round to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openRoom, type TestRoom } from '../helpers/room.ts';
import { createStore, newPath, openStore } from '../helpers/room-file.ts';

function keyOf({ room }: TestRoom, called: string): string {
  const member = room.members.find(({ nick }) => nick === called);
  assert.ok(member, called);
  return member.key;
}

test('a ban that was written down before it was signed is signed once the room is open again', async () => {
  const path = newPath();
  const store = createStore(path);
  const room = await openRoom({ keeps: 'ciphertext', store });
  await room.join('alice');
  await room.join('bob');
  room.advance(1_000);
  const { moment } = room.clock;
  // One operation has just been signed: the next comes a moment later.
  room.perform(room.room.setRole(keyOf(room, 'alice'), 'moderator', moment));
  room.perform(room.room.ban(keyOf(room, 'bob'), null, moment));
  assert.ok(keyOf(room, 'bob'));
  room.room.save();
  store.commit();
  store.close();

  const again = await openRoom({ keeps: 'ciphertext', store: openStore(path), startMs: room.clock.nowMs });
  again.advance(1_000);
  assert.deepEqual(
    again.room.members.map(({ nick, role }) => `${nick} ${role}`),
    ['alice moderator'],
  );
  assert.deepEqual(
    again.room.bans.map(({ nick }) => nick),
    ['bob'],
  );
});

test('what the host did moments before it closed the room is so when it is open again', async () => {
  const path = newPath();
  const store = createStore(path);
  const room = await openRoom({ keeps: 'ciphertext', store });
  await room.join('alice');
  room.advance(1_000);
  const { moment } = room.clock;
  room.perform(room.room.setRole(keyOf(room, 'alice'), 'moderator', moment));
  room.perform(room.room.change({ topic: 'dinner' }, moment));
  room.perform(room.room.close('paused', 'closed for now', moment));
  room.room.save();
  store.commit();
  store.close();

  const again = await openRoom({ keeps: 'ciphertext', store: openStore(path), startMs: room.clock.nowMs });
  assert.equal(again.room.settings.topic, 'dinner');
  assert.deepEqual(
    again.room.members.map(({ nick, role }) => `${nick} ${role}`),
    ['alice moderator'],
  );
});
