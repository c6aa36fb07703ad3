/** What terminals with graphics are given, read back as they read it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { itermPicture } from '../../../src/terminal/picture/iterm.ts';
import { kittyPicture } from '../../../src/terminal/picture/kitty.ts';
import { encodePng } from '../../../src/terminal/picture/png.ts';
import { seededRandom } from '../../helpers/fuzz.ts';
import { gradient, paint, readOwnPng } from '../../helpers/pictures.ts';

const GRADIENT = gradient(97, 41);
/** Does not compress, so that it takes many commands. */
const random = seededRandom(7);
const NOISE = paint(120, 90, () => [random(256), random(256), random(256), random(256)]);
/** So that patterns can name it. */
const visible = (text: string): string => text.replaceAll('\u001b', '␛').replaceAll('\u0007', '␇');

interface KittyCommand {
  readonly keys: Readonly<Record<string, string>>;
  readonly data: string;
}

/** Nothing may stand between the commands. */
function kittyCommands(text: string): readonly KittyCommand[] {
  const shown = visible(text);
  assert.match(shown, /^(?:␛_G[^;␛]*;[A-Za-z0-9+/=]*␛\\)+$/);
  return [...shown.matchAll(/␛_G([^;]*);([^␛]*)␛\\/g)].map(([, keys = '', data = '']) => ({
    keys: Object.fromEntries(keys.split(',').map((pair) => pair.split('='))),
    data,
  }));
}

test('our own PNG reads back as it was, also of one pixel', () => {
  for (const bitmap of [GRADIENT, NOISE, gradient(1, 1)])
    assert.deepEqual(readOwnPng(encodePng(bitmap)), bitmap);
});

test('kitty is given a PNG in commands of its length, shown in so many cells, and asked to say nothing', () => {
  for (const bitmap of [GRADIENT, NOISE]) {
    const commands = kittyCommands(kittyPicture(bitmap, { columns: 12, rows: 5 }));
    const [first, ...others] = commands;
    const last = commands.length === 1 ? '0' : '1';
    assert.deepEqual(first?.keys, { a: 'T', f: '100', t: 'd', C: '1', c: '12', r: '5', q: '2', m: last });
    for (const [index, { keys }] of others.entries())
      assert.deepEqual(keys, { q: '2', m: index === others.length - 1 ? '0' : '1' });
    for (const { data, keys } of commands) {
      assert.ok(data.length <= 4_096);
      assert.ok(keys['m'] === '0' || data.length % 4 === 0);
    }
    const png = Buffer.from(commands.map(({ data }) => data).join(''), 'base64');
    assert.deepEqual(readOwnPng(png), bitmap);
  }
  assert.ok(kittyCommands(kittyPicture(NOISE, { columns: 12, rows: 5 })).length > 5);
});

test('iTerm2 is given a PNG with its size and cells, and no name', () => {
  const text = visible(itermPicture(NOISE, { columns: 12, rows: 5 }));
  const [, keys = '', data = ''] = /^␛\]1337;File=([^:␇]*):([A-Za-z0-9+/=]*)␇$/.exec(text) ?? [];
  const png = Buffer.from(data, 'base64');
  assert.equal(keys, `inline=1;size=${png.length};width=12;height=5;preserveAspectRatio=1`);
  assert.deepEqual(readOwnPng(png), NOISE);
});
