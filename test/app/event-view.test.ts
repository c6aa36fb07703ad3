/** What programs are told of members who are gone: no more than is known. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jsonEvents } from '../../src/app/event-view.ts';
import type { RosterChange } from '../../src/crypto/roster-change.ts';
import { openRoom } from '../helpers/room.ts';

test('somebody who went unseen is gone: neither left nor removed', async () => {
  const room = await openRoom({ answer: 'stand-in' });
  const ann = await room.join('ann');
  const { self: member, roomId } = ann.eventsOf('joined')[0] ?? assert.fail();
  const kitchen = { id: roomId, name: 'Kitchen' };
  const context = { room: kitchen, settings: null, self: null, shown: () => assert.fail('nobody is here') };
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
