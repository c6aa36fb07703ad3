/**
 * What a file says of itself before anything of it is decoded: a few bytes can claim to be more pixels than there is memory
 * for.
 */
import type { Bytes } from '../../protocol/bytes.ts';

export interface PictureHeader {
  readonly kind: 'png' | 'jpeg';
  /** Pixels, as they are in the file. */
  readonly width: number;
  readonly height: number;
}

/** Of the file. */
export const PICTURE_BYTES_MOST = 20 * 1_024 * 1_024;
/** Some 160 MB once decoded; of 16-bit PNGs, which take twice as much, half as many. */
const PIXELS_MOST = 40_000_000;

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const IHDR = [0x49, 0x48, 0x44, 0x52];
const IHDR_BYTES = 13;
const JPEG_START = [0xff, 0xd8, 0xff];
/** Markers of frames: all of C0 to CF but those of Huffman tables, extensions and arithmetic coding. */
const NO_FRAMES = [0xc4, 0xc8, 0xcc];
/** Markers that stand alone: RST0 to 7, SOI, EOI and TEM. */
const isAlone = (marker: number): boolean => (marker >= 0xd0 && marker <= 0xd9) || marker === 0x01;

/** Enough of a file for `isPicture`. */
export const SIGNATURE_BYTES: number = PNG_SIGNATURE.length;

/** @param start of a file */
export function isPicture(start: Bytes): boolean {
  return holds(start, 0, PNG_SIGNATURE) || holds(start, 0, JPEG_START);
}

/** @returns null for what is no PNG and no JPEG, or more than is to be decoded */
export function readPictureHeader(bytes: Bytes): PictureHeader | null {
  const header = pngHeader(bytes) ?? jpegHeader(bytes);
  return header !== null && bytes.length <= PICTURE_BYTES_MOST ? header : null;
}

/** @see https://www.w3.org/TR/png-3/#11IHDR */
function pngHeader(bytes: Bytes): PictureHeader | null {
  if (!holds(bytes, 0, PNG_SIGNATURE) || bytes.length < 8 + 8 + IHDR_BYTES) return null;
  const view = viewOf(bytes);
  if (view.getUint32(8) !== IHDR_BYTES || !holds(bytes, 12, IHDR)) return null;
  const pixelsMost = view.getUint8(24) > 8 ? PIXELS_MOST / 2 : PIXELS_MOST;
  return bounded({ kind: 'png', width: view.getUint32(16), height: view.getUint32(20) }, pixelsMost);
}

/** Up to the first frame, as libjpeg goes. @see https://www.w3.org/Graphics/JPEG/itu-t81.pdf (B.1.1, B.2.2) */
function jpegHeader(bytes: Bytes): PictureHeader | null {
  if (!holds(bytes, 0, JPEG_START)) return null;
  const view = viewOf(bytes);
  let offset = 2;
  while (offset + 9 <= bytes.length) {
    const marker = bytes[offset + 1] ?? 0;
    // Between segments anything up to the next marker is passed over, and a marker may follow any number of FF.
    if (bytes[offset] !== 0xff || marker === 0xff || marker === 0) offset += 1;
    else if (isAlone(marker)) offset += 2;
    else if (marker >= 0xc0 && marker <= 0xcf && !NO_FRAMES.includes(marker)) {
      const [height, width] = [view.getUint16(offset + 5), view.getUint16(offset + 7)];
      return bounded({ kind: 'jpeg', width, height }, PIXELS_MOST);
    }
    // Before the frame there is no scan.
    else if (marker === 0xda) return null;
    else offset += 2 + view.getUint16(offset + 2);
  }
  return null;
}

function bounded(header: PictureHeader, pixelsMost: number): PictureHeader | null {
  const pixels = header.width * header.height;
  return pixels >= 1 && pixels <= pixelsMost ? header : null;
}

function holds(bytes: Bytes, offset: number, expected: readonly number[]): boolean {
  return expected.every((byte, index) => bytes[offset + index] === byte);
}

function viewOf(bytes: Bytes): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
