/**
 * The relay's broadcast path. One socket write per recipient and message is what a relay costs, so frames are
 * gathered and each recipient gets one write per flush, of one buffer that all of them share.
 *
 * Order: each subscriber sees its frames, pushed and private, in the order of the calls, beginning with the first
 * after `add` and ending with the last before `delete`. What is written to its connection directly goes ahead of
 * all that is pending here.
 *
 * When: at the end of the turn of the event loop in which something was pushed, so that frames read in one turn
 * travel together. Only where a flush for every frame would take more than half a core do frames wait, so that they
 * meet others: a flush that took d ms is then followed by a pause of 3 d, and flushing takes a quarter of a core.
 * The first few flushes after quiet are never delayed.
 */
import type { Bytes } from '../protocol/bytes.ts';

export interface Subscriber {
  /** @param batch whole frames, shared with other subscribers: not to be changed */
  sendBatch(batch: Bytes, frames: number): void;
}

export interface FanOutClock {
  /** Milliseconds with fractions, from any origin. */
  now(): number;
  /** Calls `fire` after `delayMs`; for 0 at the end of this turn of the event loop. @returns cancels it */
  setTimer(delayMs: number, fire: () => void): () => void;
}

const eventLoopClock: FanOutClock = {
  now: () => performance.now(),
  setTimer(delayMs, fire) {
    if (delayMs === 0) {
      const immediate = setImmediate(fire);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(fire, delayMs);
    return () => clearTimeout(timer);
  },
};

/** The part of a core that a flush for every frame may take before frames wait for each other. */
const UNBATCHED_CORE_SHARE = 1 / 2;
/** Flush time that a burst may ask for before that is called busy: several flushes to a thousand members. */
const BURST_MS = 50;
const PAUSE_PER_FLUSH = 3;
/** Bounds the delay where flushing is slow: a message is to come within a tenth of a second. */
const LONGEST_PAUSE_MS = 50;
/** Bounds what a busy room gathers while it waits. */
const BATCH_BYTES = 256 * 1_024;

/** What one subscriber gets that the others do not, until the next flush. */
interface Detour {
  /** Where in the pending frames its part begins. */
  readonly fromBytes: number;
  readonly fromFrames: number;
  readonly privates: { readonly atBytes: number; readonly frame: Bytes }[];
}

export class FanOut {
  readonly #clock: FanOutClock;
  readonly #subscribers = new Set<Subscriber>();
  #pending: Bytes[] = [];
  #pendingBytes = 0;
  #detours = new Map<Subscriber, Detour>();
  #privateBytes = 0;
  #cancelTimer: (() => void) | null = null;
  #lastFlushMs = 0;
  #lastFlushEndMs: number;
  /** The time that flushes for every frame would have taken lately, running off at `UNBATCHED_CORE_SHARE`. */
  #demandMs = 0;

  constructor(clock: FanOutClock = eventLoopClock) {
    this.#clock = clock;
    this.#lastFlushEndMs = clock.now();
  }

  /** Begins with what is pushed after this call. */
  add(subscriber: Subscriber): void {
    if (this.#subscribers.has(subscriber)) return;
    this.#subscribers.add(subscriber);
    if (this.#pending.length > 0) this.#detourOf(subscriber, this.#pendingBytes, this.#pending.length);
  }

  /** Sends it what is pending, and nothing afterwards. */
  delete(subscriber: Subscriber): void {
    if (!this.#subscribers.delete(subscriber)) return;
    const detour = this.#detours.get(subscriber);
    this.#detours.delete(subscriber);
    const batch = joined(this.#pending);
    if (detour === undefined) deliver(subscriber, batch, this.#pending.length);
    else deliverDetour(subscriber, detour, batch, this.#pending.length);
  }

  /** @param frame one encoded frame for every subscriber, not changed afterwards */
  push(frame: Bytes): void {
    if (this.#subscribers.size === 0) return;
    this.#pending.push(frame);
    this.#pendingBytes += frame.length;
    this.#schedule();
  }

  /**
   * Sends one subscriber a frame of its own, between the frames pushed before and after. Costs no write of its own.
   * To whoever has not been added it goes at once.
   */
  sendPrivate(subscriber: Subscriber, frame: Bytes): void {
    if (!this.#subscribers.has(subscriber)) {
      subscriber.sendBatch(frame, 1);
      return;
    }
    this.#detourOf(subscriber, 0, 0).privates.push({ atBytes: this.#pendingBytes, frame });
    this.#privateBytes += frame.length;
    this.#schedule();
  }

  flushNow(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    if (this.#pending.length === 0 && this.#detours.size === 0) return;
    const startMs = this.#clock.now();
    const batch = joined(this.#pending);
    const frames = this.#pending.length;
    const detours = this.#detours;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#detours = new Map();
    this.#privateBytes = 0;
    if (frames > 0) {
      for (const subscriber of this.#subscribers) {
        if (!detours.has(subscriber)) deliver(subscriber, batch, frames);
      }
    }
    for (const [subscriber, detour] of detours) deliverDetour(subscriber, detour, batch, frames);
    this.#account(frames, startMs);
  }

  #detourOf(subscriber: Subscriber, fromBytes: number, fromFrames: number): Detour {
    const known = this.#detours.get(subscriber);
    if (known !== undefined) return known;
    const detour: Detour = { fromBytes, fromFrames, privates: [] };
    this.#detours.set(subscriber, detour);
    return detour;
  }

  #schedule(): void {
    if (this.#pendingBytes + this.#privateBytes >= BATCH_BYTES) {
      this.flushNow();
      return;
    }
    this.#cancelTimer ??= this.#clock.setTimer(this.#waitMs(), () => this.flushNow());
  }

  #waitMs(): number {
    const sinceMs = this.#clock.now() - this.#lastFlushEndMs;
    const isBusy = this.#demandMs - sinceMs * UNBATCHED_CORE_SHARE > BURST_MS;
    if (!isBusy) return 0;
    return Math.max(0, Math.min(PAUSE_PER_FLUSH * this.#lastFlushMs, LONGEST_PAUSE_MS) - sinceMs);
  }

  #account(frames: number, startMs: number): void {
    const endMs = this.#clock.now();
    const flushMs = endMs - startMs;
    const runOffMs = (endMs - this.#lastFlushEndMs) * UNBATCHED_CORE_SHARE;
    // A flush costs about the same for one frame as for several. The bound ends busy times soon after their cause.
    this.#demandMs = Math.min(
      Math.max(0, this.#demandMs - runOffMs) + flushMs * Math.max(1, frames),
      2 * BURST_MS,
    );
    this.#lastFlushMs = flushMs;
    this.#lastFlushEndMs = endMs;
  }
}

function deliver(subscriber: Subscriber, batch: Bytes, frames: number): void {
  if (frames > 0) subscriber.sendBatch(batch, frames);
}

function deliverDetour(subscriber: Subscriber, detour: Detour, batch: Bytes, frames: number): void {
  const parts: Bytes[] = [];
  let offset = detour.fromBytes;
  for (const { atBytes, frame } of detour.privates) {
    if (atBytes > offset) parts.push(batch.subarray(offset, atBytes));
    parts.push(frame);
    offset = atBytes;
  }
  if (batch.length > offset) parts.push(batch.subarray(offset));
  deliver(subscriber, joined(parts), frames - detour.fromFrames + detour.privates.length);
}

/** A `Buffer`, so that a socket does not wrap it anew for each recipient. */
function joined(frames: readonly Bytes[]): Buffer {
  const [first] = frames;
  if (frames.length === 1 && first !== undefined) {
    return Buffer.from(first.buffer, first.byteOffset, first.byteLength);
  }
  return Buffer.concat(frames);
}
