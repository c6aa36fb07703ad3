/**
 * A PNG of our own making: terminals that take one must never be given the bytes that somebody sent.
 * @see https://www.w3.org/TR/png-3/
 */
import { crc32, deflateSync } from 'node:zlib';
import type { Bitmap } from './bitmap.ts';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const BITS_PER_CHANNEL = 8;
const RGBA = 6;
/** Each row less the one above it: photographs take a third less than as they are. */
const FILTER_UP = 2;

function chunk(type: string, data: Uint8Array): Buffer {
  const typed = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const whole = Buffer.alloc(4 + typed.length + 4);
  whole.writeUInt32BE(data.length, 0);
  typed.copy(whole, 4);
  whole.writeUInt32BE(crc32(typed), 4 + typed.length);
  return whole;
}

/** Section 7.2: each row after the number of its filter. */
function filtered({ width, height, data }: Bitmap): Buffer {
  const stride = width * 4;
  const rows = Buffer.alloc((stride + 1) * height);
  for (let y = 0; y < height; y += 1) {
    const start = y * (stride + 1);
    rows[start] = FILTER_UP;
    for (let x = 0; x < stride; x += 1) {
      const above = y === 0 ? 0 : (data[(y - 1) * stride + x] ?? 0);
      rows[start + 1 + x] = ((data[y * stride + x] ?? 0) - above) & 0xff;
    }
  }
  return rows;
}

export function encodePng(bitmap: Bitmap): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(bitmap.width, 0);
  header.writeUInt32BE(bitmap.height, 4);
  header[8] = BITS_PER_CHANNEL;
  header[9] = RGBA;
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(filtered(bitmap))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
