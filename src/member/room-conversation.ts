/**
 * The room's own conversation, with what only it has: the list that its owner signs, who on it is here, and the way from
 * WELCOME to where each entry is pushed, once more after every loss of the line.
 *
 *   listing ─▶ reading ─▶ live      away: no connection; LOGIN leads back to reading
 * @see docs/protocol.md#session
 */
import type { Roster, RosterChange, RosterMember } from '../crypto/roster.ts';
import type { Welcome } from '../protocol/admission-frames.ts';
import { bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { ProtocolError, SecurityError } from '../protocol/errors.ts';
import { type IdKey, idKey, ROOM_CONVERSATION } from '../protocol/identifiers.ts';
import type { Moment } from '../protocol/moment.ts';
import {
  type ListPage,
  type LogPage,
  type Receipts as ReceiptsFrame,
  SESSION_FRAME,
} from '../protocol/session-frames.ts';
import type { Era } from '../protocol/signed-objects.ts';
import { Conversation, type SavedConversation, type Shared } from './conversation.ts';
import { difference } from './difference.ts';
import { event, type SessionEffect, unexpected } from './events.ts';
import type { ListedMember } from './list-reader.ts';
import { MemberList } from './member-list.ts';
import { type Receipt, Receipts } from './receipts.ts';
import { RoomLedger, type SavedLedger } from './room-ledger.ts';
import type { SavedState } from './saved-state.ts';
import type { Timeline } from './timeline.ts';
import { adoptList, roomPosition, sameRetention } from './welcome.ts';

/** What a LOGIN needs of a WELCOME, and what the next one is held against. */
export type Place = Pick<Welcome, 'memberId' | 'accountKey' | 'sessionId' | 'retention'>;

export type Phase = 'away' | 'listing' | 'reading' | 'live' | 'over';

export interface RoomStart {
  readonly shared: Shared;
  readonly saved: SavedState | null;
  /** The list has changed, or is about to: these are not on it any more. */
  readonly changed: (removed: readonly RosterMember[]) => void;
}

export class RoomConversation {
  readonly conversation: Conversation;
  readonly ledger: RoomLedger;
  readonly list: MemberList;
  readonly #shared: Shared;
  readonly #changed: RoomStart['changed'];
  readonly #receipts: Receipts;
  #welcome: Welcome | null = null;
  /** As an earlier run has kept it; `null` where this one goes on with none. */
  readonly #savedPlace: Place | null;
  #phase: Phase = 'away';
  #joinedOnce = false;
  /** A line was lost since joining, the first one before it was live included: the person is told of the return. */
  #returning: boolean;
  /** The host's log is shorter than this record: an alarm, unless a start of the room says why. */
  #isShorter = false;
  /** The start of the room after which this record begins anew. */
  #lostAfter: Era | null = null;
  #toldElsewhere = false;
  #liveAtMs: number | null = null;

  constructor({ shared, saved, changed }: RoomStart) {
    const { roomId, self, trust } = shared;
    this.#shared = shared;
    this.#changed = changed;
    this.list = new MemberList(self, (member) => trust.isVerified(member));
    this.#receipts = new Receipts({
      isOffline: (member) => this.list.isOffline(member),
      isKnown: () => this.#phase === 'live' && !this.list.isPulling,
    });
    this.ledger = new RoomLedger(roomId, (change) => this.#rosterChanged(change));
    // Before the log: what it goes on with is held against it.
    if (saved !== null) this.ledger.restore(saved);
    this.conversation = new Conversation(shared, {
      ...{ id: ROOM_CONVERSATION, ledger: this.ledger, saved },
      ownPlaced: (own) => this.#told(this.#receipts.placed(own)),
      // The room's name is what its owner signs.
      about: () => [],
    });
    this.#savedPlace = saved === null ? null : placeOf(saved);
    this.#returning = saved !== null;
  }

  /** @returns `null` while there is no record to go on with. Secrets are among it. */
  save(): (Place & SavedLedger & SavedConversation) | null {
    const log = this.conversation.save();
    const list = this.ledger.save();
    const { place } = this;
    if (log === null || list === null || place === null) return null;
    return { ...placeOf(place), ...list, ...log };
  }

  get phase(): Phase {
    return this.#phase;
  }
  /** Something can be sent. */
  get hasLine(): boolean {
    return this.#phase !== 'away' && this.#phase !== 'over';
  }
  /** The latest of this run. */
  get welcome(): Welcome | null {
    return this.#welcome;
  }
  /** This member's place in the room, as the latest WELCOME of this run or an earlier one gave it. */
  get place(): Place | null {
    return this.#welcome ?? this.#savedPlace;
  }
  get self(): RosterMember | undefined {
    return this.#roster.member(this.#shared.self);
  }
  /** A line was lost, and this side is not live since. */
  get isReturning(): boolean {
    return this.#returning;
  }
  /** When this run was last live: it has all that was placed before. `null`: not yet. */
  get liveAtMs(): number | null {
    return this.#liveAtMs;
  }

  get #roster(): Roster {
    return this.ledger.room;
  }

  get #timeline(): Timeline {
    return this.conversation.timeline;
  }

  /** A run at the door ended well; `goOn` does what follows. @throws SecurityError when what WELCOME says cannot be. */
  welcomed(welcome: Welcome, moment: Moment): SessionEffect[] {
    const { acknowledged } = roomPosition(welcome);
    if (!bytesEqual(welcome.memberId, this.#shared.identity.memberId)) {
      throw new SecurityError('bad-welcome', 'the host welcomed someone else');
    }
    const effects: SessionEffect[] = [];
    const announced = this.place?.retention;
    if (announced !== undefined && !sameRetention(announced, welcome.retention)) {
      const text = 'The host says that it keeps messages for another time than it said before.';
      effects.push(...this.#shared.alarms.raise('retention-changed', text));
    }
    this.ledger.welcomed(welcome);
    this.#welcome = welcome;
    this.list.reconnected();
    this.#receipts.reconnected();
    this.conversation.reconnected(moment);
    this.conversation.acknowledged = acknowledged;
    return effects;
  }

  /** On a new line: the list first, or the log where this run has all that it needs of the list. */
  goOn(): SessionEffect[] {
    const welcome = this.#welcome;
    const { history } = this.#timeline;
    if (welcome === null || history === null) return this.#startListing();
    const { index, acknowledged } = roomPosition(welcome);
    const effects = acknowledged > history.index ? this.#elsewhere(acknowledged) : [];
    // What explains it, if anything does, comes before the list.
    this.#isShorter = index < history.index;
    // Who is here: a run that goes on with an earlier one shows it before it reads on.
    if (this.#isShorter || !this.#joinedOnce) return [...effects, ...this.#startListing()];
    this.#phase = 'reading';
    return [...effects, this.conversation.pullLog()];
  }

  /** Somebody has acknowledged in this member's name what this run has not seen. */
  #elsewhere(index: number): SessionEffect[] {
    this.#timeline.readElsewhere(index);
    if (this.#toldElsewhere) return [];
    this.#toldElsewhere = true;
    const text =
      'What was said since has been read by another program of yours, so some of it may be missing here: this room was saved twice. If that cannot be, the host lies.';
    return [event({ kind: 'notice', level: 'warning', code: 'read-elsewhere', text })];
  }

  /** The connection is gone; the room waits for the next WELCOME. */
  disconnected(): void {
    if (this.#phase !== 'over') this.#phase = 'away';
    this.#returning ||= this.#joinedOnce;
  }

  /** The host is there. */
  heard({ nowMs }: Pick<Moment, 'nowMs'>): void {
    if (this.#phase === 'live') this.#liveAtMs = nowMs;
  }

  /** The host has closed it to this member, or they go. */
  end(): void {
    this.#phase = 'over';
  }

  #startListing(): SessionEffect[] {
    this.#phase = 'listing';
    return [this.list.pull()];
  }

  listPage(page: ListPage): SessionEffect[] {
    const listed = this.list.page(page);
    if (listed === null) return [this.list.pull()];
    if (this.#phase === 'listing') return this.#listKnown(listed);
    return [
      ...listed.flatMap(({ key, presence }) => this.list.present(key, presence, this.#roster)),
      ...this.#told(this.#receipts.release()),
    ];
  }

  /** How far members have the log who were offline. */
  marksArrived(marks: ReceiptsFrame['marks']): SessionEffect[] {
    return marks.flatMap(({ memberId, ...mark }) => {
      const key = idKey(memberId);
      const isOther = key !== this.#shared.self && this.#roster.member(key) !== undefined;
      return isOther ? this.#told(this.#receipts.marked(key, mark)) : [];
    });
  }

  #told(receipts: readonly Receipt[]): SessionEffect[] {
    return receipts.flatMap(({ id, state, members }) => {
      const known = members.flatMap((key) => this.#roster.member(key) ?? []);
      return known.length === 0 ? [] : [event({ kind: 'receipt', id, state, members: known })];
    });
  }

  #listKnown(listed: readonly ListedMember[]): SessionEffect[] {
    const welcome = this.#welcome;
    const { owner } = this.ledger;
    if (welcome === null || owner === null) return [];
    const { roomId, identity, alarms, trust } = this.#shared;
    const { speaking, exchange, hearing } = this.conversation;
    const before = this.#roster;
    const effects: SessionEffect[] = [];
    if (this.#isShorter) {
      this.#timeline.forsake();
      const text = 'The log of the host is shorter than what you have already seen.';
      effects.push(...alarms.raise('history-lost', text));
    }
    if (this.#timeline.history !== null) return this.#resumed(listed);
    const { operation } = welcome;
    const { roster, self } = adoptList({
      ...{ roomId, owner, operation, identity, listed, before },
      era: this.#lostAfter,
    });
    this.#isShorter = false;
    this.#lostAfter = null;
    this.conversation.beginRecord();
    // Whoever was removed meanwhile may hold the old chain.
    speaking.dropChain();
    this.#changed(before.members.filter(({ key }) => roster.member(key) === undefined));
    this.ledger.begin(roster);
    this.#timeline.begin(roomPosition(welcome));
    this.list.begin(listed);
    this.#phase = 'reading';
    if (!this.#joinedOnce) effects.push(this.#joined(self), ...trust.reminders(roster));
    // An earlier run of the program knew a list as well.
    if (before.size > 0) effects.push(...this.#difference(before));
    this.#joinedOnce = true;
    effects.push(...exchange.offerHeldWraps(roster));
    // With every key held so far, messages may have been placed before this record begins.
    hearing.skipped();
    return [...effects, this.conversation.pullLog()];
  }

  /** Goes on where an earlier run stopped: the list tells who is here, and the log what became of the room since. */
  #resumed(listed: readonly ListedMember[]): SessionEffect[] {
    const { self } = this;
    if (self === undefined) throw new SecurityError('bad-welcome', 'the saved list does not name you');
    this.list.begin(listed);
    this.#joinedOnce = true;
    this.#phase = 'reading';
    return [
      ...[this.#joined(self), ...this.#shared.trust.reminders(this.#roster)],
      ...[...this.conversation.exchange.offerHeldWraps(this.#roster), this.conversation.pullLog()],
    ];
  }

  #joined(self: RosterMember): SessionEffect {
    const { roomName } = this.#roster;
    const members = this.list.shown(this.#roster);
    return event({ kind: 'joined', roomId: this.#shared.roomId, roomName, self, members });
  }

  /** Too far behind to be told entry by entry. */
  #difference(before: Roster): SessionEffect[] {
    const change = difference(before, this.#roster);
    if (change === null) return [];
    for (const { member } of change.removed) this.#forget(member.key, change.epoch);
    return [event({ kind: 'roster', change }), ...this.#shared.trust.changed(change, this.#roster)];
  }

  #rosterChanged(change: RosterChange): SessionEffect[] {
    const { self, trust } = this.#shared;
    for (const { member } of change.removed) this.#forget(member.key, change.epoch);
    if (change.settings !== null || change.changed.some(({ after }) => after.key === self))
      this.conversation.speaking.slowChanged();
    this.#changed(change.removed.map(({ member }) => member));
    return [
      ...trust.changed(change, this.#roster),
      ...this.conversation.exchange.offerHeldWraps(this.#roster),
    ];
  }

  #forget(member: IdKey, epoch: number): void {
    this.conversation.forget(member);
    this.#shared.keys.forget(member, epoch);
    this.list.forget(member);
    this.#receipts.forget(member);
  }

  /**
   * The host has begun again from before what this member has seen, and the owner's signature says so: a new connection
   * goes on from there. Without one that fits, the log is held against this record as ever.
   */
  lost(eras: readonly Signed[]): SessionEffect[] {
    const { history } = this.#timeline;
    const where = this.#timeline.whereLost(eras);
    if (history === null || where === null) return [];
    const lost = history.index - where.position.index;
    this.#timeline.lost(where);
    if (this.#timeline.history === null) this.#lostAfter = where.era;
    this.#isShorter = false;
    this.conversation.beginRecord();
    this.conversation.speaking.dropChain();
    this.conversation.hearing.dropChains();
    this.#phase = 'away';
    const entries = lost === 1 ? 'last entry' : `last ${lost} entries`;
    const text = `The host restarted and lost the ${entries}.`;
    return [event({ kind: 'notice', level: 'warning', code: 'entries-lost', text }), { kind: 'reconnect' }];
  }

  /** A page of the log, which is read to its end before anything is said. */
  logPage(page: LogPage, moment: Moment): SessionEffect[] {
    if (this.#phase !== 'reading') return unexpected(SESSION_FRAME.log);
    const expected = this.#timeline.reach + 1;
    if (page.first < expected || (page.items.length === 0 && !page.live)) {
      throw new ProtocolError('bad-page', 'a page of the log that was not asked for');
    }
    if (page.first > expected) {
      // Too far behind: begin again from WELCOME. What lay between is gone, and the person is told.
      this.#timeline.passedTo(page.first);
      return this.#startListing();
    }
    const again = this.#returning;
    const effects = this.#timeline.page(page, moment, again);
    if (!page.live) return [...effects, ...this.readOn()];
    this.#phase = 'live';
    if (this.#welcome !== null)
      effects.push(...this.#timeline.caughtUp(this.#welcome.retention, this.#liveAtMs, moment));
    effects.push(...this.conversation.exchange.withheld(this.#roster));
    effects.push(event({ kind: 'live', again }));
    if (again) effects.push(this.list.pull());
    this.#returning = false;
    return effects;
  }

  /** The next page of the log, once this one has been judged to its end. */
  readOn(): SessionEffect[] {
    return this.#phase === 'reading' && !this.#timeline.isHeld ? [this.conversation.pullLog()] : [];
  }
}

function placeOf({ memberId, accountKey, sessionId, retention }: Place): Place {
  return { memberId, accountKey: accountKey.slice(), sessionId, retention };
}
