import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RenderView } from '../../../src/terminal/view/entry.ts';
import type { FileRow } from '../../../src/terminal/view/file-row.ts';
import { makePalette } from '../../../src/terminal/view/palette.ts';
import { ProgressLines } from '../../../src/terminal/view/progress-lines.ts';

const SECOND = 1_000;
const MIB = 2 ** 20;
const NOON = Date.parse('2026-11-28T12:00:00Z');

function at(second: number): RenderView {
  const preferences = {
    ...({ timestamps: 'off', bell: 'on', theme: 'auto' } as const),
    ...{ quiet: false, notify: false, atDirect: false },
  };
  const columns = Number.POSITIVE_INFINITY;
  return {
    palette: makePalette({ color: false }),
    preferences,
    columns,
    nowMs: NOON + second * SECOND,
    self: null,
  };
}

function row(percent: number, more: Partial<FileRow> = {}): FileRow {
  return {
    ...{ number: 3, isOwn: false, name: 'report.pdf', bytes: 100 * MIB, doneBytes: percent * MIB },
    ...{ isChecking: false, bytesPerSecond: MIB, leftMs: (100 - percent) * SECOND, takers: [] },
    ...more,
  };
}

test('a line at the beginning, at each quarter, and after ten seconds without one', () => {
  const progress = new ProgressLines();
  const told = (second: number, percent: number): readonly string[] =>
    progress.lines([row(percent)], at(second)).map((line) => line.replace('-!- report.pdf: ', ''));
  assert.deepEqual(told(0, 0), ['0 % of 100 MiB, 1 MiB/s, 1:40 left']);
  assert.deepEqual(told(1, 1), []);
  assert.deepEqual(told(9, 24), []);
  assert.deepEqual(told(9, 25), ['25 % of 100 MiB, 1 MiB/s, 1:15 left']);
  assert.deepEqual(told(18, 26), []);
  assert.deepEqual(told(19, 27), ['27 % of 100 MiB, 1 MiB/s, 1:13 left']);
  // Nothing is new of what stands still.
  assert.deepEqual(told(40, 27), []);
  assert.deepEqual(told(41, 80), ['80 % of 100 MiB, 1 MiB/s, 0:20 left']);
  // Set back, the clock holds nothing up.
  assert.deepEqual(told(0, 81), ['81 % of 100 MiB, 1 MiB/s, 0:19 left']);
});

test("each file by itself, one's own with who takes it, and what is compared says nothing", () => {
  const progress = new ProgressLines();
  const own = row(10, { number: 4, isOwn: true, name: 'my photos', bytesPerSecond: null, leftMs: null });
  const takers = [
    { nick: 'ann', doneBytes: 10 * MIB },
    { nick: 'bob', doneBytes: 62 * MIB },
  ];
  assert.deepEqual(progress.lines([row(50), { ...own, takers }], at(0)), [
    '-!- report.pdf: 50 % of 100 MiB, 1 MiB/s, 0:50 left',
    '-!- "my photos" to bob 62 %, ann 10 %',
  ]);
  assert.deepEqual(progress.lines([row(100, { isChecking: true })], at(1)), []);
  // Over, and begun again later.
  assert.deepEqual(progress.lines([], at(2)), []);
  assert.equal(progress.lines([row(50)], at(3)).length, 1);
});
