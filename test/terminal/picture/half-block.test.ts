/** Blocks of colour, cell by cell as a terminal shows them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import xterm, { type IBufferCell } from '@xterm/headless';
import { columnsOf } from '../../../src/terminal/graphemes.ts';
import type { Bitmap } from '../../../src/terminal/picture/bitmap.ts';
import { type Depth, halfBlockRows } from '../../../src/terminal/picture/half-block.ts';
import { gradient, paint, pixelAt } from '../../helpers/pictures.ts';

interface Shown {
  readonly character: string;
  /** Null: the terminal's own. */
  readonly ink: number | null;
  readonly paper: number | null;
}

async function shown(bitmap: Bitmap, depth: Depth): Promise<readonly (readonly Shown[])[]> {
  const rows = halfBlockRows(bitmap, depth);
  assert.equal(rows.length, Math.ceil(bitmap.height / 2));
  for (const row of rows) assert.equal(columnsOf(row), bitmap.width);
  const terminal = new xterm.Terminal({
    cols: bitmap.width + 1,
    rows: rows.length + 1,
    allowProposedApi: true,
  });
  // The sign after each row tells whether its colours have ended.
  await new Promise<void>((done) => terminal.write(rows.map((row) => `${row}|`).join('\r\n'), done));
  const cellOf = (cell: IBufferCell | undefined): Shown => ({
    character: cell?.getChars() ?? '',
    ink: cell?.isFgDefault() === false ? cell.getFgColor() : null,
    paper: cell?.isBgDefault() === false ? cell.getBgColor() : null,
  });
  return rows.map((_, y) => {
    const line = terminal.buffer.active.getLine(y);
    const cells = Array.from({ length: bitmap.width + 1 }, (_cell, x) => cellOf(line?.getCell(x)));
    assert.deepEqual(cells.pop(), { character: '|', ink: null, paper: null });
    return cells;
  });
}

const rgb = ([red = 0, green = 0, blue = 0]: readonly number[]): number => (red << 16) | (green << 8) | blue;

test('in 24-bit colours each half is its pixel', async () => {
  const bitmap = gradient(23, 14);
  const rows = await shown(bitmap, '24bit');
  for (const [y, row] of rows.entries())
    for (const [x, cell] of row.entries())
      assert.deepEqual(cell, {
        character: '▀',
        ink: rgb(pixelAt(bitmap, x, 2 * y)),
        paper: rgb(pixelAt(bitmap, x, 2 * y + 1)),
      });
});

test('what is transparent, and what is below the last row, is the ground of the terminal', async () => {
  const bitmap = paint(4, 3, (x, y) => [
    200,
    100,
    50,
    (x & 1) === 1 && y !== 1 ? 0 : x > 1 && y === 1 ? 127 : 255,
  ]);
  const color = rgb([200, 100, 50]);
  const [first, second] = await shown(bitmap, '24bit');
  assert.deepEqual(first, [
    { character: '▀', ink: color, paper: color },
    { character: '▄', ink: color, paper: null },
    { character: '▀', ink: color, paper: null },
    { character: ' ', ink: null, paper: null },
  ]);
  assert.deepEqual(second?.[0], { character: '▀', ink: color, paper: null });
  assert.deepEqual(second?.[1], { character: ' ', ink: null, paper: null });
});

test('of the 256 colours the nearest is taken, and none of the sixteen that each terminal has its own of', async () => {
  const cases: readonly (readonly [readonly [number, number, number], number])[] = [
    [[0, 0, 0], 16],
    [[255, 255, 255], 231],
    [[255, 0, 0], 196],
    [[95, 135, 175], 67],
    [[128, 128, 128], 244],
    [[8, 8, 8], 232],
    [[240, 238, 238], 255],
    [[200, 10, 180], 163],
  ];
  for (const [color, number] of cases) {
    const [[cell] = []] = await shown(
      paint(1, 2, () => [...color, 255]),
      '256',
    );
    assert.deepEqual(cell, { character: '▀', ink: number, paper: number }, color.join());
  }
});

test('colours are said only where they change', () => {
  const [row = ''] = halfBlockRows(
    paint(50, 2, () => [9, 9, 9, 255]),
    '24bit',
  );
  assert.equal(row, `\u001b[38;2;9;9;9;48;2;9;9;9m${'▀'.repeat(50)}\u001b[39;49m`);
});
