/** A conversation beside the room, with what only those have: a list of their own, a name, and a way to be asked for. */
import {
  type ConversationChange,
  ConversationRoster,
  type PlacedChange,
} from '../crypto/conversation-roster.ts';
import type { RosterMember } from '../crypto/roster.ts';
import { bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import type { Content, ReadContent } from '../protocol/content.ts';
import { SecurityError } from '../protocol/errors.ts';
import { type Hash, type IdKey, idKey, type MemberId } from '../protocol/identifiers.ts';
import type { Era } from '../protocol/signed-objects.ts';
import { type About, aboutContent, aboutHash, nameOf, readAbout, topicOf } from './about.ts';
import type { Ledger } from './circle.ts';
import { Conversation, type Shared } from './conversation.ts';
import { ConversationLedger } from './conversation-ledger.ts';
import type { ConversationView, SessionEffect } from './events.ts';
import type { SavedState } from './saved-state.ts';

export type SavedBeside = SavedState['conversations'][number];

/**
 * unasked: the host is to be asked for it  asked: it has been  learning: its list comes in pages
 * known: its log is to be read  reading: that comes in pages  live: each entry is pushed  away: no connection
 */
export type BesidePhase = 'unasked' | 'asked' | 'learning' | 'known' | 'reading' | 'live' | 'away';

export interface BesideContext {
  readonly shared: Shared;
  readonly room: Pick<Ledger, 'room' | 'owner' | 'leastStaySeconds'>;
  readonly changed: (beside: Beside, change: ConversationChange) => SessionEffect[];
  /** Somebody in it tells what it is about. */
  readonly told: (beside: Beside, content: ReadContent, quotedEpoch: number) => SessionEffect[];
  /** Whoever was in the room once. */
  readonly former: (key: IdKey) => RosterMember | undefined;
  /** Of the latest start of the room that the room's own log has an entry of. */
  readonly roomEra: () => number;
}

export class Beside {
  readonly conversation: Conversation;
  readonly ledger: ConversationLedger;
  phase: BesidePhase = 'unasked';
  /** The operation that makes it, until the host has it. */
  making: Signed | null = null;
  /** Name and topic, once they are known. */
  about: About | null = null;
  /** Pages of its list so far. */
  learned: PlacedChange[] = [];
  /** It has been shown to the person. */
  isShown = false;
  /** Since when it is live and not shown. */
  liveSinceMs: number | null = null;
  /** A line was lost since it was live. */
  returning = false;
  /** The person has taken note that another list was shown for an epoch: the one that is shown now is taken. */
  mayFork = false;
  /** The start of the room after which this record begins anew. */
  lostAfter: Era | null = null;
  /** When it was last live, by this side's clock: it has all that was placed before. `null`: not in this run. */
  liveAtMs: number | null = null;
  /** The latest start of the room by when this side had all of it. */
  roomEra: number;
  /** Everyone who was in it by then has been told what it is about. */
  #toldEpoch = 0;
  /** The list for which that is on its way. */
  #tellingEpoch = 0;
  readonly #self: IdKey;

  constructor(seats: ConversationRoster, context: BesideContext, saved: SavedBeside | null = null) {
    const { shared, room } = context;
    this.roomEra = context.roomEra();
    this.#self = shared.self;
    this.ledger = new ConversationLedger(seats, {
      room,
      former: context.former,
      changed: (change) => context.changed(this, change),
    });
    if (saved !== null) {
      seats.restore(saved.seats);
      this.about = saved.about[0] ?? null;
      this.#toldEpoch = saved.toldEpoch;
      this.phase = 'away';
      this.isShown = true;
      this.returning = true;
    }
    this.ledger.remember();
    this.conversation = new Conversation(shared, {
      ...{ id: seats.id, ledger: this.ledger, saved },
      ownPlaced: () => [],
      about: (content, quotedEpoch) => context.told(this, content, quotedEpoch),
    });
  }

  static restore(saved: SavedBeside, context: BesideContext): Beside {
    const { roomId, identity } = context.shared;
    const [partner] = saved.direct;
    const seats =
      partner === undefined
        ? ConversationRoster.made(roomId, saved.conversation)
        : ConversationRoster.direct(roomId, identity.memberId, partner);
    return new Beside(seats, context, saved);
  }

  get key(): IdKey {
    return this.conversation.key;
  }
  get seats(): ConversationRoster {
    return this.ledger.seats;
  }
  /** Of the conversation of two: the other one. */
  get partnerId(): MemberId | null {
    return this.seats.direct?.find((each) => idKey(each) !== this.#self) ?? null;
  }

  /**
   * As it is now. Who is in it is looked up when that is asked for: each message is shown by its conversation's name, and
   * few need to know more.
   */
  get view(): ConversationView {
    const { partnerId, ledger, about } = this;
    const partner = partnerId === null ? undefined : ledger.member(idKey(partnerId));
    const people = (): ConversationView['members'] => this.#people();
    return {
      id: this.conversation.id,
      partner: partner ?? null,
      isDirect: partnerId !== null,
      name: about === null ? null : nameOf(about),
      topic: about === null ? '' : topicOf(about),
      get members() {
        return people();
      },
    };
  }

  #people(): ConversationView['members'] {
    return [...this.seats.seats.values()].flatMap(({ key, role }) => {
      const member: RosterMember | undefined = this.ledger.member(key);
      return member === undefined ? [] : [{ member, role }];
    });
  }

  /** @returns `null` while there is no record of it to go on with */
  save(): SavedBeside | null {
    const record = this.conversation.save();
    if (record === null) return null;
    const { operations, hashes, ...seats } = this.seats.save();
    return {
      conversation: this.conversation.id,
      direct: this.partnerId === null ? [] : [this.partnerId],
      seats: { ...seats, operations: [...operations], hashes: [...hashes] },
      about: this.about === null ? [] : [this.about],
      toldEpoch: this.#toldEpoch,
      ...record,
    };
  }

  /** A new connection, or none. */
  disconnected(): void {
    this.returning ||= this.phase === 'live' || this.phase === 'reading';
    const hasRecord = this.conversation.timeline.history !== null;
    this.phase = hasRecord ? 'away' : 'unasked';
    this.learned = [];
  }

  /**
   * Somebody tells what it is about. What is not what the list commits to is of an earlier list or a later one.
   * @returns whether that is news
   */
  told(content: ReadContent, quotedEpoch: number): boolean {
    const about = readAbout(content, this.conversation.id, this.seats.about);
    if (about === null) return false;
    this.#toldEpoch = Math.max(this.#toldEpoch, quotedEpoch);
    const isNews = this.about === null || this.about.text !== about.text;
    this.about = about;
    return isNews;
  }

  /** What this member owes those who came in last: they cannot read what was said before. `null`: nothing. */
  owed(): Content | null {
    const { newsEpoch, newsBy, seats, about } = this;
    const isOurs = newsBy === this.#self || seats.owner?.key === this.#self;
    if (about === null || !isOurs || newsEpoch <= Math.max(this.#toldEpoch, this.#tellingEpoch)) return null;
    if (!bytesEqual(aboutHash(this.conversation.id, about), seats.about)) return null;
    this.#tellingEpoch = newsEpoch;
    return aboutContent(about);
  }

  /** What is owed and has no place yet is owed still. */
  tellLater(): void {
    this.#tellingEpoch = 0;
  }

  get newsEpoch(): number {
    return this.seats.newsEpoch;
  }
  get newsBy(): IdKey | null {
    return this.seats.newsBy;
  }

  /** @returns whether the list names this member */
  get isIn(): boolean {
    return this.seats.seats.has(this.#self);
  }

  /** @throws SecurityError where its list cannot be, or is older than the one known */
  adopt(epoch: number, position: { readonly index: number; readonly head: Hash }): void {
    const { roomId, id, direct } = this.seats;
    const seats =
      direct === null ? ConversationRoster.made(roomId, id) : ConversationRoster.direct(roomId, ...direct);
    seats.adopt(this.learned, epoch, (signed) => this.ledger.checkRoom(signed));
    if (!seats.seats.has(this.#self))
      throw new SecurityError('conversation-forked', 'its list does not name you');
    if (this.#isOlder(seats))
      throw new SecurityError('conversation-forked', 'its list is from before the one you saw');
    this.learned = [];
    this.mayFork = false;
    this.lostAfter = null;
    this.ledger.begin(seats);
    const { conversation } = this;
    conversation.beginRecord();
    // Whoever was removed meanwhile may hold the old chain.
    conversation.speaking.dropChain();
    conversation.timeline.begin(position);
    conversation.hearing.skipped();
  }

  /** Only a start of the room that lost what this side has seen explains a list from before. */
  #isOlder(seats: ConversationRoster): boolean {
    const { lostAfter: era, seats: known } = this;
    if (era === null)
      return (
        seats.epoch < known.epoch || (!this.mayFork && known.verdict(seats.epoch, seats.hash) === 'forked')
      );
    return seats.epoch < era.epoch || (seats.epoch === era.epoch && !bytesEqual(seats.hash, era.rosterHash));
  }
}
