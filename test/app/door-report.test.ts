import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DoorReport } from '../../src/app/door-report.ts';

test('a flood at the door is a few lines and a number', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const told: string[] = [];
  const report = new DoorReport((text) => told.push(text));
  for (let knock = 0; knock < 500; knock += 1) report.add(`knock ${knock}`);
  assert.equal(told.length, 8);
  context.mock.timers.tick(10_000);
  assert.deepEqual(told.slice(8), ['492 more things happened at the door.']);
  report.add('one more');
  assert.equal(told.at(-1), 'one more');
  context.mock.timers.tick(10_000);
  assert.equal(told.length, 10);
});
