/** What the log says of a list change. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { rosterText } from '../../../src/app/hosting/roster-text.ts';
import type { RosterChange } from '../../../src/crypto/roster-change.ts';
import { openRoom } from '../../helpers/room.ts';

const NOTHING: RosterChange = { epoch: 7, atMs: 0, added: [], changed: [], removed: [], settings: null };

describe('rosterText', () => {
  test('who came and went, what was done to whom, and by whom', async () => {
    const room = await openRoom({ answer: 'stand-in' });
    await room.join('ann');
    await room.join('bob');
    room.pump();
    // By name: the list is in the order of its members' random identifiers.
    const [ann, bob] = ['ann', 'bob'].map((nick) => room.room.members.find((member) => member.nick === nick));
    assert.ok(ann !== undefined && bob !== undefined);
    const settings = room.room.settings;
    const text = rosterText({
      ...NOTHING,
      added: [ann],
      removed: [{ member: bob, reason: 'banned', by: ann }],
      changed: [
        { before: ann, after: { ...ann, muted: true }, by: null },
        { before: bob, after: { ...bob, nick: 'rob', role: 'moderator' }, by: bob },
      ],
      settings: { before: settings, after: { ...settings, topic: 'not for a log', locked: true }, by: ann },
    });
    assert.equal(
      text,
      'member list 7: +ann, -bob (banned by ann), ann muted, rob was bob by bob, rob is moderator by bob, topic set by ann, locked set by ann',
    );
  });

  test('a key that was renewed is no news', () => {
    assert.equal(rosterText(NOTHING), null);
  });
});
