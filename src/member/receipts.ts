/**
 * What has become of one's own messages for members who were offline when they were placed. It rests on the host's word
 * alone, which nothing proves.
 * @see docs/protocol.md#receipts
 */
import type { IdKey } from '../protocol/identifiers.ts';
import type { ReceiptState } from './events.ts';

/** One's own messages that are remembered: what is older is not told of any more. */
const OWN_KEPT = 512;

/** One's own message in the log. */
export interface Own {
  readonly id: string;
  readonly index: number;
}

/** How far someone has the log, as the host says. */
export interface Mark {
  readonly index: number;
  /** Up to here, what they did not have was not kept for them; 0: all was. */
  readonly dropped: number;
}

/** One thing to tell. */
export interface Receipt {
  readonly id: string;
  readonly state: ReceiptState;
  readonly members: readonly IdKey[];
}

interface Watched {
  /** What lies up to here is settled. */
  settledTo: number;
  /** What lies up to here and is not settled has been told as waiting; 0: nothing has. */
  toldTo: number;
}

/** What the member list says. */
export interface ListView {
  readonly isOffline: (member: IdKey) => boolean;
  /** After a return, who is offline is not known before the list has come again. */
  readonly isKnown: () => boolean;
}

export class Receipts {
  readonly #list: ListView;
  readonly #own: Own[] = [];
  /** Those who are offline and allow receipts, and those for whom something still waits. */
  readonly #watched = new Map<IdKey, Watched>();
  /** What came while the list is not known. */
  readonly #heldOwn: Own[] = [];
  readonly #heldMarks = new Map<IdKey, Mark>();

  constructor(list: ListView) {
    this.#list = list;
  }

  /** A message of one's own has its place. */
  placed(own: Own): readonly Receipt[] {
    if (!this.#list.isKnown()) {
      this.#heldOwn.push(own);
      return [];
    }
    this.#own.push(own);
    if (this.#own.length > OWN_KEPT) this.#own.shift();
    const members: IdKey[] = [];
    for (const [member, watched] of this.#watched) {
      if (!this.#list.isOffline(member) || own.index <= watched.toldTo) continue;
      watched.toldTo = own.index;
      members.push(member);
    }
    return members.length === 0 ? [] : [{ id: own.id, state: 'waiting', members }];
  }

  /** The list is known again. */
  release(): readonly Receipt[] {
    const marks = [...this.#heldMarks];
    this.#heldMarks.clear();
    return [
      ...this.#heldOwn.splice(0).flatMap((own) => this.placed(own)),
      ...marks.flatMap(([member, mark]) => this.marked(member, mark)),
    ];
  }

  /** A new connection: marks of the one before are older than those it brings. */
  reconnected(): void {
    this.#heldMarks.clear();
  }

  /** The host says how far a member has the log. */
  marked(member: IdKey, mark: Mark): readonly Receipt[] {
    if (!this.#list.isKnown()) {
      this.#heldMarks.set(member, mark);
      return [];
    }
    const { index, dropped } = mark;
    const watched = this.#watched.get(member) ?? { settledTo: 0, toldTo: 0 };
    this.#watched.set(member, watched);
    const reached = Math.max(watched.settledTo, index, dropped);
    const told = this.#between(watched.settledTo, Math.min(reached, watched.toldTo)).map(
      (own): Receipt => ({
        id: own.id,
        state: own.index <= dropped ? 'dropped' : 'delivered',
        members: [member],
      }),
    );
    watched.settledTo = reached;
    const isOffline = this.#list.isOffline(member);
    const last = this.#own.at(-1)?.index ?? 0;
    // Placed while their line was dead and nobody had noticed.
    const late = isOffline ? this.#between(Math.max(reached, watched.toldTo), last) : [];
    if (isOffline) watched.toldTo = Math.max(watched.toldTo, last);
    if (!isOffline && this.#between(reached, watched.toldTo).length === 0) this.#watched.delete(member);
    return [...told, ...late.map(({ id }): Receipt => ({ id, state: 'waiting', members: [member] }))];
  }

  forget(member: IdKey): void {
    this.#watched.delete(member);
    this.#heldMarks.delete(member);
  }

  /** One's own messages after one index and up to another. */
  #between(after: number, to: number): readonly Own[] {
    return this.#own.filter(({ index }) => index > after && index <= to);
  }
}
