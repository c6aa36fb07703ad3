/** Time that passes only when a test says so, and randomness that is the same in every run. */
import { createHash } from 'node:crypto';
import type { Bytes } from '../../src/protocol/bytes.ts';
import type { Moment } from '../../src/protocol/moment.ts';

export class TestClock {
  nowMs: number;
  readonly randomBytes: (length: number) => Bytes;

  constructor(startMs: number, seed: string) {
    this.nowMs = startMs;
    this.randomBytes = seededBytes(seed);
  }

  get moment(): Moment {
    return { nowMs: this.nowMs, randomBytes: this.randomBytes };
  }
}

function seededBytes(seed: string): (length: number) => Bytes {
  let count = 0;
  return (length) => {
    count += 1;
    const bytes = createHash('shake256', { outputLength: Math.max(1, length) })
      .update(`${seed} ${count}`)
      .digest();
    return new Uint8Array(bytes.subarray(0, length));
  };
}
