/** Breaking a line into rows, so that what folds is indented and no text can pass itself off as a new line. */
import { graphemes, mostColumnsOf } from '../graphemes.ts';

/** All that looks like a space, the braille blank too, so that none can hold a faked line together. */
const SPACES = /([\p{Zs}\u2800]+)/u;
const ASCII_WORD = /^[!-~]+$/;
/** Rows narrower than this are left to the terminal to fold. */
const LEAST_COLUMNS = 8;

/** Of a word: its graphemes, and the parts of one that some terminal would draw wider than a row. */
function piecesOf(word: string, columns: number): readonly string[] {
  return graphemes(word).flatMap((piece) => (mostColumnsOf(piece) <= columns ? [piece] : [...piece]));
}

/**
 * Breaks at spaces. An ASCII word longer than a row, such as a link, stays whole for the terminal to fold, so that
 * it can be copied; other long words (and scripts without spaces) are broken between graphemes.
 * Columns are counted as the terminal that shows most of them does: what it folded by itself would begin where our lines do.
 *
 * @param columns of a row; infinite leaves the line whole
 * @param firstColumns of the first row, where something stands before it
 */
export function wrapLine(line: string, columns: number, firstColumns: number = columns): readonly string[] {
  if (columns < LEAST_COLUMNS) return [line];
  const rows: string[] = [];
  let row = '';
  let width = 0;
  const fits = (added: number): boolean => width + added <= (rows.length === 0 ? firstColumns : columns);
  const breakRow = (): void => {
    rows.push(row);
    row = '';
    width = 0;
  };
  // Words at the even places, the spaces between them at the odd ones.
  for (const [index, part] of line.split(SPACES).entries()) {
    const isSpace = index % 2 === 1;
    const whole = isSpace || ASCII_WORD.test(part) || mostColumnsOf(part) <= columns;
    for (const piece of whole ? [part] : piecesOf(part, columns)) {
      const pieceColumns = mostColumnsOf(piece);
      const fitsLater = rows.length === 0 && pieceColumns <= columns;
      if (!fits(pieceColumns) && (width > 0 || fitsLater)) breakRow();
      if (isSpace && (!fits(pieceColumns) || (width === 0 && rows.length > 0))) continue;
      row += piece;
      width += pieceColumns;
    }
  }
  breakRow();
  return rows.map((finished) => finished.trimEnd());
}
