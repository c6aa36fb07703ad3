/** One's own wrap keys: when new ones are due, and when they are published. */
import type { WrapKeyPair } from '../crypto/key-wrap.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import { PublishKey, SESSION_FRAME } from '../protocol/session-frames.ts';
import { type SessionEffect, send } from './events.ts';
import type { OwnWrapKeys } from './wrap-keys.ts';

export class Renewal {
  readonly #wrapKeys: OwnWrapKeys;
  /** Made while there was no connection, or not kept yet where they have to be: published once both is so. */
  #mayPublish = false;

  constructor(wrapKeys: OwnWrapKeys) {
    this.#wrapKeys = wrapKeys;
  }

  /** A new connection: own keys that are due are renewed. */
  reconnected(moment: Moment): SessionEffect[] {
    return [
      ...(this.#mayPublish ? this.#publish(moment) : []),
      ...this.due(moment, LIMITS.wrapKeyOldOnConnectMs),
    ];
  }

  /** Asks for new wrap keys of one's own when the present ones are older than `olderThanMs`. */
  due(moment: Moment, olderThanMs: number): SessionEffect[] {
    return this.#wrapKeys.due(moment.nowMs, olderThanMs) ? [{ kind: 'make-wrap-keys' }] : [];
  }

  /** @param isKept whether they may be published as they are, or `kept` says when */
  made(pair: WrapKeyPair, isConnected: boolean, isKept: boolean, moment: Moment): SessionEffect[] {
    this.#wrapKeys.prepare(pair, moment.nowMs);
    return isKept ? this.kept(isConnected, moment) : [];
  }

  /** What others wrap to will be there after the program's end as well. */
  kept(isConnected: boolean, moment: Moment): SessionEffect[] {
    if (isConnected) return this.#publish(moment);
    // A LOGIN under way may have named the present ones: these are published once there is someone to tell.
    this.#mayPublish = true;
    return [];
  }

  #publish(moment: Moment): SessionEffect[] {
    this.#mayPublish = false;
    this.#wrapKeys.takeNext(moment.nowMs);
    const { statement } = this.#wrapKeys.current;
    return [send(SESSION_FRAME.publishKey, PublishKey.encode({ statement }))];
  }
}
