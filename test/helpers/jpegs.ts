/** JPEGs as cameras make them, by the encoder that comes with the decoder. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import encode, { init } from '@jsquash/jpeg/encode.js';
import type { Bitmap } from '../../src/terminal/picture/bitmap.ts';

const WASM = createRequire(import.meta.url).resolve('@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm');

export async function encodeJpeg(
  { width, height, data }: Bitmap,
  options: { readonly progressive?: boolean } = {},
): Promise<Buffer> {
  const wasmBinary = new Uint8Array(readFileSync(WASM)).buffer;
  await init({ wasmBinary, print: () => {}, printErr: () => {} });
  const image = { data: new Uint8ClampedArray(data), width, height, colorSpace: 'srgb' as const };
  return Buffer.from(await encode(image, { quality: 90, progressive: options.progressive ?? false }));
}

/** The same with a word of the camera, how it was held: EXIF's tag 0x0112 in a segment of its own. */
export function turnedJpeg(jpeg: Buffer, orientation: number): Buffer {
  const exif = Buffer.from(
    '457869660000' + '4d4d002a00000008' + '0001' + '011200030000000100060000' + '00000000',
    'hex',
  );
  exif.writeUInt16BE(orientation, exif.length - 8);
  const head = Buffer.from([0xff, 0xe1, 0, exif.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), head, exif, jpeg.subarray(2)]);
}
