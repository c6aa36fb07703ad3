import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256 } from '../../src/crypto/hash.ts';
import { Roster } from '../../src/crypto/roster.ts';
import { generateSigningKey, importVerifyKey } from '../../src/crypto/signature.ts';
import { u32 } from '../../src/protocol/bytes.ts';
import { memberId, roomId } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { PLAIN_ROOM } from '../../src/protocol/room-settings.ts';
import type { RosterEntry } from '../../src/protocol/signed-objects.ts';
import { Owner } from '../../src/room/owner.ts';

const MEMBERS = 4;
const SECOND_MS = 1_000;
const key = await generateSigningKey('rsa');
const verifyKey = importVerifyKey(key.spki, 'rsa');

function entry(place: number): RosterEntry {
  return {
    identity: sha256(u32(place)),
    nick: `member${place}`,
    role: 'member',
    algorithm: 'rsa',
    muted: false,
  };
}

/** A room whose operations may reach one member a second: with four members, one every four seconds. */
function largeRoom(): { readonly owner: Owner; readonly roster: Roster } {
  const owner = new Owner(
    key,
    { roomName: 'room', settings: PLAIN_ROOM },
    { ...LIMITS, rosterDeliveriesPerSecond: 1 },
  );
  const roster = new Roster(roomId(new Uint8Array(16)));
  roster.apply(owner.create(roster, 0), verifyKey);
  for (let place = 0; place < MEMBERS; place += 1) owner.approve(entry(place));
  const joins = owner.operation(roster, 0);
  assert.ok(joins !== null);
  roster.apply(joins, verifyKey);
  return { owner, roster };
}

test('in a large room those who join or leave wait for company', () => {
  const { owner, roster } = largeRoom();
  owner.approve(entry(MEMBERS));
  owner.remove(memberId(entry(0).identity.slice(0, 16)), 'left', SECOND_MS);
  assert.equal(owner.operation(roster, MEMBERS * SECOND_MS - 1), null);
  const signed = owner.operation(roster, MEMBERS * SECOND_MS);
  assert.ok(signed !== null);
  const { added, removed } = roster.apply(signed, verifyKey);
  assert.deepEqual([added.length, removed.length], [1, 1]);
});

test('whoever is removed goes at once, however large the room is', () => {
  const { owner, roster } = largeRoom();
  owner.remove(memberId(entry(0).identity.slice(0, 16)), 'removed', 0);
  assert.ok(owner.operation(roster, SECOND_MS / LIMITS.rosterOperationsPerSecond) !== null);
});
