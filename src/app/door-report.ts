/**
 * What the host is told of the door: a few lines in a while, then a number. Strangers can knock as often as they like,
 * and must not be able to push the talk off the screen.
 */
const WINDOW_MS = 10_000;
const LINES_A_WINDOW = 8;

export class DoorReport {
  readonly #tell: (text: string) => void;
  #lines = 0;
  #untold = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  add(text: string): void {
    this.#timer ??= setTimeout(() => this.#windowOver(), WINDOW_MS).unref();
    this.#lines += 1;
    if (this.#lines <= LINES_A_WINDOW) this.#tell(text);
    else this.#untold += 1;
  }

  #windowOver(): void {
    const untold = this.#untold;
    this.#timer = null;
    this.#lines = 0;
    this.#untold = 0;
    if (untold > 0) this.#tell(`${untold} more things happened at the door.`);
  }
}
