/** Lines on their way to the terminal. While it takes none, the oldest give way, and how many did is said. */

/** Characters: some ten thousand lines, more than anyone scrolls back through, and never much memory. */
const MAX_WAITING_UNITS = 4 * 1_048_576;

export class WaitingLines {
  readonly #maxUnits: number;
  #lines: string[] = [];
  #units = 0;
  #dropped = 0;

  constructor(maxUnits: number = MAX_WAITING_UNITS) {
    this.#maxUnits = maxUnits;
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  get units(): number {
    return this.#units;
  }

  push(line: string): void {
    this.#lines.push(line);
    this.#units += line.length;
    if (this.#units > this.#maxUnits) this.#makeRoom();
  }

  /** All of them, after a word about those that gave way. */
  take(): readonly string[] {
    const lines = this.#lines;
    const about = `-!- ${this.#dropped} lines were left out: they came faster than this terminal took them.`;
    const taken = this.#dropped === 0 ? lines : [about, ...lines];
    this.#lines = [];
    this.#units = 0;
    this.#dropped = 0;
    return taken;
  }

  /** Down to half, so that a flood does not move the whole list for each of its lines. */
  #makeRoom(): void {
    let first = 0;
    for (; this.#units > this.#maxUnits / 2 && first < this.#lines.length; first += 1)
      this.#units -= this.#lines[first]?.length ?? 0;
    this.#lines = this.#lines.slice(first);
    this.#dropped += first;
  }
}
