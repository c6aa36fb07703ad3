export interface Rate {
  readonly perSecond: number;
  /** The most that is saved up. */
  readonly burst: number;
}

/** A rate with a burst. It starts full. The rate comes with each call, because a room's depends on its size. */
export class TokenBucket {
  #tokens: number;
  #updatedMs: number;

  constructor(burst: number, nowMs: number) {
    this.#tokens = burst;
    this.#updatedMs = nowMs;
  }

  /** How many tokens are there now. */
  level(rate: Rate, nowMs: number): number {
    const elapsedMs = Math.max(0, nowMs - this.#updatedMs);
    this.#tokens = Math.min(rate.burst, this.#tokens + (elapsedMs * rate.perSecond) / 1_000);
    this.#updatedMs = nowMs;
    return this.#tokens;
  }

  /**
   * Takes `cost` tokens if they are there; a cost above the burst waits for a full bucket.
   * @returns 0 when taken, else the milliseconds after which they will be there.
   */
  take(cost: number, rate: Rate, nowMs: number): number {
    const missing = Math.min(cost, rate.burst) - this.level(rate, nowMs);
    if (missing > 0) return Math.max(1, Math.ceil((missing * 1_000) / rate.perSecond));
    this.#tokens -= cost;
    return 0;
  }
}
