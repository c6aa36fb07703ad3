/** A map that holds the latest so many: what is set anew is latest again, and the oldest goes. */
export class Latest<Key, Value> {
  readonly #most: number;
  readonly #map = new Map<Key, Value>();

  constructor(most: number) {
    this.#most = most;
  }

  get(key: Key): Value | undefined {
    return this.#map.get(key);
  }

  set(key: Key, value: Value): void {
    this.#map.delete(key);
    this.#map.set(key, value);
    for (const oldest of this.#map.keys()) {
      if (this.#map.size <= this.#most) break;
      this.#map.delete(oldest);
    }
  }

  delete(key: Key): void {
    this.#map.delete(key);
  }

  /** Oldest first. */
  values(): readonly Value[] {
    return [...this.#map.values()];
  }
}
