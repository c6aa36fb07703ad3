/**
 * One entry of what a person sees: a time, a head, and text that may be wider than the screen. House rule: every string
 * that came from somebody else passes `cleanText` here or before; a caller's word that it is clean counts for nothing.
 */
import { cleanText } from '../../protocol/clean-text.ts';
import { LIMITS } from '../../protocol/limits.ts';
import { columnsOf } from '../graphemes.ts';
import { clock } from './dates.ts';
import type { Paint, Palette } from './palette.ts';
import type { Preferences } from './preferences.ts';
import { wrapLine } from './wrap.ts';

export type RenderView = {
  readonly palette: Palette;
  readonly preferences: Preferences;
  /** Of the screen. Infinite: one line an event, whatever it holds. */
  readonly columns: number;
  /** Of the screen; left out where no QR code is wanted. */
  readonly rows?: number;
  readonly nowMs: number;
  /** IANA name; the machine's own when left out. */
  readonly timeZone?: string;
  /** One's own nickname; null outside a room. */
  readonly self: string | null;
  /** Of the message to be drawn, on this screen. */
  readonly number?: number;
};

/** What every line of news begins with, so that meaning never rests on colour alone. */
export const SIGN = { alert: '-!-', arrived: '-->', left: '<--' } as const;

/** As wide as a time, so that texts and what they fold into stand in one column. */
const GUTTER: Readonly<Record<Preferences['timestamps'], string>> = {
  minutes: '      | ',
  seconds: '         | ',
  off: '  | ',
};

export function cleanNick(nick: string): string {
  return cleanText(nick, { maxCodePoints: LIMITS.nicknameCharactersMost });
}

/** The time that begins a line, with the space after it; empty where times are off. */
export function stamp(timeMs: number, { preferences, timeZone, palette }: RenderView): string {
  const time = clock(timeMs, preferences.timestamps, timeZone);
  return time === '' ? '' : `${palette.dim(time)} `;
}

/** Rows that go on with what was said before, behind the bar. */
export function underBar(rows: readonly string[], { palette, preferences }: RenderView): readonly string[] {
  const gutter = palette.dim(GUTTER[preferences.timestamps]);
  return rows.map((row) => gutter + row);
}

/** How wide a row behind the bar may be. */
export function barColumns({ columns, preferences }: RenderView): number {
  return columns - GUTTER[preferences.timestamps].length;
}

/**
 * Rows after a head. What follows a line feed or a fold stands behind a bar, where no time and no nickname stand.
 *
 * @param rows as `wrapText` makes them; painted or not
 */
export function underHead(head: string, rows: readonly string[], view: RenderView): readonly string[] {
  const [opening = '', ...folded] = rows;
  return [head + opening, ...underBar(folded, view)];
}

/** Three and more empty lines in a row: thousands of them would push all that was said off the screen. */
const EMPTY_LINES = /\n(?:[ ]*\n){3,}/gu;

function fewEmptyLines(clean: string): string {
  return clean.replace(EMPTY_LINES, (run) => `\n… ${run.split('\n').length - 2} empty lines\n`);
}

/** @returns clean rows that fit behind `head` and, from the second on, behind the bar. */
export function wrapText(head: string, text: string, view: RenderView): readonly string[] {
  if (view.columns === Number.POSITIVE_INFINITY) return [cleanText(text)];
  const width = barColumns(view);
  const [first = '', ...others] = fewEmptyLines(cleanText(text, { multiline: true })).split('\n');
  const rows = wrapLine(first, width, Math.max(0, view.columns - columnsOf(head)));
  return [...rows, ...others.flatMap((line) => wrapLine(line, width))];
}

/**
 * A painted head, then text that may have several lines and be wider than the screen.
 *
 * @param paint called for each row by itself: colours never reach over a fold
 */
export function entry(head: string, text: string, view: RenderView, paint?: Paint): readonly string[] {
  const rows = wrapText(head, text, view);
  return underHead(head, paint === undefined ? rows : rows.map(paint), view);
}

/** What the program has to say: `14:02 -!- text`. */
export function alert(text: string, view: RenderView, paint: Paint = (row) => row): readonly string[] {
  return entry(`${stamp(view.nowMs, view)}${paint(SIGN.alert)} `, text, view, paint);
}

/**
 * What one person has written for everyone to read, in lines: also where an event is one line else, since nobody can read
 * a page in one. All but the first stand behind the bar there too, so that none looks like a word of the program.
 */
export function alertRows(text: string, view: RenderView): readonly string[] {
  if (Number.isFinite(view.columns)) return alert(text, view);
  const [first = '', ...others] = text.split('\n');
  return [
    ...alert(first, view),
    ...underBar(
      others.map((row) => cleanText(row)),
      view,
    ),
  ];
}
