import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scaleDown } from '../../../src/app/pictures/scale-down.ts';
import { gradient, paint, pixelAt } from '../../helpers/pictures.ts';

test('each pixel is the mean of those it stands for', () => {
  const bitmap = paint(4, 2, (x, y) => [x * 10, y * 100, 0, 255]);
  assert.deepEqual(scaleDown(bitmap, { width: 2, height: 9 }), {
    width: 2,
    height: 1,
    data: Uint8Array.from([5, 50, 0, 255, 25, 50, 0, 255]),
  });
});

test('what is transparent has no say in the colour', () => {
  const bitmap = paint(2, 2, (x) => (x === 0 ? [255, 255, 255, 0] : [10, 20, 30, 200]));
  assert.deepEqual(pixelAt(scaleDown(bitmap, { width: 1, height: 1 }), 0, 0), [10, 20, 30, 100]);
  const nothing = paint(2, 2, () => [255, 255, 255, 0]);
  assert.deepEqual(pixelAt(scaleDown(nothing, { width: 1, height: 1 }), 0, 0), [0, 0, 0, 0]);
});

test('it fits, keeps its shape, has a pixel at least, and never grows', () => {
  const fit = (width: number, height: number) => {
    const scaled = scaleDown(gradient(width, height), { width: 60, height: 40 });
    assert.equal(scaled.data.length, scaled.width * scaled.height * 4);
    return [scaled.width, scaled.height];
  };
  assert.deepEqual(fit(120, 80), [60, 40]);
  assert.deepEqual(fit(600, 80), [60, 8]);
  assert.deepEqual(fit(61, 400), [6, 40]);
  assert.deepEqual(fit(2_000, 1), [60, 1]);
  assert.deepEqual(fit(1, 2_000), [1, 40]);
  assert.deepEqual(fit(7, 5), [7, 5]);
});
