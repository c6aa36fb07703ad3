import assert from 'node:assert/strict';
import { test } from 'node:test';
import { growingNumber } from '../../src/protocol/growing.ts';

test('it grows with every quarter of a second since 2026, and is never below zero', () => {
  const startMs = Date.UTC(2026, 0);
  assert.equal(growingNumber(startMs), 0);
  assert.equal(growingNumber(startMs + 249), 0);
  assert.equal(growingNumber(startMs + 250), 1);
  assert.equal(growingNumber(0), 0, 'a clock that is wrong');
  assert.ok(growingNumber(Date.UTC(2060, 0)) < 2 ** 32);
});
