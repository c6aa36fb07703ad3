/** A terminal's screen as SVG: text stays text, half blocks and grounds become shapes. */
import type { IBufferCell, IBufferLine } from '@xterm/headless';
import type { Shot } from './pane.ts';

/** In pixels. Half a cell is a square, as a QR code wants it. */
const CELL = { width: 8, height: 16 };
const PAD = 14;
const TITLE = 28;
/** Of the letters' feet, from the top of a row. */
const BASELINE = 12;
const FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";

type Look = {
  readonly ground: string;
  readonly text: string;
  readonly title: string;
  readonly border: string;
  /** The first sixteen of the 256 colours. */
  readonly sixteen: readonly string[];
};

const LOOKS: Readonly<Record<'dark' | 'light', Look>> = {
  dark: {
    ground: '#1b1f26',
    text: '#d6dbe1',
    title: '#9aa4b1',
    border: '#4a525e',
    sixteen: [
      ...['#6b7280', '#f27b7b', '#86d68a', '#e0c268', '#7fb2f0', '#d79be8', '#6fd3d3', '#d6dbe1'],
      ...['#8b939e', '#ff9d9d', '#a5e6a8', '#f0d88a', '#a3c8f7', '#e5b8f2', '#98e6e6', '#ffffff'],
    ],
  },
  light: {
    ground: '#ffffff',
    text: '#24292f',
    title: '#57606a',
    border: '#d0d7de',
    sixteen: [
      ...['#24292f', '#cf222e', '#116329', '#4d2d00', '#0969da', '#8250df', '#1b7c83', '#6e7781'],
      ...['#57606a', '#a40e26', '#1a7f37', '#633c01', '#218bff', '#a475f9', '#3192aa', '#8c959f'],
    ],
  },
};

/** Which halves of a cell a block character fills. */
const BLOCKS: Readonly<Record<string, readonly [boolean, boolean]>> = {
  '█': [true, true],
  '▀': [true, false],
  '▄': [false, true],
};

function indexed(number: number, look: Look): string {
  if (number < 16) return look.sixteen[number] ?? look.text;
  const place = number - 16;
  const level = (step: number): number => (step === 0 ? 0 : 55 + 40 * step);
  const channels =
    number < 232
      ? [Math.floor(place / 36), Math.floor(place / 6) % 6, place % 6].map(level)
      : Array<number>(3).fill(8 + 10 * (number - 232));
  return `#${channels.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}

type Style = { readonly ink: string; readonly paper: string | null; readonly attributes: string };

function styleOf(cell: IBufferCell, look: Look): Style {
  const ink = cell.isFgPalette() ? indexed(cell.getFgColor(), look) : look.text;
  const paper = cell.isBgPalette() ? indexed(cell.getBgColor(), look) : null;
  const isInverse = cell.isInverse() !== 0;
  const shown = isInverse ? (paper ?? look.ground) : ink;
  const fill = shown === look.text ? '' : ` fill="${shown}"`;
  const bold = cell.isBold() !== 0 ? ' font-weight="bold"' : '';
  const dim = cell.isDim() !== 0 ? ' fill-opacity="0.7"' : '';
  return { ink: shown, paper: isInverse ? ink : paper, attributes: fill + bold + dim };
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Rectangles by colour: one path each, which is much smaller than an element for each. */
class Shapes {
  readonly #paths = new Map<string, string>();

  add(color: string, x: number, y: number, width: number, height: number): void {
    const path = this.#paths.get(color) ?? '';
    this.#paths.set(color, `${path}M${x} ${y}h${width}v${height}h-${width}z`);
  }

  svg(): string {
    const paths = [...this.#paths].map(([color, path]) => `<path fill="${color}" d="${path}"/>\n`);
    return paths.length === 0 ? '' : `<g shape-rendering="crispEdges">\n${paths.join('')}</g>\n`;
  }
}

/** Calls back for each run of equal, true-valued keys along a row. */
function eachRun(
  keys: readonly (string | null)[],
  found: (key: string, from: number, to: number) => void,
): void {
  let from = 0;
  for (let at = 1; at <= keys.length; at += 1) {
    const key = keys[from] ?? null;
    if (at < keys.length && (keys[at] ?? null) === key) continue;
    if (key !== null) found(key, from, at);
    from = at;
  }
}

function drawRow(
  line: IBufferLine,
  columns: number,
  top: number,
  look: Look,
  grounds: Shapes,
  blocks: Shapes,
): string {
  const cells = Array.from({ length: columns }, (_, column) => {
    const cell = line.getCell(column);
    return cell === undefined ? null : { style: styleOf(cell, look), text: cell.getChars() || ' ' };
  });
  const x = (column: number): number => PAD + column * CELL.width;
  eachRun(
    cells.map((cell) => cell?.style.paper ?? null),
    (color, from, to) => grounds.add(color, x(from), top, (to - from) * CELL.width, CELL.height),
  );
  for (const half of [0, 1] as const) {
    const height = CELL.height / 2;
    eachRun(
      cells.map((cell) => (cell !== null && BLOCKS[cell.text]?.[half] === true ? cell.style.ink : null)),
      (color, from, to) => blocks.add(color, x(from), top + half * height, (to - from) * CELL.width, height),
    );
  }
  let spans = '';
  const keys = cells.map((cell) =>
    cell === null || BLOCKS[cell.text] !== undefined ? null : cell.style.attributes,
  );
  eachRun(keys, (attributes, from, to) => {
    const text = cells
      .slice(from, to)
      .map((cell) => cell?.text ?? ' ')
      .join('');
    const shown = text.trimEnd();
    const start = shown.length - shown.trimStart().length;
    if (shown.trim() === '') return;
    const length = (shown.length - start) * CELL.width;
    spans += `<tspan x="${x(from + start)}" textLength="${length}"${attributes}>${escapeXml(shown.trim())}</tspan>`;
  });
  return spans === '' ? '' : `<text y="${top + BASELINE}" xml:space="preserve">${spans}</text>\n`;
}

/** @param label what the picture shows, for who cannot see it */
export function drawShot(
  shot: Shot,
  picture: { readonly title: string; readonly label: string; readonly look: 'dark' | 'light' },
): string {
  const look = LOOKS[picture.look];
  const width = shot.columns * CELL.width + 2 * PAD;
  const height = TITLE + shot.lines.length * CELL.height + PAD;
  const grounds = new Shapes();
  const blocks = new Shapes();
  const rows = shot.lines.map((line, index) =>
    drawRow(line, shot.columns, TITLE + index * CELL.height, look, grounds, blocks),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(picture.label)}"
 font-family="${FONT}" font-size="13" fill="${look.text}">
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${look.ground}" stroke="${look.border}"/>
<text x="${PAD}" y="18" fill="${look.title}">${escapeXml(picture.title)}</text>
${grounds.svg()}${blocks.svg()}${rows.join('')}</svg>
`;
}
