/** Decoding in a thread: what comes back for good files, and that nothing but `null` comes of bad ones. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deflateSync } from 'node:zlib';
import { PictureThread } from '../../../src/app/pictures/picture-thread.ts';
import type { Bitmap } from '../../../src/terminal/picture/bitmap.ts';
import { encodePng } from '../../../src/terminal/picture/png.ts';
import { repeated } from '../../helpers/effort.ts';
import { seededRandom } from '../../helpers/fuzz.ts';
import { encodeJpeg, turnedJpeg } from '../../helpers/jpegs.ts';
import { gradient, paint, pixelAt, rawPng } from '../../helpers/pictures.ts';

const MOST = { width: 60, height: 40 };
/** Each takes a thread of its own: a tenth of a second. */
const FUZZED_FILES = repeated({ quick: 20, thorough: 60, slow: 500 });
const THREADS = 2;

function near(found: Bitmap | undefined, wanted: Bitmap, tolerance: number): void {
  assert.deepEqual([found?.width, found?.height], [wanted.width, wanted.height]);
  for (const [index, value] of wanted.data.entries())
    assert.ok(
      Math.abs((found?.data[index] ?? -999) - value) <= tolerance,
      `${found?.data[index]} for ${value}`,
    );
}

describe('PictureThread', () => {
  test('a PNG of our own comes back as it was, and a large one scaled', async () => {
    const thread = new PictureThread();
    const small = paint(33, 21, (x, y) => [x * 7, y * 12, (x * y) % 256, 255 - x]);
    const picture = await thread.decode(encodePng(small), MOST);
    assert.deepEqual(picture, { width: 33, height: 21, bitmap: small });
    const large = await thread.decode(encodePng(gradient(1_200, 400)), MOST);
    assert.deepEqual([large?.width, large?.height], [1_200, 400]);
    assert.deepEqual([large?.bitmap.width, large?.bitmap.height], [60, 20]);
  });

  test('PNGs of other kinds: greys, palettes, 16 bits, with and without transparency', async () => {
    const thread = new PictureThread();
    const size = { width: 2, height: 1 };
    const palette = ['PLTE', Buffer.from([1, 2, 3, 4, 5, 6])] as const;
    const cases: readonly (readonly [Buffer, readonly number[]])[] = [
      [rawPng(size, { depth: 8, color: 0 }, Buffer.from([0, 7, 200])), [7, 7, 7, 255, 200, 200, 200, 255]],
      [rawPng(size, { depth: 1, color: 0 }, Buffer.from([0, 0x40])), [0, 0, 0, 255, 255, 255, 255, 255]],
      [rawPng(size, { depth: 8, color: 4 }, Buffer.from([0, 7, 9, 8, 255])), [7, 7, 7, 9, 8, 8, 8, 255]],
      [
        rawPng(size, { depth: 8, color: 2 }, Buffer.from([0, 1, 2, 3, 4, 5, 6])),
        [1, 2, 3, 255, 4, 5, 6, 255],
      ],
      [
        rawPng(size, { depth: 16, color: 2 }, Buffer.from([0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0])),
        [1, 2, 3, 255, 4, 5, 6, 255],
      ],
      [rawPng(size, { depth: 4, color: 3 }, Buffer.from([0, 0x10]), [palette]), [4, 5, 6, 255, 1, 2, 3, 255]],
      [
        rawPng(size, { depth: 2, color: 3 }, Buffer.from([0, 0x40]), [palette, ['tRNS', Buffer.from([50])]]),
        [4, 5, 6, 255, 1, 2, 3, 50],
      ],
    ];
    for (const [png, pixels] of cases) {
      const picture = await thread.decode(png, MOST);
      assert.deepEqual([...(picture?.bitmap.data ?? [])], pixels, `${png[24]} bits, kind ${png[25]}`);
    }
  });

  test('JPEGs, plain and progressive, and as the camera was held', async () => {
    const thread = new PictureThread();
    const bitmap = paint(48, 32, (x) => [x < 24 ? 200 : 40, 100, x < 24 ? 40 : 200, 255]);
    for (const progressive of [false, true])
      near((await thread.decode(await encodeJpeg(bitmap, { progressive }), MOST))?.bitmap, bitmap, 24);
    // The camera was turned to the left: what is left in the file is above.
    const turned = await thread.decode(turnedJpeg(await encodeJpeg(bitmap), 6), { width: 60, height: 60 });
    assert.deepEqual([turned?.width, turned?.height], [32, 48]);
    const red = (x: number, y: number) => (turned === null ? 0 : (pixelAt(turned.bitmap, x, y)[0] ?? 0));
    assert.ok(red(16, 4) > 150 && red(16, 44) < 100);
  });

  test('what is no picture, is cut off or holds less than it claims gives null', async () => {
    const thread = new PictureThread();
    const png = encodePng(gradient(200, 100));
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('no picture at all'),
      png.subarray(0, 200),
      // Forty million pixels, of which there is one row.
      rawPng({ width: 8_000, height: 5_000 }, { depth: 8, color: 6 }, Buffer.alloc(8_000 * 4 + 1)),
      Buffer.concat([png.subarray(0, 60), Buffer.alloc(500, 0xaa)]),
      Buffer.from('ffd8ffc0000b080010001001011100ffd9', 'hex'),
    ])
      assert.equal(await thread.decode(bytes, MOST), null);
    assert.notEqual(await thread.decode(png, MOST), null, 'and the next one is decoded');
  });

  test('what unpacks to a thousand times its claim costs no more than its claim', async () => {
    const thread = new PictureThread();
    const rows = Buffer.alloc(200 * 1_024 * 1_024);
    const png = rawPng({ width: 10, height: 10 }, { depth: 8, color: 6 }, rows);
    const profile = Buffer.concat([Buffer.from('icc\0\0'), deflateSync(rows)]);
    const between = [['iCCP', profile]] as const;
    const profiled = rawPng({ width: 10, height: 10 }, { depth: 8, color: 6 }, Buffer.alloc(410), between);
    for (const bytes of [png, profiled]) {
      const picture = await thread.decode(bytes, MOST);
      assert.ok(picture === null || picture.bitmap.data.length === 400);
    }
  });

  test('what takes too long is given up', async () => {
    const thread = new PictureThread(1);
    assert.equal(await thread.decode(encodePng(gradient(2_000, 2_000)), MOST), null);
  });

  test('a small file that would be decoded for half a minute is given up as well', async () => {
    const thread = new PictureThread(1_000);
    const grey = paint(1_000, 500, () => [9, 9, 9, 255]);
    const jpeg = await encodeJpeg(grey, { progressive: true });
    // Twelve bytes that go over every block once more.
    const last = jpeg.lastIndexOf(Buffer.from([0xff, 0xda]));
    const scan = jpeg.subarray(last, jpeg.length - 2);
    const scans = Array.from({ length: Math.floor(4_000_000 / scan.length) }, () => scan);
    const bomb = Buffer.concat([jpeg.subarray(0, last), ...scans, jpeg.subarray(jpeg.length - 2)]);
    const beganMs = performance.now();
    assert.equal(await thread.decode(bomb, MOST), null);
    assert.ok(performance.now() - beganMs < 10_000);
    assert.notEqual(await thread.decode(jpeg, MOST), null);
  });

  test('four wait at most, and none once it has ended', async () => {
    const thread = new PictureThread();
    const png = encodePng(gradient(20, 20));
    const pictures = await Promise.all(Array.from({ length: 6 }, () => thread.decode(png, MOST)));
    assert.deepEqual(
      pictures.map((picture) => picture !== null),
      [true, true, true, true, false, false],
    );
    const running = thread.decode(encodePng(gradient(1_000, 1_000)), MOST);
    const waiting = thread.decode(png, MOST);
    await thread.end();
    assert.equal(await waiting, null);
    await running;
    assert.equal(await thread.decode(png, MOST), null);
  });

  test('files changed anywhere give a picture of the size they claim, or null', async (context) => {
    const random = seededRandom(20_261_128);
    const seeds = [
      encodePng(gradient(40, 30)),
      rawPng({ width: 16, height: 16 }, { depth: 1, color: 3 }, Buffer.alloc(48), [
        ['PLTE', Buffer.alloc(6)],
      ]),
      await encodeJpeg(gradient(40, 30)),
      await encodeJpeg(gradient(40, 30), { progressive: true }),
    ];
    const mutated = (): Buffer => {
      const bytes = Buffer.from(seeds[random(seeds.length)] ?? []);
      for (let change = random(8) + 1; change > 0; change -= 1) {
        // The head is what decoders believe: every second change is there.
        const at = random(random(2) === 0 ? Math.min(bytes.length, 200) : bytes.length);
        bytes[at] = [0, 0xff, random(256), (bytes[at] ?? 0) ^ (1 << random(8))][random(4)] ?? 0;
      }
      return random(10) === 0 ? bytes.subarray(0, random(bytes.length)) : bytes;
    };
    const files = Array.from({ length: FUZZED_FILES }, mutated);
    let decoded = 0;
    const work = async (): Promise<void> => {
      const thread = new PictureThread();
      for (let file = files.pop(); file !== undefined; file = files.pop()) {
        const picture = await thread.decode(file, MOST);
        if (picture === null) continue;
        decoded += 1;
        const { width, height, data } = picture.bitmap;
        assert.equal(data.length, width * height * 4);
        assert.ok(width <= MOST.width && height <= MOST.height);
      }
    };
    await Promise.all(Array.from({ length: THREADS }, work));
    context.diagnostic(`${decoded} of ${FUZZED_FILES} still gave a picture`);
    assert.ok(decoded > 0 && decoded < FUZZED_FILES);
  });
});
