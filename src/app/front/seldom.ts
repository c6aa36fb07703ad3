/** Something that is wanted often and done seldom: at once where it can be, else when its time has come. */
export class SeldomDone {
  readonly #everyMs: number;
  readonly #step: () => void;
  #lastMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | null = null;

  constructor(everyMs: number, step: () => void) {
    this.#everyMs = everyMs;
    this.#step = step;
  }

  soon(): void {
    if (this.#timer !== null) return;
    const sinceMs = Date.now() - this.#lastMs;
    // A clock set back must not keep it waiting.
    if (sinceMs < 0 || sinceMs >= this.#everyMs) return this.now();
    this.#timer = setTimeout(() => this.now(), this.#everyMs - sinceMs);
    this.#timer.unref();
  }

  now(): void {
    this.end();
    this.#lastMs = Date.now();
    this.#step();
  }

  /** What is still to come is not done. */
  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
