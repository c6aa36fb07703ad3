/**
 * A member's side of a room, from WELCOME on, across reconnections: which frame means what in which phase, and what is
 * asked of the host. What the log says is judged in `timeline.ts`, what is said goes out through `outgoing.ts`.
 *
 *   listing ─▶ reading ─▶ live      away: no connection; LOGIN leads back to reading
 * @see docs/protocol.md#session
 */
import type { WrapKeyPair } from '../crypto/key-wrap.ts';
import type { Roster, RosterChange, RosterMember } from '../crypto/roster.ts';
import { importVerifyKey, type SigningKey } from '../crypto/signature.ts';
import type { ActRequest } from '../protocol/acts.ts';
import type { LogPosition, Welcome } from '../protocol/admission-frames.ts';
import { type Bytes, bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import type { Content } from '../protocol/content.ts';
import { InputError, ProtocolError, SecurityError } from '../protocol/errors.ts';
import {
  DeclineFile,
  FileProgress,
  type FileProgress as FileProgressFrame,
  FileWanted,
  OfferFile,
  WithdrawFile,
} from '../protocol/file-frames.ts';
import { frameBody, frameType } from '../protocol/framing.ts';
import {
  type ConversationId,
  type Hash,
  type IdKey,
  idKey,
  type MemberId,
  ROOM_CONVERSATION,
  type RoomId,
} from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import { PASSING_CLOSES } from '../protocol/reasons.ts';
import { type Policy, policyOf } from '../protocol/room-settings.ts';
import {
  ActAnswer,
  Away,
  Close,
  ConversationPage,
  ConverseAnswer,
  Deferred,
  Empty,
  Entry,
  Eras,
  KeysPage,
  ListPage,
  LogPage,
  NeedKeyFrame,
  Placed,
  Prefer,
  Presence,
  Receipts as ReceiptsFrame,
  RegisterReply,
  SESSION_FRAME,
  USUAL_PREFER,
  WrapDelivery,
  WrapsTaken,
} from '../protocol/session-frames.ts';
import {
  ChainAnnouncement,
  Era as EraObject,
  NeedKey,
  type RoomSettings,
} from '../protocol/signed-objects.ts';
import { agreedFeatures, DIALECT, type Dialect, FEATURE } from '../protocol/version.ts';
import { actAnswered, askOwner, askToLeave, HeldActs } from './acting.ts';
import { Alarms } from './alarms.ts';
import type { Beside } from './beside.ts';
import { Conversation } from './conversation.ts';
import { Conversations, type ConversationWish } from './conversations.ts';
import { difference } from './difference.ts';
import { type ConversationView, event, type SessionEffect, type ShownMember, send } from './events.ts';
import { EvidenceBook } from './evidence-book.ts';
import { FileBook } from './file-book.ts';
import type { FileNews } from './file-view.ts';
import { KeyPulls } from './key-pulls.ts';
import { KnownKeys } from './known-keys.ts';
import type { ListedMember } from './list-reader.ts';
import { MemberList } from './member-list.ts';
import type { KnownMessage } from './message-book.ts';
import { type Receipt, Receipts } from './receipts.ts';
import { checkRegister, Registering } from './registering.ts';
import { Renewal } from './renewal.ts';
import { RoomLedger } from './room-ledger.ts';
import { eraseSavedState, type SavedState } from './saved-state.ts';
import type { Timeline } from './timeline.ts';
import { type Mark, Trust } from './trust.ts';
import { adoptList, roomPosition, sameRetention } from './welcome.ts';
import type { OwnWrapKeys } from './wrap-keys.ts';

export interface SessionStart {
  readonly roomId: RoomId;
  readonly identity: SigningKey;
  readonly wrapKeys: OwnWrapKeys;
  /** Not given: what this build speaks. */
  readonly dialect?: Dialect;
  /** How this member wants to be treated while away; not given: as the host does. */
  readonly prefers?: Prefer;
  /**
   * When what has arrived is this member's for good, so that the host may let go of it: as soon as it is shown, or once
   * `saved` says that a file holds it. Not given: at once.
   */
  readonly keeps?: 'at-once' | 'when-saved';
  /** What an earlier run has kept: this one goes on with it, and overwrites its secrets. `wrapKeys` are those in it. */
  readonly saved?: SavedState;
}

/** What a session is to be kept as, and how far it goes. */
export interface Save {
  readonly state: SavedState;
  readonly mark: SaveMark;
}

export interface SaveMark {
  /** Of each log: which record of it (one that begins anew, or goes back, is another), and how far. */
  readonly logs: readonly { readonly key: IdKey; readonly record: number; readonly index: number }[];
  /** Of all logs together. */
  readonly entries: number;
  /** The latest of one's own wrap keys. */
  readonly generation: number;
}

/** What a LOGIN needs of a WELCOME, and what the next one is held against. */
type Place = Pick<Welcome, 'memberId' | 'accountKey' | 'sessionId' | 'retention'>;

type Phase = 'away' | 'listing' | 'reading' | 'live' | 'over';

export class Session {
  readonly #roomId: RoomId;
  readonly #identity: SigningKey;
  readonly #self: IdKey;
  readonly #wrapKeys: OwnWrapKeys;
  readonly #dialect: Dialect;
  readonly #alarms: Alarms;
  readonly #trust: Trust;
  readonly #ledger: RoomLedger;
  /** The room's own conversation. */
  readonly #room: Conversation;
  readonly #conversations: Conversations;
  readonly #known = new KnownKeys();
  readonly #pulls = new KeyPulls<Conversation>();
  readonly #renewal: Renewal;
  readonly #list: MemberList;
  readonly #heldActs = new HeldActs();
  readonly #receipts: Receipts;
  readonly #evidence = new EvidenceBook();
  /** Files that were offered here. */
  readonly files: FileBook;
  #away = false;
  readonly #registering = new Registering();
  #welcome: Welcome | null = null;
  /** As an earlier run has kept it; `null` where this one goes on with none. */
  readonly #savedPlace: Place | null;
  #phase: Phase = 'away';
  #joinedOnce = false;
  /** A line was lost since joining, the first one before it was live included: the person is told of the return. */
  #returning = false;
  readonly #prefers: Prefer | null;
  readonly #keepsWhenSaved: boolean;
  /** Counts what is worth keeping. */
  #revision = 0;
  /** The host's log is shorter than this record: an alarm, unless a start of the room says why. */
  #isShorter = false;
  /** The start of the room after which this record begins anew. */
  #lostAfter: EraObject | null = null;
  #toldElsewhere = false;
  /** Wraps for conversations that this side does not know yet. */
  #earlyWraps: Delivery[] = [];
  #lastPingMs = 0;
  #lastHeardMs = 0;
  /** When this run was last live: it has all that was placed before. `null`: not yet. */
  #liveAtMs: number | null = null;

  constructor(start: SessionStart) {
    const { roomId, identity } = start;
    this.#roomId = roomId;
    this.#identity = identity;
    this.#self = idKey(identity.memberId);
    this.#wrapKeys = start.wrapKeys;
    this.#dialect = start.dialect ?? DIALECT;
    this.#prefers = start.prefers ?? null;
    this.#keepsWhenSaved = start.keeps === 'when-saved';
    const { saved = null } = start;
    this.#savedPlace = saved === null ? null : placeOf(saved);
    this.#alarms = new Alarms(saved?.heldBack);
    this.#trust = new Trust(this.#self, saved?.pins);
    this.#list = new MemberList(this.#self, (member) => this.#trust.isVerified(member));
    this.#receipts = new Receipts({
      isOffline: (member) => this.#list.isOffline(member),
      isKnown: () => this.#phase === 'live' && !this.#list.isPulling,
    });
    this.#renewal = new Renewal(start.wrapKeys);
    this.#ledger = new RoomLedger(roomId, (change) => this.#rosterChanged(change));
    // Before the logs: what they go on with is held against it.
    if (saved !== null) this.#ledger.restore(saved);
    const shared = {
      ...{ roomId, identity, self: this.#self, wrapKeys: start.wrapKeys },
      ownKey: importVerifyKey(identity.spki, identity.algorithm),
      ...{ alarms: this.#alarms, trust: this.#trust, keys: this.#known, pulls: this.#pulls },
      evidence: this.#evidence,
      hadAllAtMs: () => this.#liveAtMs,
      tellsRead: (start.prefers ?? USUAL_PREFER).receipts,
    };
    this.#room = new Conversation(shared, {
      ...{ id: ROOM_CONVERSATION, ledger: this.#ledger, saved },
      ownPlaced: (own) => this.#told(this.#receipts.placed(own)),
      // The room's name is what its owner signs.
      about: () => [],
    });
    this.#conversations = new Conversations({
      ...{ shared, room: this.#ledger },
      roomEra: () => this.#timeline.era,
      touched: () => {
        this.#revision += 1;
      },
    });
    this.files = new FileBook(saved?.files, (id) => this.#roster.member(idKey(id)), this.#self);
    if (saved === null) return;
    this.#conversations.restore(saved.conversations);
    this.#returning = true;
    // What it opens is to be gone once this run has moved past it.
    eraseSavedState(saved);
  }

  /** All that a later run needs to go on; `null` while there is nothing to go on with. Secrets are among it. */
  save(): Save | null {
    const log = this.#room.save();
    const list = this.#ledger.save();
    const place = this.#place;
    if (log === null || list === null || place === null) return null;
    const { memberId, accountKey, sessionId, retention } = place;
    const wrapKeys = this.#wrapKeys.save();
    const state: SavedState = {
      roomId: this.#roomId,
      ...{ memberId, accountKey: accountKey.slice(), sessionId, retention },
      ...list,
      ...log,
      wrapKeys: [...wrapKeys],
      heldBack: this.#alarms.heldBack,
      conversations: this.#conversations.save(),
      files: this.files.save(),
      pins: this.#trust.save(),
    };
    const generation = Math.max(...wrapKeys.map((key) => key.generation));
    const logs = this.#all.flatMap(({ key, record, timeline: { history } }) =>
      history === null ? [] : [{ key, record, index: history.index }],
    );
    return { state, mark: { logs, entries: this.entries, generation } };
  }

  /** Changes whenever there is something new to save. */
  get revision(): number {
    return this.#revision + this.files.revision;
  }

  get phase(): Phase {
    return this.#phase;
  }
  get members(): readonly ShownMember[] {
    return this.#list.shown(this.#roster);
  }
  shown(member: RosterMember): ShownMember {
    return this.#list.shownOne(member);
  }
  get onlineCount(): number {
    return this.#list.onlineCount(this.#roster);
  }
  get settings(): RoomSettings {
    return this.#roster.settings;
  }
  get self(): RosterMember | undefined {
    return this.#roster.member(this.#self);
  }
  /** Whether this member has said that they are not at the keyboard. */
  get isAway(): boolean {
    return this.#away;
  }
  /** Messages said and not placed. */
  get unplaced(): number {
    return this.#all.reduce((sum, { speaking }) => sum + speaking.unplaced, 0);
  }
  /** Sending is held back by an alarm that nobody has taken note of. */
  get heldBack(): boolean {
    return this.#alarms.heldBack;
  }
  /** Under keys in the place of verified ones: sending is held back until the person has decided about each. */
  get untrusted(): readonly RosterMember[] {
    return this.#trust.pending(this.#roster);
  }
  isVerified(member: RosterMember): boolean {
    return this.#trust.isVerified(member);
  }
  /** Whose keys are marked as verified, in the room or not. */
  get verified(): ReturnType<Trust['verified']> {
    return this.#trust.verified(this.#roster);
  }
  /** Epoch, index and head, and the latest operation's hash, for people to compare; `null` before the first list. */
  get position(): {
    readonly epoch: number;
    readonly operation: Hash;
    readonly index: number;
    readonly head: Hash;
  } | null {
    const { history } = this.#timeline;
    const { epoch, hash: operation } = this.#roster;
    return history === null ? null : { epoch, operation, index: history.index, head: history.head };
  }
  /** Where all logs stand that a record goes on with: what a LOGIN quotes. */
  get positions(): readonly LogPosition[] {
    return this.#all.flatMap(({ id: conversation, timeline: { history } }) =>
      history === null ? [] : [{ conversation, index: history.index, head: history.head }],
    );
  }
  /** How many entries have been read, in all logs. */
  get entries(): number {
    return this.positions.reduce((sum, { index }) => sum + index, 0);
  }
  /** Those beside the room. */
  get conversations(): readonly ConversationView[] {
    return this.#conversations.all.map(({ view }) => view);
  }
  /** Who reads a conversation beside the room and has no line to the host; nobody of the room itself, which has no end of them. */
  absentFrom(conversation: ConversationId): readonly MemberId[] {
    const view = this.conversations.find(({ id }) => bytesEqual(id, conversation));
    const members = view?.members.map(({ member }) => member) ?? [];
    return members.filter((member) => !this.shown(member).online).map(({ memberId }) => memberId);
  }
  /** Who reads a conversation, or the room, beside this member. */
  readersOf(conversation: ConversationId): readonly IdKey[] {
    const isRoom = bytesEqual(conversation, ROOM_CONVERSATION);
    const view = this.conversations.find(({ id }) => bytesEqual(id, conversation));
    const members = isRoom ? this.members : (view?.members ?? []);
    return members.map(({ member }) => member.key).filter((key) => key !== this.#self);
  }
  get wrapGeneration(): number {
    return this.#wrapKeys.current.generation;
  }
  /** Bits of the key that this member signs with; `null` while it has not come. */
  keyBits({ key }: Pick<RosterMember, 'key'>): number | null {
    return key === this.#self ? this.#identity.bits : (this.#known.verifyKey(key)?.bits ?? null);
  }
  /**
   * What proves to others what was said in a message that was shown.
   * @param id of the message, or the first characters of it
   * @throws InputError `no-such-message`, or `usage` when it names several
   */
  proof(id: string): ReturnType<EvidenceBook['proof']> {
    const { owner } = this.#ledger;
    if (owner === null) throw notConnected();
    return this.#evidence.proof(id, owner.spki);
  }
  /** What was shown is to be gone. */
  forgetShown(): void {
    this.#evidence.forget();
  }
  /**
   * Of one's own: the keys that others wrap to, and the chain that one sends under there; `null`: the next message begins one.
   * @param conversation `null` for one that nobody has begun yet
   * @throws ProtocolError for one that this side is not in
   */
  ownKeys(
    conversation: ConversationId | null,
    moment: Moment,
  ): {
    readonly wrapKeys: { readonly generation: number; readonly madeAtMs: number };
    readonly chain: ReturnType<Conversation['speaking']['chain']>;
  } {
    const { generation, madeAtMs } = this.#wrapKeys.current;
    const wrapKeys = { generation, madeAtMs };
    if (conversation === null) return { wrapKeys, chain: null };
    const { speaking, ledger } = this.#conversation(conversation);
    return { wrapKeys, chain: speaking.chain({ circle: ledger.circle, moment }) };
  }
  /** What this side and the host both know, by number; nothing before the first WELCOME. */
  get features(): ReadonlySet<number> {
    return agreedFeatures(this.#dialect.features, this.#welcome?.features ?? []);
  }
  /** What a LOGIN needs; `null` before the first WELCOME. */
  get login(): { readonly welcome: Place; readonly statement: Signed } | null {
    const place = this.#place;
    return place === null ? null : { welcome: place, statement: this.#wrapKeys.current.statement };
  }

  /** This member's place in the room, as the latest WELCOME of this run or an earlier one gave it. */
  get #place(): Place | null {
    return this.#welcome ?? this.#savedPlace;
  }

  get #timeline(): Timeline {
    return this.#room.timeline;
  }

  get #roster(): Roster {
    return this.#ledger.room;
  }

  /** The room's own first. */
  get #all(): readonly Conversation[] {
    return [this.#room, ...this.#conversations.all.map(({ conversation }) => conversation)];
  }

  /** A run at the door ended well. @throws SecurityError when what WELCOME says cannot be. */
  welcomed(welcome: Welcome, moment: Moment): SessionEffect[] {
    const position = roomPosition(welcome);
    if (!bytesEqual(welcome.memberId, this.#identity.memberId)) {
      throw new SecurityError('bad-welcome', 'the host welcomed someone else');
    }
    const effects: SessionEffect[] = [];
    const announced = this.#place?.retention;
    if (announced !== undefined && !sameRetention(announced, welcome.retention)) {
      const text = 'The host says that it keeps messages for another time than it said before.';
      effects.push(...this.#alarms.raise('retention-changed', text));
    }
    this.#revision += 1;
    this.#ledger.welcomed(welcome);
    this.#welcome = welcome;
    this.#lastHeardMs = moment.nowMs;
    this.#lastPingMs = moment.nowMs;
    this.#list.reconnected();
    this.#room.reconnected(moment);
    this.#pulls.reconnected();
    this.#conversations.welcomed(welcome, this.#liveAtMs);
    effects.push(...this.#renewal.reconnected(moment), ...this.#registering.reconnected());
    this.#room.acknowledged = position.acknowledged;
    this.#receipts.reconnected();
    if (this.#prefers !== null) effects.push(send(SESSION_FRAME.prefer, Prefer.encode(this.#prefers)));
    // To the host, whoever goes offline is no longer away.
    if (this.#away) effects.push(awayFrame(true));
    const { history } = this.#timeline;
    if (history === null) return [...effects, ...this.#startListing()];
    if (position.acknowledged > history.index) effects.push(...this.#elsewhere(position.acknowledged));
    // What explains it, if anything does, comes before the list.
    this.#isShorter = position.index < history.index;
    // Who is here: a run that goes on with an earlier one shows it before it reads on.
    if (this.#isShorter || !this.#joinedOnce) return [...effects, ...this.#startListing()];
    this.#phase = 'reading';
    return [...effects, this.#room.pullLog()];
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

  /** The connection is gone; the session waits for the next WELCOME. */
  disconnected(): void {
    if (this.#phase !== 'over') this.#phase = 'away';
    this.#returning ||= this.#joinedOnce;
    this.#conversations.disconnected(this.#liveAtMs);
  }

  /** @throws ProtocolError when a frame is malformed or does not belong here: the connection is to be closed. */
  onFrame(frame: Bytes, moment: Moment): SessionEffect[] {
    // This session has asked for another line: what is still under way on this one is not for it.
    if (this.#phase === 'away') return [];
    this.#lastHeardMs = moment.nowMs;
    if (this.#phase === 'live') this.#liveAtMs = moment.nowMs;
    const body = frameBody(frame);
    const type = frameType(frame);
    if (type !== SESSION_FRAME.ping && type !== SESSION_FRAME.pong) this.#revision += 1;
    switch (type) {
      case SESSION_FRAME.entry:
        return this.#entry(Entry.decode(body), moment);
      case SESSION_FRAME.list:
        return this.#listPage(ListPage.decode(body));
      case SESSION_FRAME.log:
        return this.#anyLogPage(LogPage.decode(body), moment);
      case SESSION_FRAME.wrap:
        return this.#wrapArrived(WrapDelivery.decode(body));
      case SESSION_FRAME.keys:
        return this.#keysArrived(KeysPage.decode(body).statements, moment);
      case SESSION_FRAME.wrapsTaken:
        // Chains have names of their own: whose it is not, it is nothing to.
        for (const { speaking } of this.#all) speaking.wrapsTaken(WrapsTaken.decode(body), moment.nowMs);
        return this.#pump(moment);
      case SESSION_FRAME.placed:
        return this.#placedBefore(Placed.decode(body), moment);
      case SESSION_FRAME.deferred:
        return this.#deferred(Deferred.decode(body), moment);
      case SESSION_FRAME.needKey:
        this.#needKey(NeedKeyFrame.decode(body).request, moment);
        return [];
      case SESSION_FRAME.conversation:
        return [...this.#conversations.page(ConversationPage.decode(body), moment), ...this.#offerWraps()];
      case SESSION_FRAME.converseAnswer: {
        const { conversation, outcome } = ConverseAnswer.decode(body);
        return this.#conversations.refused(conversation, outcome);
      }
      case SESSION_FRAME.actAnswer:
        return [event(actAnswered(ActAnswer.decode(body)))];
      case SESSION_FRAME.eras:
        if (this.#phase === 'live') unexpected(type);
        return this.#alarms.watch(() => this.#anyLost(Eras.decode(body).eras));
      case SESSION_FRAME.registerReply:
        return this.#registering.replied(RegisterReply.decode(body).response);
      case SESSION_FRAME.registered:
        Empty.decode(body);
        return this.#registering.registered();
      case SESSION_FRAME.presence:
        return Presence.decode(body).changes.flatMap(({ memberId, ...now }) =>
          this.#list.present(idKey(memberId), now, this.#roster),
        );
      case SESSION_FRAME.receipts:
        return this.#marksArrived(ReceiptsFrame.decode(body).marks);
      case SESSION_FRAME.fileWanted: {
        const wanted = FileWanted.decode(body);
        return [event({ kind: 'file-wanted', ...wanted, fileId: wanted.fileId.slice() })];
      }
      case SESSION_FRAME.fileProgress:
        return this.#fileProgress(FileProgress.decode(body));
      case SESSION_FRAME.ping:
        return [send(SESSION_FRAME.pong, new Uint8Array())];
      case SESSION_FRAME.pong:
        return [];
      case SESSION_FRAME.close: {
        const { reason, text } = Close.decode(body);
        if (reason === 'paused')
          return [event({ kind: 'notice', level: 'info', code: reason, text: PAUSED })];
        if (!PASSING_CLOSES.has(reason)) this.#phase = 'over';
        return [event({ kind: 'closed', reason, text })];
      }
      default:
        return unexpected(type);
    }
  }

  /** @throws InputError when the text is too long, or too much waits for its place already. */
  say(content: Content, ref: string | null, moment: Moment): SessionEffect[] {
    this.#room.outgoing.say(content, ref, moment);
    return [...this.setAway(false), ...this.#pump(moment)];
  }

  /** Says it in a conversation beside the room. @throws InputError as `say`, or for one that this member is not in */
  sayIn(id: ConversationId, content: Content, ref: string | null, moment: Moment): SessionEffect[] {
    const { conversation, partnerId } = this.#besideCalled(id);
    if (partnerId !== null) this.#checkHere(idKey(partnerId));
    conversation.outgoing.say(content, ref, moment);
    return [...this.setAway(false), ...this.#pump(moment)];
  }

  /** Says it to one member alone. @throws InputError as `say`, to oneself, or where the host knows nothing of it */
  sayTo(member: RosterMember, content: Content, ref: string | null, moment: Moment): SessionEffect[] {
    this.#checkConversations();
    if (member.key === this.#self)
      throw new InputError('not-allowed', 'That is you. Notes to yourself are best kept elsewhere.');
    this.#checkHere(member.key);
    const { beside, effects } = this.#conversations.direct(member, moment);
    beside.conversation.outgoing.say(content, ref, moment);
    return [...effects, ...this.setAway(false), ...this.#pump(moment)];
  }

  /** Makes a conversation of one's own, with these in it. @throws InputError for a name that cannot be one */
  makeConversation(
    start: { readonly name: string; readonly topic: string; readonly members: readonly RosterMember[] },
    moment: Moment,
  ): { readonly id: ConversationId; readonly effects: SessionEffect[] } {
    this.#checkConversations();
    const members = start.members.filter(({ key }) => key !== this.#self).map(({ memberId }) => memberId);
    const { beside, effects } = this.#conversations.make({ ...start, members }, moment);
    return { id: beside.conversation.id, effects };
  }

  /** @throws InputError where this member may not, or is not in it */
  changeConversation(id: ConversationId, wish: ConversationWish): SessionEffect[] {
    return this.#conversations.change(this.#besideCalled(id), wish);
  }

  /** Another name or topic. @throws InputError as `changeConversation`, or for a text that cannot be one */
  renameConversation(
    id: ConversationId,
    to: { readonly name?: string; readonly topic?: string },
    moment: Moment,
  ): SessionEffect[] {
    return this.#conversations.rename(this.#besideCalled(id), to, moment);
  }

  /** Leaves it for good. @throws InputError where that cannot be */
  partConversation(id: ConversationId): SessionEffect[] {
    return this.#conversations.part(this.#besideCalled(id));
  }

  /** @throws InputError for somebody whom the room does not list: there is nobody to say it to */
  #checkHere(member: IdKey): void {
    if (this.#roster.member(member) === undefined)
      throw new InputError('no-such-member', 'They are not in the room any more.');
  }

  #besideCalled(id: ConversationId): Beside {
    this.#checkConversations();
    const beside = this.#conversations.find(idKey(id));
    if (beside === undefined)
      throw new InputError(
        'no-such-conversation',
        'You are not in that conversation. /conversations lists yours.',
      );
    return beside;
  }

  #checkConversations(): void {
    if (this.#welcome !== null && !this.features.has(FEATURE.conversations))
      throw new InputError(
        'not-supported',
        'The host of this room knows no direct messages or conversations.',
      );
    if (this.#ledger.owner === null || this.#phase === 'over') throw notConnected();
  }

  /** Where a message was said that is remembered here, and what is known of it. */
  messageCalled(
    id: string,
  ): { readonly conversation: ConversationId; readonly message: KnownMessage } | null {
    for (const { id: conversation, timeline } of this.#all) {
      const message = timeline.book.find(id);
      if (message !== null) return { conversation, message };
    }
    return null;
  }

  /** The latest of one's own in a conversation. */
  latestOwn(conversation: ConversationId): KnownMessage | null {
    const found = this.#all.find(({ id }) => bytesEqual(id, conversation));
    return found?.timeline.book.latestOwn ?? null;
  }

  /** How the room lets its members change what they have said. */
  get policy(): Policy {
    return policyOf(this.#roster.settings);
  }

  /** A message of somebody else stands on this member's screen, and they look at it. */
  seen(id: string): void {
    for (const { timeline, reading } of this.#all) if (timeline.book.find(id) !== null) reading.seen(id);
  }

  /** Tells the others what this member has read, where that is to be told. */
  #tellRead(moment: Moment): void {
    for (const conversation of this.#all) {
      const { outgoing, reading, ledger } = conversation;
      const mayTell = this.#isLive(conversation) && !this.#away && outgoing.isFree;
      const { length: members } = ledger.circle.members;
      const read = reading.due(moment.nowMs, { members, policy: this.policy, mayTell });
      if (read !== null) outgoing.say(read, null, moment);
    }
  }

  /** Says whether they are at the keyboard. Speaking says that they are. */
  setAway(away: boolean): SessionEffect[] {
    if (away === this.#away) return [];
    this.#away = away;
    const effects = this.#list.setAway(away, this.#roster);
    return this.#phase === 'away' || this.#phase === 'over' ? effects : [awayFrame(away), ...effects];
  }

  /**
   * Asks the owner for a change. What becomes of it is told by the log, or by a notice.
   * @throws InputError when the host knows nothing of it, this member may not, or there is no line just now.
   */
  act(request: ActRequest): SessionEffect[] {
    const { self } = this;
    const isSoonLive = this.#phase === 'listing' || this.#phase === 'reading';
    if (isSoonLive && this.#heldActs.hold(request)) return [];
    if (this.#phase !== 'live' || self === undefined) throw notConnected();
    const asking = { identity: this.#identity, roster: this.#roster, features: this.features };
    return [askOwner(request, self, asking)];
  }

  /** @throws InputError when this member can have no account here, or there is no line just now */
  mayRegister(): void {
    const { self } = this;
    const hasLine = this.#phase === 'live' || this.#phase === 'reading';
    if (!hasLine || self === undefined) throw notConnected();
    checkRegister(this.features, self.role);
  }

  /**
   * A password for this member's account, or another one.
   * @throws InputError as `mayRegister`, or for a password that is too short
   */
  register(password: string): SessionEffect[] {
    this.mayRegister();
    return this.#registering.begin(password);
  }

  registrationStarted(made: { readonly state: string; readonly request: Bytes }): SessionEffect[] {
    return this.#registering.started(made);
  }

  registrationFinished(record: Bytes): SessionEffect[] {
    return this.#registering.finished(record);
  }

  /**
   * Tells the host which file this member serves, serves no more or does not want. Nothing while there is no line.
   * @param keepFor for whom it is to wait there
   */
  tellOfFile(what: FileNews, fileId: Bytes, bytes = 0, keepFor: readonly MemberId[] = []): SessionEffect[] {
    if (this.#phase === 'away' || this.#phase === 'over' || !this.features.has(FEATURE.files)) return [];
    switch (what) {
      case 'offer':
        return [send(SESSION_FRAME.offerFile, OfferFile.encode({ fileId, bytes, keepFor: [...keepFor] }))];
      case 'withdraw':
        return [send(SESSION_FRAME.withdrawFile, WithdrawFile.encode({ fileId }))];
      case 'decline':
        return [send(SESSION_FRAME.declineFile, DeclineFile.encode({ fileId }))];
    }
  }

  #fileProgress({ fileId, memberId, state, doneBytes }: FileProgressFrame): SessionEffect[] {
    const member = this.#roster.member(idKey(memberId));
    if (member === undefined) return [];
    return [event({ kind: 'file-progress', fileId: fileId.slice(), member, state, doneBytes })];
  }

  /** Time passes: to be called a few times a second. */
  tick(moment: Moment): SessionEffect[] {
    // Whoever was away may have wraps coming for keys that are old by now.
    if (this.#phase === 'live') this.#wrapKeys.drop(moment.nowMs);
    if (this.#phase === 'over') return [];
    const effects: SessionEffect[] = this.#all.flatMap(({ outgoing }) => outgoing.late(moment));
    if (this.#phase === 'away') return effects;
    effects.push(...this.#renewal.due(moment, LIMITS.wrapKeyMs));
    if (moment.nowMs - this.#lastPingMs >= LIMITS.pingMs) {
      this.#lastPingMs = moment.nowMs;
      effects.push(send(SESSION_FRAME.ping, new Uint8Array()));
    }
    this.#forgetGone(moment);
    effects.push(...this.#conversations.tick(moment));
    for (const conversation of this.#all) {
      effects.push(...conversation.timeline.tick(moment));
      if (this.#isRead(conversation)) effects.push(...conversation.ack(this.#keepsWhenSaved, moment));
    }
    this.#tellRead(moment);
    return [...effects, ...this.#pump(moment)];
  }

  /** What has disappeared is remembered nowhere. */
  #forgetGone({ nowMs }: Moment): void {
    const { staySeconds } = this.#roster.settings;
    if (staySeconds === 0) return;
    const beforeMs = nowMs - staySeconds * 1_000;
    this.#evidence.expire(beforeMs);
    for (const { timeline } of this.#all) timeline.book.expire(beforeMs);
  }

  /** All that `save` gave with this mark is kept where the program's end does not reach it. */
  saved({ logs, generation }: SaveMark, moment: Moment): SessionEffect[] {
    for (const { key, record, index } of logs) {
      const conversation = this.#all.find((each) => each.key === key);
      if (conversation?.record === record) conversation.savedIndex = index;
    }
    const { next } = this.#wrapKeys;
    if (next === null || next > generation || this.#phase === 'over') return [];
    return this.#renewal.kept(this.#phase !== 'away', moment);
  }

  /** Whether the host has been silent for so long that the line must be dead. */
  isDead(nowMs: number): boolean {
    return this.#phase !== 'away' && this.#phase !== 'over' && nowMs - this.#lastHeardMs >= LIMITS.deadMs;
  }

  wrapKeysMade(pair: WrapKeyPair, moment: Moment): SessionEffect[] {
    if (this.#phase === 'over') return [];
    this.#revision += 1;
    return this.#renewal.made(pair, this.#phase !== 'away', !this.#keepsWhenSaved, moment);
  }

  /** The person has taken note of the alarms: sending goes on, on a new connection where this one is of no more use. */
  acknowledge(moment: Moment): SessionEffect[] {
    this.#alarms.acknowledge();
    this.#revision += 1;
    const areAnew = this.#conversations.acknowledge();
    return this.#timeline.acknowledge() || areAnew ? [{ kind: 'reconnect' }] : this.#pump(moment);
  }

  /**
   * What the person decides about the key of a member.
   * @throws InputError when there is nothing of the kind to decide
   */
  mark(member: RosterMember, mark: Mark, moment: Moment): SessionEffect[] {
    this.#trust.mark(member, mark);
    this.#revision += 1;
    return this.#pump(moment);
  }

  /** Going for good. The host answers by closing. */
  leave(): SessionEffect[] {
    if (this.#phase === 'away' || this.#phase === 'over') return [];
    return [askToLeave(this.#identity, this.#roomId, this.#roster.epoch)];
  }

  /** Nothing is said or opened any more. */
  erase(): void {
    this.#phase = 'over';
    this.#room.erase();
    this.#conversations.erase();
  }

  #startListing(): SessionEffect[] {
    this.#phase = 'listing';
    return [this.#list.pull()];
  }

  #listPage(page: ListPage): SessionEffect[] {
    const listed = this.#list.page(page);
    if (listed === null) return [this.#list.pull()];
    if (this.#phase === 'listing') return this.#listKnown(listed);
    return [
      ...listed.flatMap(({ key, presence }) => this.#list.present(key, presence, this.#roster)),
      ...this.#told(this.#receipts.release()),
    ];
  }

  /** How far members have the log who were offline. */
  #marksArrived(marks: ReceiptsFrame['marks']): SessionEffect[] {
    return marks.flatMap(({ memberId, ...mark }) => {
      const key = idKey(memberId);
      const isOther = key !== this.#self && this.#roster.member(key) !== undefined;
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
    const { owner } = this.#ledger;
    if (welcome === null || owner === null) return [];
    const before = this.#roster;
    const effects: SessionEffect[] = [];
    if (this.#isShorter) {
      this.#timeline.forsake();
      const text = 'The log of the host is shorter than what you have already seen.';
      effects.push(...this.#alarms.raise('history-lost', text));
    }
    if (this.#timeline.history !== null) return this.#resumed(listed);
    const { roster, self } = adoptList({
      roomId: this.#roomId,
      owner,
      operation: welcome.operation,
      identity: this.#identity,
      listed,
      before,
      era: this.#lostAfter,
    });
    this.#isShorter = false;
    this.#lostAfter = null;
    this.#room.beginRecord();
    // Whoever was removed meanwhile may hold the old chain.
    this.#room.speaking.dropChain();
    this.#conversations.roomChanged(before.members.filter(({ key }) => roster.member(key) === undefined));
    this.#ledger.begin(roster);
    this.#timeline.begin(roomPosition(welcome));
    this.#list.begin(listed);
    this.#phase = 'reading';
    if (!this.#joinedOnce) effects.push(this.#joined(self), ...this.#trust.reminders(roster));
    // An earlier run of the program knew a list as well.
    if (before.size > 0) effects.push(...this.#difference(before));
    this.#joinedOnce = true;
    effects.push(...this.#room.exchange.offerHeldWraps(roster));
    // With every key held so far, messages may have been placed before this record begins.
    this.#room.hearing.skipped();
    return [...effects, this.#room.pullLog()];
  }

  /** Goes on where an earlier run stopped: the list tells who is here, and the log what became of the room since. */
  #resumed(listed: readonly ListedMember[]): SessionEffect[] {
    const { self } = this;
    if (self === undefined) throw new SecurityError('bad-welcome', 'the saved list does not name you');
    this.#list.begin(listed);
    this.#joinedOnce = true;
    this.#phase = 'reading';
    return [
      ...[this.#joined(self), ...this.#trust.reminders(this.#roster)],
      ...[...this.#room.exchange.offerHeldWraps(this.#roster), this.#room.pullLog()],
    ];
  }

  /** Each speaks of one log. */
  #anyLost(eras: readonly Signed[]): SessionEffect[] {
    const [latest] = eras.slice(-1);
    const [position] = latest === undefined ? [] : EraObject.decode(latest.bytes).positions;
    if (position === undefined) return [];
    const { conversation } = position;
    return bytesEqual(conversation, ROOM_CONVERSATION)
      ? this.#lost(eras)
      : this.#conversations.lost(eras, conversation);
  }

  /**
   * The host has begun again from before what this member has seen, and the owner's signature says so: a new connection
   * goes on from there. Without one that fits, the log is held against this record as ever.
   */
  #lost(eras: readonly Signed[]): SessionEffect[] {
    const { history } = this.#timeline;
    const where = this.#timeline.whereLost(eras);
    if (history === null || where === null) return [];
    const lost = history.index - where.position.index;
    this.#timeline.lost(where);
    if (this.#timeline.history === null) this.#lostAfter = where.era;
    this.#isShorter = false;
    this.#room.beginRecord();
    this.#room.speaking.dropChain();
    this.#room.hearing.dropChains();
    this.#phase = 'away';
    const entries = lost === 1 ? 'last entry' : `last ${lost} entries`;
    const text = `The host restarted and lost the ${entries}.`;
    return [event({ kind: 'notice', level: 'warning', code: 'entries-lost', text }), { kind: 'reconnect' }];
  }

  #joined(self: RosterMember): SessionEffect {
    const { roomName } = this.#roster;
    return event({ kind: 'joined', roomId: this.#roomId, roomName, self, members: this.members });
  }

  /** Too far behind to be told entry by entry. */
  #difference(before: Roster): SessionEffect[] {
    const change = difference(before, this.#roster);
    if (change === null) return [];
    for (const { member } of change.removed) this.#forget(member.key, change.epoch);
    return [event({ kind: 'roster', change }), ...this.#trust.changed(change, this.#roster)];
  }

  #rosterChanged(change: RosterChange): SessionEffect[] {
    for (const { member } of change.removed) this.#forget(member.key, change.epoch);
    if (change.settings !== null || change.changed.some(({ after }) => after.key === this.#self))
      this.#room.speaking.slowChanged();
    this.#conversations.roomChanged(change.removed.map(({ member }) => member));
    return [
      ...this.#trust.changed(change, this.#roster),
      ...this.#room.exchange.offerHeldWraps(this.#roster),
    ];
  }

  #forget(member: IdKey, epoch: number): void {
    this.#room.forget(member);
    this.#known.forget(member, epoch);
    this.#list.forget(member);
    this.#receipts.forget(member);
  }

  #logPage(page: LogPage, moment: Moment): SessionEffect[] {
    const expected = this.#timeline.reach + 1;
    if (page.first < expected || (page.items.length === 0 && !page.live)) {
      throw new ProtocolError('bad-page', 'a page of the log that was not asked for');
    }
    if (page.first > expected) {
      // Too far behind: begin again from WELCOME. What lay between is gone, and the person is told.
      this.#timeline.passedTo(page.first);
      return this.#startListing();
    }
    const effects = this.#timeline.page(page, moment, this.#returning);
    if (!page.live) return [...effects, ...this.#readOn()];
    this.#phase = 'live';
    if (this.#welcome !== null)
      effects.push(...this.#timeline.caughtUp(this.#welcome.retention, this.#liveAtMs, moment));
    effects.push(...this.#room.exchange.withheld(this.#roster));
    effects.push(event({ kind: 'live', again: this.#returning }));
    const again = this.#returning;
    if (again) effects.push(this.#list.pull());
    this.#returning = false;
    effects.push(...this.#heldActs.release((request) => this.act(request)));
    effects.push(...this.#conversations.roomLive(again, moment));
    return [...effects, ...this.#pump(moment)];
  }

  /** The next page of the log, once this one has been judged to its end. */
  #readOn(): SessionEffect[] {
    return this.#phase === 'reading' && !this.#timeline.isHeld ? [this.#room.pullLog()] : [];
  }

  #keysArrived(statements: readonly Signed[], moment: Moment): SessionEffect[] {
    const { by, for: purpose } = this.#pulls.answered();
    if (purpose === 'speaking') return [...by.outgoing.keysArrived(statements), ...this.#pump(moment)];
    const { timeline, exchange, ledger } = by;
    const sender = timeline.heldFor;
    if (sender === null) return [];
    const effects = exchange.identityArrived(statements[0], sender, timeline, moment);
    if (this.#isLive(by)) effects.push(...exchange.withheld(ledger.circle));
    const beside = this.#conversations.find(by.key);
    effects.push(...(beside === undefined ? this.#readOn() : this.#conversations.readOn(beside)));
    return [...effects, ...this.#pump(moment)];
  }

  #isLive({ key }: Conversation): boolean {
    if (key === this.#room.key) return this.#phase === 'live';
    return this.#phase === 'live' && this.#conversations.find(key)?.phase === 'live';
  }

  /** On this line, as far as it goes: what the host has of it is known to be the same. */
  #isRead({ key }: Conversation): boolean {
    const phase = key === this.#room.key ? this.#phase : this.#conversations.find(key)?.phase;
    return phase === 'live' || phase === 'reading';
  }

  /** @throws ProtocolError for one that this side is not in */
  #conversation(id: ConversationId): Conversation {
    return bytesEqual(id, ROOM_CONVERSATION) ? this.#room : this.#conversations.of(id).conversation;
  }

  #entry(entry: Entry, moment: Moment): SessionEffect[] {
    const conversation = this.#conversation(entry.conversation);
    if (this.#conversations.isAhead(conversation.key)) return [];
    if (!this.#isLive(conversation)) unexpected(SESSION_FRAME.entry);
    const effects = conversation.timeline.arrived(entry, moment);
    return [...this.#shownBefore(conversation, effects), ...effects, ...this.#pump(moment)];
  }

  /** A conversation is shown before what is said in it. */
  #shownBefore({ key }: Conversation, effects: readonly SessionEffect[]): SessionEffect[] {
    const beside = this.#conversations.find(key);
    const isSaid = effects.some((each) => each.kind === 'event' && each.event.kind !== 'conversation');
    return beside !== undefined && isSaid ? this.#conversations.show(beside) : [];
  }

  #anyLogPage(page: LogPage, moment: Moment): SessionEffect[] {
    const isRoom = bytesEqual(page.conversation, ROOM_CONVERSATION);
    if (isRoom)
      return this.#phase === 'reading' ? this.#logPage(page, moment) : unexpected(SESSION_FRAME.log);
    const retention = this.#place?.retention;
    if (this.#phase !== 'live' || retention === undefined) return unexpected(SESSION_FRAME.log);
    return [...this.#conversations.logPage(page, retention, moment), ...this.#pump(moment)];
  }

  #wrapArrived(delivered: ReturnType<typeof WrapDelivery.decode>): SessionEffect[] {
    const { conversation } = ChainAnnouncement.decode(delivered.announcement.bytes);
    if (bytesEqual(conversation, ROOM_CONVERSATION)) {
      const circle = this.#phase === 'listing' ? null : this.#roster;
      return this.#room.exchange.wrapArrived(delivered, circle);
    }
    const beside = this.#conversations.find(idKey(conversation));
    if (beside === undefined) {
      // One that this side is about to be told of.
      if (this.#earlyWraps.length < EARLY_WRAPS_MOST) this.#earlyWraps.push(copyOfDelivery(delivered));
      return [];
    }
    const isRead = beside.conversation.timeline.history !== null && this.#phase === 'live';
    return beside.conversation.exchange.wrapArrived(delivered, isRead ? beside.ledger : null);
  }

  /** Wraps that came before what they are for. */
  #offerWraps(): SessionEffect[] {
    return this.#earlyWraps.splice(0).flatMap((delivered) => this.#wrapArrived(delivered));
  }

  #placedBefore(placed: ReturnType<typeof Placed.decode>, moment: Moment): SessionEffect[] {
    const conversation = this.#conversation(placed.conversation);
    return conversation.outgoing.placedBefore(placed, this.#isLive(conversation), moment);
  }

  #deferred(deferred: Deferred, moment: Moment): SessionEffect[] {
    const isRoom = bytesEqual(deferred.conversation, ROOM_CONVERSATION);
    const key = idKey(deferred.conversation);
    const conversation = isRoom ? this.#room : this.#conversations.find(key)?.conversation;
    // One that this member has just left.
    if (conversation === undefined) return [];
    conversation.speaking.deferred(deferred, moment.nowMs);
    return [...conversation.outgoing.slowed(moment), ...this.#pump(moment)];
  }

  #needKey(request: Signed, moment: Moment): void {
    const { conversation: id } = NeedKey.decode(request.bytes);
    const isRoom = bytesEqual(id, ROOM_CONVERSATION);
    const conversation = isRoom ? this.#room : this.#conversations.find(idKey(id))?.conversation;
    conversation?.exchange.needKey(request, conversation.ledger.circle, moment);
  }

  #pump(moment: Moment): SessionEffect[] {
    this.#conversations.payDebts(moment);
    return this.#all.flatMap((conversation) =>
      conversation.outgoing.pump(this.#isLive(conversation), moment),
    );
  }
}

/** For conversations that this member is about to be told of: whoever adds them may speak at once. */
const EARLY_WRAPS_MOST = 256;

type Delivery = ReturnType<typeof WrapDelivery.decode>;

/** Frames are views of a read buffer: what is kept beyond them is copied. */
function copyOfDelivery(delivery: Delivery): Delivery {
  return WrapDelivery.decode(WrapDelivery.encode(delivery).slice());
}

const PAUSED =
  'The host has closed the room for now. It is kept: this program tries until it is open again, and your place stays.';

function placeOf({ memberId, accountKey, sessionId, retention }: SavedState): Place {
  return { memberId, accountKey: accountKey.slice(), sessionId, retention };
}

function awayFrame(away: boolean): SessionEffect {
  return send(SESSION_FRAME.away, Away.encode({ away }));
}

function notConnected(): InputError {
  return new InputError('not-connected', 'Not connected just now. Try again once you are back.');
}

function unexpected(type: number): never {
  throw new ProtocolError('unexpected-frame', `frame ${type} at this point of a session`);
}
