/** How much of something there is, as a bar. */
import type { Paint } from './palette.ts';

export interface BarSigns {
  readonly left: string;
  readonly full: string;
  readonly empty: string;
  readonly right: string;
  /** Between two things that are said of it. */
  readonly dot: string;
}

const BLOCKS: BarSigns = { left: '▕', full: '█', empty: '░', right: '▏', dot: ' · ' };
const ASCII: BarSigns = { left: '[', full: '#', empty: '-', right: ']', dot: ', ' };

const LOCALE = ['LC_ALL', 'LC_CTYPE', 'LANG'] as const;

/**
 * Blocks, unless the locale names another character set than UTF-8, or the terminal is the console of Linux, whose fonts
 * lack some of them. Where no locale is set, terminals of today show them all the same.
 */
export function barSigns(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): BarSigns {
  // The first of them that is set counts.
  const locale = LOCALE.map((name) => env[name] ?? '').find((value) => value !== '');
  const isOther = platform !== 'win32' && locale !== undefined && !/utf-?8/i.test(locale);
  return isOther || env['TERM'] === 'linux' ? ASCII : BLOCKS;
}

/** @param cells between its ends @param paint of what is full */
export function bar(percent: number, cells: number, signs: BarSigns, paint: Paint): string {
  const full = Math.floor((percent * cells) / 100);
  const filled = full === 0 ? '' : paint(signs.full.repeat(full));
  return signs.left + filled + signs.empty.repeat(cells - full) + signs.right;
}
