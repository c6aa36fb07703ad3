/** A kept identity in a second run of the program, which knows nothing of the first but the key. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rsaIdentity, wrapKeys } from '../helpers/keys.ts';
import { openRoom } from '../helpers/room.ts';

test('a run that follows within the same second speaks and is heard, and nobody is alarmed', async () => {
  const room = await openRoom();
  const alice = await room.join('alice');
  const identity = await rsaIdentity(7);
  const first = await room.join('bob', { identity, wrapPair: await wrapKeys(2), firstGeneration: 100 });
  room.advance(1_000 - (room.clock.nowMs % 1_000));
  const spokenAt = Math.floor(room.clock.nowMs / 1_000);
  first.say('from the first run');
  alice.say('to the first run');
  room.pump();
  assert.deepEqual(first.texts, alice.texts);
  first.loseLine();

  const second = await room.join('robert', { identity, wrapPair: await wrapKeys(3), firstGeneration: 101 });
  assert.equal(Math.floor(room.clock.nowMs / 1_000), spokenAt);
  second.say('from the second run');
  room.pump();
  assert.equal(alice.texts.at(-1), 'from the second run');
  assert.ok(second.live);

  // Alice gave her chain to the first run: the next message shows the second that it has no key, and it asks.
  alice.say('lost on the second run');
  room.pump();
  assert.equal(second.eventsOf('unopened').length, 1);
  alice.say('heard by the second run');
  room.pump();
  assert.equal(second.texts.at(-1), 'heard by the second run');
  for (const { alarms } of [alice, second]) assert.deepEqual(alarms, []);
});
