import type { Bytes } from './bytes.ts';

/** What a machine may know of the world beside its event: the time and fresh random bytes. */
export interface Moment {
  /** Milliseconds since the epoch, by the clock of this process. */
  readonly nowMs: number;
  readonly randomBytes: (length: number) => Bytes;
}
