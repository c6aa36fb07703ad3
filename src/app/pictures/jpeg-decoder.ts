/** JPEGs, turned as the camera was held. The one file that knows @jsquash/jpeg, which is MozJPEG. */
import decode, { init } from '@jsquash/jpeg/decode.js';
import type { Bytes } from '../../protocol/bytes.ts';
import type { Bitmap } from '../../terminal/picture/bitmap.ts';
import { loadCodec } from './load-codec.ts';

/** What it would write to the console about a file is of no use to anyone here. */
const silent = { print: (): void => {}, printErr: (): void => {} };

/** @throws whatever the decoder throws at bytes that are no JPEG */
export async function decodeJpeg(bytes: Bytes): Promise<Bitmap> {
  await init({ wasmBinary: loadCodec('jpeg'), ...silent });
  const { width, height, data } = await decode(bytes.slice().buffer, { preserveOrientation: true });
  return { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}
