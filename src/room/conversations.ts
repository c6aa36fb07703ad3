/**
 * Conversations beside the room, as the host serves them: it opens them, holds who is in them to what their members have
 * signed, and passes their entries to nobody else. It knows who is in which, and neither what they are called nor what is said.
 * @see docs/protocol.md#conversations
 */
import { ConversationRoster, isMadeConversation, type PlacedChange } from '../crypto/conversation-roster.ts';
import type { Roster } from '../crypto/roster.ts';
import type { RosterChange } from '../crypto/roster-change.ts';
import type { LogPosition } from '../protocol/admission-frames.ts';
import { type Bytes, bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { ProtocolError, SecurityError } from '../protocol/errors.ts';
import { encodeFrame } from '../protocol/framing.ts';
import {
  type ConversationId,
  type IdKey,
  idKey,
  type MemberId,
  type RoomId,
} from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import type { ConverseOutcome } from '../protocol/reasons.ts';
import {
  CONVERSATION_PAGE_OPERATIONS,
  ConversationPage,
  ConverseAnswer,
  SESSION_FRAME,
} from '../protocol/session-frames.ts';
import { ConversationOperation } from '../protocol/signed-objects.ts';
import { Conversation } from './conversation.ts';
import type { RoomEffect } from './effects.ts';
import type { HolderId } from './invitations.ts';
import { LogPlace } from './log-place.ts';
import type { Owner } from './owner.ts';
import { NOTHING, PAGE_MARGIN_BYTES, Placing } from './placing.ts';
import type { Resident } from './resident.ts';
import type { KeptConversation, RoomStore } from './store.ts';

const MINUTE_S = 60;

export interface ConversationsContext {
  readonly roomId: RoomId;
  readonly roster: Roster;
  readonly owner: Owner;
  readonly residents: ReadonlyMap<IdKey, Resident>;
  readonly limits: Limits;
  readonly store: Pick<RoomStore, 'openLog' | 'saveConversationEra' | 'forgetConversation' | 'forgetPlace'>;
  /** Of which something is not as it was stored. */
  readonly changed: Set<Conversation>;
}

/** A member with the connection that a frame came by. */
export interface Asker {
  readonly connection: HolderId;
  readonly resident: Resident;
}

export class Conversations {
  readonly #context: ConversationsContext;
  readonly #byId = new Map<IdKey, Conversation>();
  /** Of the present start of the room. */
  #era = 0;

  constructor(context: ConversationsContext) {
    this.#context = context;
  }

  /** Goes on with what the room had. Residents are known by now. @throws SecurityError for what nobody has signed */
  restore(kept: readonly KeptConversation[], era: number): void {
    this.#era = era;
    for (const { id, direct, seats, changes, places, eras, placedAtMs } of kept) {
      const { roomId, store } = this.#context;
      const roster =
        direct === null ? ConversationRoster.made(roomId, id) : ConversationRoster.direct(roomId, ...direct);
      roster.restore(seats);
      const placing = new Placing(id, store.openLog(id), placedAtMs);
      const conversation = new Conversation(roster, placing, makerOf(roster));
      conversation.eras = eras;
      conversation.changes = changes;
      conversation.awaitsEra = true;
      this.#byId.set(conversation.key, conversation);
      for (const [key, place] of places) {
        const resident = this.#context.residents.get(key);
        if (resident === undefined || !roster.seats.has(key)) continue;
        conversation.places.set(key, LogPlace.restore(place));
        resident.conversations.add(conversation);
      }
    }
  }

  /** `null` for one that they are not in: it may have been so a moment ago. */
  find(
    resident: Resident,
    id: ConversationId,
  ): { readonly conversation: Conversation; readonly place: LogPlace } | null {
    const conversation = this.#byId.get(idKey(id));
    const place = conversation?.places.get(resident.member.key);
    return conversation === undefined || place === undefined ? null : { conversation, place };
  }

  /** Where the logs of a member's conversations stand, for WELCOME. */
  standings(
    resident: Resident,
    moment: Moment,
  ): readonly (LogPosition & { readonly acknowledged: number })[] {
    return [...resident.conversations].map((conversation) => {
      this.#beginEra(conversation, moment);
      const { acknowledged = 0 } = conversation.places.get(resident.member.key) ?? {};
      return { ...conversation.placing.position, acknowledged };
    });
  }

  /** What explains that a member holds of a log what the host does not. */
  erasOf(resident: Resident, { conversation: id, index, head }: LogPosition): readonly Signed[] {
    const found = this.find(resident, id);
    if (found === null) return [];
    const own = found.conversation.placing.log.headAt(index);
    return own !== null && bytesEqual(own, head) ? [] : found.conversation.eras;
  }

  /** To those in it who read along on their present line. */
  tell(conversation: Conversation, frame: Bytes): RoomEffect {
    return { kind: 'multicast', to: this.#readers(conversation), frame };
  }

  #readers(conversation: Conversation): HolderId[] {
    const to: HolderId[] = [];
    for (const key of conversation.places.keys()) {
      const resident = this.#context.residents.get(key);
      if (resident === undefined || resident.connection === null) continue;
      if (resident.liveIn.has(conversation)) to.push(resident.connection);
    }
    return to;
  }

  /** Someone is on a line: conversations of two in which they have no place, having been gone from the room, have one. */
  arrived(resident: Resident): void {
    const { key } = resident.member;
    for (const conversation of this.#byId.values()) {
      const { places, roster } = conversation;
      if (roster.direct !== null && roster.seats.has(key) && !places.has(key))
        this.#seat(conversation, resident);
    }
  }

  /** The conversation of two, made where there is none yet. */
  openDirect({ connection, resident }: Asker, other: MemberId, moment: Moment): RoomEffect[] {
    const { roomId, residents, limits, store } = this.#context;
    const partner = residents.get(idKey(other));
    const own = resident.member.memberId;
    if (bytesEqual(other, own)) throw new ProtocolError('bad-member', 'a conversation with oneself');
    const roster = ConversationRoster.direct(roomId, own, other.slice() as MemberId);
    const known = this.#byId.get(idKey(roster.id));
    if (this.#isTooFast(resident, moment)) return [answer(connection, roster.id, 'too-fast')];
    if (partner === undefined) return [answer(connection, roster.id, 'no-such-member')];
    const joining = [resident, partner].filter((each) => known?.places.has(each.member.key) !== true);
    if (
      joining.some((each) => this.#isFull(each)) ||
      (known === undefined && this.#byId.size >= limits.conversationsTotal)
    )
      return [answer(connection, roster.id, 'too-many')];
    const conversation =
      known ?? new Conversation(roster, new Placing(roster.id, store.openLog(roster.id), 0), null);
    this.#byId.set(conversation.key, conversation);
    for (const each of joining) this.#seat(conversation, each);
    const told = new Set([resident, ...joining]);
    return [...told].flatMap((each) => this.#introduce(conversation, each, moment));
  }

  /** A member makes a conversation, or changes who is in it. @throws ProtocolError for what no honest client sends */
  converse({ connection, resident }: Asker, signed: Signed, moment: Moment): RoomEffect[] {
    const operation = ConversationOperation.decode(signed.bytes);
    const { conversation: id } = operation;
    if (!isMadeConversation(id) || !bytesEqual(operation.memberId, resident.member.memberId))
      throw new ProtocolError('bad-operation', 'an operation that is not its sender’s own');
    const refuse = (outcome: ConverseOutcome): RoomEffect[] => [answer(connection, id, outcome)];
    if (this.#isTooFast(resident, moment)) return refuse('too-fast');
    const known = this.#byId.get(idKey(id));
    const follows =
      known === undefined
        ? operation.epoch === 1
        : operation.epoch === known.roster.epoch + 1 && bytesEqual(operation.previous, known.roster.hash);
    if (!follows) return refuse('stale');
    const named = operation.puts.map((put) => this.#context.residents.get(idKey(put.memberId)));
    if (named.includes(undefined)) return refuse('no-such-member');
    const conversation = known ?? this.#make(id, resident);
    if (conversation === null) return refuse('too-many');
    const added = named.flatMap((each) =>
      each === undefined || conversation.roster.seats.has(each.member.key) ? [] : [each],
    );
    if (added.some((each) => this.#isFull(each))) return refuse('too-many');
    return this.#apply({ connection, resident }, conversation, signed, moment);
  }

  #apply(
    { connection, resident }: Asker,
    conversation: Conversation,
    signed: Signed,
    moment: Moment,
  ): RoomEffect[] {
    const { roster } = conversation;
    try {
      const change = roster.apply(signed, resident.verifyKey);
      this.#byId.set(conversation.key, conversation);
      this.#context.changed.add(conversation);
      this.#beginEra(conversation, moment);
      const { whole } = ConversationOperation.decode(signed.bytes);
      const effects = [this.#place(conversation, { kind: 'conversation', operation: signed }, whole, moment)];
      for (const { key } of change.removed) this.#unseat(conversation, key);
      for (const { key } of change.added) {
        const member = this.#context.residents.get(key);
        if (member === undefined) continue;
        this.#seat(conversation, member);
        effects.push(...this.#introduce(conversation, member, moment));
      }
      this.#forgetEmpty(conversation);
      return effects;
    } catch (error) {
      if (!(error instanceof SecurityError)) throw error;
      if (error.code === 'conversation-forged')
        throw new ProtocolError('bad-operation', 'an operation whose signature does not hold');
      return [answer(connection, conversation.id, 'not-allowed')];
    }
  }

  #make(id: ConversationId, maker: Resident): Conversation | null {
    const { roomId, limits, store } = this.#context;
    const made = [...this.#byId.values()].filter((each) => each.maker === maker.member.key).length;
    if (made >= limits.conversationsMadePerMember || this.#byId.size >= limits.conversationsTotal)
      return null;
    const own = id.slice() as ConversationId;
    const placing = new Placing(own, store.openLog(own), 0);
    return new Conversation(ConversationRoster.made(roomId, own), placing, maker.member.key);
  }

  /** For who asks after one that they are not in, or not any more. */
  notIn({ connection }: Asker, id: ConversationId): RoomEffect[] {
    return [answer(connection, id, 'not-allowed')];
  }

  /** What there is to know of a conversation, from so many operations on. */
  page(asker: Asker, id: ConversationId, from: number): RoomEffect[] {
    const found = this.find(asker.resident, id);
    if (found === null) return this.notIn(asker, id);
    // Whoever asks for the list reads the log after it, and from where that stands.
    asker.resident.liveIn.delete(found.conversation);
    return this.#pageOf(found.conversation, asker.resident, from);
  }

  /**
   * The room has lost some: so have their conversations, which are told by the very same operation.
   * @param residents as they are after it
   */
  roomChanged(signed: Signed, { removed }: Pick<RosterChange, 'removed'>, moment: Moment): RoomEffect[] {
    if (removed.length === 0) return [];
    const gone = new Set(removed.map(({ member }) => member.key));
    const touched = [...this.#byId.values()].filter(({ roster }) =>
      [...gone].some((key) => roster.seats.has(key)),
    );
    return touched.flatMap((conversation) => {
      // It speaks of the list as it was until now.
      this.#beginEra(conversation, moment);
      conversation.roster.roomChanged(signed);
      for (const key of gone) this.#unseat(conversation, key);
      if (this.#forgetEmpty(conversation)) return [];
      this.#context.changed.add(conversation);
      const isWhole = conversation.roster.direct !== null;
      return [this.#place(conversation, { kind: 'roster', operation: signed }, isWhole, moment)];
    });
  }

  /** What is too old, or what everyone has, need not be held any longer. */
  tick(placedBeforeMs: number): void {
    for (const conversation of this.#byId.values()) {
      conversation.placing.log.expire(placedBeforeMs);
      conversation.release();
    }
  }

  /**
   * Before anything else of this start of the room stands in it: nobody reads along yet, because WELCOME has touched it
   * before anyone can.
   */
  #beginEra(conversation: Conversation, moment: Moment): void {
    if (!conversation.awaitsEra) return;
    const { owner, store } = this.#context;
    const { placing, roster, key } = conversation;
    const signed = owner.beginEra(this.#era, roster, [placing.position]);
    conversation.beganEra(signed);
    store.saveConversationEra(key, this.#era, signed);
    const { bytes: header, signature } = signed;
    placing.place('era', { header, ciphertext: NOTHING, signature }, moment);
  }

  #place(conversation: Conversation, change: PlacedChange, isWhole: boolean, moment: Moment): RoomEffect {
    const { bytes: header, signature } = change.operation;
    const post = { header, ciphertext: NOTHING, signature };
    const { frame, index } = conversation.placing.place(change.kind, post, moment);
    conversation.changed(change, index, isWhole);
    return this.tell(conversation, frame);
  }

  #seat(conversation: Conversation, resident: Resident): void {
    conversation.places.set(resident.member.key, new LogPlace(conversation.placing.log.index));
    resident.conversations.add(conversation);
    this.#context.changed.add(conversation);
  }

  #unseat(conversation: Conversation, key: IdKey): void {
    if (!conversation.places.delete(key)) return;
    const resident = this.#context.residents.get(key);
    resident?.conversations.delete(conversation);
    resident?.liveIn.delete(conversation);
    resident?.wrapsUnderWay.forget(conversation.key);
    this.#context.store.forgetPlace(conversation.key, key);
    conversation.hasAcks = true;
  }

  /** @returns whether nobody is left in it */
  #forgetEmpty(conversation: Conversation): boolean {
    if (conversation.places.size > 0) return false;
    this.#byId.delete(conversation.key);
    this.#context.changed.delete(conversation);
    this.#context.store.forgetConversation(conversation.key);
    return true;
  }

  #introduce(conversation: Conversation, resident: Resident, moment: Moment): RoomEffect[] {
    this.#beginEra(conversation, moment);
    return this.#pageOf(conversation, resident, 0);
  }

  #pageOf(conversation: Conversation, resident: Resident, from: number): RoomEffect[] {
    const { connection } = resident;
    const place = conversation.places.get(resident.member.key);
    if (connection === null || place === undefined) return [];
    const { direct } = conversation.roster;
    const { changes, ...at } = conversation.listFor(place);
    const page: PlacedChange[] = [];
    let bytes = 0;
    for (const each of changes.slice(from, from + CONVERSATION_PAGE_OPERATIONS)) {
      bytes += each.operation.bytes.length + each.operation.signature.length;
      if (page.length > 0 && bytes > this.#context.limits.pageBytes - PAGE_MARGIN_BYTES) break;
      page.push({ kind: each.kind, operation: each.operation });
    }
    const body = ConversationPage.encode({
      ...at,
      conversation: conversation.id,
      direct: (direct ?? []).filter((each) => !bytesEqual(each, resident.member.memberId)),
      acknowledged: place.acknowledged,
      from,
      total: changes.length,
      operations: page,
    });
    return [{ kind: 'send', to: connection, frame: encodeFrame(SESSION_FRAME.conversation, body) }];
  }

  /** Nobody leaves a conversation of two: one whose other one is gone from the room makes way. */
  #isFull({ member, conversations }: Resident): boolean {
    if (conversations.size < this.#context.limits.conversationsPerMember) return false;
    const over = [...conversations].find(({ roster, places }) => roster.direct !== null && places.size === 1);
    if (over === undefined) return true;
    this.#unseat(over, member.key);
    this.#forgetEmpty(over);
    return false;
  }

  #isTooFast({ converses }: Resident, { nowMs }: Moment): boolean {
    const { conversePerMinute: burst } = this.#context.limits;
    return converses.take(1, { perSecond: burst / MINUTE_S, burst }, nowMs) > 0;
  }
}

function makerOf(roster: ConversationRoster): IdKey | null {
  return roster.owner?.key ?? null;
}

function answer(to: HolderId, conversation: ConversationId, outcome: ConverseOutcome): RoomEffect {
  const body = ConverseAnswer.encode({ conversation, outcome });
  return { kind: 'send', to, frame: encodeFrame(SESSION_FRAME.converseAnswer, body) };
}
