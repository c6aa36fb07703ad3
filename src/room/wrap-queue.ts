/**
 * Wraps for one member, kept until they have surely arrived. A line can be dead for a minute before either side
 * notices, and a chain key lost with it would leave the member with messages that nobody wraps for them again.
 */
import type { Bytes } from '../protocol/bytes.ts';

interface Kept {
  /** A whole frame. */
  readonly frame: Bytes;
  /** Where the log stood when it came: a later entry, once received, was received after it. */
  readonly logIndex: number;
  readonly cameAtMs: number;
}

export class WrapQueue {
  #kept: Kept[] = [];

  /** Oldest first. They stay until they are confirmed. */
  get frames(): readonly Bytes[] {
    return this.#kept.map(({ frame }) => frame);
  }

  /** @param most beyond it the oldest go; their member asks for those keys by NEEDKEY. */
  push(kept: Kept, most: number): void {
    this.#kept.push(kept);
    if (this.#kept.length > most) this.#kept.splice(0, this.#kept.length - most);
  }

  /** The member has the log up to this entry, and so has whatever was sent before it. */
  seen(logIndex: number): void {
    if ((this.#kept[0]?.logIndex ?? logIndex) >= logIndex) return;
    this.#kept = this.#kept.filter((kept) => kept.logIndex >= logIndex);
  }

  /** The line has been alive since then. */
  arrivedBefore(ms: number): void {
    if ((this.#kept[0]?.cameAtMs ?? ms) >= ms) return;
    this.#kept = this.#kept.filter((kept) => kept.cameAtMs >= ms);
  }
}
