/**
 * Pages of the member list. A rush of joins is welcomed by one operation and then pulls the same pages: they are made
 * once.
 * @see docs/protocol.md#roster
 */
import type { RosterMember } from '../crypto/roster.ts';
import { type Bytes, concatBytes } from '../protocol/bytes.ts';
import { encodeFrame } from '../protocol/framing.ts';
import { ListPage, SESSION_FRAME } from '../protocol/session-frames.ts';

export interface MadePage {
  readonly frame: Bytes;
  /** Where the page after this one begins: the length of the list when this is the last. */
  readonly next: number;
}

export class ListPages {
  readonly #bytesMost: number;
  readonly #isOnline: (member: RosterMember) => boolean;
  #list: readonly RosterMember[] = [];
  /** By where they begin; only those that follow one another from the start, so that odd questions fill nothing. */
  readonly #pages = new Map<number, MadePage>();

  /** @param bytesMost the most that a page's entries take together */
  constructor(bytesMost: number, isOnline: (member: RosterMember) => boolean) {
    this.#bytesMost = bytesMost;
    this.#isOnline = isOnline;
  }

  /** Someone came or went, and pages say who is online. */
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
    const online: number[] = [];
    let bytes = 0;
    for (let place = 0; ; place += 1) {
      const member = list[from + place];
      if (member === undefined) break;
      bytes += member.encoded.length;
      if (bytes > this.#bytesMost) break;
      if (this.#isOnline(member)) online[place >> 3] = (online[place >> 3] ?? 0) | (0x80 >> (place & 7));
      entries.push(member.encoded);
    }
    const bits = Uint8Array.from({ length: Math.ceil(entries.length / 8) }, (_, place) => online[place] ?? 0);
    const body = ListPage.encode({
      from,
      total: list.length,
      count: entries.length,
      entries: concatBytes(...entries),
      online: bits,
    });
    return { frame: encodeFrame(SESSION_FRAME.list, body), next: from + entries.length };
  }
}
