/** PNGs of every kind, to 8 bits a channel. The one file that knows @jsquash/png, which is Rust's crate `png`. */
import { decode, init } from '@jsquash/png/decode.js';
import type { Bytes } from '../../protocol/bytes.ts';
import type { Bitmap } from '../../terminal/picture/bitmap.ts';
import { loadCodec } from './load-codec.ts';

/** @throws whatever the decoder throws at bytes that are no PNG: RuntimeError mostly, after which it is of no use */
export async function decodePng(bytes: Bytes): Promise<Bitmap> {
  await init(loadCodec('png'));
  const { width, height, data } = await decode(bytes.slice().buffer);
  return { width, height, data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) };
}
