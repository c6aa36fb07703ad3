/** Rows of cells under each other, for `/help`, `/names` and lists. */
import { cleanText } from '../../protocol/clean-text.ts';
import { columnsOf } from '../graphemes.ts';
import { wrapLine } from './wrap.ts';

const GAP = '  ';
/** What the last column needs to be read; with less, each row becomes a short block. */
const LAST_COLUMNS_LEAST = 24;

function padded(cell: string, columns: number): string {
  return cell + ' '.repeat(Math.max(0, columns - columnsOf(cell)));
}

/**
 * All columns but the last are as wide as their widest cell; the last is wrapped under itself. Where too little is
 * left for it, the other cells stand on a line of their own, and the last one indented below them.
 *
 * @param rows cells, cleaned here; of equal number
 * @param columns of the screen; infinite wraps nothing
 */
export function columnsTable(rows: readonly (readonly string[])[], columns: number): readonly string[] {
  const cleaned = rows.map((row) => row.map((cell) => cleanText(cell)));
  const heads = cleaned.map((row) => row.slice(0, -1));
  const count = Math.max(0, ...heads.map((cells) => cells.length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(...heads.map((cells) => columnsOf(cells[column] ?? ''))),
  );
  const headColumns = widths.reduce((sum, width) => sum + width + GAP.length, 0);
  const isWide = columns - headColumns >= LAST_COLUMNS_LEAST;
  return cleaned.flatMap((row, index) => {
    const cells = heads[index] ?? [];
    const last = row.at(-1) ?? '';
    const ownIndent = (cells[0] ?? '').search(/\S|$/u);
    const indent = isWide ? headColumns : ownIndent + GAP.length;
    const texts = wrapLine(last, columns - indent).map((text) => ' '.repeat(indent) + text);
    if (!isWide && cells.length > 0) return [...wrapLine(cells.join(GAP), columns), ...texts];
    const head = cells.map((cell, column) => padded(cell, widths[column] ?? 0) + GAP).join('');
    return [head + (texts[0] ?? '').slice(indent), ...texts.slice(1)].map((line) => line.trimEnd());
  });
}
