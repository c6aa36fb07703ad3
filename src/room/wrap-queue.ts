/**
 * Wraps for one member, kept until they have surely arrived. A line can be dead for a minute before either side
 * notices, and a chain key lost with it would leave the member with messages that nobody wraps for them again.
 */
import type { Bytes } from '../protocol/bytes.ts';
import type { IdKey } from '../protocol/identifiers.ts';

export interface KeptWrap {
  /** A whole frame. */
  readonly frame: Bytes;
  /** Who wrapped. */
  readonly from: IdKey;
  /** Of which conversation's log that is: zeros for the room's. */
  readonly conversation: IdKey;
  /** Where the log stood when it came: a later entry, once received, was received after it. */
  readonly logIndex: number;
  readonly cameAtMs: number;
}

/** Learns of what comes into a queue and of what leaves it. */
export interface WrapKeeper {
  keepWrap(wrap: KeptWrap): void;
  dropWraps(wraps: readonly KeptWrap[]): void;
}

export class WrapQueue {
  readonly #keeper: WrapKeeper;
  #kept: KeptWrap[];

  /** @param kept from before the room was opened again, oldest first; its keeper knows them */
  constructor(keeper: WrapKeeper, kept: readonly KeptWrap[] = []) {
    this.#keeper = keeper;
    this.#kept = [...kept];
  }

  /** Oldest first. They stay until they are confirmed. */
  get frames(): readonly Bytes[] {
    return this.#kept.map(({ frame }) => frame);
  }

  /**
   * @param most beyond it the oldest of whoever has most of them here goes, so that nobody pushes out the others'; the
   *   member asks for that key by NEEDKEY.
   */
  push(kept: KeptWrap, most: number): void {
    this.#kept.push(kept);
    this.#keeper.keepWrap(kept);
    while (this.#kept.length > most) this.#dropOne();
  }

  /** The member has the log up to this entry, and so has whatever was sent for it before. */
  seen(conversation: IdKey, logIndex: number): void {
    const isSeen = (kept: KeptWrap): boolean =>
      kept.conversation === conversation && kept.logIndex < logIndex;
    if (this.#kept.some(isSeen)) this.#keepOnly((kept) => !isSeen(kept));
  }

  /** They are not in that conversation any more. */
  forget(conversation: IdKey): void {
    this.#keepOnly((kept) => kept.conversation !== conversation);
  }

  /** The line has been alive since then. */
  arrivedBefore(ms: number): void {
    this.cameBefore(ms);
  }

  /** What came before then is of no use any more. */
  cameBefore(ms: number): void {
    if ((this.#kept[0]?.cameAtMs ?? ms) >= ms) return;
    this.#keepOnly((kept) => kept.cameAtMs >= ms);
  }

  #keepOnly(stays: (kept: KeptWrap) => boolean): void {
    this.#keeper.dropWraps(this.#kept.filter((kept) => !stays(kept)));
    this.#kept = this.#kept.filter(stays);
  }

  #dropOne(): void {
    const counts = new Map<IdKey, number>();
    let busiest: IdKey | null = null;
    for (const { from } of this.#kept) {
      const count = (counts.get(from) ?? 0) + 1;
      counts.set(from, count);
      if (busiest === null || count > (counts.get(busiest) ?? 0)) busiest = from;
    }
    const oldest = this.#kept.findIndex(({ from }) => from === busiest);
    this.#keeper.dropWraps(this.#kept.splice(oldest, 1));
  }
}
