/**
 * One rate shared by a whole room. While there is plenty everyone may burst; once half of the burst is gone, nobody gets
 * more than an equal share, so a flooder slows only themselves.
 */
import { type Rate, TokenBucket } from './token-bucket.ts';

const WINDOW_MS = 1_000;

export class FairRate {
  readonly #bucket: TokenBucket;
  #windowStartMs: number;
  #used = new Map<string, number>();
  #activeBefore = 0;

  constructor(burst: number, nowMs: number) {
    this.#bucket = new TokenBucket(burst, nowMs);
    this.#windowStartMs = nowMs;
  }

  /** @returns 0 when taken, else the milliseconds to wait. */
  take(who: string, rate: Rate, nowMs: number): number {
    if (nowMs - this.#windowStartMs >= WINDOW_MS || nowMs < this.#windowStartMs) {
      this.#activeBefore = this.#used.size;
      this.#used = new Map();
      this.#windowStartMs = nowMs;
    }
    const used = this.#used.get(who) ?? 0;
    const senders = Math.max(this.#activeBefore, this.#used.size, 1);
    const share = Math.max(1, rate.perSecond / senders);
    if (used >= share && this.#bucket.level(rate, nowMs) < rate.burst / 2) {
      return Math.max(1, this.#windowStartMs + WINDOW_MS - nowMs);
    }
    const waitMs = this.#bucket.take(1, rate, nowMs);
    this.#used.set(who, used + (waitMs === 0 ? 1 : 0));
    return waitMs;
  }
}
