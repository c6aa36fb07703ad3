import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Alarms } from '../../src/member/alarms.ts';

describe('an alarm', () => {
  test('is said once, until somebody takes note of it', () => {
    const alarms = new Alarms();
    assert.equal(alarms.raise('history-lost', 'It is shorter.').length, 1);
    assert.equal(alarms.raise('history-lost', 'It is shorter.').length, 0);
    assert.ok(alarms.heldBack);
    alarms.acknowledge();
    assert.ok(!alarms.heldBack);
    assert.equal(alarms.raise('history-lost', 'It is shorter.').length, 1);
  });

  test('of members is said of each, and holds nothing back', () => {
    const alarms = new Alarms();
    for (const text of ['ann has two keys.', 'bob has two keys.'])
      assert.equal(alarms.raise('two-keys', text).length, 1);
    assert.equal(alarms.raise('two-keys', 'ann has two keys.').length, 0);
    assert.ok(!alarms.heldBack);
  });

  test('that nobody heard, because the step ended with an error, is said the next time', () => {
    const alarms = new Alarms();
    const fails = (): never => {
      alarms.raise('history-lost', 'It is shorter.');
      throw new Error('no list');
    };
    assert.throws(() => alarms.step(fails), /no list/);
    assert.ok(alarms.heldBack);
    assert.equal(alarms.step(() => alarms.raise('history-lost', 'It is shorter.')).length, 1);
    // What an earlier step said has been heard.
    assert.throws(() => alarms.step(fails), /no list/);
    assert.equal(alarms.raise('history-lost', 'It is shorter.').length, 0);
  });
});
