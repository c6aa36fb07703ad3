/** A picture as everything that draws it takes it. */
export interface Bitmap {
  /** Pixels; at least 1. */
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and alpha, a byte each and not multiplied, row after row from the top. */
  readonly data: Uint8Array;
}

/** Half and more of a pixel shows: for ways of drawing that know no half-transparent pixel. */
export const OPAQUE_FROM = 128;
