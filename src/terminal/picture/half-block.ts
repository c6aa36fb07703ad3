/** A picture in characters: two pixels each, the upper in ink, the lower in paper. */
import { type Bitmap, OPAQUE_FROM } from './bitmap.ts';

const ESC = '\u001b';
const DEFAULT_INK = '39';
const DEFAULT_PAPER = '49';
const RESET = `${ESC}[${DEFAULT_INK};${DEFAULT_PAPER}m`;

/** The six levels of a colour in the cube of the 256, and its greys: 8, 18 to 238. */
const CUBE_LEVELS = [0, 95, 135, 175, 215, 255];
const CUBE_FIRST = 16;
const GREYS_FIRST = 232;
const GREYS = 24;

type Color = readonly [red: number, green: number, blue: number];
export type Depth = '24bit' | '256';

function levelOf(value: number): number {
  // Half-way between neighbours.
  return CUBE_LEVELS.findLastIndex(
    (level, index) => value >= (level + (CUBE_LEVELS[index - 1] ?? level)) / 2,
  );
}

function distance(color: Color, other: Color): number {
  return color.reduce((sum, value, channel) => sum + (value - (other[channel] ?? 0)) ** 2, 0);
}

/** @returns the number of the 256 that is nearest, of those that look alike on every terminal */
function nearest256(color: Color): number {
  const [red, green, blue] = color;
  const levels = [levelOf(red), levelOf(green), levelOf(blue)] as const;
  const cube: Color = [CUBE_LEVELS[levels[0]] ?? 0, CUBE_LEVELS[levels[1]] ?? 0, CUBE_LEVELS[levels[2]] ?? 0];
  const step = Math.round(((red + green + blue) / 3 - 8) / 10);
  const grey = Math.min(GREYS - 1, Math.max(0, step));
  const value = 8 + 10 * grey;
  if (distance(color, [value, value, value]) < distance(color, cube)) return GREYS_FIRST + grey;
  return CUBE_FIRST + 36 * levels[0] + 6 * levels[1] + levels[2];
}

/** @returns null where the terminal's own ground is to be seen */
function colorAt({ width, height, data }: Bitmap, x: number, y: number): Color | null {
  const pixel = (y * width + x) * 4;
  if (y >= height || (data[pixel + 3] ?? 0) < OPAQUE_FROM) return null;
  return [data[pixel] ?? 0, data[pixel + 1] ?? 0, data[pixel + 2] ?? 0];
}

function code(color: Color, ground: 'ink' | 'paper', depth: Depth): string {
  const number = ground === 'ink' ? 38 : 48;
  return depth === '24bit' ? `${number};2;${color.join(';')}` : `${number};5;${nearest256(color)}`;
}

/** @returns a character, and the colours that it is drawn in */
function cell(upper: Color | null, lower: Color | null, depth: Depth): readonly [string, string, string] {
  if (upper !== null)
    return ['▀', code(upper, 'ink', depth), lower === null ? DEFAULT_PAPER : code(lower, 'paper', depth)];
  return lower === null ? [' ', DEFAULT_INK, DEFAULT_PAPER] : ['▄', code(lower, 'ink', depth), DEFAULT_PAPER];
}

/** @returns rows, each of which begins and ends in the terminal's own colours */
export function halfBlockRows(bitmap: Bitmap, depth: Depth): readonly string[] {
  const rows: string[] = [];
  for (let y = 0; y < bitmap.height; y += 2) {
    let row = '';
    let before = { ink: DEFAULT_INK, paper: DEFAULT_PAPER };
    for (let x = 0; x < bitmap.width; x += 1) {
      const [character, ink, paper] = cell(colorAt(bitmap, x, y), colorAt(bitmap, x, y + 1), depth);
      const changed = [...(ink === before.ink ? [] : [ink]), ...(paper === before.paper ? [] : [paper])];
      row += (changed.length === 0 ? '' : `${ESC}[${changed.join(';')}m`) + character;
      before = { ink, paper };
    }
    rows.push(row + RESET);
  }
  return rows;
}
