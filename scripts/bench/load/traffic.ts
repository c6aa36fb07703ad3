/** Sends what a fleet has prepared, at a pace, and times each delivery. */
import { percentile } from '../statistics.ts';
import type { Fleet, MessageKey } from './fleet.ts';

/** `perSecond`: an open flow, whatever comes back. `inFlight`: as fast as deliveries come back. */
export type Pace = { readonly perSecond: number } | { readonly inFlight: number };

export interface Flow {
  readonly deliveries: number;
  /** From the first message sent to the last delivered. */
  readonly elapsedMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const STALLED_MS = 60_000;

interface OnItsWay {
  readonly sentMs: number;
  left: number;
}

export class Traffic {
  readonly #onItsWay = new Map<MessageKey, OnItsWay>();
  #delays = new Float64Array();
  #deliveries = 0;
  #onDelivered: () => void = () => {};

  /** For the fleets to call, once a recipient. */
  readonly delivered = (key: MessageKey): void => {
    const message = this.#onItsWay.get(key);
    if (message === undefined) return;
    this.#delays[this.#deliveries] = performance.now() - message.sentMs;
    this.#deliveries += 1;
    message.left -= 1;
    if (message.left > 0) return;
    this.#onItsWay.delete(key);
    this.#onDelivered();
  };

  async run(fleet: Fleet, messages: number, pace: Pace): Promise<Flow> {
    const { recipients } = fleet;
    this.#delays = new Float64Array(messages * recipients);
    this.#deliveries = 0;
    const over = Promise.withResolvers<void>();
    const stalled = setTimeout(() => over.reject(this.#stall(messages * recipients)), STALLED_MS);
    const startMs = performance.now();
    let sent = 0;
    const send = (): void => {
      sent += 1;
      this.#onItsWay.set(fleet.send(), { sentMs: performance.now(), left: recipients });
    };
    const due = (): number =>
      'perSecond' in pace
        ? Math.floor(((performance.now() - startMs) * pace.perSecond) / 1_000) + 1
        : sent + pace.inFlight - this.#onItsWay.size;
    const sendDue = (): void => {
      for (const until = Math.min(messages, due()); sent < until; ) send();
    };
    const timer = 'perSecond' in pace ? setInterval(sendDue, 1) : null;
    this.#onDelivered = () => {
      if (timer === null) sendDue();
      if (this.#deliveries === messages * recipients) over.resolve();
    };
    sendDue();
    await over.promise.finally(() => {
      clearTimeout(stalled);
      if (timer !== null) clearInterval(timer);
    });
    const elapsedMs = performance.now() - startMs;
    const delays = this.#delays.sort();
    return {
      deliveries: messages * recipients,
      elapsedMs,
      p50Ms: percentile(delays, 0.5),
      p99Ms: percentile(delays, 0.99),
    };
  }

  #stall(expected: number): Error {
    return new Error(`${this.#deliveries} of ${expected} deliveries, and no more came`);
  }
}
