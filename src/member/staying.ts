/**
 * How long messages stay, as the owner has signed it: what the host need not hold any more, and what this side does not
 * show any more. Times of entries are the host's; whatever can be bounded by this side's own clock is.
 * @see docs/protocol.md#disappearing
 */
import { LIMITS } from '../protocol/limits.ts';
import { heldMs } from '../protocol/room-settings.ts';

/** How far the host's clock may be from this side's before it looks like a lie about what is too old to hold. */
const CLOCKS_APART_MS = 60 * 60_000;

export interface OwnTime {
  readonly nowMs: number;
  /** When this run last had all there was, by its own clock; `null`: not known. */
  readonly hadAllAtMs: number | null;
}

/** A time for which messages stayed that long. */
interface Span {
  readonly untilMs: number;
  readonly staySeconds: number;
}

/** A message that the host let go of, and what has been in force since it was placed. */
export class LeftOut {
  readonly index: number;
  readonly #placedAtMs: number;
  readonly #spans: Span[] = [];

  constructor(index: number, placedAtMs: number) {
    this.index = index;
    this.#placedAtMs = placedAtMs;
  }

  /** Messages stayed for so long until this moment of the host's. */
  changed(before: Span): void {
    this.#spans.push(before);
  }

  /**
   * Whether an honest host may have let go of it for its age, at any moment since it was placed: what was in force then
   * decides, whether it is longer or shorter by now.
   * @returns `policy` where the owner's word is why, `retention` where the host's own is, `null` where it must still be held
   */
  excuse(staySeconds: number, retentionMs: number, time: OwnTime): 'policy' | 'retention' | null {
    const { nowMs, hadAllAtMs } = time;
    const latestMs = nowMs + CLOCKS_APART_MS;
    const spans = [...this.#spans, { untilMs: latestMs, staySeconds }];
    const excusing = spans.filter((span) => {
      const windowMs = heldMs(span.staySeconds, retentionMs);
      const byHostMs = Math.min(span.untilMs, latestMs) - this.#placedAtMs;
      // The host may say what it likes of when: nothing that is missing is older than this side was away.
      const awayMs = hadAllAtMs === null ? Number.POSITIVE_INFINITY : nowMs - hadAllAtMs + lag(windowMs);
      return Math.min(byHostMs, awayMs) >= windowMs;
    });
    if (excusing.length === 0) return null;
    return excusing.some((span) => heldMs(span.staySeconds, retentionMs) < retentionMs)
      ? 'policy'
      : 'retention';
  }
}

/**
 * A line may be dead for a while before anyone notices, and a clock may be set while one is away: by an hour, and where
 * messages stay for less than two by half of that.
 */
function lag(windowMs: number): number {
  return Math.max(LIMITS.deadMs, Math.min(CLOCKS_APART_MS, windowMs / 2));
}

/**
 * When a message was placed, by this side's clock: not before this side last had all there was, and not later than now.
 * So a host with a wrong clock makes nothing disappear for anyone who has been here, or was away for less than the time.
 */
function placedMs(placedAtMs: number, { nowMs, hadAllAtMs }: OwnTime): number {
  return Math.min(nowMs, Math.max(placedAtMs, hadAllAtMs ?? 0));
}

/** Too old to be shown: read late, from a host that held it for longer than the owner has signed. */
export function isGone(placedAtMs: number, staySeconds: number, time: OwnTime): boolean {
  if (staySeconds === 0) return false;
  const grantMs = time.hadAllAtMs === null ? CLOCKS_APART_MS : 0;
  return time.nowMs - placedMs(placedAtMs, time) >= staySeconds * 1_000 + grantMs;
}

/** When a message that is shown now is to be forgotten; `null`: never. There is always time to read it. */
export function goesAtMs(placedAtMs: number, staySeconds: number, time: OwnTime): number | null {
  if (staySeconds === 0) return null;
  return Math.max(placedMs(placedAtMs, time) + staySeconds * 1_000, time.nowMs + LIMITS.stayMsLeast);
}
