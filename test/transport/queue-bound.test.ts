import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { longestBeyond } from '../../src/transport/queue-bound.ts';

const queues = (...lengths: readonly number[]) => lengths.map((queuedBytes) => ({ queuedBytes }));

test('queues that fit together all stay', () => {
  assert.deepEqual(longestBeyond([], 0), []);
  assert.deepEqual(longestBeyond(queues(5, 3, 2), 10), []);
});

test('the longest goes first, and only as many as it takes', () => {
  assert.deepEqual(longestBeyond(queues(2, 9, 4, 1), 10), queues(9));
  assert.deepEqual(longestBeyond(queues(2, 9, 4, 1), 6), queues(9, 4));
  assert.deepEqual(longestBeyond(queues(2, 9), 0), queues(9, 2));
});

test('what stays fits, and nobody goes whose place would have done', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(1_000)), fc.nat(5_000), (lengths, most) => {
      const all = queues(...lengths);
      const gone = longestBeyond(all, most);
      const total = (list: readonly { readonly queuedBytes: number }[]): number =>
        list.reduce((sum, { queuedBytes }) => sum + queuedBytes, 0);
      assert.ok(total(all) - total(gone) <= most);
      const last = gone.at(-1);
      if (last !== undefined) assert.ok(total(all) - total(gone) + last.queuedBytes > most);
      const kept = all.filter((queue) => !gone.includes(queue));
      for (const { queuedBytes } of kept) assert.ok(gone.every((queue) => queue.queuedBytes >= queuedBytes));
    }),
  );
});
