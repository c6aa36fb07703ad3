import { timingSafeEqual } from 'node:crypto';
import type { Bytes } from '../protocol/bytes.ts';

/** The one comparison for secrets: its time depends on the length alone, which is never secret here. */
export function secretsEqual(a: Bytes, b: Bytes): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
