import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aboutRoom, policyDiffers } from '../../src/app/about-room.ts';
import { hash } from '../../src/protocol/identifiers.ts';
import { PLAIN_ROOM, policyOf } from '../../src/protocol/room-settings.ts';

const USUAL = policyOf(PLAIN_ROOM);
const STRICT = { staySeconds: 7 * 24 * 3_600, edits: false, readReceipts: false };
const OWNER = hash(new Uint8Array(32).fill(0xab));

test('a guest reads of a room one fact a line before answering', () => {
  const lines = aboutRoom({ roomName: 'Kitchen', keeps: 'nothing', ...USUAL }, OWNER);
  assert.deepEqual(lines, [
    'Room: Kitchen',
    "Its owner's key: abab abab abab abab abab abab abab abab",
    'Its members read what is said, and the host if they take part.',
    'The machine that relays cannot, and keeps nothing on disk.',
    'Messages stay as long as members keep them.',
    'What was said may be changed or taken back later.',
    'Senders may be told what has been read.',
    'Next: the answer, your nickname, the code. You have 3 minutes.',
  ]);
});

test('what becomes of what is said is told before it is said', () => {
  const lines = aboutRoom({ roomName: 'Kitchen', keeps: 'nothing', ...STRICT }, OWNER);
  assert.deepEqual(lines.slice(4, 7), [
    'Messages disappear after 7d.',
    'Nothing that was said may be changed or taken back.',
    'Nobody is told what has been read.',
  ]);
});

test('what the owner has signed is held against what was shown at the door', () => {
  for (const policy of [USUAL, STRICT]) assert.equal(policyDiffers(policy, { ...policy }), null);
  const text = policyDiffers(STRICT, { ...STRICT, staySeconds: 0 });
  assert.equal(
    text,
    'At the door: Messages disappear after 7d. Signed by the owner: Messages stay as long as members keep them. What is signed holds. If the host changed this while you came in, all is well: ask. If not, the host told you what is not so.',
  );
  for (const part of [{ edits: false }, { readReceipts: false }])
    assert.match(
      policyDiffers(USUAL, { ...USUAL, ...part }) ?? '',
      /^At the door: .* Signed by the owner: N/,
    );
});
