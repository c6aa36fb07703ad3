import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import xterm, { type IBufferCell } from '@xterm/headless';
import { columnsOf } from '../../../src/terminal/graphemes.ts';
import type { ReadyEvent } from '../../../src/terminal/json-lines.ts';
import { makePalette } from '../../../src/terminal/view/palette.ts';
import { type QrSize, qrLines, qrSize } from '../../../src/terminal/view/qr.ts';
import { readyPanel } from '../../../src/terminal/view/ready-panel.ts';
import { available, outputOf } from '../../helpers/tools.ts';

/** As long as an invitation with one address, and with four of IPv6. */
const USUAL = `sc1.${'Ab9_'.repeat(75)}`;
const LONG = `sc1.${'x-Y7'.repeat(124)}`;
const SCREEN: QrSize = { columns: 130, rows: 60 };
const PREFERENCES = {
  timestamps: 'minutes',
  quiet: false,
  bell: 'on',
  notify: false,
  atDirect: false,
} as const;
const color = makePalette({ color: true, colors: 256 });
const plain = makePalette({ color: false });

const folder = mkdtempSync(join(tmpdir(), 'securechat-qr-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function sizeOf(lines: readonly string[] | null): QrSize | null {
  return lines === null ? null : { columns: columnsOf(lines[0] ?? ''), rows: lines.length };
}

test('it says what room it needs, needs no more, and is left out where it does not fit', () => {
  for (const text of [USUAL, LONG]) {
    const size = qrSize(text);
    const look = { palette: color, theme: 'auto' } as const;
    assert.deepEqual(
      sizeOf(qrLines(text, size, look)),
      { ...size, rows: size.rows - 1 },
      'a row is the prompt',
    );
    assert.equal(qrLines(text, { ...size, columns: size.columns - 1 }, look), null);
    assert.equal(qrLines(text, { ...size, rows: size.rows - 1 }, look), null);
  }
  assert.deepEqual(qrSize(USUAL), { columns: 65, rows: 34 });
});

function ready(token: string): ReadyEvent {
  return {
    type: 'ready',
    room: { id: 'R', name: 'Kitchen' },
    addresses: ['192.168.1.5:8888'],
    invitation: { id: '1', token, expiresAt: '2026-11-22T12:00:00Z', uses: 16 },
    question: 'Where did we meet?',
    code: { value: '123456', expiresAt: '2026-11-21T12:00:20Z' },
    fingerprint: 'FFFF',
  };
}

function panel(token: string, size: QrSize, palette = color): readonly string[] {
  const nowMs = Date.parse('2026-11-21T12:00:00Z');
  return readyPanel(ready(token), {
    palette,
    ...size,
    nowMs,
    preferences: { ...PREFERENCES, theme: 'auto' },
  });
}

test('the panel has the code beside it where all of it can be seen at once, else it says how to get it', () => {
  const wide = panel(USUAL, { columns: 110, rows: 40 });
  assert.ok(wide.some((line) => line.includes('▀')));
  assert.ok(wide.includes(USUAL), 'the invitation stands alone all the same');
  for (const line of wide) assert.ok(line === USUAL || columnsOf(line) <= 110);
  const height = wide.length - 1 + Math.ceil(USUAL.length / 110);
  assert.ok(height <= 36, `of 40 rows four are left for what comes below: ${height}`);
  for (const size of [
    { columns: 80, rows: 24 },
    { columns: 80, rows: 60 },
    { columns: 110, rows: 39 },
    { columns: 40, rows: 60 },
  ]) {
    const lines = panel(USUAL, size);
    assert.ok(!lines.some((line) => line.includes('▀')));
    assert.match(lines.join(' '), /\/qr/);
  }
});

/** Pixels to a module: what a camera sees of a screen. */
const SCALE = 4;

/** How light a cell's upper and lower half are, on a terminal with this ground. */
function halves(cell: IBufferCell | undefined, darkGround: boolean): readonly [number, number] {
  const ground = darkGround ? 0 : 255;
  const shade = (isPalette: boolean, isLight: boolean, otherwise: number): number => {
    if (!isPalette) return otherwise;
    return isLight ? 255 : 0;
  };
  const paper = shade(cell?.isBgPalette() ?? false, cell?.getBgColor() === 231, ground);
  const ink = shade(cell?.isFgPalette() ?? false, cell?.getFgColor() !== 16, 255 - ground);
  switch (cell?.getChars()) {
    case '█':
      return [ink, ink];
    case '▀':
      return [ink, paper];
    case '▄':
      return [paper, ink];
    default:
      return [paper, paper];
  }
}

/** The screen as xterm draws these lines, as a picture in PGM. Letters are not drawn. */
async function photograph(lines: readonly string[], darkGround: boolean): Promise<string> {
  const terminal = new xterm.Terminal({ cols: SCREEN.columns, rows: SCREEN.rows, allowProposedApi: true });
  await new Promise<void>((done) => terminal.write(lines.join('\r\n'), done));
  const pixelRows: string[] = [];
  for (let row = 0; row < SCREEN.rows; row += 1) {
    const line = terminal.buffer.active.getLine(row);
    const cells = Array.from({ length: SCREEN.columns }, (_, column) =>
      halves(line?.getCell(column), darkGround),
    );
    for (const half of [0, 1] as const) {
      const pixels = cells.flatMap((cell) => Array<number>(SCALE).fill(cell[half])).join(' ');
      for (let again = 0; again < SCALE; again += 1) pixelRows.push(pixels);
    }
  }
  terminal.dispose();
  const file = join(folder, `${darkGround}-${pixelRows.length}-${lines.length}.pgm`);
  writeFileSync(
    file,
    `P2\n${SCREEN.columns * SCALE} ${SCREEN.rows * 2 * SCALE}\n255\n${pixelRows.join('\n')}\n`,
  );
  return file;
}

if (available(['zbarimg', '--version'], 'a QR code is read off the screen')) {
  const read = async (lines: readonly string[] | null, darkGround: boolean): Promise<string> =>
    (
      await outputOf('zbarimg', ['-q', '--nodbus', '--raw', await photograph(lines ?? [], darkGround)])
    ).trim();

  test('the code is read off the screen, dark terminal or light, with colours or without', async () => {
    for (const text of [USUAL, LONG]) {
      for (const darkGround of [true, false]) {
        const theme = darkGround ? 'dark' : 'light';
        assert.equal(await read(qrLines(text, SCREEN, { palette: color, theme: 'auto' }), darkGround), text);
        assert.equal(await read(qrLines(text, SCREEN, { palette: plain, theme }), darkGround), text);
      }
    }
  });

  test('beside the panel too', async () => {
    assert.equal(await read(panel(USUAL, { columns: 110, rows: 40 }), true), USUAL);
  });
}
