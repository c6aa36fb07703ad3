import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CodeKeeper } from '../../src/room/code-keeper.ts';
import { TestClock } from '../helpers/moment.ts';

const STEP_MS = 30_000;

test('a code that a JOIN was the first to look at is announced all the same', () => {
  const clock = new TestClock(Date.UTC(2026, 0, 1), 'codes');
  const codes = new CodeKeeper(clock.moment);
  assert.equal(codes.update(clock.moment), false);
  clock.nowMs += STEP_MS;
  codes.judge('000000', clock.moment);
  assert.equal(codes.update(clock.moment), true, 'the screen still shows the code before');
  assert.equal(codes.update(clock.moment), false);
});

test('one step back keeps the secret, two make a new one', () => {
  const clock = new TestClock(Date.UTC(2026, 0, 1), 'codes');
  const codes = new CodeKeeper(clock.moment);
  const before = codes.shown.value;
  clock.nowMs -= STEP_MS;
  assert.equal(codes.judge(before, clock.moment), 'right');
  clock.nowMs -= STEP_MS;
  assert.equal(codes.judge(before, clock.moment), 'wrong');
  clock.nowMs += 2 * STEP_MS;
  assert.equal(codes.judge(before, clock.moment), 'wrong', 'and it stays dead');
});
