/**
 * The conversations beside the room that this member is in: which there are, who is in them, and how each comes to be
 * live. What is said in one is the business of `conversation.ts`, as in the room.
 *
 * Their logs are read one after the other, once the room's is live: what the room knows comes first.
 * @see docs/protocol.md#conversations
 */
import {
  type ConversationChange,
  ConversationRoster,
  directConversation,
  isMadeConversation,
  newConversationId,
  OPERATIONS_MOST,
} from '../crypto/conversation-roster.ts';
import type { RosterMember } from '../crypto/roster.ts';
import type { Welcome } from '../protocol/admission-frames.ts';
import { bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { type ReadContent, SALT_BYTES } from '../protocol/content.ts';
import { InputError, ProtocolError, SecurityError } from '../protocol/errors.ts';
import { type ConversationId, type Hash, type IdKey, idKey, type MemberId } from '../protocol/identifiers.ts';
import { conversationLimits, LIMITS } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import type { ConverseOutcome } from '../protocol/reasons.ts';
import {
  type ConversationPage,
  Converse,
  type LogPage,
  OpenDirect,
  PullConversation,
  SESSION_FRAME,
} from '../protocol/session-frames.ts';
import type { Role } from '../protocol/signed-objects.ts';
import { type About, aboutHash, makeAbout } from './about.ts';
import { Beside, type BesideContext, type SavedBeside } from './beside.ts';
import { type ConversationEvent, event, type SessionEffect, send } from './events.ts';
import { conversationOver } from './unsent.ts';

export interface ConversationsContext extends Omit<BesideContext, 'changed' | 'told' | 'former'> {
  /** Something is worth saving. */
  readonly touched: () => void;
}

/** What a member wants of a conversation; each is asked for again where it has changed meanwhile. */
export type ConversationWish =
  | { readonly kind: 'add'; readonly members: readonly MemberId[] }
  | { readonly kind: 'remove'; readonly member: MemberId }
  | { readonly kind: 'role'; readonly member: MemberId; readonly role: Role }
  | { readonly kind: 'about'; readonly about: About };

type Standing = Welcome['positions'][number];

/** How often a wish is asked for again before the person is told that nothing came of it. */
const WISH_ROUNDS = 4;

interface Wish {
  readonly beside: IdKey;
  readonly wish: ConversationWish;
  rounds: number;
}

export class Conversations {
  readonly #context: BesideContext;
  readonly #touched: () => void;
  readonly #byKey = new Map<IdKey, Beside>();
  /** Where the host says that their logs stand, as of this connection. */
  #standings = new Map<IdKey, Standing>();
  #roomIsLive = false;
  /** Begun by others while this member had no line. */
  readonly #sinceAway = new Set<IdKey>();
  /** Of those that this member is not in any more: the epoch by which they were. */
  readonly #left = new Map<IdKey, number>();
  /** Members of the room who are gone. */
  readonly #former = new Map<IdKey, RosterMember>();
  /** Under way: what comes of them is told by entries, or refused. */
  #wishes: Wish[] = [];

  constructor(context: ConversationsContext) {
    this.#context = {
      ...context,
      former: (key) => this.#former.get(key),
      changed: (beside, change) => this.#changed(beside, change),
      told: (beside, content, epoch) => this.#told(beside, content, epoch),
    };
    this.#touched = context.touched;
  }

  restore(saved: readonly SavedBeside[]): void {
    for (const each of saved) {
      const beside = Beside.restore(each, this.#context);
      this.#byKey.set(beside.key, beside);
    }
  }

  save(): SavedBeside[] {
    return this.all.flatMap((beside) => beside.save() ?? []).slice(0, LIMITS.conversationsPerMember);
  }

  get all(): readonly Beside[] {
    return [...this.#byKey.values()];
  }

  /** @throws ProtocolError for one that this member is not in */
  of(conversation: ConversationId): Beside {
    const beside = this.#byKey.get(idKey(conversation));
    if (beside === undefined)
      throw new ProtocolError('unexpected-frame', 'something of a conversation that this side is not in');
    return beside;
  }

  find(key: IdKey): Beside | undefined {
    return this.#byKey.get(key);
  }

  /** Its list has been asked for once more: what comes before that is read after it. */
  isAhead(key: IdKey): boolean {
    const phase = this.#byKey.get(key)?.phase;
    return this.#roomIsLive && (phase === 'learning' || phase === 'known');
  }

  /** A line is there: what the host says of each is looked at once the room is live. */
  welcomed({ positions }: Pick<Welcome, 'positions'>, liveAtMs: number | null): void {
    this.disconnected(liveAtMs);
    this.#sinceAway.clear();
    this.#standings = new Map(positions.slice(1).map((each) => [idKey(each.conversation), each]));
  }

  /** @param liveAtMs when something was heard last on a line that was live */
  disconnected(liveAtMs: number | null): void {
    this.#roomIsLive = false;
    for (const beside of this.all) {
      if (beside.phase === 'live') beside.liveAtMs = liveAtMs;
      beside.disconnected();
    }
  }

  /** The room's log is read: now those of its conversations. @param again after a return */
  roomLive(again: boolean, moment: Moment): SessionEffect[] {
    this.#roomIsLive = true;
    const effects: SessionEffect[] = [];
    for (const [key, standing] of this.#standings) {
      const known = this.#byKey.get(key);
      known?.conversation.reconnected(moment);
      if (known?.phase === 'away') {
        effects.push(...this.#goOn(known, standing));
        continue;
      }
      effects.push(this.#pullList(standing.conversation, 0));
      if (again) this.#sinceAway.add(key);
      if (known !== undefined) known.phase = 'learning';
    }
    for (const beside of this.all) {
      if (this.#standings.has(beside.key)) continue;
      // Gone meanwhile: what was said before may have been the last of it.
      if (beside.phase !== 'away') continue;
      if (beside.partnerId === null) effects.push(...this.#close(beside, null));
      else if (this.#isAlone(beside)) {
        this.#byKey.delete(beside.key);
        effects.push(...notSaid(beside));
      } else beside.phase = 'unasked';
    }
    for (const beside of this.all) effects.push(...this.#ask(beside));
    return [...effects, ...this.#readNext()];
  }

  /** A record of before, and where the host stands by now. */
  #goOn(beside: Beside, { conversation: id, index, acknowledged }: Standing): SessionEffect[] {
    const { conversation, ledger } = beside;
    const reach = conversation.timeline.history?.index ?? 0;
    if (index < reach) return [...this.#isShorter(beside), this.#pullList(id, 0)];
    this.#reopened(beside);
    beside.phase = 'known';
    conversation.acknowledged = acknowledged;
    // Of what another program of one's own has read, the host need not hold everything.
    if (acknowledged > reach) conversation.timeline.readElsewhere(acknowledged);
    // Keys that came before the room was read: what they open is about to be.
    return conversation.exchange.offerHeldWraps(ledger);
  }

  /** What was asked for on an earlier line, where nothing came of it. */
  #askAgain(beside: Beside): SessionEffect[] {
    const again = this.#wishes.filter((each) => each.beside === beside.key);
    this.#wishes = this.#wishes.filter((each) => each.beside !== beside.key);
    return again.flatMap((wish) => this.#wishFor(wish));
  }

  /** The conversation of two with a member. The host is asked for it where there is none yet. */
  direct(
    partner: RosterMember,
    moment: Moment,
  ): { readonly beside: Beside; readonly effects: SessionEffect[] } {
    const { roomId, identity } = this.#context.shared;
    const key = idKey(directConversation(roomId, identity.memberId, partner.memberId));
    const known = this.#byKey.get(key);
    if (known !== undefined) return { beside: known, effects: this.#ask(known) };
    this.#checkNumber();
    const seats = ConversationRoster.direct(roomId, identity.memberId, partner.memberId);
    const beside = new Beside(seats, this.#context);
    beside.conversation.reconnected(moment);
    this.#byKey.set(key, beside);
    return { beside, effects: this.#ask(beside) };
  }

  /** @throws InputError for a name or topic that cannot be, where this member is in too many, or is muted */
  make(
    start: { readonly name: string; readonly topic: string; readonly members: readonly MemberId[] },
    moment: Moment,
  ): { readonly beside: Beside; readonly effects: SessionEffect[] } {
    this.#checkNumber();
    this.#checkMayName();
    const { roomId, identity } = this.#context.shared;
    const about = makeAbout(start.name, start.topic, moment.randomBytes(SALT_BYTES));
    const seats = ConversationRoster.made(roomId, newConversationId(moment.randomBytes(16)));
    const beside = new Beside(seats, this.#context);
    beside.about = about;
    const others = start.members.map((memberId) => ({ memberId, role: 'member' as const }));
    beside.making = seats.sign(identity, {
      puts: [{ memberId: identity.memberId, role: 'owner' }, ...others],
      removes: [],
      about: aboutHash(seats.id, about),
    });
    beside.conversation.reconnected(moment);
    this.#byKey.set(beside.key, beside);
    return { beside, effects: this.#ask(beside) };
  }

  /** @throws InputError where this member may not, or there is nothing to change */
  change(beside: Beside, wish: ConversationWish): SessionEffect[] {
    this.#checkMay(beside, wish);
    return this.#wishFor({ beside: beside.key, wish, rounds: 0 });
  }

  /** Another name or topic. @throws InputError as `change`, or for a text that cannot be one */
  rename(
    beside: Beside,
    { name, topic }: { readonly name?: string; readonly topic?: string },
    moment: Moment,
  ): SessionEffect[] {
    const { view } = beside;
    const about = makeAbout(name ?? view.name ?? '', topic ?? view.topic, moment.randomBytes(SALT_BYTES));
    return this.change(beside, { kind: 'about', about });
  }

  /** Leaves it for good. @throws InputError for the conversation of two, and where there is no line */
  part(beside: Beside): SessionEffect[] {
    if (beside.partnerId !== null)
      throw new InputError('not-allowed', 'A conversation of two has no end: just say nothing more in it.');
    return this.change(beside, { kind: 'remove', member: this.#context.shared.identity.memberId });
  }

  /** A page of what there is to know of a conversation, asked for or not. */
  page(page: ConversationPage, moment: Moment): SessionEffect[] {
    const key = idKey(page.conversation);
    if (!this.#roomIsLive) {
      // It rests on what the room's log says: asked for once that is read.
      const { conversation, head, ...standing } = page;
      const copy = { conversation: conversation.slice() as ConversationId, head: head.slice() as Hash };
      if (this.#standings.size >= 2 * LIMITS.conversationsPerMember)
        throw new ProtocolError('bad-page', 'more conversations than a member may be in');
      this.#standings.set(key, { ...standing, ...copy });
      return [];
    }
    const known = this.#byKey.get(key);
    if (known !== undefined && known.conversation.timeline.history !== null) {
      const ended = this.#hasRecord(known, page);
      if (ended === null) return this.#readNext();
      const held = known.conversation.exchange.takeHeldWraps();
      const effects = [...ended, ...this.page(page, moment)];
      const next = this.#byKey.get(key);
      // Some are for what begins now.
      const circle = next?.conversation.timeline.history == null ? null : next.ledger;
      for (const wrap of held) effects.push(...(next?.conversation.exchange.wrapArrived(wrap, circle) ?? []));
      return effects;
    }
    const beside = known ?? this.#learnOf(page, moment);
    beside.making = null;
    // It has changed since the page before: from the beginning.
    if (page.from !== beside.learned.length && page.from !== 0)
      throw new ProtocolError('bad-page', 'a page of a conversation that was not asked for');
    if (page.from === 0) beside.learned = [];
    for (const { kind, operation } of page.operations) {
      if (kind !== 'roster' && kind !== 'conversation')
        throw new ProtocolError('bad-page', 'what changes no list, in the list of a conversation');
      const copy = { bytes: operation.bytes.slice(), signature: operation.signature.slice() };
      beside.learned.push({ kind, operation: copy });
    }
    beside.phase = 'learning';
    const isStuck = page.operations.length === 0 && page.total > beside.learned.length;
    if (isStuck || page.total > OPERATIONS_MOST)
      throw new ProtocolError('bad-page', 'the list of a conversation has no end');
    if (beside.learned.length < page.total) return [this.#pullList(page.conversation, beside.learned.length)];
    return this.#adopt(beside, page);
  }

  /**
   * A page of one that this side has a record of.
   * @returns `null` where that goes on; else what ends it, so that another begins
   */
  #hasRecord(beside: Beside, { index }: ConversationPage): SessionEffect[] | null {
    const { phase, conversation } = beside;
    const reach = conversation.timeline.history?.index ?? 0;
    // The host was asked for what comes next, and says that it is not this member's: they were out of it meanwhile.
    if (phase === 'reading' && index > reach) {
      this.#sinceAway.add(beside.key);
      return this.#close(beside, null);
    }
    if (phase !== 'asked' && phase !== 'unasked') return null;
    if (index < reach) return this.#isShorter(beside);
    this.#reopened(beside);
    beside.phase = 'known';
    return null;
  }

  /** The host's log has not got what this side has seen. */
  #isShorter(beside: Beside): SessionEffect[] {
    const { conversation } = beside;
    const { alarms } = this.#context.shared;
    const lost = conversation.timeline.history?.index ?? 0;
    conversation.timeline.forsake();
    beside.phase = 'learning';
    // Begun since the copy that the room was opened again with: nothing that is signed can speak of it.
    const isExplained = beside.partnerId !== null && this.#context.roomEra() > beside.roomEra;
    if (!isExplained)
      return alarms.raise(
        'history-lost',
        'The log of a conversation is shorter at the host than what you have already seen.',
      );
    // Nobody but the two is ever on its list.
    const { roomId, direct } = beside.seats;
    if (direct !== null) beside.ledger.begin(ConversationRoster.direct(roomId, ...direct));
    beside.conversation.beginRecord();
    // The other one's new chain may have been handed over already: those that are held stay.
    conversation.speaking.dropChain();
    return [entriesLost(lost)];
  }

  /** After each start of the room everyone begins a new chain: one that lost this conversation has no entry that says so. */
  #reopened({ conversation, roomEra }: Beside): void {
    if (this.#context.roomEra() > roomEra) conversation.speaking.dropChain();
  }

  /**
   * The host has begun again from before what this side has seen of a conversation, and the owner's signature says so.
   * @throws SecurityError for what the owner has not signed
   */
  lost(eras: readonly Signed[], conversation: ConversationId): SessionEffect[] {
    const beside = this.#byKey.get(idKey(conversation));
    const { history } = beside?.conversation.timeline ?? { history: null };
    if (beside === undefined || history === null) return [];
    const { timeline } = beside.conversation;
    const where = timeline.whereLost(eras);
    if (where === null) return [];
    timeline.lost(where);
    if (timeline.history === null) {
      beside.lostAfter = where.era;
      beside.phase = 'unasked';
    }
    beside.conversation.beginRecord();
    beside.conversation.speaking.dropChain();
    beside.conversation.hearing.dropChains();
    this.#touched();
    return [entriesLost(history.index - where.position.index)];
  }

  /** The person has taken note of alarms. @returns whether a record has to begin anew, on another line */
  acknowledge(): boolean {
    const astray = this.all.filter(({ conversation }) => conversation.timeline.acknowledge());
    for (const beside of astray) beside.mayFork = true;
    return astray.length > 0;
  }

  #learnOf({ conversation, direct: [partner] }: ConversationPage, moment: Moment): Beside {
    const { roomId, identity } = this.#context.shared;
    const id = conversation.slice() as ConversationId;
    // One of one's own that the host has not taken yet is none of these.
    const known = this.all.filter(({ phase }) => phase !== 'unasked' && phase !== 'asked');
    if (known.length >= LIMITS.conversationsPerMember && !this.#letGo())
      throw new ProtocolError('bad-page', 'more conversations than a member may be in');
    const seats =
      partner === undefined
        ? ConversationRoster.made(roomId, id)
        : ConversationRoster.direct(roomId, identity.memberId, partner.slice() as MemberId);
    const fits = partner === undefined ? isMadeConversation(id) : bytesEqual(seats.id, id);
    if (!fits) throw new ProtocolError('bad-page', 'a conversation under an id that is not its own');
    const beside = new Beside(seats, this.#context);
    beside.conversation.reconnected(moment);
    beside.returning = this.#sinceAway.delete(beside.key);
    this.#byKey.set(beside.key, beside);
    return beside;
  }

  #adopt(beside: Beside, page: ConversationPage): SessionEffect[] {
    try {
      beside.adopt(page.epoch, { index: page.index, head: page.head });
    } catch (error) {
      if (!(error instanceof SecurityError)) throw error;
      this.#close(beside, null);
      const text = `The host shows a conversation that cannot be: ${error.message}.`;
      return this.#context.shared.alarms.raise('conversation-forked', text);
    }
    if (beside.seats.epoch < (this.#left.get(beside.key) ?? 0)) {
      // Whoever was removed before they were may be on it again: nothing is said to them.
      this.#byKey.delete(beside.key);
      return [...againNotice(), ...this.#readNext()];
    }
    this.#left.delete(beside.key);
    beside.conversation.acknowledged = page.acknowledged;
    beside.phase = 'known';
    this.#touched();
    return [...beside.conversation.exchange.offerHeldWraps(beside.ledger), ...this.#readNext()];
  }

  /** The host did not do what it was asked. */
  refused(conversation: ConversationId, outcome: ConverseOutcome): SessionEffect[] {
    const key = idKey(conversation);
    const beside = this.#byKey.get(key);
    const place = this.#wishes.findIndex((each) => each.beside === key);
    const [wish] = place < 0 ? [] : this.#wishes.splice(place, 1);
    if (wish !== undefined && outcome === 'stale' && wish.rounds < WISH_ROUNDS) return this.#wishFor(wish);
    if (wish !== undefined) return [refusal(outcome)];
    if (beside === undefined) return [];
    if (beside.phase === 'unasked' || beside.phase === 'asked') {
      this.#byKey.delete(key);
      return [refusal(outcome), ...notSaid(beside)];
    }
    // The other one of two has opened it meanwhile: what was asked for is there.
    if (outcome !== 'not-allowed') return [];
    // Not in it any more.
    return [...this.#close(beside, null), ...this.#readNext()];
  }

  /** A page of the log that is being read. */
  logPage(page: LogPage, retention: Welcome['retention'], moment: Moment): SessionEffect[] {
    const beside = this.of(page.conversation);
    const { timeline } = beside.conversation;
    if (beside.phase !== 'reading')
      throw new ProtocolError('unexpected-frame', 'a page of a log that nobody asked for');
    const expected = timeline.reach + 1;
    if (page.first < expected || (page.items.length === 0 && !page.live))
      throw new ProtocolError('bad-page', 'a page of the log that was not asked for');
    if (page.first > expected) {
      timeline.passedTo(page.first);
      beside.phase = 'learning';
      return [this.#pullList(page.conversation, 0)];
    }
    if (this.#isAnother(beside, page))
      return [...this.#isShorter(beside), this.#pullList(page.conversation, 0)];
    const effects = timeline.page(page, moment, beside.returning);
    if (this.#byKey.get(beside.key) !== beside) return [...effects, ...this.#readNext()];
    if (!page.live) return [...effects, ...this.readOn(beside)];
    beside.phase = 'live';
    beside.returning = false;
    beside.roomEra = this.#context.roomEra();
    effects.push(...timeline.caughtUp(smaller(retention), beside.liveAtMs, moment));
    effects.push(...beside.conversation.exchange.withheld(beside.ledger));
    return [...effects, ...this.#introduce(beside, moment), ...this.#askAgain(beside), ...this.#readNext()];
  }

  /** The conversation of two was begun anew by the other one, after a start of the room that had lost it. */
  #isAnother({ conversation, partnerId, roomEra }: Beside, { headBefore }: LogPage): boolean {
    const { history, isHeld } = conversation.timeline;
    const isReopened = partnerId !== null && this.#context.roomEra() > roomEra;
    return isReopened && history !== null && !isHeld && !bytesEqual(headBefore, history.head);
  }

  /** The next page of the log, once this one has been judged to its end. */
  readOn(beside: Beside): SessionEffect[] {
    const { conversation, phase } = beside;
    return phase === 'reading' && !conversation.timeline.isHeld ? [conversation.pullLog()] : [];
  }

  /** Somebody in it tells what it is about. */
  #told(beside: Beside, content: ReadContent, quotedEpoch: number): SessionEffect[] {
    if (!beside.told(content, quotedEpoch)) return [];
    this.#touched();
    return beside.isShown ? [besideEvent(beside, 'named')] : this.show(beside);
  }

  /** The room's list has changed: who goes is remembered for what they have said so far. */
  roomChanged(removed: readonly RosterMember[]): void {
    for (const member of removed) {
      this.#former.delete(member.key);
      this.#former.set(member.key, member);
    }
    for (const oldest of this.#former.keys()) {
      if (this.#former.size <= LIMITS.membersMost) break;
      this.#former.delete(oldest);
    }
    for (const beside of this.all) beside.ledger.remember();
  }

  /** Its name is a message in it: it comes within a moment, where whoever owes it is there. */
  #introduce(beside: Beside, { nowMs }: Moment): SessionEffect[] {
    if (beside.partnerId !== null || beside.about !== null) return this.show(beside);
    beside.liveSinceMs ??= nowMs;
    return nowMs - beside.liveSinceMs >= NAME_WAIT_MS ? this.show(beside) : [];
  }

  tick(moment: Moment): SessionEffect[] {
    return this.all.flatMap((beside) =>
      beside.phase === 'live' && !beside.isShown ? this.#introduce(beside, moment) : [],
    );
  }

  /** Those who came in last are told what it is about, with whatever else is said. */
  payDebts(moment: Moment): void {
    const isMuted = this.#isMuted;
    for (const beside of this.all) {
      const { outgoing, speaking } = beside.conversation;
      // What was on its way is not sent any more, and nothing else is taken up.
      if (isMuted) beside.tellLater();
      if (isMuted || speaking.isFull || beside.phase !== 'live') continue;
      const content = beside.owed();
      if (content !== null) outgoing.say(content, null, moment);
    }
  }

  get #isMuted(): boolean {
    const { room, shared } = this.#context;
    return room.room.member(shared.self)?.muted === true;
  }

  /** What a conversation is called is told by a message in it, which is not taken from who is muted. */
  #checkMayName(): void {
    if (this.#isMuted)
      throw new InputError(
        'muted',
        'You are muted: nothing is told of names and topics. Try again once you are not.',
      );
  }

  erase(): void {
    for (const { conversation } of this.all) conversation.erase();
  }

  #changed(beside: Beside, change: ConversationChange): SessionEffect[] {
    for (const { key } of change.removed) beside.conversation.forget(key);
    // The other one of two is gone from the room: there is nobody to say it to.
    const unsaid = beside.partnerId === null ? [] : notSaid(beside);
    const { self } = this.#context.shared;
    const by = change.by === null ? null : idKey(change.by);
    const place = by === self ? this.#wishes.findIndex((each) => each.beside === beside.key) : -1;
    const [done] = place < 0 ? [] : this.#wishes.splice(place, 1);
    const isNamed = done?.wish.kind === 'about' && change.isRenamed;
    if (done?.wish.kind === 'about' && isNamed) beside.about = done.wish.about;
    const held = [...unsaid, ...beside.conversation.exchange.offerHeldWraps(beside.ledger)];
    if (!beside.isIn) return [...held, ...this.#close(beside, change)];
    const isRenamedOnly = change.added.length + change.changed.length + change.removed.length === 0;
    // Another name is told once it is known: here by its own maker.
    if (isNamed) return [...held, besideEvent(beside, 'named', { by, change })];
    return isRenamedOnly ? held : [...held, besideEvent(beside, 'members', { by, change })];
  }

  #close(beside: Beside, change: ConversationChange | null): SessionEffect[] {
    this.#byKey.delete(beside.key);
    this.#wishes = this.#wishes.filter((each) => each.beside !== beside.key);
    this.#remember(beside);
    this.#touched();
    const by = change?.by == null ? null : idKey(change.by);
    const unsaid = notSaid(beside);
    beside.conversation.erase();
    // Of one that nobody was shown there is no end to tell.
    return [...(beside.isShown ? [besideEvent(beside, 'closed', { by, change })] : []), ...unsaid];
  }

  /** What it was like when this member was in it last: a list from before that is shown by a liar. */
  #remember({ key, seats }: Beside): void {
    this.#left.set(key, Math.max(seats.epoch, this.#left.get(key) ?? 0));
    const oldest = this.#left.keys().next().value;
    if (this.#left.size > LEFT_MOST && oldest !== undefined) this.#left.delete(oldest);
  }

  /** Before anything that is said in it. */
  show(beside: Beside): SessionEffect[] {
    if (beside.isShown) return [];
    beside.isShown = true;
    return [besideEvent(beside, 'opened', { by: beside.newsBy, change: null })];
  }

  #ask(beside: Beside): SessionEffect[] {
    if (!this.#roomIsLive || beside.phase !== 'unasked') return [];
    const { partnerId, making } = beside;
    beside.phase = 'asked';
    if (partnerId !== null)
      return [send(SESSION_FRAME.openDirect, OpenDirect.encode({ memberId: partnerId }))];
    if (making === null) return [];
    return [send(SESSION_FRAME.converse, Converse.encode({ operation: making }))];
  }

  #readNext(): SessionEffect[] {
    if (!this.#roomIsLive || this.all.some(({ phase }) => phase === 'reading')) return [];
    const next = this.all.find(({ phase }) => phase === 'known');
    if (next === undefined) return [];
    next.phase = 'reading';
    return [next.conversation.pullLog()];
  }

  #pullList(conversation: ConversationId, from: number): SessionEffect {
    return send(SESSION_FRAME.pullConversation, PullConversation.encode({ conversation, from }));
  }

  #wishFor(wish: Wish): SessionEffect[] {
    const beside = this.#byKey.get(wish.beside);
    if (beside === undefined) return [];
    const { identity } = this.#context.shared;
    const request = this.#requestOf(beside, wish.wish);
    if (request === null) return [];
    wish.rounds += 1;
    this.#wishes.push(wish);
    const operation = beside.seats.sign(identity, request);
    return [send(SESSION_FRAME.converse, Converse.encode({ operation }))];
  }

  /** @returns `null` where it is so already */
  #requestOf(beside: Beside, wish: ConversationWish): Parameters<ConversationRoster['sign']>[1] | null {
    const { seats } = beside.seats;
    const nothing = { puts: [], removes: [], about: null };
    switch (wish.kind) {
      case 'add': {
        const puts = wish.members
          .filter((each) => !seats.has(idKey(each)))
          .map((memberId) => ({ memberId, role: 'member' as const }));
        return puts.length === 0 ? null : { ...nothing, puts };
      }
      case 'remove':
        return seats.has(idKey(wish.member)) ? { ...nothing, removes: [wish.member] } : null;
      case 'role': {
        const put = { memberId: wish.member, role: wish.role };
        if (seats.get(idKey(wish.member))?.role === wish.role) return null;
        // There is one owner: whoever gives it away is a member like others.
        const own = { memberId: this.#context.shared.identity.memberId, role: 'moderator' as const };
        return { ...nothing, puts: wish.role === 'owner' ? [put, own] : [put] };
      }
      case 'about':
        return { ...nothing, about: aboutHash(beside.conversation.id, wish.about) };
    }
  }

  /** @throws InputError */
  #checkMay(beside: Beside, wish: ConversationWish): void {
    const { self } = this.#context.shared;
    const role = beside.seats.seats.get(self)?.role;
    if (beside.phase !== 'live' || role === undefined)
      throw new InputError(
        'not-connected',
        'Not connected to that conversation just now. Try again in a moment.',
      );
    if (beside.partnerId !== null)
      throw new InputError('not-allowed', 'A conversation of two stays one of two. /new makes one for more.');
    const isOneself = wish.kind === 'remove' && idKey(wish.member) === self;
    if (isOneself) return;
    const mayNot = role === 'member' || (wish.kind === 'role' && role !== 'owner');
    if (mayNot)
      throw new InputError(
        'not-allowed',
        wish.kind === 'role'
          ? 'Only whoever made the conversation, or has it from them, can do that.'
          : 'Only whoever made the conversation, and its moderators, can do that.',
      );
    if (wish.kind === 'add' || wish.kind === 'about') this.#checkMayName();
    const target = wish.kind === 'remove' ? beside.seats.seats.get(idKey(wish.member))?.role : undefined;
    if (role === 'moderator' && target !== undefined && target !== 'member')
      throw new InputError('not-allowed', 'Moderators of a conversation remove plain members only.');
  }

  /** Nobody leaves a conversation of two: those whose other one is gone from the room make way, the oldest first. */
  #letGo(): boolean {
    const over = this.all.find((beside) => beside.phase === 'live' && this.#isAlone(beside));
    return over !== undefined && this.#byKey.delete(over.key);
  }

  /** In a conversation of two, with the other one gone from the room. */
  #isAlone({ partnerId }: Beside): boolean {
    return partnerId !== null && this.#context.room.room.member(idKey(partnerId)) === undefined;
  }

  /** @throws InputError */
  #checkNumber(): void {
    if (this.#byKey.size < LIMITS.conversationsPerMember || this.#letGo()) return;
    throw new InputError(
      'too-many',
      `You are in ${LIMITS.conversationsPerMember} conversations, the most there may be. /part one first.`,
    );
  }
}

/** So long is waited for a conversation's name before it is shown without one. */
const NAME_WAIT_MS = 3_000;

/** So many that this member was in are remembered. */
const LEFT_MOST = 1_024;

/** Of a conversation the host keeps less than of the room. */
function smaller(retention: Welcome['retention']): Welcome['retention'] {
  const { backlogEntries, backlogBytes, headsKept } = conversationLimits(LIMITS);
  return {
    entries: Math.min(retention.entries, backlogEntries),
    bytes: Math.min(retention.bytes, backlogBytes),
    seconds: retention.seconds,
    hashes: Math.min(retention.hashes, headsKept),
  };
}

function besideEvent(
  beside: Beside,
  change: ConversationEvent['change'],
  { by, change: list }: { readonly by: IdKey | null; readonly change: ConversationChange | null } = {
    by: null,
    change: null,
  },
): SessionEffect {
  const people = (seats: ConversationChange['added'] = []): RosterMember[] =>
    seats.flatMap(({ key }) => beside.ledger.person(key) ?? []);
  return event({
    kind: 'conversation',
    change,
    // As of this event, whenever it is looked at.
    conversation: { ...beside.view },
    by: by === null ? null : (beside.ledger.room.member(by) ?? null),
    added: people(list?.added),
    changed: people(list?.changed),
    removed: people(list?.removed),
  });
}

function entriesLost(lost: number): SessionEffect {
  const entries = lost === 1 ? 'last entry' : `last ${lost} entries`;
  const text = `The host restarted and lost the ${entries} of a conversation.`;
  return event({ kind: 'notice', level: 'warning', code: 'entries-lost', text });
}

function againNotice(): SessionEffect[] {
  const text = 'A conversation that you are not in any more is shown as it was before. It stays closed.';
  return [event({ kind: 'notice', level: 'warning', code: 'conversation-again', text })];
}

const REFUSALS: Readonly<Record<ConverseOutcome, string>> = {
  stale: 'The conversation changed at the same moment. Try again.',
  'not-allowed': 'The host did not do that: you may not, or are not in that conversation any more.',
  'no-such-member': 'One of those named is not in the room any more.',
  'too-many': 'You, one of those named, or the room has as many conversations as there may be.',
  'too-fast': 'That was too much at once. Wait a moment, then try again.',
  'no-change': 'It is like that already.',
};

function refusal(outcome: ConverseOutcome): SessionEffect {
  return event({
    kind: 'notice',
    level: 'warning',
    code: `conversation-${outcome}`,
    text: REFUSALS[outcome],
  });
}

/** What waits in it is not sent any more, and the person is told of what they have said themselves. */
function notSaid({ conversation }: Beside): SessionEffect[] {
  return conversationOver(conversation.speaking.takeBack());
}
