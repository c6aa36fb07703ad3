/**
 * Who is here, away or gone, and what has reached those who were gone, as the others are told of it: gathered from one
 * tick to the next, so that a rush of comings and goings is one frame, and no message costs any.
 * @see docs/protocol.md#receipts
 */
import type { Bytes } from '../protocol/bytes.ts';
import { encodeFrame } from '../protocol/framing.ts';
import type { IdKey } from '../protocol/identifiers.ts';
import type { Moment } from '../protocol/moment.ts';
import {
  lastSeenMs,
  PRESENCE_MOST,
  Presence,
  RECEIPTS_MOST,
  Receipts,
  SESSION_FRAME,
} from '../protocol/session-frames.ts';
import type { RoomEffect } from './effects.ts';
import type { Log } from './log.ts';
import type { Resident } from './resident.ts';

export interface PresenceContext {
  readonly residents: ReadonlyMap<IdKey, Resident>;
  readonly log: Pick<Log, 'index' | 'wholeFrom'>;
}

export class PresenceNews {
  readonly #context: PresenceContext;
  readonly #changed = new Set<Resident>();
  /** Whose mark has moved. */
  readonly #moved = new Set<Resident>();

  constructor(context: PresenceContext) {
    this.#context = context;
  }

  /** They are on a line again; they count as online once they are live. */
  arrived(resident: Resident): void {
    resident.away = false;
    resident.droppedTo = Math.max(resident.droppedTo, this.#lost(resident));
  }

  /** They came, went, or said whether they are away. Someone new is online without a word. */
  changed(resident: Resident): void {
    if (resident.presence.state !== resident.shown) this.#changed.add(resident);
  }

  /** They have more of the log for good, which matters to others while something waits for them. */
  acknowledged(resident: Resident): void {
    if (resident.catchUpTo !== null) this.#moved.add(resident);
  }

  /** News since the last call, as broadcasts; presence comes before the marks it goes with. */
  due({ nowMs }: Moment): RoomEffect[] {
    const notices: RoomEffect[] = [];
    const changed = this.#take(this.#changed);
    const changes = changed.map((resident) => {
      const { member, presence, shown: before } = resident;
      const { state } = presence;
      resident.shown = state;
      if (resident.catchUpTo !== null) {
        // What is placed from here on reaches who is here; until here, senders may have seen them as gone.
        if (state !== 'offline') resident.catchUpTo = this.#context.log.index;
        this.#moved.add(resident);
      }
      if (state !== before) {
        const now = { presence: state, online: state !== 'offline', lastSeenMs: lastSeenMs(presence) };
        notices.push({ kind: 'notice', notice: { kind: 'presence', member, before, ...now } });
      }
      return { memberId: member.memberId, ...presence };
    });
    const moved = this.#take(this.#moved);
    const frames = [
      ...pages(changes, PRESENCE_MOST).map((page) =>
        encodeFrame(SESSION_FRAME.presence, Presence.encode({ changes: page })),
      ),
      ...this.#receipts(moved),
    ];
    for (const resident of moved) {
      if (resident.catchUpTo === null || resident.acknowledged < resident.catchUpTo) continue;
      resident.catchUpTo = null;
      resident.caughtUpAtMs = nowMs;
    }
    return [...notices, ...frames.map((frame) => ({ kind: 'broadcast', frame }) as const)];
  }

  /**
   * What someone who goes live has to know of those who are gone or were, besides the list.
   * @param sinceMs since when they were gone themselves
   */
  receiptsFor(viewer: Resident, sinceMs: number): readonly Bytes[] {
    const marked = [...this.#context.residents.values()].filter(
      (resident) =>
        resident !== viewer && (resident.catchUpTo !== null || (resident.caughtUpAtMs ?? 0) >= sinceMs),
    );
    return this.#receipts(marked);
  }

  /** Those who are still members: of whoever is not, there is no news. */
  #take(set: Set<Resident>): readonly Resident[] {
    const { residents } = this.#context;
    const taken = [...set].filter((resident) => residents.get(resident.member.key) === resident);
    set.clear();
    return taken;
  }

  #receipts(residents: readonly Resident[]): readonly Bytes[] {
    const marks = residents
      .filter(({ prefers }) => prefers.receipts)
      .map((resident) => ({
        memberId: resident.member.memberId,
        index: resident.acknowledged,
        dropped: resident.connection === null ? this.#lost(resident) : resident.droppedTo,
      }));
    return pages(marks, RECEIPTS_MOST).map((page) =>
      encodeFrame(SESSION_FRAME.receipts, Receipts.encode({ marks: page })),
    );
  }

  /** @returns the latest index that was let go of before this member had it; 0: none */
  #lost({ acknowledged }: Resident): number {
    const gone = this.#context.log.wholeFrom - 1;
    return gone > acknowledged ? gone : 0;
  }
}

function pages<T>(items: readonly T[], most: number): T[][] {
  const made: T[][] = [];
  for (let from = 0; from < items.length; from += most) made.push(items.slice(from, from + most));
  return made;
}
