/**
 * The member list as the host shows it: pulled in pages, and who of them is online, away or gone. Who is a member is not
 * decided here: that is the roster, which the owner signs.
 * @see docs/protocol.md#session
 */
import type { Roster, RosterMember } from '../crypto/roster.ts';
import { ProtocolError } from '../protocol/errors.ts';
import type { IdKey } from '../protocol/identifiers.ts';
import { type ListPage, lastSeenMs, type PresenceNow } from '../protocol/session-frames.ts';
import { event, type SessionEffect, type ShownMember } from './events.ts';
import { type ListedMember, ListReader } from './list-reader.ts';

const HERE: PresenceNow = { state: 'online', seenMinute: 0 };
const AWAY: PresenceNow = { state: 'away', seenMinute: 0 };

export class MemberList {
  readonly #self: IdKey;
  readonly #isVerified: (member: RosterMember) => boolean;
  /** Of everyone who is not simply online. */
  readonly #presence = new Map<IdKey, PresenceNow>();
  #offline = 0;
  /** The list being pulled: to begin with, or for presence alone after a return. */
  #reader: ListReader | null = null;

  constructor(self: IdKey, isVerified: (member: RosterMember) => boolean) {
    this.#self = self;
    this.#isVerified = isVerified;
  }

  shown(roster: Roster): readonly ShownMember[] {
    return roster.members.map((member) => this.shownOne(member));
  }

  shownOne(member: RosterMember): ShownMember {
    const now = this.#presence.get(member.key) ?? HERE;
    const { state: presence } = now;
    return {
      ...{ member, presence, online: presence !== 'offline', lastSeenMs: lastSeenMs(now) },
      ...(this.#isVerified(member) && { verified: true }),
    };
  }

  onlineCount(roster: Roster): number {
    return roster.size - this.#offline;
  }

  isOffline(key: IdKey): boolean {
    return this.#presence.get(key)?.state === 'offline';
  }

  /** A list has been asked for and is not whole yet: presence may be from before. */
  get isPulling(): boolean {
    return this.#reader !== null;
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
    const own = this.#presence.get(this.#self);
    this.#presence.clear();
    this.#offline = 0;
    if (own !== undefined) this.#presence.set(this.#self, own);
    for (const { key, presence } of listed) if (key !== this.#self) this.#set(key, presence);
  }

  /** What the host says of someone else. */
  present(key: IdKey, now: PresenceNow, roster: Roster): SessionEffect[] {
    return key === this.#self ? [] : this.#presented(key, now, roster);
  }

  /** What this member says of themselves. */
  setAway(away: boolean, roster: Roster): SessionEffect[] {
    return this.#presented(this.#self, away ? AWAY : HERE, roster);
  }

  forget(member: IdKey): void {
    this.#set(member, HERE);
  }

  #presented(key: IdKey, now: PresenceNow, roster: Roster): SessionEffect[] {
    const member = roster.member(key);
    if (member === undefined) return [];
    const { presence: before } = this.shownOne(member);
    this.#set(key, now);
    return before === now.state ? [] : [event({ kind: 'presence', before, ...this.shownOne(member) })];
  }

  #set(key: IdKey, now: PresenceNow): void {
    if (this.isOffline(key)) this.#offline -= 1;
    if (now.state === 'offline') this.#offline += 1;
    if (now.state === 'online') this.#presence.delete(key);
    else this.#presence.set(key, now);
  }
}
