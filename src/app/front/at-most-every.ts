/** Holds back what would come too often: the first goes through, and what follows within the time does not. */
export class AtMostEvery {
  readonly #everyMs: number;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** @returns whether it may happen now; a clock that went back counts as time that has passed */
  may(nowMs: number): boolean {
    const sinceMs = nowMs - this.#lastMs;
    if (sinceMs >= 0 && sinceMs < this.#everyMs) return false;
    this.#lastMs = nowMs;
    return true;
  }
}
