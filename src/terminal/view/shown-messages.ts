/**
 * The messages that this screen has shown, by number. Numbers are this screen's own: they are short, stay the same, and need
 * no care about upper and lower case, which a part of an id would.
 */
import type { MessageEvent } from '../json-lines.ts';

/** As many as are remembered of what was said. */
const KEPT_MOST = 1_024;

export class ShownMessages {
  readonly #shown = new Map<number, Pick<MessageEvent, 'id' | 'own'>>();
  #count = 0;

  /** @returns its number */
  take({ id, own }: MessageEvent): number {
    this.#count += 1;
    this.#shown.set(this.#count, { id, own });
    this.#shown.delete(this.#count - KEPT_MOST);
    return this.#count;
  }

  /** It is no longer there to be answered. */
  forget(id: string): void {
    for (const [number, shown] of this.#shown) if (shown.id === id) this.#shown.delete(number);
  }

  /** @returns `null` for a number that no message has, or one too long ago */
  idOf(number: number): string | null {
    return this.#shown.get(number)?.id ?? null;
  }

  /** The latest one of somebody else. */
  get latestOfOthers(): string | null {
    return [...this.#shown.values()].findLast(({ own }) => !own)?.id ?? null;
  }
}
