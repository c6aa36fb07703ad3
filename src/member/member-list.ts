/**
 * The member list as the host shows it: pulled in pages, and who of them is online. Who is a member is not decided
 * here: that is the roster, which the owner signs.
 * @see docs/protocol.md#session
 */
import type { Roster } from '../crypto/roster.ts';
import { ProtocolError } from '../protocol/errors.ts';
import type { IdKey } from '../protocol/identifiers.ts';
import type { ListPage } from '../protocol/session-frames.ts';
import { event, type SessionEffect, type ShownMember } from './events.ts';
import { type ListedMember, ListReader } from './list-reader.ts';

export class MemberList {
  readonly #self: IdKey;
  readonly #offline = new Set<IdKey>();
  /** The list being pulled: to begin with, or for presence alone after a return. */
  #reader: ListReader | null = null;

  constructor(self: IdKey) {
    this.#self = self;
  }

  shown(roster: Roster): readonly ShownMember[] {
    return roster.members.map((member) => ({ member, online: !this.#offline.has(member.key) }));
  }

  onlineCount(roster: Roster): number {
    return roster.size - this.#offline.size;
  }

  /** A new connection: pages that were on their way do not come any more. */
  reconnected(): void {
    this.#reader = null;
  }

  /** Pulls the list: its first page, or the one after those that have come. */
  pull(): SessionEffect {
    this.#reader ??= new ListReader();
    return { kind: 'send', frame: this.#reader.pull() };
  }

  /**
   * @returns the whole list with its last page, `null` before.
   * @throws ProtocolError when the page is not the one asked for.
   */
  page(page: ListPage): readonly ListedMember[] | null {
    if (this.#reader === null)
      throw new ProtocolError('unexpected-frame', 'a page of the member list that nobody asked for');
    const listed = this.#reader.take(page);
    if (listed !== null) this.#reader = null;
    return listed;
  }

  /** Takes the list as it is, without a word: the person is shown all of it. */
  begin(listed: readonly ListedMember[]): void {
    this.#offline.clear();
    for (const { key, online } of listed) if (!online && key !== this.#self) this.#offline.add(key);
  }

  present(key: IdKey, online: boolean, roster: Roster): SessionEffect[] {
    const member = roster.member(key);
    if (member === undefined || key === this.#self || this.#offline.has(key) === !online) return [];
    if (online) this.#offline.delete(key);
    else this.#offline.add(key);
    return [event({ kind: 'presence', member, online })];
  }

  forget(member: IdKey): void {
    this.#offline.delete(member);
  }
}
