/** From a file on the disk to the lines that are printed of it. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { PictureViewer } from '../../../src/app/front/picture-viewer.ts';
import { encodePng } from '../../../src/terminal/picture/png.ts';
import type { RenderView } from '../../../src/terminal/view/entry.ts';
import { makePalette } from '../../../src/terminal/view/palette.ts';
import { gradient } from '../../helpers/pictures.ts';

const folder = mkdtempSync(join(tmpdir(), 'securechat-picture-'));
after(() => rmSync(folder, { recursive: true }));

const VIEW: RenderView = {
  palette: makePalette({ color: false }),
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
const WINDOW = { view: VIEW, screenRows: 24 };

function fileOf(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const picture = fileOf('picture', encodePng(gradient(320, 160)));

test('a picture is drawn under its name, as wide as the window lets it', async () => {
  const viewer = new PictureViewer('blocks-256');
  const lines = await viewer.lines(picture, 'a cat.png', () => WINDOW);
  const row = `      | ${'▀'.repeat(32)}`;
  assert.deepEqual(lines.map(stripVTControlCharacters), [
    '12:34 [picture "a cat.png" 320×160]',
    ...Array.from({ length: 8 }, () => row),
  ]);
});

test('where nothing can be drawn there is the line alone', async () => {
  const line = ['12:34 [picture "a cat.png" 320×160]'];
  const none = new PictureViewer('none');
  for (const columns of [40, Number.POSITIVE_INFINITY])
    assert.deepEqual(
      await none.lines(picture, 'a cat.png', () => ({ ...WINDOW, view: { ...VIEW, columns } })),
      line,
    );
  const kitty = new PictureViewer('kitty');
  assert.deepEqual(await kitty.lines(picture, 'a cat.png', () => ({ ...WINDOW, screenRows: 2 })), line);
  // The window shrinks while the picture is decoded.
  const rows = [24, 3];
  const shrinking = () => ({ view: VIEW, screenRows: rows.shift() ?? 0 });
  assert.deepEqual(await kitty.lines(picture, 'a cat.png', shrinking), line);
});

test('of what is no picture, damaged or not there nothing is said', async () => {
  const png = encodePng(gradient(320, 160));
  const nothing = [
    fileOf('text', Buffer.from('hello')),
    fileOf('empty', Buffer.alloc(0)),
    fileOf('damaged', png.subarray(0, png.length / 2)),
    join(folder, 'missing'),
    join(folder, 'folder'),
    '/dev/null',
  ];
  mkdirSync(join(folder, 'folder'));
  const viewer = new PictureViewer('blocks-256');
  for (const path of nothing) assert.deepEqual(await viewer.lines(path, 'x.png', () => WINDOW), [], path);
});

test('nothing is drawn once the screen is given back', async () => {
  const viewer = new PictureViewer('blocks-256');
  const lines = viewer.lines(picture, 'a cat.png', () => WINDOW);
  await viewer.end();
  assert.deepEqual(await lines, []);
});
