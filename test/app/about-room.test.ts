import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aboutRoom } from '../../src/app/about-room.ts';
import { hash } from '../../src/protocol/identifiers.ts';

test('a guest reads of a room one fact a line before answering', () => {
  const lines = aboutRoom({ roomName: 'Kitchen', keeps: 'nothing' }, hash(new Uint8Array(32).fill(0xab)));
  assert.deepEqual(lines, [
    'Room: Kitchen',
    "Its owner's key: abab abab abab abab abab abab abab abab",
    'Its members read what is said, and the host if they take part.',
    'The machine that relays cannot, and keeps nothing on disk.',
    'Next: the answer, your nickname, the code. You have 3 minutes.',
  ]);
});
