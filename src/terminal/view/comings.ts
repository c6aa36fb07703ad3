/**
 * Comings and goings, folded when there are many: the first few of a rush are shown at once, the others in one line
 * at its end. Pure: it is told the time.
 */
import type { MemberEvent } from '../json-lines.ts';

const COMINGS = ['joined', 'left', 'gone', 'online', 'offline', 'away', 'back'] as const;
export type ComingChange = (typeof COMINGS)[number];
export type ComingEvent = MemberEvent & { readonly change: ComingChange };

/** Those of one kind that waited together. */
export type Folded = {
  readonly first: ComingEvent;
  /** The first few, as they came. */
  readonly nicks: readonly string[];
  readonly count: number;
};

/** Shown at once, before a rush is known to be one. */
const SHOWN_AT_ONCE = 3;
/** How long others are gathered: longer would be news of yesterday, shorter would not fold a slow rush. */
const WINDOW_MS = 10_000;
/** Named in a folded line: nicknames of usual length then fit on a row of 80 columns. */
const NAMES_SHOWN = 3;

export function isComing(event: MemberEvent): event is ComingEvent {
  return COMINGS.some((change) => change === event.change);
}

export class Comings {
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #inWindow = 0;
  /** At most one for each change. */
  #waiting = new Map<ComingChange, Folded>();

  /** @returns true when the event is to be shown now; false when it waits. */
  take(event: ComingEvent, nowMs: number): boolean {
    // A clock set back must not make a window that never ends.
    if (nowMs - this.#windowStartMs >= WINDOW_MS || nowMs < this.#windowStartMs) {
      this.#windowStartMs = nowMs;
      this.#inWindow = 0;
    }
    this.#inWindow += 1;
    if (this.#inWindow <= SHOWN_AT_ONCE) return true;
    const before = this.#waiting.get(event.change) ?? { first: event, nicks: [], count: 0 };
    const nicks = before.count < NAMES_SHOWN ? [...before.nicks, event.member.nick] : before.nicks;
    this.#waiting.set(event.change, { ...before, nicks, count: before.count + 1 });
    return false;
  }

  /** What has waited long enough. A rush that goes on is folded from its first on. */
  due(nowMs: number): readonly Folded[] {
    const sinceMs = nowMs - this.#windowStartMs;
    if (this.#waiting.size === 0 || (sinceMs >= 0 && sinceMs < WINDOW_MS)) return [];
    this.#windowStartMs = nowMs;
    this.#inWindow = SHOWN_AT_ONCE;
    return this.flush();
  }

  /** All that waits: something else is about to be shown, and order matters. */
  flush(): readonly Folded[] {
    const folded = [...this.#waiting.values()];
    this.#waiting = new Map();
    return folded;
  }
}
