/** What `picture-thread.ts` and `picture-worker.ts` say to each other: a worker does one job, answers once and ends. */
import type { Bytes } from '../../protocol/bytes.ts';
import type { Bitmap } from '../../terminal/picture/bitmap.ts';
import type { PictureHeader } from './picture-header.ts';

export interface PictureJob {
  readonly kind: PictureHeader['kind'];
  /** The whole file. */
  readonly bytes: Bytes;
  /** Pixels that are wanted of it at most. */
  readonly most: { readonly width: number; readonly height: number };
}

export interface DecodedPicture {
  /** Pixels as they are to be seen, turned as the camera was held. */
  readonly width: number;
  readonly height: number;
  readonly bitmap: Bitmap;
}
