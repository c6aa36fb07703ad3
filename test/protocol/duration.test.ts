import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatDuration, formatTimeLeft, parseDuration } from '../../src/protocol/duration.ts';
import { InputError } from '../../src/protocol/errors.ts';

const DAY_MS = 86_400_000;
const MOST_MS = 30 * DAY_MS;

test('what is left is in minutes, and in seconds only at the end', () => {
  assert.equal(formatTimeLeft(DAY_MS - 2_000), '1d');
  assert.equal(formatTimeLeft(7_200_000 - 20_000), '2h');
  assert.equal(formatTimeLeft(95 * 60_000), '1h35m');
  assert.equal(formatTimeLeft(59_001), '1m');
  assert.equal(formatTimeLeft(20_100), '21s');
});

describe('parseDuration', () => {
  for (const [text, expectedMs] of [
    ['1s', 1_000],
    ['15m', 900_000],
    ['24h', DAY_MS],
    ['30d', MOST_MS],
    ['1d12h', 1.5 * DAY_MS],
    [' 1H30M ', 5_400_000],
  ] as const) {
    test(`${JSON.stringify(text)} is ${expectedMs} ms`, () =>
      assert.equal(parseDuration(text, MOST_MS), expectedMs));
  }

  for (const text of [
    '',
    '0',
    '0h',
    '24',
    'h',
    '-1h',
    '1.5h',
    '1h1d',
    '1w',
    '24 h',
    '1e3s',
    '31d',
    '9999999999d',
  ]) {
    test(`${JSON.stringify(text)} is refused`, () =>
      assert.throws(() => parseDuration(text, MOST_MS), InputError));
  }

  test('reads back what its parts say', () => {
    const parts = fc.tuple(fc.nat(29), fc.nat(23), fc.nat(59), fc.integer({ min: 1, max: 59 }));
    fc.assert(
      fc.property(parts, ([days, hours, minutes, seconds]) => {
        const expectedMs = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000;
        assert.equal(parseDuration(`${days}d${hours}h${minutes}m${seconds}s`, MOST_MS), expectedMs);
      }),
    );
  });
});

describe('formatDuration', () => {
  for (const [durationMs, text] of [
    [0, '1s'],
    [1, '1s'],
    [90_000, '1m30s'],
    [DAY_MS / 2, '12h'],
    [DAY_MS + 3_600_000 + 60_000, '1d1h'],
    [MOST_MS, '30d'],
  ] as const) {
    test(`${durationMs} ms is ${text}`, () => assert.equal(formatDuration(durationMs), text));
  }

  test('what it writes is read back, to the two largest units', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: MOST_MS / 1_000 }), (seconds) => {
        const readMs = parseDuration(formatDuration(seconds * 1_000), MOST_MS);
        assert.ok(readMs <= seconds * 1_000 && readMs > seconds * 1_000 * 0.95);
      }),
    );
  });
});
