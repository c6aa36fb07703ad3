import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SeldomDone } from '../../../src/app/front/seldom.ts';

test('wanted often it is done once in a while, the last time too, and at once where it must be', (context) => {
  context.mock.timers.enable({ apis: ['Date', 'setTimeout'], now: 0 });
  const { timers } = context.mock;
  let done = 0;
  const seldom = new SeldomDone(200, () => {
    done += 1;
  });
  seldom.soon();
  assert.equal(done, 1, 'the first time at once');
  for (let time = 0; time < 10; time += 1) seldom.soon();
  timers.tick(199);
  assert.equal(done, 1);
  timers.tick(1);
  assert.equal(done, 2, 'what was wanted meanwhile is done');
  seldom.soon();
  seldom.now();
  assert.equal(done, 3);
  timers.tick(1_000);
  assert.equal(done, 3, 'and not once more');
  seldom.soon();
  seldom.soon();
  seldom.end();
  timers.tick(1_000);
  assert.equal(done, 4);
  timers.setTime(0);
  seldom.soon();
  assert.equal(done, 5, 'a clock set back holds nothing up');
});
