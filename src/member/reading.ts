/**
 * When to tell the others of one conversation what this member has read. Pure: it is told the time, and what would stand in
 * the way.
 * @see docs/protocol.md#content
 */
import { type Content, idReference } from '../protocol/content.ts';
import type { Policy } from '../protocol/room-settings.ts';

/** In more company, who has read what is of use to nobody, and costs a message of each for every message of one. */
const MEMBERS_MOST = 16;
/** Whoever reads along in a lively talk tells of it this often, and no more. */
const TELL_AGAIN_MS = 5_000;

/** How things stand. */
export interface ReadingNow {
  /** In the conversation, this member included. */
  readonly members: number;
  readonly policy: Pick<Policy, 'readReceipts'>;
  /** They are there, and what they said has its place: no news of reading goes before that. */
  readonly mayTell: boolean;
}

export class Reading {
  readonly #isAllowed: boolean;
  /** The latest message that was seen, while nobody has been told. */
  #seen: string | null = null;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  /** @param isAllowed the person lets others know */
  constructor(isAllowed: boolean) {
    this.#isAllowed = isAllowed;
  }

  /** A message of somebody else has been shown on a screen that somebody looks at. */
  seen(id: string): void {
    if (this.#isAllowed) this.#seen = id;
  }

  /** @returns what to say now, if anything: it counts as said */
  due(nowMs: number, { members, policy, mayTell }: ReadingNow): Content | null {
    // What is not told while it is read is not told later either.
    if (members > MEMBERS_MOST || !policy.readReceipts) this.#seen = null;
    if (this.#seen === null || !mayTell) return null;
    // A clock set back must not make a silence that never ends.
    if (nowMs >= this.#toldAtMs && nowMs - this.#toldAtMs < TELL_AGAIN_MS) return null;
    const reference = idReference(this.#seen);
    this.#seen = null;
    if (reference === null) return null;
    this.#toldAtMs = nowMs;
    return { kind: 'read', reference, text: '' };
  }
}
