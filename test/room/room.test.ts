import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openRoom } from '../helpers/room.ts';

test('two people join and talk', async () => {
  const room = await openRoom();
  const alice = await room.join('alice');
  const bob = await room.join('bob');
  alice.say('hello bob');
  room.pump();
  bob.say('hello alice');
  room.pump();
  assert.deepEqual(alice.texts, ['hello bob', 'hello alice']);
  assert.deepEqual(bob.texts, ['hello bob', 'hello alice']);
  assert.deepEqual([...alice.alarms, ...bob.alarms], []);
});

test('someone whose line broke comes back and reads on', async () => {
  const room = await openRoom();
  const alice = await room.join('alice');
  const bob = await room.join('bob');
  bob.loseLine();
  alice.say('are you there?');
  room.pump();
  bob.comeBack();
  room.pump();
  assert.ok(bob.live);
  assert.deepEqual(bob.texts, ['are you there?']);
  assert.deepEqual([...alice.alarms, ...bob.alarms], []);
});
