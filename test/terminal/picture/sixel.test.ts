/** Sixels, read back by a small decoder that takes nothing but what the program writes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Bitmap } from '../../../src/terminal/picture/bitmap.ts';
import { sixelPicture } from '../../../src/terminal/picture/sixel.ts';
import { gradient, paint, pixelAt } from '../../helpers/pictures.ts';

function decodeSixels(text: string): Bitmap {
  // In brackets, because a P and a number would be the name of a promise.
  const [, width = '', height = '', body = ''] =
    /^␛[P]0;1;0q"1;1;(\d+);(\d+)([!-~]*)␛\\$/.exec(text.replaceAll('\u001b', '␛')) ??
    assert.fail('no sixel picture');
  const bitmap = paint(Number(width), Number(height), () => [0, 0, 0, 0]);
  const colors = new Map<number, readonly number[]>();
  let [color, x, top] = [0, 0, 0];
  const draw = (count: number, bits: number): void => {
    for (let column = x; column < x + count; column += 1)
      for (let row = 0; row < 6; row += 1) {
        if ((bits & (1 << row)) === 0) continue;
        assert.ok(column < bitmap.width && top + row < bitmap.height, 'outside the picture');
        bitmap.data.set([...(colors.get(color) ?? []), 255], ((top + row) * bitmap.width + column) * 4);
      }
    x += count;
  };
  const commands = /#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|([$-])/gy;
  let read = 0;
  for (const [whole, defined, red, green, blue, chosen, count, run, one, move] of body.matchAll(commands)) {
    read += whole.length;
    if (defined !== undefined)
      colors.set(
        Number(defined),
        [red, green, blue].map((percent) => Math.round(Number(percent) * 2.55)),
      );
    else if (chosen !== undefined) color = Number(chosen);
    else if (run !== undefined) draw(Number(count), run.charCodeAt(0) - 63);
    else if (one !== undefined) draw(1, one.charCodeAt(0) - 63);
    else {
      x = 0;
      if (move === '-') top += 6;
    }
  }
  assert.equal(read, body.length, 'a sign that no sixel terminal knows');
  assert.ok(colors.size <= 256);
  return bitmap;
}

/** Over squares of eight pixels, as an eye does from afar. */
function means({ width, height, data }: Bitmap): readonly number[] {
  const found: number[] = [];
  for (let top = 0; top + 8 <= height; top += 8)
    for (let left = 0; left + 8 <= width; left += 8)
      for (let channel = 0; channel < 3; channel += 1) {
        let sum = 0;
        for (let y = top; y < top + 8; y += 1)
          for (let x = left; x < left + 8; x += 1) sum += data[(y * width + x) * 4 + channel] ?? 0;
        found.push(sum / 64);
      }
  return found;
}

test('colours of the cube come back as they are, at every height of the last band', () => {
  for (const height of [1, 5, 6, 7, 13]) {
    const bitmap = paint(31, height, (x, y) => [(x % 6) * 51, (y % 6) * 51, ((x + y) % 6) * 51, 255]);
    assert.deepEqual(decodeSixels(sixelPicture(bitmap)), bitmap);
  }
});

test('what lies between them comes back in the mean', () => {
  const bitmap = paint(160, 96, (x, y) => [(x * 255) / 160, (y * 255) / 96, 100, 255]);
  const found = means(decodeSixels(sixelPicture(bitmap)));
  for (const [index, wanted] of means(bitmap).entries())
    assert.ok(Math.abs((found[index] ?? 0) - wanted) < 16, `${found[index]} for ${wanted}`);
});

test('what is transparent is not drawn, and all of it is nothing', () => {
  const bitmap = paint(20, 10, (x) => (x < 10 ? [255, 0, 0, 127] : [0, 255, 0, 128]));
  const found = decodeSixels(sixelPicture(bitmap));
  assert.deepEqual(pixelAt(found, 9, 3), [0, 0, 0, 0]);
  assert.deepEqual(pixelAt(found, 10, 3), [0, 255, 0, 255]);
  const nothing = paint(20, 10, () => [1, 2, 3, 0]);
  assert.ok(decodeSixels(sixelPicture(nothing)).data.every((byte) => byte === 0));
});

test('the largest picture takes less than its pixels would', () => {
  assert.ok(sixelPicture(gradient(480, 320)).length < 480 * 320 * 4);
});
