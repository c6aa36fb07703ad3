import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AtMostEvery } from '../../../src/app/front/at-most-every.ts';

test('the first goes through, the next only after the time, and a clock that goes back silences nothing', () => {
  const bells = new AtMostEvery(1_000);
  const at = (nowMs: number) => bells.may(nowMs);
  assert.deepEqual(
    [at(0), at(1), at(999), at(1_000), at(1_001), at(5_000)],
    [true, false, false, true, false, true],
  );
  assert.deepEqual([at(10), at(11)], [true, false]);
});
