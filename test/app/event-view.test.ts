/** What programs are told of members who are gone: no more than is known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonEvents } from '../../src/app/event-view.ts';
import type { RosterChange } from '../../src/crypto/roster-change.ts';
import { toBase64url } from '../../src/protocol/bytes.ts';
import { openRoom } from '../helpers/room.ts';

test('somebody who went unseen is gone: neither left nor removed', async () => {
  const room = await openRoom({ answer: 'stand-in' });
  const ann = await room.join('ann');
  const { self: member, roomId } = ann.eventsOf('joined')[0] ?? assert.fail();
  const context = { room: { id: roomId, name: 'Kitchen' }, settings: null, self: null };
  const told = (reason: RosterChange['removed'][number]['reason']) => {
    const nothing = { epoch: 7, atMs: 0, added: [], changed: [], settings: null };
    const change: RosterChange = { ...nothing, removed: [{ member, reason, by: null }] };
    return jsonEvents({ kind: 'roster', change }, context).flatMap((event) =>
      event.type === 'member' ? [[event.change, event.reason]] : [],
    );
  };
  assert.deepEqual(told('unseen'), [['gone', undefined]]);
  assert.deepEqual(told('left'), [['left', undefined]]);
  assert.deepEqual(told('absent'), [['left', 'absent for too long']]);
  assert.deepEqual(told('removed'), [['removed', undefined]]);
  assert.deepEqual(told('banned'), [['removed', 'banned']]);
});

test('somebody under another key is one event, with both fingerprints: nobody came or went', async () => {
  const room = await openRoom({ answer: 'stand-in', keeps: 'ciphertext' });
  const [ann, ben] = [await room.join('ann', { crowd: true }), await room.join('ben', { crowd: true })];
  ann.register('nine lives of a cat');
  room.pump();
  const again = await room.person('ann', { crowd: true, passwords: ['nine lives of a cat'] });
  again.knock(room.invite());
  room.advance(500);
  const { roomId } = ben.eventsOf('joined')[0] ?? assert.fail();
  const context = { room: { id: roomId, name: 'Kitchen' }, settings: null, self: null };
  const change = ben.eventsOf('roster').at(-1) ?? assert.fail();
  assert.deepEqual(jsonEvents(change, context), [
    {
      type: 'member',
      change: 'key-changed',
      member: {
        id: toBase64url(again.identity.memberId),
        nick: 'ann',
        fingerprint: toBase64url(again.identity.idFingerprint),
        role: 'member',
        online: true,
        muted: false,
      },
      formerFingerprint: toBase64url(ann.identity.idFingerprint),
    },
  ]);
});
