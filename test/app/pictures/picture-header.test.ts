/** What is refused before anything of it is decoded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PICTURE_BYTES_MOST, readPictureHeader } from '../../../src/app/pictures/picture-header.ts';
import { encodePng } from '../../../src/terminal/picture/png.ts';
import { encodeJpeg, turnedJpeg } from '../../helpers/jpegs.ts';
import { gradient, rawPng } from '../../helpers/pictures.ts';

const RGBA = { depth: 8, color: 6 } as const;

/** Where the frame says how high and how wide it is. */
function frameOf(jpeg: Buffer): number {
  return jpeg.indexOf(Buffer.from([0xff, 0xc0])) + 5;
}

test('PNG and JPEG say how large they are, behind whatever segments', async () => {
  const png = encodePng(gradient(30, 20));
  assert.deepEqual(readPictureHeader(png), { kind: 'png', width: 30, height: 20 });
  const jpeg = await encodeJpeg(gradient(30, 20));
  const expected = { kind: 'jpeg', width: 30, height: 20 };
  assert.deepEqual(readPictureHeader(jpeg), expected);
  assert.deepEqual(readPictureHeader(turnedJpeg(jpeg, 6)), expected);
  const filled = Buffer.concat([jpeg.subarray(0, 2), Buffer.alloc(9, 0xff), jpeg.subarray(3)]);
  assert.deepEqual(readPictureHeader(filled), expected);
  assert.deepEqual(readPictureHeader(await encodeJpeg(gradient(30, 20), { progressive: true })), expected);
});

test('a header that claims more pixels than may be decoded is refused, one pixel less is not', async () => {
  const claims = (width: number, height: number, depth: 8 | 16 = 8) =>
    readPictureHeader(rawPng({ width, height }, { ...RGBA, depth }, Buffer.alloc(1)));
  assert.notEqual(claims(8_000, 5_000), null);
  assert.equal(claims(8_000, 5_001), null);
  assert.notEqual(claims(4_000, 5_000, 16), null);
  assert.equal(claims(4_000, 5_001, 16), null);
  assert.equal(claims(0xffff_ffff, 0xffff_ffff), null);
  assert.equal(claims(0, 10), null);
  const jpeg = await encodeJpeg(gradient(30, 20));
  jpeg.writeUInt16BE(0xffff, frameOf(jpeg));
  assert.notEqual(readPictureHeader(jpeg), null);
  jpeg.writeUInt16BE(0xffff, frameOf(jpeg) + 2);
  assert.equal(readPictureHeader(jpeg), null);
  // How high it is would be told at its end.
  jpeg.writeUInt16BE(0, frameOf(jpeg));
  assert.equal(readPictureHeader(jpeg), null);
});

test('a file of more than 20 MiB is refused', () => {
  const png = encodePng(gradient(30, 20));
  const padded = Buffer.alloc(PICTURE_BYTES_MOST);
  png.copy(padded);
  assert.notEqual(readPictureHeader(padded), null);
  assert.equal(readPictureHeader(Buffer.concat([padded, Buffer.alloc(1)])), null);
});

test('anything else is no picture, however much of one there is', async () => {
  for (const text of ['', 'GIF89a', 'RIFF....WEBP', '<svg/>', '%PDF-1.7'])
    assert.equal(readPictureHeader(Buffer.from(text)), null, text);
  const png = encodePng(gradient(30, 20));
  for (let length = 0; length < 29; length += 1)
    assert.equal(readPictureHeader(png.subarray(0, length)), null);
  const jpeg = await encodeJpeg(gradient(30, 20));
  const frameEnd = frameOf(jpeg) + 4;
  for (let length = 0; length < frameEnd; length += 1)
    assert.equal(readPictureHeader(jpeg.subarray(0, length)), null, `${length}`);
  // A first chunk or a segment of a length of its own, and a scan before any frame.
  const longer = Buffer.from(png);
  longer[11] = 14;
  assert.equal(readPictureHeader(longer), null);
  assert.equal(
    readPictureHeader(Buffer.from('ffd8ffda000801010000003f00ffc0000b080001000101011100', 'hex')),
    null,
  );
  assert.equal(readPictureHeader(Buffer.from('ffd8ffe00000ffe00000ffe00000ffe0', 'hex')), null);
});
