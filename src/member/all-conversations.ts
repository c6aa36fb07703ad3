/**
 * All conversations of this member as one, the room's own first: which of them a frame is of, and what time asks of each.
 * Nothing goes out of one before its log has been read to the end.
 * @see docs/protocol.md#session
 */
import { bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { type ConversationId, idKey, ROOM_CONVERSATION } from '../protocol/identifiers.ts';
import type { Moment } from '../protocol/moment.ts';
import { policyOf } from '../protocol/room-settings.ts';
import {
  type ConversationPage,
  type Deferred,
  type Entry,
  type LogPage,
  type Placed,
  SESSION_FRAME,
  WrapDelivery,
  type WrapsTaken,
} from '../protocol/session-frames.ts';
import { ChainAnnouncement, Era, NeedKey } from '../protocol/signed-objects.ts';
import type { BesidePhase } from './beside.ts';
import type { Conversation } from './conversation.ts';
import type { Conversations } from './conversations.ts';
import { type SessionEffect, unexpected } from './events.ts';
import type { KeyPulls } from './key-pulls.ts';
import type { Phase, RoomConversation } from './room-conversation.ts';

/** For conversations that this member is about to be told of: whoever adds them may speak at once. */
const EARLY_WRAPS_MOST = 256;

type Delivery = ReturnType<typeof WrapDelivery.decode>;

/** What of this member's ways concerns every one of them. */
interface Ways {
  /** They are not at the keyboard. */
  readonly isAway: boolean;
  /** What has come is theirs once a file here holds it. */
  readonly keepsWhenSaved: boolean;
}

export class AllConversations {
  readonly #room: RoomConversation;
  readonly #beside: Conversations;
  readonly #pulls: KeyPulls<Conversation>;
  /** Wraps for conversations that this side does not know yet. */
  #earlyWraps: Delivery[] = [];

  constructor(room: RoomConversation, beside: Conversations, pulls: KeyPulls<Conversation>) {
    this.#room = room;
    this.#beside = beside;
    this.#pulls = pulls;
  }

  get each(): readonly Conversation[] {
    return [this.#room.conversation, ...this.#beside.all.map(({ conversation }) => conversation)];
  }

  find(id: ConversationId): Conversation | undefined {
    const isRoom = bytesEqual(id, ROOM_CONVERSATION);
    return isRoom ? this.#room.conversation : this.#beside.find(idKey(id))?.conversation;
  }

  /** @throws ProtocolError for one that this side is not in */
  of(id: ConversationId): Conversation {
    return this.find(id) ?? this.#beside.of(id).conversation;
  }

  /** How far this side has come with it on this line. */
  #phase({ key }: Conversation): Phase | BesidePhase | undefined {
    return key === this.#room.conversation.key ? this.#room.phase : this.#beside.find(key)?.phase;
  }

  #isLive(conversation: Conversation): boolean {
    return this.#room.phase === 'live' && this.#phase(conversation) === 'live';
  }

  entry(entry: Entry, moment: Moment): SessionEffect[] {
    const conversation = this.of(entry.conversation);
    if (this.#beside.isAhead(conversation.key)) return [];
    if (!this.#isLive(conversation)) unexpected(SESSION_FRAME.entry);
    const effects = conversation.timeline.arrived(entry, moment);
    return [...this.#shownBefore(conversation, effects), ...effects, ...this.pump(moment)];
  }

  /** A conversation is shown before what is said in it. */
  #shownBefore({ key }: Conversation, effects: readonly SessionEffect[]): SessionEffect[] {
    const beside = this.#beside.find(key);
    const isSaid = effects.some((each) => each.kind === 'event' && each.event.kind !== 'conversation');
    return beside !== undefined && isSaid ? this.#beside.show(beside) : [];
  }

  /** A page of the log of one beside the room. */
  logPage(page: LogPage, moment: Moment): SessionEffect[] {
    const { phase, place } = this.#room;
    if (phase !== 'live' || place === null) return unexpected(SESSION_FRAME.log);
    return [...this.#beside.logPage(page, place.retention, moment), ...this.pump(moment)];
  }

  /** Starts of the room, which say what a log has lost: each speaks of one log. */
  lost(eras: readonly Signed[]): SessionEffect[] {
    const [latest] = eras.slice(-1);
    const [position] = latest === undefined ? [] : Era.decode(latest.bytes).positions;
    if (position === undefined) return [];
    const { conversation } = position;
    return bytesEqual(conversation, ROOM_CONVERSATION)
      ? this.#room.lost(eras)
      : this.#beside.lost(eras, conversation);
  }

  /** What there is to know of one beside the room. */
  page(page: ConversationPage, moment: Moment): SessionEffect[] {
    const effects = this.#beside.page(page, moment);
    // Wraps that came before what they are for.
    const early = this.#earlyWraps.splice(0);
    return [...effects, ...early.flatMap((delivered) => this.wrapArrived(delivered))];
  }

  wrapArrived(delivered: Delivery): SessionEffect[] {
    const { conversation } = ChainAnnouncement.decode(delivered.announcement.bytes);
    if (bytesEqual(conversation, ROOM_CONVERSATION)) {
      const { phase, ledger } = this.#room;
      const circle = phase === 'listing' ? null : ledger.room;
      return this.#room.conversation.exchange.wrapArrived(delivered, circle);
    }
    const beside = this.#beside.find(idKey(conversation));
    if (beside === undefined) {
      // One that this side is about to be told of.
      if (this.#earlyWraps.length < EARLY_WRAPS_MOST) this.#earlyWraps.push(copyOfDelivery(delivered));
      return [];
    }
    const isRead = beside.conversation.timeline.history !== null && this.#room.phase === 'live';
    return beside.conversation.exchange.wrapArrived(delivered, isRead ? beside.ledger : null);
  }

  /** What was asked for by the one that has waited longest. */
  keysArrived(statements: readonly Signed[], moment: Moment): SessionEffect[] {
    const { by, for: purpose } = this.#pulls.answered();
    if (purpose === 'speaking') return [...by.outgoing.keysArrived(statements), ...this.pump(moment)];
    const { timeline, exchange, ledger } = by;
    const sender = timeline.heldFor;
    if (sender === null) return [];
    const effects = exchange.identityArrived(statements[0], sender, timeline, moment);
    if (this.#isLive(by)) effects.push(...exchange.withheld(ledger.circle));
    const beside = this.#beside.find(by.key);
    effects.push(...(beside === undefined ? this.#room.readOn() : this.#beside.readOn(beside)));
    return [...effects, ...this.pump(moment)];
  }

  /** Chains have names of their own: whose it is not, it is nothing to. */
  wrapsTaken(taken: ReturnType<typeof WrapsTaken.decode>, moment: Moment): SessionEffect[] {
    for (const { speaking } of this.each) speaking.wrapsTaken(taken, moment.nowMs);
    return this.pump(moment);
  }

  placedBefore(placed: ReturnType<typeof Placed.decode>, moment: Moment): SessionEffect[] {
    const conversation = this.of(placed.conversation);
    return conversation.outgoing.placedBefore(placed, this.#isLive(conversation), moment);
  }

  deferred(deferred: Deferred, moment: Moment): SessionEffect[] {
    const conversation = this.find(deferred.conversation);
    // One that this member has just left.
    if (conversation === undefined) return [];
    conversation.speaking.deferred(deferred, moment.nowMs);
    return [...conversation.outgoing.slowed(moment), ...this.pump(moment)];
  }

  needKey(request: Signed, moment: Moment): void {
    const conversation = this.find(NeedKey.decode(request.bytes).conversation);
    conversation?.exchange.needKey(request, conversation.ledger.circle, moment);
  }

  /** Time passes on a line. */
  tick(moment: Moment, { isAway, keepsWhenSaved }: Ways): SessionEffect[] {
    const effects = this.#beside.tick(moment);
    for (const conversation of this.each) {
      effects.push(...conversation.timeline.tick(moment));
      const phase = this.#phase(conversation);
      // As far as it is read on this line, what the host has of it is known to be the same.
      if (phase === 'live' || phase === 'reading') effects.push(...conversation.ack(keepsWhenSaved, moment));
    }
    this.#tellRead(isAway, moment);
    return [...effects, ...this.pump(moment)];
  }

  /** Tells the others what this member has read, where that is to be told. */
  #tellRead(isAway: boolean, moment: Moment): void {
    const policy = policyOf(this.#room.ledger.room.settings);
    for (const conversation of this.each) {
      const { outgoing, reading, ledger } = conversation;
      const mayTell = this.#isLive(conversation) && !isAway && outgoing.isFree;
      const { length: members } = ledger.circle.members;
      const read = reading.due(moment.nowMs, { members, policy, mayTell });
      if (read !== null) outgoing.say(read, null, moment);
    }
  }

  /** Sends what may be sent now. */
  pump(moment: Moment): SessionEffect[] {
    this.#beside.payDebts(moment);
    return this.each.flatMap((conversation) =>
      conversation.outgoing.pump(this.#isLive(conversation), moment),
    );
  }
}

/** Frames are views of a read buffer: what is kept beyond them is copied. */
function copyOfDelivery(delivery: Delivery): Delivery {
  return WrapDelivery.decode(WrapDelivery.encode(delivery).slice());
}
