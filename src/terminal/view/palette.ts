/** Colours, all in one object, so that leaving them out is one decision. The one file that knows picocolors. */
import pico from 'picocolors';
import type { Preferences } from './preferences.ts';

export type Paint = (text: string) => string;

export type Palette = {
  readonly dim: Paint;
  readonly bold: Paint;
  readonly good: Paint;
  readonly warning: Paint;
  readonly alarm: Paint;
  /** Words that were looked for, one's own name among them. */
  readonly found: Paint;
  /**
   * Always the same colour for the same nickname, as long as this palette lives. The first nicknames get a colour
   * each of their own.
   */
  readonly nick: Paint;
  /** Black on white, whatever the terminal's colours; null without colours. */
  readonly paper: Paint | null;
};

export type Theme = Preferences['theme'];
/** How many the terminal has. */
export type Colors = 16 | 256;

type ColorSet = {
  readonly good: number;
  readonly warning: number;
  readonly alarm: number;
  /** The first six are the most unlike: in a small room nobody has any of the others. */
  readonly nicks: readonly number[];
};

const MOST_UNLIKE = 6;

/**
 * Numbers of the 256 colours. `dark` is readable (contrast 4.5 to 1 and more) on every ground from black to #1e1e1e,
 * `light` from white to #fdf6e3. No colour is that on both: `auto` keeps 3 to 1 on all of them. Nicknames are as far
 * from each other and from the alarm as colours can be; a test computes it all.
 */
export const COLOR_SETS: Readonly<Record<Theme, ColorSet>> = {
  dark: {
    good: 114,
    warning: 214,
    alarm: 203,
    nicks: [153, 34, 220, 46, 33, 213, 135, 136, 37, 199, 139, 114],
  },
  light: {
    good: 22,
    warning: 94,
    alarm: 160,
    nicks: [26, 22, 128, 55, 96, 88, 89, 94, 162, 20, 57, 24],
  },
  auto: {
    good: 28,
    warning: 166,
    alarm: 196,
    nicks: [134, 28, 31, 137, 27, 199, 96, 168, 165, 69],
  },
};

/** FNV-1a, 32 bits: small, and spreads short names well. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash;
}

/**
 * Gives each nickname the paint its hash names, or the next one that nobody has yet. Once all are given, the hash
 * alone decides, and nothing more is kept.
 */
function nickPainter(paints: readonly Paint[]): Paint {
  const given = new Map<string, number>();
  const taken = new Set<number>();
  return (nick) => {
    const known = given.get(nick);
    if (known !== undefined) return paints[known]?.(nick) ?? nick;
    const choice = given.size < MOST_UNLIKE ? Math.min(MOST_UNLIKE, paints.length) : paints.length;
    let place = hashOf(nick) % choice;
    if (given.size < paints.length) {
      while (taken.has(place)) place = (place + 1) % choice;
      given.set(nick, place);
      taken.add(place);
    }
    return paints[place]?.(nick) ?? nick;
  };
}

function unpainted(text: string): string {
  return text;
}

const NO_COLORS: Palette = {
  dim: unpainted,
  bold: unpainted,
  good: unpainted,
  warning: unpainted,
  alarm: unpainted,
  found: unpainted,
  nick: unpainted,
  paper: null,
};

/** One of the 256 colours, and the terminal's own after it: what picocolors does not know. */
function indexed(number: number): Paint {
  return (text) => `\u001b[38;5;${number}m${text}\u001b[39m`;
}

/**
 * @param options `color` is the caller's decision from `NO_COLOR`, `FORCE_COLOR` and whether it is a terminal;
 *   `theme` chooses colours for the terminal's ground
 */
export function makePalette(options: {
  readonly color: boolean;
  readonly colors?: Colors;
  readonly theme?: Theme;
}): Palette {
  const { color, colors = 16, theme = 'auto' } = options;
  if (!color) return NO_COLORS;
  const sixteen = pico.createColors(true);
  const { bold, dim, inverse } = sixteen;
  const shared = { bold, dim, found: (text: string) => bold(inverse(text)) };
  if (colors === 256) {
    const set = COLOR_SETS[theme];
    return {
      ...shared,
      good: indexed(set.good),
      warning: (text) => bold(indexed(set.warning)(text)),
      alarm: (text) => bold(indexed(set.alarm)(text)),
      nick: nickPainter(set.nicks.map(indexed)),
      paper: (text) => `\u001b[38;5;16;48;5;231m${text}\u001b[39;49m`,
    };
  }
  return {
    ...shared,
    good: sixteen.green,
    warning: (text) => bold(sixteen.magenta(text)),
    alarm: (text) => bold(sixteen.red(text)),
    nick: nickPainter(sixteenNicks(sixteen, theme)),
    paper: (text) => `\u001b[30;107m${text}\u001b[39;49m`,
  };
}

/** What each of the sixteen looks like is the terminal's choice: left out is what many show too pale or too dark. */
function sixteenNicks(sixteen: ReturnType<typeof pico.createColors>, theme: Theme): readonly Paint[] {
  const { green, cyan, magenta, blue, yellow } = sixteen;
  const { blueBright, magentaBright, greenBright, cyanBright, yellowBright } = sixteen;
  switch (theme) {
    case 'dark':
      return [green, cyan, magenta, yellow, blueBright, magentaBright, greenBright, cyanBright, yellowBright];
    case 'light':
      return [green, cyan, magenta, blue, blueBright, magentaBright];
    case 'auto':
      return [green, cyan, magenta, blueBright, magentaBright];
  }
}
