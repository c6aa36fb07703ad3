/** Whether the person is looking: the window has the focus, as far as the terminal says so, and keys are pressed. */

/** Without a key for this long, nobody is counted on to be there. */
const IDLE_MS = 5 * 60_000;

export class Looking {
  #focused = true;
  #idle = false;
  #told = true;
  #timer: NodeJS.Timeout | null = null;
  #listener: ((looking: boolean) => void) | null = null;

  constructor() {
    this.#wait();
  }

  onChange(listener: (looking: boolean) => void): void {
    this.#listener = listener;
  }

  /** Whoever types is there, whatever the terminal has said of its focus. */
  keyPressed(): void {
    this.#focused = true;
    this.#idle = false;
    this.#wait();
    this.#tell();
  }

  focus(focused: boolean): void {
    this.#focused = focused;
    if (focused) this.keyPressed();
    else this.#tell();
  }

  end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#listener = null;
  }

  #wait(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#idle = true;
      this.#tell();
    }, IDLE_MS);
    this.#timer.unref();
  }

  #tell(): void {
    const looking = this.#focused && !this.#idle;
    if (looking === this.#told) return;
    this.#told = looking;
    this.#listener?.(looking);
  }
}
