/**
 * A frame is `u32 length ‖ u8 type ‖ body`; the length counts type and body, so it is at least 1.
 * @see docs/protocol.md#bytes
 */
import type { Bytes } from './bytes.ts';
import { ProtocolError } from './errors.ts';

const LENGTH_BYTES = 4;
const HEADER_BYTES = LENGTH_BYTES + 1;
/** What a declared length alone may make us allocate; more is given only as bytes arrive. */
const FIRST_ALLOCATION_BYTES = 1_024;

/**
 * @param type 0 to 255
 * @returns one whole frame, length prefix included
 */
export function encodeFrame(type: number, body: Bytes): Bytes {
  const frame = new Uint8Array(HEADER_BYTES + body.length);
  new DataView(frame.buffer).setUint32(0, 1 + body.length);
  frame[LENGTH_BYTES] = type;
  frame.set(body, HEADER_BYTES);
  return frame;
}

/** The type of a whole frame, such as `FrameReader` emits. */
export function frameType(frame: Bytes): number {
  const type = frame[LENGTH_BYTES];
  if (type === undefined) throw new RangeError('not a whole frame');
  return type;
}

/** The body of a whole frame: a view of it, not a copy. */
export function frameBody(frame: Bytes): Bytes {
  return frame.subarray(HEADER_BYTES);
}

/**
 * Cuts a stream of bytes into whole frames. Holds at most one partial frame, in a buffer that at most doubles
 * as bytes arrive: a peer that declares 128 KiB and sends one byte costs 1 KiB.
 */
export class FrameReader {
  /** The largest length a frame may declare. A change holds from the next length read on, even within a push. */
  limitBytes: number;
  #stopped = false;
  /** Takes what is no frame any more. */
  #onBytes: ((bytes: Bytes) => void) | null = null;
  /** The length prefix read so far, and how many of its bytes. */
  #length = 0;
  #lengthBytes = 0;
  /** The frame under way, once its length is known: its first `#filled` bytes are there. */
  #partial: Bytes | null = null;
  #filled = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  /**
   * @param onFrame takes each whole frame, length prefix included. A frame that lies whole in `chunk` is a view of
   *   it: whoever keeps a frame copies it.
   * @throws ProtocolError `frame-empty` or `frame-too-large`, before anything is allocated for that frame. The
   *   reader has then stopped, as it has when `onFrame` throws.
   */
  push(chunk: Bytes, onFrame: (frame: Bytes) => void): void {
    let offset = 0;
    try {
      while (!this.#stopped && offset < chunk.length) {
        if (this.#onBytes !== null) return this.#onBytes(offset === 0 ? chunk : chunk.subarray(offset));
        offset =
          this.#partial === null ? this.#begin(chunk, offset, onFrame) : this.#fill(chunk, offset, onFrame);
      }
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /** After the frame that `onFrame` has got, everything is a bare stream. */
  stream(onBytes: (bytes: Bytes) => void): void {
    this.#onBytes = onBytes;
  }

  /** Drops what is held and everything pushed from now on, the rest of a push under way included. */
  stop(): void {
    this.#stopped = true;
    this.#partial = null;
  }

  /** Reads a length prefix; then the whole frame when the chunk holds it. @returns the offset reached */
  #begin(chunk: Bytes, start: number, onFrame: (frame: Bytes) => void): number {
    let offset = start;
    while (this.#lengthBytes < LENGTH_BYTES && offset < chunk.length) {
      this.#length = this.#length * 256 + (chunk[offset] ?? 0);
      this.#lengthBytes += 1;
      offset += 1;
    }
    if (this.#lengthBytes < LENGTH_BYTES) return offset;

    const length = this.#length;
    this.#length = 0;
    this.#lengthBytes = 0;
    if (length === 0) throw new ProtocolError('frame-empty', 'a frame without a type');
    if (length > this.limitBytes) {
      throw new ProtocolError(
        'frame-too-large',
        `a frame of ${length} bytes; the limit is ${this.limitBytes}`,
      );
    }

    const frameBytes = LENGTH_BYTES + length;
    const frameStart = offset - LENGTH_BYTES;
    if (frameStart >= start && frameStart + frameBytes <= chunk.length) {
      onFrame(chunk.subarray(frameStart, frameStart + frameBytes));
      return frameStart + frameBytes;
    }
    this.#partial = new Uint8Array(Math.min(frameBytes, FIRST_ALLOCATION_BYTES));
    new DataView(this.#partial.buffer).setUint32(0, length);
    this.#filled = LENGTH_BYTES;
    return offset;
  }

  /** Copies into the frame under way, and emits it when it is whole. @returns the offset reached */
  #fill(chunk: Bytes, start: number, onFrame: (frame: Bytes) => void): number {
    let partial = this.#partial;
    if (partial === null) return start;
    const frameBytes = LENGTH_BYTES + new DataView(partial.buffer).getUint32(0);
    const taken = Math.min(frameBytes - this.#filled, chunk.length - start);
    const filled = this.#filled + taken;
    if (filled > partial.length) {
      const grown: Bytes = new Uint8Array(Math.min(frameBytes, Math.max(2 * partial.length, filled)));
      grown.set(partial.subarray(0, this.#filled));
      partial = grown;
    }
    partial.set(chunk.subarray(start, start + taken), this.#filled);
    const whole = filled === frameBytes;
    this.#partial = whole ? null : partial;
    this.#filled = filled;
    if (whole) onFrame(partial);
    return start + taken;
  }
}
