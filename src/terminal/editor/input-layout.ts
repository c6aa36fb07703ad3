/** Where the line being typed stands on the screen: its rows, and the cursor among them. */
import { cleanText } from '../../protocol/clean-text.ts';
import { columnsOf, graphemes } from '../graphemes.ts';
import { hintOf, promptOf } from './hints.ts';
import type { EditorState } from './state.ts';

export type InputLayout = {
  /** At least one; none wider than the screen. */
  readonly rows: readonly string[];
  readonly cursorRow: number;
  /** What stands before the cursor in its row: writing it puts the cursor there, whatever widths a terminal uses. */
  readonly beforeCursor: string;
};

const DOT = '•';
const ELLIPSIS = '…';
const PRINTABLE_ASCII = /^[ -~]$/;

type Cell = { readonly text: string; readonly columns: number };

/** What has been looked up; a draft has thousands of characters and few different ones, and each key lays it out again. */
const cells = new Map<string, Cell>();
const MAX_CELLS = 2_000;

function cellOf(grapheme: string): Cell {
  const known = cells.get(grapheme);
  if (known !== undefined) return known;
  const text = PRINTABLE_ASCII.test(grapheme) ? grapheme : cleanText(grapheme, { multiline: true });
  const cell = { text, columns: columnsOf(text) };
  if (cells.size >= MAX_CELLS) cells.clear();
  cells.set(grapheme, cell);
  return cell;
}

/** The rows that fit, the cursor's among them; a long draft scrolls inside its own lines. */
function clip(layout: InputLayout, maxRows: number): InputLayout {
  if (layout.rows.length <= maxRows) return layout;
  const first = Math.max(0, Math.min(layout.cursorRow - maxRows + 1, layout.rows.length - maxRows));
  return {
    rows: layout.rows.slice(first, first + maxRows),
    cursorRow: layout.cursorRow - first,
    beforeCursor: layout.beforeCursor,
  };
}

/** One row of clean text, cut off where the screen ends. */
function oneRow(text: string, columns: number): string {
  const clean = cleanText(text);
  if (columnsOf(clean) <= columns) return clean;
  let row = '';
  let width = 1;
  for (const cell of graphemes(clean)) {
    width += columnsOf(cell);
    if (width > columns) break;
    row += cell;
  }
  return row + ELLIPSIS;
}

/**
 * @param prompt shown before the text
 * @param screen its width, and the most rows the input may take; each at least 1
 */
export function layoutInput(
  state: Pick<EditorState, 'text' | 'cursor' | 'masked' | 'mode'>,
  prompt: string,
  screen: { readonly columns: number; readonly maxRows: number },
): InputLayout {
  const { columns, maxRows } = screen;
  const hint = maxRows > 1 ? hintOf(state, columns) : null;
  if (hint === null) return clip(layoutText(state, promptOf(state, prompt), columns), maxRows);
  const layout = clip(layoutText(state, promptOf(state, prompt), columns), maxRows - 1);
  // Above, because terminals that fold a row below the cursor disagree on where the cursor is then.
  return { ...layout, rows: [oneRow(hint, columns), ...layout.rows], cursorRow: layout.cursorRow + 1 };
}

function layoutText(
  state: Pick<EditorState, 'text' | 'cursor' | 'masked'>,
  prompt: string,
  columns: number,
): InputLayout {
  const rows: string[] = [];
  let row = '';
  let width = 0;
  const place = (cell: Cell): void => {
    if (width + cell.columns > columns) breakRow();
    row += cell.text;
    width += cell.columns;
  };
  const breakRow = (): void => {
    rows.push(row);
    row = '';
    width = 0;
  };

  for (const grapheme of graphemes(cleanText(prompt))) place(cellOf(grapheme));
  let cursorRow = 0;
  let beforeCursor = '';
  const markCursor = (): void => {
    // A full row has no cell left for the cursor: it waits at the start of the next.
    if (width >= columns) breakRow();
    cursorRow = rows.length;
    beforeCursor = row;
  };
  let offset = 0;
  let marked = false;
  for (const grapheme of graphemes(state.text)) {
    if (!marked && state.cursor < offset + grapheme.length) {
      markCursor();
      marked = true;
    }
    offset += grapheme.length;
    if (grapheme === '\n') breakRow();
    else place(cellOf(state.masked ? DOT : grapheme));
  }
  if (!marked) markCursor();
  rows.push(row);
  return { rows, cursorRow, beforeCursor };
}
