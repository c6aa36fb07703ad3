/**
 * Buffers in which small pieces are put together before they are written, used again and again: on many systems memory that is
 * new to a process costs more than the bytes that are copied into it.
 */

/** Writes of this size are as fast as any. */
export const GATHER_BYTES: number = 512 * 1_024;
/** More than this wait for a slow line only; those are left to the garbage collector. */
const KEPT_MOST = 8;

const free: Buffer[] = [];

/** @returns one whose content is whatever it was */
export function takeGatherBuffer(): Buffer {
  return free.pop() ?? Buffer.allocUnsafeSlow(GATHER_BYTES);
}

/** Nobody reads it any more. */
export function giveGatherBuffer(buffer: Buffer): void {
  if (free.length < KEPT_MOST) free.push(buffer);
}
