import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type Bytes, concatBytes } from '../../src/protocol/bytes.ts';
import { GATHER_BYTES, giveGatherBuffer, takeGatherBuffer } from '../../src/transport/gather-buffers.ts';
import { GatheredWrites } from '../../src/transport/gathered-writes.ts';

const page = (value: number, length = 1_000): Bytes => new Uint8Array(length).fill(value);

/** A socket that takes what is written when it is told to. */
function socket({ mostBytes = Number.POSITIVE_INFINITY } = {}) {
  const written: Bytes[] = [];
  const taken: ((error?: Error) => void)[] = [];
  const writes = new GatheredWrites({
    mayQueue: (bytes) => bytes <= mostBytes,
    write(bytes, onTaken) {
      written.push(new Uint8Array(bytes));
      taken.push(onTaken);
    },
  });
  return {
    writes,
    lengths: () => written.map(({ length }) => length),
    all: () => concatBytes(...written),
    take: (error?: Error) => taken.shift()?.(error),
  };
}

test('one write is under way at a time, and each says when it is taken', () => {
  const { writes, lengths, all, take } = socket();
  const taken: number[] = [];
  writes.add([page(1), page(2)], () => taken.push(1));
  writes.add([page(3)], () => taken.push(2));
  writes.add([page(4)], () => taken.push(3));
  assert.deepEqual(lengths(), [2_000]);
  assert.equal(writes.waitingBytes, 2_000);
  take();
  assert.deepEqual([taken, lengths()], [[1], [2_000, 1_000]]);
  take();
  take();
  assert.deepEqual([taken, writes.waitingBytes], [[1, 2, 3], 0]);
  assert.deepEqual(all(), concatBytes(page(1), page(2), page(3), page(4)));
});

test('what is forwarded in a turn goes out together, and behind a write under way all that comes until it is taken', async () => {
  const { writes, lengths, all, take } = socket();
  writes.forward(page(1));
  writes.forward(page(2));
  assert.deepEqual(lengths(), []);
  await turn();
  assert.deepEqual(lengths(), [2_000]);
  for (const value of [3, 4, 5]) {
    writes.forward(page(value));
    await turn();
  }
  assert.deepEqual(lengths(), [2_000]);
  take();
  assert.deepEqual(lengths(), [2_000, 3_000]);
  assert.deepEqual(all(), concatBytes(page(1), page(2), page(3), page(4), page(5)));
});

test('a full buffer does not wait for the turn to end', () => {
  const { writes, lengths } = socket();
  writes.forward(page(1, GATHER_BYTES - 10));
  writes.forward(page(2, 11));
  assert.deepEqual(lengths(), [GATHER_BYTES - 10]);
});

test('flush gives everything to the socket, in order', () => {
  const { writes, lengths, all } = socket();
  writes.add([page(1)], () => {});
  writes.add([page(2)], () => {});
  writes.forward(page(3));
  writes.flush();
  assert.deepEqual([lengths(), writes.waitingBytes], [[1_000, 1_000, 1_000], 0]);
  assert.deepEqual(all(), concatBytes(page(1), page(2), page(3)));
});

test('what is sent at once goes behind what was forwarded before it', async () => {
  const { writes, all, take } = socket();
  writes.forward(page(1));
  writes.add([page(2)], () => {});
  await turn();
  take();
  assert.deepEqual(all(), concatBytes(page(1), page(2)));
});

test('every buffer is given back once, after it was taken, or will never be', () => {
  const { writes, take } = socket();
  // All that are kept, so that those below are what is there.
  const others = Array.from({ length: 8 }, takeGatherBuffer);
  const known = others.splice(0, 4);
  for (const buffer of known) giveGatherBuffer(buffer);
  const takeKnown = (count: number): readonly Buffer[] => {
    const taken = Array.from({ length: count }, takeGatherBuffer);
    assert.equal(new Set(taken).size, count);
    for (const buffer of taken) assert.ok(known.includes(buffer));
    for (const buffer of taken) giveGatherBuffer(buffer);
    return taken;
  };
  for (const each of [1, 2, 3]) writes.add([page(each)], () => {});
  writes.forward(page(4));
  take();
  takeKnown(1);
  take(new Error('gone'));
  takeKnown(4);
});

test('after an error nothing more is written, nor said to be taken', () => {
  const { writes, lengths, take } = socket();
  const taken: number[] = [];
  for (const each of [1, 2, 3]) writes.add([page(each)], () => taken.push(each));
  take(new Error('gone'));
  assert.deepEqual([taken, lengths(), writes.waitingBytes], [[], [1_000], 0]);
});

test('what may not be queued is let go', async () => {
  const { writes, lengths } = socket({ mostBytes: 999 });
  writes.add([page(1)], () => assert.fail('taken'));
  writes.forward(page(2));
  await turn();
  assert.deepEqual([lengths(), writes.waitingBytes], [[], 0]);
  assert.throws(() => writes.add([page(1, GATHER_BYTES + 1)], () => {}), RangeError);
});
