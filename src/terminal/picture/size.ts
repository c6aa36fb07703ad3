/** How large a picture is shown: in the cells of the screen, and in the pixels that it is scaled down to for that. */
import type { Bitmap } from './bitmap.ts';
import type { PictureProtocol } from './protocol.ts';

/** Small: what was said before it stays on the screen. */
const COLUMNS_MOST = 60;
const ROWS_MOST = 20;
/** Of the screen's rows, those that a picture leaves: its name above it, the line being typed below. */
const ROWS_LEFT = 2;
/** In fewer than these nothing can be made out. */
const COLUMNS_LEAST = 4;

export interface Cells {
  readonly columns: number;
  readonly rows: number;
}

/**
 * A cell is taken to be twice as high as wide. Nobody tells how many pixels it has: kitty and iTerm2 scale to the cells they
 * are given. Sixels are not scaled, so for them it is a small one, and a picture is rather too small than too large.
 */
const PIXELS_PER_COLUMN: Readonly<Record<Exclude<PictureProtocol, 'none'>, number>> = {
  kitty: 10,
  iterm: 10,
  sixel: 8,
  'blocks-24bit': 1,
  'blocks-256': 1,
};

/**
 * @param room what the window has for a row, after what stands before it
 * @returns null where the window is too small
 */
export function cellsMost(room: Cells): Cells | null {
  const columns = Math.min(COLUMNS_MOST, room.columns);
  const rows = Math.min(ROWS_MOST, room.rows - ROWS_LEFT);
  return columns < COLUMNS_LEAST || rows < 1 ? null : { columns, rows };
}

/** The most pixels that are needed to fill these cells. */
export function pixelsMost(
  { columns, rows }: Cells,
  protocol: Exclude<PictureProtocol, 'none'>,
): { readonly width: number; readonly height: number } {
  const perColumn = PIXELS_PER_COLUMN[protocol];
  return { width: columns * perColumn, height: rows * 2 * perColumn };
}

/** The cells that a bitmap of at most so many pixels takes. */
export function cellsOf(
  { width, height }: Pick<Bitmap, 'width' | 'height'>,
  protocol: Exclude<PictureProtocol, 'none'>,
): Cells {
  const perColumn = PIXELS_PER_COLUMN[protocol];
  return { columns: Math.ceil(width / perColumn), rows: Math.ceil(height / (2 * perColumn)) };
}
