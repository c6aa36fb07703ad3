import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnsOf } from '../../../src/terminal/graphemes.ts';
import { bar, barSigns } from '../../../src/terminal/view/bar.ts';
import type { FileRow } from '../../../src/terminal/view/file-row.ts';
import { makePalette } from '../../../src/terminal/view/palette.ts';
import { progressRows } from '../../../src/terminal/view/progress-rows.ts';

const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\u200b\u2060-\u206f\ufeff]/u;
const MIB = 2 ** 20;
const palette = makePalette({ color: false });
const signs = barSigns({ LANG: 'en_GB.UTF-8' }, 'linux');
const ascii = barSigns({ LANG: 'C' }, 'linux');

const ROW: FileRow = {
  ...{
    number: 3,
    isOwn: false,
    name: 'report.pdf',
    bytes: 100 * MIB,
    doneBytes: 62 * MIB,
    isChecking: false,
  },
  ...{ bytesPerSecond: 14.2 * MIB, leftMs: 31_000, takers: [] },
};
const OWN: FileRow = {
  ...{ ...ROW, isOwn: true, doneBytes: 10 * MIB },
  takers: [
    { nick: 'ann', doneBytes: 10 * MIB },
    { nick: 'bob', doneBytes: 62 * MIB },
  ],
};

const row = (columns: number, of: FileRow = ROW, how = signs): string | undefined =>
  progressRows([of], { columns, palette, signs: how })[0];

test('a row: name, bar, percent, rate and time', () => {
  assert.equal(row(80), 'report.pdf ▕██████░░░░▏ 62 % · 14.2 MiB/s · 0:31 left');
  assert.equal(row(80, ROW, ascii), 'report.pdf [######----] 62 %, 14.2 MiB/s, 0:31 left');
  assert.equal(row(80, { ...ROW, bytesPerSecond: null, leftMs: null }), 'report.pdf ▕██████░░░░▏ 62 %');
  assert.equal(
    row(80, { ...ROW, isChecking: true, bytesPerSecond: null, leftMs: null }),
    'report.pdf ▕██████████▏ checking',
  );
  assert.equal(
    row(80, { ...ROW, bytes: 0, doneBytes: 0, leftMs: null }),
    'report.pdf ▕██████████▏ 100 % · 14.2 MiB/s',
  );
});

test('where it gets narrow the rate goes first, then the time, then the bar, then the name', () => {
  assert.equal(row(53), 'report.pdf ▕██████░░░░▏ 62 % · 14.2 MiB/s · 0:31 left');
  assert.equal(row(52), 'report.pdf ▕██████░░░░▏ 62 % · 0:31 left');
  assert.equal(row(39), 'report.pdf ▕██████░░░░▏ 62 %');
  assert.equal(row(27), 'report.pdf ▕███░░░▏ 62 %');
  assert.equal(row(23), 'report.pdf ▕██░░▏ 62 %');
  assert.equal(row(20), 're…t.pdf ▕██░░▏ 62 %');
  assert.equal(row(12), '62 % r…t.pdf');
});

test("one's own: who has how much, and the bar of the slowest", () => {
  assert.equal(row(80, OWN), 'report.pdf ▕█░░░░░░░░░▏ to bob 62 %, ann 10 % · 14.2 MiB/s · 0:31 left');
  assert.equal(row(50, OWN), 'report.pdf ▕█░░░░░░░░░▏ to bob 62 %, ann 10 %');
  assert.equal(row(40, OWN), 'report.pdf ▕█░░░░░░░░░▏ to bob 62 % +1');
  assert.equal(row(30, OWN), 'report.pdf ▕█░░░░░░░░░▏ 10 %');
  const many = Array.from({ length: 12 }, (_, index) => ({ nick: `nr${index}`, doneBytes: index * MIB }));
  assert.match(row(100, { ...OWN, takers: many }) ?? '', /to nr11 11 %, nr10 10 %, nr9 9 % \+9 · /);
});

test('four rows, then how many more there are', () => {
  const rows = Array.from({ length: 6 }, (_, number) => ({ ...ROW, number }));
  assert.equal(progressRows(rows.slice(0, 4), { columns: 80, palette, signs }).length, 4);
  assert.deepEqual(progressRows(rows, { columns: 80, palette, signs }).slice(4), ['+2 more']);
  assert.deepEqual(progressRows([], { columns: 80, palette, signs }), []);
});

test('blocks where the terminal has them', () => {
  assert.equal(
    bar(50, 4, signs, (text) => `<${text}>`),
    '▕<██>░░▏',
  );
  assert.equal(
    bar(0, 4, ascii, (text) => `<${text}>`),
    '[----]',
  );
  assert.equal(
    bar(100, 4, ascii, (text) => text),
    '[####]',
  );
  const isBlocks = (env: NodeJS.ProcessEnv, platform: NodeJS.Platform = 'linux'): boolean =>
    barSigns(env, platform) === signs;
  assert.ok(isBlocks({}));
  assert.ok(isBlocks({ LC_ALL: '', LANG: 'de_DE.utf8' }));
  assert.ok(!isBlocks({ LC_ALL: 'C', LANG: 'de_DE.utf8' }));
  assert.ok(!isBlocks({ LANG: 'de_DE.ISO-8859-1' }));
  assert.ok(!isBlocks({ TERM: 'linux', LANG: 'de_DE.utf8' }));
  assert.ok(isBlocks({ LANG: 'C' }, 'win32'));
});

test('property: whatever is under way, no row is wider than the screen, and none can be obeyed by a terminal', () => {
  const bytes = fc.integer({ min: 0, max: 2 ** 36 });
  const taker = fc.record({ nick: fc.string({ unit: 'binary', maxLength: 20 }), doneBytes: bytes });
  const rows = fc.array(
    fc.record({
      ...{ number: fc.nat(), isOwn: fc.boolean(), isChecking: fc.boolean() },
      name: fc.string({ unit: 'binary', maxLength: 60 }),
      ...{ bytes, doneBytes: bytes },
      bytesPerSecond: fc.option(bytes),
      leftMs: fc.option(fc.integer({ min: 0, max: 1e9 })),
      takers: fc.array(taker, { maxLength: 5 }),
    }),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(
      rows,
      fc.integer({ min: 1, max: 120 }),
      fc.constantFrom(signs, ascii),
      (list, columns, how) => {
        for (const each of progressRows(list, { columns, palette, signs: how })) {
          assert.ok(columnsOf(each) <= columns, each);
          assert.doesNotMatch(each, HIDDEN);
        }
      },
    ),
  );
});
