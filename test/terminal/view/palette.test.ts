import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COLOR_SETS, makePalette } from '../../../src/terminal/view/palette.ts';

type Rgb = readonly [number, number, number];

/** What xterm made of the 256 colours, and everyone after it. */
function rgbOf(number: number): Rgb {
  assert.ok(number >= 16 && number < 232, 'the first 16 and the greys are not ours to choose from');
  const place = number - 16;
  const level = (step: number): number => (step === 0 ? 0 : 55 + 40 * step);
  return [level(Math.floor(place / 36)), level(Math.floor(place / 6) % 6), level(place % 6)];
}

function linear(channel: number): number {
  const share = channel / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}

/** Contrast ratio of WCAG 2. */
function contrast(one: Rgb, other: Rgb): number {
  const [light = 0, dark = 0] = [one, other]
    .map(([red, green, blue]) => 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue))
    .sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

/** Oklab, in which equal distances look about equally large. */
function oklab(color: Rgb): readonly number[] {
  const [r, g, b] = [linear(color[0]), linear(color[1]), linear(color[2])];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function distance(one: Rgb, other: Rgb): number {
  const from = oklab(one);
  const to = oklab(other);
  return Math.hypot(...from.map((value, axis) => value - (to[axis] ?? 0)));
}

const BLACK: readonly Rgb[] = [
  [0, 0, 0],
  [0x1e, 0x1e, 0x1e],
];
const WHITE: readonly Rgb[] = [
  [255, 255, 255],
  [0xfd, 0xf6, 0xe3],
];
const THEMES = [
  { theme: 'dark', grounds: BLACK, least: 4.5, nicks: 12 },
  { theme: 'light', grounds: WHITE, least: 4.5, nicks: 12 },
  { theme: 'auto', grounds: [...BLACK, ...WHITE], least: 3, nicks: 10 },
] as const;

test('each colour is readable on every ground of its theme', () => {
  for (const { theme, grounds, least } of THEMES) {
    const { nicks, ...others } = COLOR_SETS[theme];
    for (const color of [...nicks, ...Object.values(others)]) {
      for (const ground of grounds) {
        const ratio = contrast(rgbOf(color), ground);
        assert.ok(ratio >= least, `${theme} ${color} on ${ground}: ${ratio.toFixed(2)}`);
      }
    }
  }
});

test("nicknames' colours can be told apart, and from an alarm", () => {
  for (const { theme, nicks: count } of THEMES) {
    const { nicks, alarm } = COLOR_SETS[theme];
    assert.ok(nicks.length >= count);
    const colors = [...nicks, alarm].map(rgbOf);
    for (const [index, color] of colors.entries()) {
      for (const other of colors.slice(index + 1)) assert.ok(distance(color, other) > 0.11, theme);
    }
    const first = nicks.slice(0, 6).map(rgbOf);
    for (const [index, color] of first.entries()) {
      for (const other of first.slice(index + 1)) assert.ok(distance(color, other) > 0.16, theme);
    }
  }
});

function colorOf(painted: string): string {
  return painted.slice(0, painted.indexOf('m') + 1);
}

test('the first nicknames in a room share no colour, and each keeps its own', () => {
  for (const colors of [16, 256] as const) {
    for (const theme of ['auto', 'dark', 'light'] as const) {
      const { nick } = makePalette({ color: true, colors, theme });
      const count = new Set(Array.from({ length: 100 }, (_, index) => colorOf(nick(`m${index}`)))).size;
      const fresh = makePalette({ color: true, colors, theme });
      const names = Array.from({ length: count }, (_, index) => `name${index}`);
      const given = names.map((name) => colorOf(fresh.nick(name)));
      assert.equal(new Set(given).size, count);
      for (let index = 0; index < 1_000; index += 1) fresh.nick(`later${index}`);
      assert.deepEqual(
        names.map((name) => colorOf(fresh.nick(name))),
        given,
      );
      assert.equal(fresh.nick('later1'), fresh.nick('later1'));
    }
  }
});

test('six people in a room have six of the colours that are most unlike', () => {
  for (const theme of ['auto', 'dark', 'light'] as const) {
    const { nick } = makePalette({ color: true, colors: 256, theme });
    const given = ['ann', 'bob', 'kit', 'olga', 'sam', 'sue'].map(
      (name) => /;5;(\d+)m/.exec(nick(name))?.[1],
    );
    assert.deepEqual(new Set(given), new Set(COLOR_SETS[theme].nicks.slice(0, 6).map(String)));
  }
});

test('a nickname has the same colour in every session where nobody took it before', () => {
  const [one, two] = [makePalette({ color: true }), makePalette({ color: true })];
  assert.equal(one.nick('ann'), two.nick('ann'));
});

test('without colours nothing is painted', () => {
  const { paper, ...paints } = makePalette({ color: false, colors: 256, theme: 'dark' });
  assert.equal(paper, null);
  for (const paint of Object.values(paints)) assert.equal(paint('x'), 'x');
});

test('with sixteen colours no sequence of 256 is written', () => {
  const { paper, ...paints } = makePalette({ color: true, colors: 16, theme: 'light' });
  for (const paint of [...Object.values(paints), paper]) assert.doesNotMatch(paint?.('x') ?? '', /[34]8;5/);
});
