import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { openState, sealState } from '../../src/crypto/state-seal.ts';
import { utf8 } from '../../src/protocol/bytes.ts';
import { roomId } from '../../src/protocol/identifiers.ts';
import { dsaIdentity, rsaIdentity } from '../helpers/keys.ts';

const ROOM = roomId(new Uint8Array(16).fill(1));
const HEAD = utf8.encode('what anyone may read');
const STATE = utf8.encode('chain keys, wrap keys, account key');

test('a state opens for its identity, room and head alone', async () => {
  for (const identity of [await rsaIdentity(0), await dsaIdentity(0)]) {
    const place = { identity, roomId: ROOM, head: HEAD };
    const sealed = sealState(place, STATE);
    assert.deepEqual(openState(place, sealed), STATE);
    const others = [
      { ...place, identity: await dsaIdentity(1) },
      { ...place, roomId: roomId(new Uint8Array(16).fill(2)) },
      { ...place, head: utf8.encode('what anyone may reaD') },
    ];
    for (const other of others) assert.equal(openState(other, sealed), null);
  }
});

test('a bit that changed anywhere opens nothing, and no length makes it throw', async () => {
  const place = { identity: await dsaIdentity(0), roomId: ROOM, head: HEAD };
  const whole = sealState(place, STATE);
  fc.assert(
    fc.property(
      fc.constantFrom('salt' as const, 'nonce' as const, 'sealed' as const),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (part, at, bits) => {
        const bytes = whole[part].slice();
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ bits;
        assert.equal(openState(place, { ...whole, [part]: bytes }), null);
      },
    ),
  );
  for (const length of [0, 1, 15, 16]) {
    const sealed = whole.sealed.slice(0, length);
    assert.equal(openState(place, { ...whole, sealed }), null);
  }
});

test('P28 two saves of one state share neither salt nor nonce', async () => {
  const place = { identity: await dsaIdentity(0), roomId: ROOM, head: HEAD };
  const saves = Array.from({ length: 50 }, () => sealState(place, STATE));
  for (const part of ['salt', 'nonce', 'sealed'] as const)
    assert.equal(new Set(saves.map((save) => save[part].join())).size, saves.length);
});
