/**
 * Pages of the member list. A rush of joins is welcomed by one operation and then pulls the same pages: they are made
 * once.
 * @see docs/protocol.md#roster
 */
import type { RosterMember } from '../crypto/roster.ts';
import { type Bytes, concatBytes } from '../protocol/bytes.ts';
import { encodeFrame } from '../protocol/framing.ts';
import { ListPage, PRESENCE_BYTES, PresenceNow, SESSION_FRAME } from '../protocol/session-frames.ts';

export interface MadePage {
  readonly frame: Bytes;
  /** Where the page after this one begins: the length of the list when this is the last. */
  readonly next: number;
}

export class ListPages {
  readonly #bytesMost: number;
  readonly #presence: (member: RosterMember) => PresenceNow;
  #list: readonly RosterMember[] = [];
  /** By where they begin; only those that follow one another from the start, so that odd questions fill nothing. */
  readonly #pages = new Map<number, MadePage>();

  /** @param bytesMost the most that a page's entries and their presence take together */
  constructor(bytesMost: number, presence: (member: RosterMember) => PresenceNow) {
    this.#bytesMost = bytesMost;
    this.#presence = presence;
  }

  /** Someone came, went or is away, and pages say so. */
  presenceChanged(): void {
    this.#pages.clear();
  }

  page(list: readonly RosterMember[], from: number): MadePage {
    if (list !== this.#list) {
      this.#list = list;
      this.#pages.clear();
    }
    const made = this.#pages.get(from) ?? this.#make(list, from);
    if (from === 0 || [...this.#pages.values()].some(({ next }) => next === from))
      this.#pages.set(from, made);
    return made;
  }

  #make(list: readonly RosterMember[], from: number): MadePage {
    const entries: Bytes[] = [];
    const presence: Bytes[] = [];
    let bytes = 0;
    for (let place = 0; ; place += 1) {
      const member = list[from + place];
      if (member === undefined) break;
      bytes += member.encoded.length + PRESENCE_BYTES;
      if (bytes > this.#bytesMost) break;
      presence.push(PresenceNow.encode(this.#presence(member)));
      entries.push(member.encoded);
    }
    const body = ListPage.encode({
      from,
      total: list.length,
      count: entries.length,
      entries: concatBytes(...entries),
      presence: concatBytes(...presence),
    });
    return { frame: encodeFrame(SESSION_FRAME.list, body), next: from + entries.length };
  }
}
