import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReadViews } from '../../src/transport/read-views.ts';

const memory = Uint8Array.from({ length: 100 }, (_, at) => at);

test('what follows in the same memory is one with what is there', () => {
  const views = new ReadViews();
  assert.equal(views.take(), null);
  assert.ok(views.add(memory.subarray(10, 20)));
  assert.ok(views.add(memory.subarray(20, 50)));
  assert.ok(!views.reachesEnd);
  assert.ok(views.add(memory.subarray(50)));
  assert.ok(views.reachesEnd);
  const taken = views.take();
  assert.deepEqual(taken, memory.subarray(10));
  assert.equal(taken?.buffer, memory.buffer);
  assert.equal(views.take(), null);
  assert.ok(!views.reachesEnd);
});

test('what lies elsewhere does not follow, and changes nothing', () => {
  const views = new ReadViews();
  views.add(memory.subarray(10, 20));
  for (const other of [memory.subarray(21, 30), memory.subarray(0, 10), memory.slice(20, 30)])
    assert.ok(!views.add(other));
  assert.deepEqual(views.take(), memory.subarray(10, 20));
});
