/** Pictures to draw, and what reads back what was drawn. */
import assert from 'node:assert/strict';
import { crc32, deflateSync, inflateSync } from 'node:zlib';
import type { Bitmap } from '../../src/terminal/picture/bitmap.ts';

export type Pixel = readonly [red: number, green: number, blue: number, alpha: number];

export function paint(width: number, height: number, pixel: (x: number, y: number) => Pixel): Bitmap {
  const data = new Uint8Array(width * height * 4);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) data.set(pixel(x, y), (y * width + x) * 4);
  return { width, height, data };
}

/** No two pixels near each other are alike. */
export function gradient(width: number, height: number): Bitmap {
  return paint(width, height, (x, y) => [(x * 255) / width, (y * 255) / height, (x * y) % 256, 255]);
}

export function pixelAt({ width, data }: Bitmap, x: number, y: number): readonly number[] {
  const start = (y * width + x) * 4;
  return [...data.subarray(start, start + 4)];
}

function chunk(type: string, data: Uint8Array): Buffer {
  const typed = Buffer.concat([Buffer.from(type), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(typed));
  return Buffer.concat([length, typed, sum]);
}

/** Numbers as in the header of a PNG. */
export interface PngKind {
  readonly depth: 1 | 2 | 4 | 8 | 16;
  readonly color: 0 | 2 | 3 | 4 | 6;
}

/**
 * A PNG of any kind, and also one that lies.
 * @param rows after their filter numbers, not compressed
 */
export function rawPng(
  size: { readonly width: number; readonly height: number },
  kind: PngKind,
  rows: Uint8Array,
  between: readonly (readonly [type: string, data: Uint8Array])[] = [],
): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size.width, 0);
  header.writeUInt32BE(size.height, 4);
  header[8] = kind.depth;
  header[9] = kind.color;
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    ...between.map(([type, data]) => chunk(type, data)),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** The PNGs that this program writes: RGBA, each row less the one above. Each checksum must be right. */
export function readOwnPng(png: Buffer): Bitmap {
  const parts = new Map<string, Buffer>();
  let offset = 8;
  while (offset < png.length) {
    const length = png.readUInt32BE(offset);
    const typed = png.subarray(offset + 4, offset + 8 + length);
    assert.equal(png.readUInt32BE(offset + 8 + length), crc32(typed));
    parts.set(typed.toString('latin1', 0, 4), typed.subarray(4));
    offset += 12 + length;
  }
  assert.deepEqual([...parts.keys()], ['IHDR', 'IDAT', 'IEND']);
  const header = parts.get('IHDR') ?? Buffer.alloc(13);
  assert.deepEqual([...header.subarray(8)], [8, 6, 0, 0, 0]);
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const rows = inflateSync(parts.get('IDAT') ?? Buffer.alloc(0));
  const stride = width * 4;
  assert.equal(rows.length, (stride + 1) * height);
  const data = new Uint8Array(stride * height);
  for (let y = 0; y < height; y += 1) {
    assert.equal(rows[y * (stride + 1)], 2);
    for (let x = 0; x < stride; x += 1) {
      const above = y === 0 ? 0 : (data[(y - 1) * stride + x] ?? 0);
      data[y * stride + x] = (rows[y * (stride + 1) + 1 + x] ?? 0) + above;
    }
  }
  return { width, height, data };
}
