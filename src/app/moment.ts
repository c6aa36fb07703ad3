/** Where clock and randomness enter: everything below gets them as a value. */
import { randomBytes } from 'node:crypto';
import type { Moment } from '../protocol/moment.ts';

export function systemMoment(): Moment {
  return { nowMs: Date.now(), randomBytes: (length) => new Uint8Array(randomBytes(length)) };
}
