import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tellIfSlow } from '../../src/app/tell-if-slow.ts';
import type { JsonEvent } from '../../src/terminal/json-lines.ts';

test('work of more than a second is told of, once, and quick or failed work never', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const told: JsonEvent[] = [];
  const front = { emit: (event: JsonEvent) => told.push(event) };
  tellIfSlow(Promise.resolve(), front, 'quick');
  const failed = Promise.reject(new Error('no'));
  tellIfSlow(failed, front, 'failed');
  await failed.catch(() => {});
  tellIfSlow(new Promise(() => {}), front, 'Making your keys.');
  context.mock.timers.tick(999);
  assert.deepEqual(told, []);
  context.mock.timers.tick(10_000);
  assert.deepEqual(told, [{ type: 'notice', level: 'info', code: 'wait', text: 'Making your keys.' }]);
});
