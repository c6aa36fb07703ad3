/** When others are told what has been read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reading, type ReadingNow } from '../../src/member/reading.ts';
import { referenceId } from '../../src/protocol/content.ts';

const NOON = Date.UTC(2026, 0, 1, 12);
const [ONE, TWO, THREE] = ['AAAAAAAAAAA1', 'AAAAAAAAAAA2', 'AAAAAAAAAAA3'] as const;

function now(changes: Partial<ReadingNow> = {}): ReadingNow {
  return { members: 3, policy: { readReceipts: true }, mayTell: true, ...changes };
}

/** What is told at a time, by the id of the message. */
function told(reading: Reading, atMs: number, at: ReadingNow = now()): string | null {
  const content = reading.due(NOON + atMs, at);
  if (content === null) return null;
  assert.deepEqual([content.kind, content.text], ['read', '']);
  return referenceId(content.reference);
}

test('what has been seen is told at once, then every few seconds, and each message once', () => {
  const reading = new Reading(true);
  assert.equal(told(reading, 0), null);
  reading.seen(ONE);
  assert.equal(told(reading, 0), ONE);
  assert.equal(told(reading, 250), null);
  reading.seen(TWO);
  assert.equal(told(reading, 500), null);
  reading.seen(THREE);
  assert.equal(told(reading, 4_999), null);
  assert.equal(told(reading, 5_000), THREE);
  assert.equal(told(reading, 60_000), null);
});

test('nobody is told where the person does not want it', () => {
  const reading = new Reading(false);
  reading.seen(ONE);
  assert.equal(told(reading, 0), null);
});

test('in large company or against the rules of the room it is never told, not later either', () => {
  for (const not of [{ members: 17 }, { policy: { readReceipts: false } }]) {
    const reading = new Reading(true);
    reading.seen(ONE);
    assert.equal(told(reading, 0, now(not)), null);
    assert.equal(told(reading, 250), null);
    reading.seen(TWO);
    assert.equal(told(reading, 500, now({ members: 16 })), TWO);
  }
});

test('while something else holds it up, it waits; the latest counts', () => {
  const reading = new Reading(true);
  reading.seen(ONE);
  assert.equal(told(reading, 0, now({ mayTell: false })), null);
  reading.seen(TWO);
  assert.equal(told(reading, 60_000, now({ mayTell: false })), null);
  assert.equal(told(reading, 60_250), TWO);
});

test('a clock set back silences nobody', () => {
  const reading = new Reading(true);
  reading.seen(ONE);
  assert.equal(told(reading, 3_600_000), ONE);
  reading.seen(TWO);
  assert.equal(told(reading, 0), TWO);
});
