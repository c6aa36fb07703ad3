/** Fewer pixels: each is the mean of those it stands for (a box filter). */
import type { Bitmap } from '../../terminal/picture/bitmap.ts';

/** @returns the same picture where it is small enough already: none is made larger */
export function scaleDown(bitmap: Bitmap, most: { readonly width: number; readonly height: number }): Bitmap {
  const scale = Math.min(1, most.width / bitmap.width, most.height / bitmap.height);
  if (scale === 1) return bitmap;
  const width = Math.max(1, Math.floor(bitmap.width * scale));
  const height = Math.max(1, Math.floor(bitmap.height * scale));
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y += 1) {
    const [top, bottom] = span(y, height, bitmap.height);
    for (let x = 0; x < width; x += 1) {
      const [left, right] = span(x, width, bitmap.width);
      data.set(mean(bitmap, { left, right, top, bottom }), (y * width + x) * 4);
    }
  }
  return { width, height, data };
}

/** Which of `from` pixels the one at `index` of `to` stands for: at least one. */
function span(index: number, to: number, from: number): readonly [start: number, end: number] {
  const start = Math.floor((index * from) / to);
  return [start, Math.max(start + 1, Math.floor(((index + 1) * from) / to))];
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** What cannot be seen has no say in the colour. */
function mean({ width, data }: Bitmap, { left, right, top, bottom }: Box): readonly number[] {
  let [red, green, blue, alpha] = [0, 0, 0, 0];
  for (let y = top; y < bottom; y += 1) {
    for (let at = (y * width + left) * 4; at < (y * width + right) * 4; at += 4) {
      const weight = data[at + 3] ?? 0;
      red += (data[at] ?? 0) * weight;
      green += (data[at + 1] ?? 0) * weight;
      blue += (data[at + 2] ?? 0) * weight;
      alpha += weight;
    }
  }
  const pixels = (right - left) * (bottom - top);
  const color = (sum: number): number => (alpha === 0 ? 0 : Math.round(sum / alpha));
  return [color(red), color(green), color(blue), Math.round(alpha / pixels)];
}
