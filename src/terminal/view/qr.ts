/** QR codes in half blocks, two modules a character. The one file that knows lean-qr. */
import { generate } from 'lean-qr';
import type { Palette } from './palette.ts';
import type { Preferences } from './preferences.ts';

/** White around it, in modules. The standard asks for 4; phones and zbar read 2, and every column counts. */
const QUIET_MODULES = 2;

export type QrSize = { readonly columns: number; readonly rows: number };

/** Drawn in ink; the rest of a character is paper. */
function halfBlock(upper: boolean, lower: boolean): string {
  if (upper) return lower ? '█' : '▀';
  return lower ? '▄' : ' ';
}

/** Below it, for the line being typed. */
const PROMPT_ROWS = 1;

/** What the screen must have for the code of this text to be seen whole. */
export function qrSize(text: string): QrSize {
  const modules = generate(text).size + 2 * QUIET_MODULES;
  return { columns: modules, rows: Math.ceil(modules / 2) + PROMPT_ROWS };
}

/**
 * Dark on light: by colour, or without colours by drawing what is to shine on the terminal's ground.
 *
 * @param text a few hundred characters; 300 of them take 65 columns and 33 rows
 * @param room the screen's
 * @returns null where it does not fit
 */
export function qrLines(
  text: string,
  room: QrSize,
  { palette, theme }: { readonly palette: Palette; readonly theme: Preferences['theme'] },
): readonly string[] | null {
  const code = generate(text);
  const columns = code.size + 2 * QUIET_MODULES;
  const rows = Math.ceil(columns / 2);
  if (columns > room.columns || rows + PROMPT_ROWS > room.rows) return null;
  const inkIsDark = palette.paper !== null || theme === 'light';
  const ink = (x: number, y: number): boolean => code.get(x, y) === inkIsDark;
  return Array.from({ length: rows }, (_, row) => {
    const y = 2 * row - QUIET_MODULES;
    const line = Array.from({ length: columns }, (_, column) => {
      const x = column - QUIET_MODULES;
      return halfBlock(ink(x, y), ink(x, y + 1));
    }).join('');
    return palette.paper?.(line) ?? line;
  });
}
