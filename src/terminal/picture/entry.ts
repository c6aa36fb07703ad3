/**
 * A picture as an entry of the talk: its name, then the picture behind the bar, where no time and no nickname stand. So
 * nobody can paint what looks like a line of the program.
 */
import { unreachable } from '../../protocol/errors.ts';
import { up } from '../screen/escapes.ts';
import { barColumns, entry, type RenderView, stamp, underBar } from '../view/entry.ts';
import { fileName } from '../view/file-name.ts';
import type { Bitmap } from './bitmap.ts';
import { halfBlockRows } from './half-block.ts';
import { itermPicture } from './iterm.ts';
import { kittyPicture } from './kitty.ts';
import type { PictureProtocol } from './protocol.ts';
import { sixelPicture } from './sixel.ts';
import { type Cells, cellsMost, cellsOf } from './size.ts';

const ESC = '\u001b';
const SAVE_CURSOR = `${ESC}7`;
const RESTORE_CURSOR = `${ESC}8`;

/** As it was sent, in pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** What stands for a picture wherever it is not drawn. */
export function pictureLine(
  name: string,
  { width, height }: PictureSize,
  view: RenderView,
): readonly string[] {
  return entry(stamp(view.nowMs, view), `[picture ${fileName(name)} ${width}×${height}]`, view);
}

/** What a picture may take of the screen; null where that is too little. */
export function pictureRoom(view: RenderView, screenRows: number): Cells | null {
  return cellsMost({ columns: barColumns(view), rows: screenRows });
}

/**
 * @param bitmap scaled to what `pictureRoom` gave
 * @returns entries for `ChatScreen.print`, whose rows it counts by line feeds; none where the window has become too small
 */
export function pictureRows(
  bitmap: Bitmap,
  protocol: PictureProtocol,
  view: RenderView,
  screenRows: number,
): readonly string[] {
  const room = pictureRoom(view, screenRows);
  if (protocol === 'none' || room === null) return [];
  const cells = cellsOf(bitmap, protocol);
  if (cells.columns > room.columns || cells.rows > room.rows) return [];
  switch (protocol) {
    case 'kitty':
      return [placed(kittyPicture(bitmap, cells), cells, view)];
    case 'iterm':
      return [placed(itermPicture(bitmap, cells), cells, view)];
    case 'sixel':
      // It takes the rows it needs itself, and nobody knows how many those are.
      return underBar([sixelPicture(bitmap)], view);
    case 'blocks-24bit':
      return underBar(halfBlockRows(bitmap, '24bit'), view);
    case 'blocks-256':
      return underBar(halfBlockRows(bitmap, '256'), view);
    default:
      return unreachable(protocol);
  }
}

/**
 * Its rows are there before it, so that nothing scrolls while it is drawn; afterwards the cursor is on the last of them,
 * whether or not the terminal moves it over a picture.
 */
function placed(picture: string, { rows }: Cells, view: RenderView): string {
  const empty = underBar(
    Array.from({ length: rows }, () => ''),
    view,
  ).join('\n');
  return `${empty}${SAVE_CURSOR}${up(rows - 1)}${picture}${RESTORE_CURSOR}`;
}
