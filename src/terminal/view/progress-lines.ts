/**
 * What is under way, for a screen that draws nothing again: a line at the beginning, one at each quarter, and one where
 * nothing was told for a while. That all of it is there is told as news. Pure: it is told the time.
 */
import { percentOf, rateText, sizeText, timeText } from './amounts.ts';
import { alert, type RenderView } from './entry.ts';
import { fileName } from './file-name.ts';
import type { FileRow } from './file-row.ts';
import { takersText } from './progress-rows.ts';

const QUARTER = 25;
const AGAIN_MS = 10_000;
/** A line has room for more than a row. */
const TAKERS_SHOWN = 10;

export class ProgressLines {
  /** By number, of what is under way. */
  #told = new Map<number, { readonly quarter: number; readonly doneBytes: number; readonly atMs: number }>();

  /** @param rows all that are under way now */
  lines(rows: readonly FileRow[], view: RenderView): readonly string[] {
    const before = this.#told;
    this.#told = new Map();
    return rows.flatMap((row) => {
      const told = before.get(row.number);
      const quarter = Math.floor(percentOf(row.doneBytes, row.bytes) / QUARTER);
      const waitedMs = told === undefined ? 0 : view.nowMs - told.atMs;
      // A clock set back must not keep it silent for ever.
      const isDue = (waitedMs >= AGAIN_MS || waitedMs < 0) && told?.doneBytes !== row.doneBytes;
      const isNews = told === undefined || quarter > told.quarter || isDue;
      this.#told.set(
        row.number,
        isNews || told === undefined ? { quarter, doneBytes: row.doneBytes, atMs: view.nowMs } : told,
      );
      return isNews && !row.isChecking ? alert(progressText(row), view) : [];
    });
  }
}

function progressText(row: FileRow): string {
  const { name, bytes, doneBytes, bytesPerSecond, leftMs, isOwn, takers } = row;
  const share =
    isOwn && takers.length > 0
      ? ` ${takersText(row, TAKERS_SHOWN)}`
      : `: ${percentOf(doneBytes, bytes)} % of ${sizeText(bytes)}`;
  const rate = bytesPerSecond === null ? '' : `, ${rateText(bytesPerSecond)}`;
  const left = leftMs === null ? '' : `, ${timeText(leftMs)} left`;
  return `${fileName(name)}${share}${rate}${left}`;
}
