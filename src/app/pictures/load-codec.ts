/** The decoders' WebAssembly, from the executable or from the package's folder. */
import { loadBinaryAsset } from '../assets.ts';
import { PICTURE_CODECS } from './codecs.ts';

export function loadCodec(codec: keyof typeof PICTURE_CODECS): ArrayBuffer {
  return loadBinaryAsset(PICTURE_CODECS[codec]);
}
