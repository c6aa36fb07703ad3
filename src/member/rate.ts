/** How fast something goes, from how far it was at several times: steady enough to say how long it still takes. */

/** A rate is of the last few seconds: what went before says little about a line that has changed. */
const WINDOW_MS = 5_000;
/** Before that, it is a guess that jumps. */
const LEAST_MS = 500;

export class Rate {
  #marks: { readonly atMs: number; readonly bytes: number }[] = [];

  at(bytes: number, atMs: number): void {
    const last = this.#marks.at(-1);
    if (last !== undefined && (bytes < last.bytes || atMs < last.atMs)) this.#marks = [];
    this.#marks.push({ atMs, bytes });
    // The latest mark before the window is where it begins.
    const within = this.#marks.findIndex((mark) => atMs - mark.atMs <= WINDOW_MS);
    if (within > 1) this.#marks.splice(0, within - 1);
  }

  /** @returns `null` while too little is known */
  get bytesPerSecond(): number | null {
    const first = this.#marks[0];
    const last = this.#marks.at(-1);
    if (first === undefined || last === undefined || last.atMs - first.atMs < LEAST_MS) return null;
    return ((last.bytes - first.bytes) * 1_000) / (last.atMs - first.atMs);
  }

  /** @returns `null` where nothing moves, or nobody knows how fast */
  leftMs(bytes: number): number | null {
    const rate = this.bytesPerSecond;
    return rate === null || rate === 0 ? null : (bytes / rate) * 1_000;
  }

  /** It has stopped, and begins anew later. */
  clear(): void {
    this.#marks = [];
  }
}
