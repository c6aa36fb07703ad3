/** In what an entry, or how a room is, can differ: every part of it, so that no change goes unseen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Changeable, differences } from '../../src/crypto/roster-change.ts';

const BEFORE: Required<Changeable> = {
  nick: 'ann',
  role: 'member',
  muted: false,
  topic: '',
  motd: '',
  slowSeconds: 0,
  locked: false,
  approval: false,
  staySeconds: 0,
  edits: true,
  readReceipts: true,
};
const AFTER: Required<Changeable> = {
  nick: 'anna',
  role: 'moderator',
  muted: true,
  topic: 'tea',
  motd: 'welcome',
  slowSeconds: 30,
  locked: true,
  approval: true,
  staySeconds: 3_600,
  edits: false,
  readReceipts: false,
};

test('each change is found, alone and with the others', () => {
  assert.deepEqual(differences(BEFORE, { ...BEFORE }), []);
  for (const [name, value] of Object.entries(AFTER))
    assert.deepEqual(differences(BEFORE, { ...BEFORE, [name]: value }), [name]);
  assert.deepEqual([...differences(BEFORE, AFTER)].sort(), Object.keys(AFTER).sort());
});
