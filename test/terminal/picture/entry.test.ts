/** Pictures among the lines of a screen, as a terminal shows them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import type { Bitmap } from '../../../src/terminal/picture/bitmap.ts';
import { pictureLine, pictureRoom, pictureRows } from '../../../src/terminal/picture/entry.ts';
import type { PictureProtocol } from '../../../src/terminal/picture/protocol.ts';
import { Screen } from '../../../src/terminal/screen/screen.ts';
import type { RenderView } from '../../../src/terminal/view/entry.ts';
import { makePalette } from '../../../src/terminal/view/palette.ts';
import { gradient } from '../../helpers/pictures.ts';
import { FakeTerminal } from '../screen/fake-terminal.ts';

const VIEW: RenderView = {
  palette: makePalette({ color: true, colors: 256 }),
  preferences: {
    timestamps: 'minutes',
    quiet: false,
    bell: 'on',
    notify: false,
    atDirect: false,
    theme: 'auto',
  },
  columns: 40,
  nowMs: Date.parse('2026-11-28T12:34:00Z'),
  timeZone: 'UTC',
  self: null,
};
const BAR = '      |';

async function showAmongLines(bitmap: Bitmap, protocol: PictureProtocol) {
  const fake = new FakeTerminal({ columns: 40, rows: 12 });
  const screen = new Screen(...fake.streams, { jobs: null });
  screen.setPrompt('> ');
  for (let line = 0; line < 15; line += 1) screen.print(`before ${line}`);
  await fake.type('draft');
  for (const row of [
    ...pictureLine('cat.png', { width: 640, height: 480 }, VIEW),
    ...pictureRows(bitmap, protocol, VIEW, 12),
  ])
    screen.print(row);
  await fake.settle();
  screen.print('after');
  await fake.type('s');
  return { fake, screen };
}

test('blocks stand behind the bar, between what came before and after, and the draft goes on', async () => {
  const { fake, screen } = await showAmongLines(gradient(10, 7), 'blocks-24bit');
  const picture = [
    ...Array.from({ length: 3 }, () => `${BAR} ${'▀'.repeat(10)}`),
    `${BAR} ${'▀'.repeat(10)}`,
  ];
  const shown = ['before 14', '12:34 [picture cat.png 640×480]', ...picture, 'after', '> drafts'];
  assert.deepEqual(fake.rows().slice(-shown.length), shown);
  assert.equal(fake.rows().length, 15 + 1 + 4 + 2);
  // Made wider and narrower again, it is where it was.
  await fake.resize(60, 12);
  await fake.resize(40, 12);
  assert.deepEqual(fake.rows().slice(-shown.length), shown);
  screen.close();
});

test('graphics get rows of their own, and the cursor is below them whether the terminal moved it or not', async () => {
  const bitmap = gradient(200, 90);
  for (const protocol of ['kitty', 'iterm'] as const) {
    const { fake, screen } = await showAmongLines(bitmap, protocol);
    const shown = ['12:34 [picture cat.png 640×480]', BAR, BAR, BAR, BAR, BAR, 'after', '> drafts'];
    assert.deepEqual(fake.rows().slice(-shown.length), shown);
    screen.close();
  }
});

/** A terminal that draws a picture as letters, to see where it is put. */
test('a picture begins in the first of its rows, after the bar', async () => {
  const [text = ''] = pictureRows(gradient(200, 90), 'kitty', VIEW, 12);
  const letters = text.replace(/\p{Cc}_G.*\p{Cc}\\/u, 'PICTURE\u001b[2B');
  const fake = new FakeTerminal({ columns: 40, rows: 12 });
  fake.terminal.write(`${'\n'.repeat(20)}\r${letters.replaceAll('\n', '\r\n')}\r\nafter`);
  await fake.settle();
  assert.deepEqual(fake.rows().slice(20), [`${BAR} PICTURE`, BAR, BAR, BAR, BAR, 'after']);
});

test('sixels begin after the bar and take the rows they need themselves', async () => {
  const { fake, screen } = await showAmongLines(gradient(80, 48), 'sixel');
  assert.deepEqual(fake.rows().slice(-4), ['12:34 [picture cat.png 640×480]', BAR, 'after', '> drafts']);
  screen.close();
});

test('no picture is wider or higher than the window that it is drawn in', () => {
  const room = pictureRoom(VIEW, 12);
  assert.deepEqual(room, { columns: 32, rows: 10 });
  assert.equal(pictureRows(gradient(32, 20), 'blocks-256', VIEW, 12).length, 10);
  // The window was made smaller while the picture was being decoded.
  assert.deepEqual(pictureRows(gradient(33, 20), 'blocks-256', VIEW, 12), []);
  assert.deepEqual(pictureRows(gradient(32, 20), 'blocks-256', VIEW, 11), []);
  assert.equal(pictureRoom({ ...VIEW, columns: 11 }, 12), null);
  assert.deepEqual(pictureRows(gradient(8, 8), 'none', VIEW, 12), []);
});

test('a name is text and no command, and takes no line of its own', () => {
  const hostile = 'a\u001b]0;x\u0007\n12:00 -!- You are alone\u202e.png';
  for (const columns of [40, Number.POSITIVE_INFINITY]) {
    const rows = pictureLine(hostile, { width: 1, height: 1 }, { ...VIEW, columns }).map(
      stripVTControlCharacters,
    );
    for (const row of rows) assert.doesNotMatch(row, /[\p{Cc}\p{Cf}]/u);
    for (const row of rows.slice(1)) assert.match(row, /^ {6}\| /);
    if (columns === Number.POSITIVE_INFINITY) assert.equal(rows.length, 1);
  }
});
