/** The bytes that put the line being typed on the screen, and take it off again. */

import type { InputLayout } from '../editor/input-layout.ts';
import { columnsOf } from '../graphemes.ts';
import { CLEAR_DOWN, CLEAR_LINE_END, down, up, WRAP_OFF, WRAP_ON } from './escapes.ts';

/** What stands above the line being typed, as far as that leaves room for it. @param maxRows of both together */
export function withRowsAbove(layout: InputLayout, above: readonly string[], maxRows: number): InputLayout {
  const shown = above.slice(0, Math.max(0, maxRows - layout.rows.length));
  return { ...layout, rows: [...shown, ...layout.rows], cursorRow: layout.cursorRow + shown.length };
}

function isCursorAtEnd({ rows, cursorRow, beforeCursor }: InputLayout): boolean {
  return cursorRow === rows.length - 1 && beforeCursor === rows.at(-1);
}

export function drawInput(layout: InputLayout): string {
  const below = layout.rows.length - 1 - layout.cursorRow;
  const toCursor = isCursorAtEnd(layout) ? '' : `${up(below)}\r${layout.beforeCursor}`;
  return `${WRAP_OFF}${layout.rows.join('\r\n')}${toCursor}${WRAP_ON}`;
}

/**
 * What to add where only the end has grown, as when somebody types: less flicker, and a screen reader hears the
 * letter instead of the line. Null where more has changed.
 */
export function addedAtEnd(before: InputLayout, after: InputLayout): string | null {
  if (!isCursorAtEnd(before) || !isCursorAtEnd(after) || before.rows.length !== after.rows.length)
    return null;
  const grown = before.rows.every((row, index) => index === before.cursorRow || row === after.rows[index]);
  return grown && after.beforeCursor.startsWith(before.beforeCursor)
    ? after.beforeCursor.slice(before.beforeCursor.length)
    : null;
}

/**
 * What to write where only rows above the cursor's are others, as when something goes on while somebody types: the line
 * being typed stays untouched. Null where more has changed.
 */
export function changedAbove(before: InputLayout, after: InputLayout): string | null {
  const { rows, cursorRow, beforeCursor } = after;
  const isSame = (row: string, index: number): boolean => index < cursorRow || row === before.rows[index];
  if (before.rows.length !== rows.length || before.cursorRow !== cursorRow) return null;
  if (before.beforeCursor !== beforeCursor || !rows.every(isSame)) return null;
  // Cleared first: behind a full row the cursor stands on its last letter.
  const changed = rows.flatMap((row, index) =>
    row === before.rows[index]
      ? []
      : [`${up(cursorRow - index)}\r${CLEAR_LINE_END}${row}${down(cursorRow - index)}`],
  );
  return changed.length === 0 ? '' : `${WRAP_OFF}${changed.join('')}\r${beforeCursor}${WRAP_ON}`;
}

/**
 * From the cursor to the first row of the input, and clear. Terminals that were made narrower fold the rows above
 * the cursor's; whether they fold the cursor's own differs, and going up too far would eat a printed line, so its
 * folds are not counted.
 *
 * @param columns of the terminal as it is now
 */
export function eraseInput({ rows, cursorRow }: InputLayout, columns: number): string {
  const rowsAbove = rows
    .slice(0, cursorRow)
    .reduce((sum, row) => sum + Math.max(1, Math.ceil(columnsOf(row) / columns)), 0);
  return `${up(rowsAbove)}\r${CLEAR_DOWN}`;
}

/** Below the input, which stays. */
export function leaveInput({ rows, cursorRow }: InputLayout): string {
  return `${down(rows.length - 1 - cursorRow)}\r\n`;
}
