import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentOf, rateText, sizeText, timeText } from '../../../src/terminal/view/amounts.ts';

test('sizes: three digits that count', () => {
  for (const [bytes, text] of [
    [0, '0 bytes'],
    [1, '1 byte'],
    [1_023, '1023 bytes'],
    [1_024, '1 KiB'],
    [1_536, '1.5 KiB'],
    [14_541, '14.2 KiB'],
    [1_023 * 1_024, '1023 KiB'],
    // Never 1024 of a unit.
    [1_024 * 1_024 - 1, '1 MiB'],
    [2_516_582, '2.4 MiB'],
    [100 * 2 ** 20, '100 MiB'],
    [64 * 2 ** 30, '64 GiB'],
    [5_000 * 2 ** 30, '5000 GiB'],
  ] as const)
    assert.equal(sizeText(bytes), text);
  assert.equal(rateText(14_889_779.2), '14.2 MiB/s');
});

test('times: minutes and seconds, hours where there are any', () => {
  for (const [ms, text] of [
    [-1, '0:00'],
    [0, '0:00'],
    [1, '0:01'],
    [31_000, '0:31'],
    [59_001, '1:00'],
    [725_000, '12:05'],
    [3_599_001, '1:00:00'],
    [36_723_000, '10:12:03'],
  ] as const)
    assert.equal(timeText(ms), text);
});

test('a hundred percent is all of it', () => {
  assert.equal(percentOf(0, 0), 100);
  assert.equal(percentOf(0, 3), 0);
  assert.equal(percentOf(999_999, 1_000_000), 99);
  assert.equal(percentOf(5, 5), 100);
  assert.equal(percentOf(6, 5), 100);
});
