/** The state of a membership as bytes: one form, and nothing else is read. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeSavedState, encodeSavedState } from '../../src/member/saved-state.ts';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { openRoom } from '../helpers/room.ts';

async function state(): Promise<Uint8Array> {
  const room = await openRoom();
  const alice = await room.join('alice', { crowd: true });
  const bob = await room.join('bob', { crowd: true, keeps: 'when-saved' });
  for (const text of ['one', 'two']) {
    alice.say(text);
    bob.say(text);
    room.advance(1_000);
  }
  return bob.save();
}

test('a state is read as it was written, and from copies', async () => {
  const bytes = await state();
  const copy = bytes.slice();
  const read = decodeSavedState(bytes);
  bytes.fill(0);
  assert.deepEqual(encodeSavedState(read), copy);
  assert.equal(read.voices.length, 1);
  assert.deepEqual(
    read.lastPlaced.map(({ n }) => n),
    [1],
  );
});

test('a state of before takers were in it is read, and written as one of today', () => {
  const old = readFileSync(new URL('../golden/saved-state-1.bin', import.meta.url));
  const read = decodeSavedState(new Uint8Array(old));
  assert.deepEqual(
    read.files.map(({ name, place, settled, readers }) => ({ name, place, settled, readers })),
    [
      { name: 'mine.txt', place: ['/home/bob/mine.txt'], settled: [], readers: [] },
      { name: 'hers.txt', place: [], settled: [], readers: [] },
    ],
  );
  assert.equal(read.voices.length, 1);
  const written = encodeSavedState(read);
  assert.deepEqual([old[0], written[0]], [1, 2]);
  assert.deepEqual(decodeSavedState(written), read);
});

test('whatever else is read is refused, or is another state in its one form', async () => {
  const whole = await state();
  assert.throws(() => decodeSavedState(new Uint8Array()), ProtocolError);
  assert.throws(() => decodeSavedState(Uint8Array.of(...whole, 0)), ProtocolError);
  assert.throws(() => decodeSavedState(Uint8Array.of(3, ...whole.subarray(1))), ProtocolError);
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
      assert.throws(() => decodeSavedState(whole.subarray(0, at)), ProtocolError);
      const changed = whole.slice();
      changed[at] = (changed[at] ?? 0) ^ bits;
      try {
        const again = encodeSavedState(decodeSavedState(changed));
        // What an earlier version wrote is written as this one does.
        assert.deepEqual(again, at === 0 ? whole : changed);
      } catch (error) {
        assert.ok(error instanceof ProtocolError);
      }
    }),
    { numRuns: 300 },
  );
});
