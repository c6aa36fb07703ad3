/**
 * Sixels, as the VT340 took them: bands of six rows, each drawn colour by colour.
 * @see https://vt100.net/docs/vt3xx-gp/chapter14.html
 */
import { type Bitmap, OPAQUE_FROM } from './bitmap.ts';

const ESC = '\u001b';
const BAND_ROWS = 6;
/** Six levels of each of three colours: 216, of the 256 that sixel terminals have. What lies between is dithered. */
const LEVELS = 6;
const LEVEL_STEP = 255 / (LEVELS - 1);
/** No colour of ours. */
const TRANSPARENT = 255;
/** A run is written out up to here: shorter than with its count. */
const RUN_LEAST = 4;

/** Their values, of a hundred, under their numbers. */
function palette(): string {
  const percent = (level: number): number => Math.round((level * 100) / (LEVELS - 1));
  return Array.from({ length: LEVELS ** 3 }, (_, color) => {
    const red = Math.floor(color / LEVELS ** 2);
    const green = Math.floor(color / LEVELS) % LEVELS;
    return `#${color};2;${percent(red)};${percent(green)};${percent(color % LEVELS)}`;
  }).join('');
}

/** Floyd and Steinberg: what a pixel is off by goes to those to the right and below. @returns a colour a pixel */
function dithered({ width, height, data }: Bitmap): Uint8Array {
  const colors = new Uint8Array(width * height).fill(TRANSPARENT);
  // One pixel more at both ends, which takes what goes past them.
  const stride = (width + 2) * 3;
  let errors = new Float32Array(stride);
  for (let y = 0; y < height; y += 1) {
    const below = new Float32Array(stride);
    for (let x = 0; x < width; x += 1) {
      const pixel = (y * width + x) * 4;
      if ((data[pixel + 3] ?? 0) < OPAQUE_FROM) continue;
      let color = 0;
      for (let channel = 0; channel < 3; channel += 1) {
        const at = (x + 1) * 3 + channel;
        const wanted = (data[pixel + channel] ?? 0) + (errors[at] ?? 0);
        const level = Math.min(LEVELS - 1, Math.max(0, Math.round(wanted / LEVEL_STEP)));
        const off = wanted - level * LEVEL_STEP;
        color = color * LEVELS + level;
        errors[at + 3] = (errors[at + 3] ?? 0) + (off * 7) / 16;
        below[at - 3] = (below[at - 3] ?? 0) + (off * 3) / 16;
        below[at] = (below[at] ?? 0) + (off * 5) / 16;
        below[at + 3] = (below[at + 3] ?? 0) + off / 16;
      }
      colors[y * width + x] = color;
    }
    errors = below;
  }
  return colors;
}

/** @param bits of each column, which of the six rows are drawn */
function runs(bits: Uint8Array): string {
  let text = '';
  for (let start = 0; start < bits.length; ) {
    let end = start + 1;
    while (end < bits.length && bits[end] === bits[start]) end += 1;
    const sixel = String.fromCharCode(63 + (bits[start] ?? 0));
    // Nothing at the end needs not be drawn.
    if (end < bits.length || bits[start] !== 0)
      text += end - start < RUN_LEAST ? sixel.repeat(end - start) : `!${end - start}${sixel}`;
    start = end;
  }
  return text;
}

function band(colors: Uint8Array, width: number, top: number, height: number): string {
  const planes = new Map<number, Uint8Array>();
  for (let row = 0; row < BAND_ROWS && top + row < height; row += 1) {
    for (let x = 0; x < width; x += 1) {
      const color = colors[(top + row) * width + x] ?? TRANSPARENT;
      if (color === TRANSPARENT) continue;
      let plane = planes.get(color);
      if (plane === undefined) {
        plane = new Uint8Array(width);
        planes.set(color, plane);
      }
      plane[x] = (plane[x] ?? 0) | (1 << row);
    }
  }
  return [...planes].map(([color, bits]) => `#${color}${runs(bits)}`).join('$');
}

/** From the cursor, which ends below. What is transparent is left as it was. */
export function sixelPicture(bitmap: Bitmap): string {
  const { width, height } = bitmap;
  const colors = dithered(bitmap);
  const bands: string[] = [];
  for (let top = 0; top < height; top += BAND_ROWS) bands.push(band(colors, width, top, height));
  return `${ESC}P0;1;0q"1;1;${width};${height}${palette()}${bands.join('-')}${ESC}\\`;
}
