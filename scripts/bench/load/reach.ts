/** How far a member has each log, for those who wait until it is there. */
import { type IdKey, idKey } from '../../../src/protocol/identifiers.ts';

export class Reach {
  readonly #latest = new Map<IdKey, number>();
  #awaited: { readonly key: IdKey; readonly index: number; readonly resolve: () => void }[] = [];

  /** All up to this entry is there. */
  came(conversation: IdKey, index: number): void {
    this.#latest.set(conversation, index);
    if (this.#awaited.length === 0) return;
    const isThere = (key: IdKey, least: number): boolean => key === conversation && least <= index;
    for (const { key, index: least, resolve } of this.#awaited) if (isThere(key, least)) resolve();
    this.#awaited = this.#awaited.filter(({ key, index: least }) => !isThere(key, least));
  }

  /** @returns once all up to this entry is there */
  async reached(conversation: Uint8Array, index: number): Promise<void> {
    const key = idKey(new Uint8Array(conversation));
    if ((this.#latest.get(key) ?? 0) >= index) return;
    await new Promise<void>((resolve) => {
      this.#awaited.push({ key, index, resolve });
    });
  }
}
