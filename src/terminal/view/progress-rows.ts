/**
 * What is under way, one row each, for the place above the line being typed. Nothing here is wider than the screen: first
 * the rate goes, then the time, then the bar gets shorter, then the name.
 */
import { cleanText } from '../../protocol/clean-text.ts';
import { columnsOf } from '../graphemes.ts';
import { percentOf, rateText, timeText } from './amounts.ts';
import { type BarSigns, bar } from './bar.ts';
import { cleanNick } from './entry.ts';
import { fileName, shortenMiddle } from './file-name.ts';
import type { FileRow } from './file-row.ts';
import type { Palette } from './palette.ts';

/** More would leave no room for what is said. */
const ROWS_MOST = 4;
const BAR_CELLS = 10;
const SHORT_BARS = [6, 4] as const;
/** Who takes one's own, as far as they are named. */
const TAKERS_SHOWN = 3;
/** On a wide screen a name takes this share of it, and never less than so many columns. */
const NAME_SHARE = 3;
const NAME_COLUMNS_LEAST = 16;

export interface ProgressView {
  readonly columns: number;
  readonly palette: Pick<Palette, 'good' | 'dim'>;
  readonly signs: BarSigns;
}

/** @returns at most five rows, clean, the last of which says how many more there are */
export function progressRows(rows: readonly FileRow[], view: ProgressView): readonly string[] {
  const shown = rows.slice(0, ROWS_MOST).map((row) => progressRow(row, view));
  const more = rows.length - shown.length;
  return more > 0 ? [...shown, view.palette.dim(shortenMiddle(`+${more} more`, view.columns))] : shown;
}

/** What may stand behind the bar, from most to least. */
function endings(row: FileRow, { dot }: BarSigns): readonly string[] {
  const time = row.leftMs === null ? '' : `${dot}${timeText(row.leftMs)} left`;
  const rate = row.bytesPerSecond === null ? '' : `${dot}${rateText(row.bytesPerSecond)}`;
  return [rate + time, time, ''];
}

/** Who has how much, or how much there is; shorter ones after longer ones. */
function shares(row: FileRow): readonly string[] {
  const percent = `${percentOf(row.doneBytes, row.bytes)} %`;
  if (row.isChecking) return ['checking'];
  if (!row.isOwn || row.takers.length === 0) return [percent];
  return [takersText(row, TAKERS_SHOWN), takersText(row, 1), percent];
}

/** e.g. `to bob 62 %, ann 10 %`: the quickest first, and as many more as are not named. */
export function takersText({ takers, bytes }: FileRow, most: number): string {
  const quick = takers.toSorted((left, right) => right.doneBytes - left.doneBytes);
  const named = quick
    .slice(0, most)
    .map(({ nick, doneBytes }) => `${cleanNick(nick)} ${percentOf(doneBytes, bytes)} %`);
  const more = takers.length - named.length;
  return `to ${named.join(', ')}${more > 0 ? ` +${more}` : ''}`;
}

function progressRow(row: FileRow, view: ProgressView): string {
  const { columns, signs, palette } = view;
  const most = Math.max(NAME_COLUMNS_LEAST, Math.floor(columns / NAME_SHARE));
  const name = fileName(row.name, most);
  const percent = row.isChecking ? 100 : percentOf(row.doneBytes, row.bytes);
  const [fullest = '', ...lesser] = shares(row);
  const [everything = '', ...fewer] = endings(row, signs);
  const ways = [
    { cells: BAR_CELLS, rest: fullest + everything },
    ...fewer.map((ending) => ({ cells: BAR_CELLS, rest: fullest + ending })),
    ...lesser.map((share) => ({ cells: BAR_CELLS, rest: share })),
    ...SHORT_BARS.map((cells) => ({ cells, rest: lesser.at(-1) ?? fullest })),
  ];
  const tail = ({ cells, rest }: (typeof ways)[number]): string =>
    ` ${bar(percent, cells, signs, palette.good)} ${rest}`;
  const fitting = ways.find((way) => columnsOf(name + tail(way)) <= columns);
  if (fitting !== undefined) return name + tail(fitting);
  const shortest = tail(ways.at(-1) ?? { cells: 0, rest: '' });
  const left = columns - columnsOf(shortest);
  // Narrower than a name can be told from another.
  if (left < 3) return shortenMiddle(`${percent} % ${cleanText(row.name)}`, columns);
  return fileName(row.name, left) + shortest;
}
