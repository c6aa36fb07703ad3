/**
 * A member's side of a room, from WELCOME on, across reconnections: whom each frame is for, and what the person may ask.
 * How the room comes to be live is `room-conversation.ts`, what is said in it and beside it `all-conversations.ts`.
 * @see docs/protocol.md#session
 */
import type { WrapKeyPair } from '../crypto/key-wrap.ts';
import type { Roster, RosterMember } from '../crypto/roster.ts';
import { importVerifyKey, type SigningKey } from '../crypto/signature.ts';
import type { ActRequest } from '../protocol/acts.ts';
import type { LogPosition, Welcome } from '../protocol/admission-frames.ts';
import { type Bytes, bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import type { Content } from '../protocol/content.ts';
import { InputError } from '../protocol/errors.ts';
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
import type { RoomSettings } from '../protocol/signed-objects.ts';
import { agreedFeatures, DIALECT, type Dialect, FEATURE } from '../protocol/version.ts';
import { actAnswered, askOwner, askToLeave, HeldActs } from './acting.ts';
import { Alarms } from './alarms.ts';
import { AllConversations } from './all-conversations.ts';
import type { Beside } from './beside.ts';
import type { Conversation } from './conversation.ts';
import { Conversations, type ConversationWish } from './conversations.ts';
import {
  type ConversationView,
  event,
  type SessionEffect,
  type ShownMember,
  send,
  unexpected,
} from './events.ts';
import { EvidenceBook } from './evidence-book.ts';
import { FileBook } from './file-book.ts';
import type { FileNews } from './file-view.ts';
import { KeyPulls } from './key-pulls.ts';
import { KnownKeys } from './known-keys.ts';
import type { KnownMessage } from './message-book.ts';
import { checkRegister, Registering } from './registering.ts';
import { Renewal } from './renewal.ts';
import { type Phase, type Place, RoomConversation } from './room-conversation.ts';
import { eraseSavedState, type SavedState } from './saved-state.ts';
import { type Mark, Trust } from './trust.ts';
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

export class Session {
  readonly #roomId: RoomId;
  readonly #identity: SigningKey;
  readonly #self: IdKey;
  readonly #wrapKeys: OwnWrapKeys;
  readonly #dialect: Dialect;
  readonly #alarms: Alarms;
  readonly #trust: Trust;
  readonly #room: RoomConversation;
  /** Those beside the room. */
  readonly #beside: Conversations;
  readonly #all: AllConversations;
  readonly #known = new KnownKeys();
  readonly #pulls = new KeyPulls<Conversation>();
  readonly #renewal: Renewal;
  readonly #heldActs = new HeldActs();
  readonly #evidence = new EvidenceBook();
  /** Files that were offered here. */
  readonly files: FileBook;
  #away = false;
  readonly #registering = new Registering();
  readonly #prefers: Prefer | null;
  readonly #keepsWhenSaved: boolean;
  /** Counts what is worth keeping. */
  #revision = 0;
  #lastPingMs = 0;
  #lastHeardMs = 0;

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
    this.#alarms = new Alarms(saved?.heldBack);
    this.#trust = new Trust(this.#self, saved?.pins);
    this.#renewal = new Renewal(start.wrapKeys);
    const shared = {
      ...{ roomId, identity, self: this.#self, wrapKeys: start.wrapKeys },
      ownKey: importVerifyKey(identity.spki, identity.algorithm),
      ...{ alarms: this.#alarms, trust: this.#trust, keys: this.#known, pulls: this.#pulls },
      evidence: this.#evidence,
      hadAllAtMs: () => this.#room.liveAtMs,
      tellsRead: (start.prefers ?? USUAL_PREFER).receipts,
    };
    this.#room = new RoomConversation({
      ...{ shared, saved },
      changed: (removed) => this.#beside.roomChanged(removed),
    });
    this.#beside = new Conversations({
      ...{ shared, room: this.#room.ledger },
      roomEra: () => this.#room.conversation.timeline.era,
      touched: () => {
        this.#revision += 1;
      },
    });
    this.#all = new AllConversations(this.#room, this.#beside, this.#pulls);
    this.files = new FileBook(saved?.files, (id) => this.#roster.member(idKey(id)), this.#self);
    if (saved === null) return;
    this.#beside.restore(saved.conversations);
    // What it opens is to be gone once this run has moved past it.
    eraseSavedState(saved);
  }

  /** All that a later run needs to go on; `null` while there is nothing to go on with. Secrets are among it. */
  save(): Save | null {
    const room = this.#room.save();
    if (room === null) return null;
    const wrapKeys = this.#wrapKeys.save();
    const state: SavedState = {
      roomId: this.#roomId,
      ...room,
      wrapKeys: [...wrapKeys],
      heldBack: this.#alarms.heldBack,
      conversations: this.#beside.save(),
      files: this.files.save(),
      pins: this.#trust.save(),
    };
    const generation = Math.max(...wrapKeys.map((key) => key.generation));
    const logs = this.#all.each.flatMap(({ key, record, timeline: { history } }) =>
      history === null ? [] : [{ key, record, index: history.index }],
    );
    return { state, mark: { logs, entries: this.entries, generation } };
  }

  /** Changes whenever there is something new to save. */
  get revision(): number {
    return this.#revision + this.files.revision;
  }

  get phase(): Phase {
    return this.#room.phase;
  }
  get members(): readonly ShownMember[] {
    return this.#room.list.shown(this.#roster);
  }
  shown(member: RosterMember): ShownMember {
    return this.#room.list.shownOne(member);
  }
  get onlineCount(): number {
    return this.#room.list.onlineCount(this.#roster);
  }
  get settings(): RoomSettings {
    return this.#roster.settings;
  }
  get self(): RosterMember | undefined {
    return this.#room.self;
  }
  /** Whether this member has said that they are not at the keyboard. */
  get isAway(): boolean {
    return this.#away;
  }
  /** Messages said and not placed. */
  get unplaced(): number {
    return this.#all.each.reduce((sum, { speaking }) => sum + speaking.unplaced, 0);
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
    const { history } = this.#room.conversation.timeline;
    const { epoch, hash: operation } = this.#roster;
    return history === null ? null : { epoch, operation, index: history.index, head: history.head };
  }
  /** Where all logs stand that a record goes on with: what a LOGIN quotes. */
  get positions(): readonly LogPosition[] {
    return this.#all.each.flatMap(({ id: conversation, timeline: { history } }) =>
      history === null ? [] : [{ conversation, index: history.index, head: history.head }],
    );
  }
  /** How many entries have been read, in all logs. */
  get entries(): number {
    return this.positions.reduce((sum, { index }) => sum + index, 0);
  }
  /** Those beside the room. */
  get conversations(): readonly ConversationView[] {
    return this.#beside.all.map(({ view }) => view);
  }
  /** Who reads a conversation beside the room and has no line to the host; nobody of the room itself, which has no end of them. */
  absentFrom(conversation: ConversationId): readonly MemberId[] {
    const view = this.conversations.find(({ id }) => bytesEqual(id, conversation));
    const members = view?.members.map(({ member }) => member) ?? [];
    return members.filter((member) => !this.shown(member).online).map(({ memberId }) => memberId);
  }
  /** Who reads a conversation, or the room, beside this member; `null` of a conversation that is not known here. */
  readersOf(conversation: ConversationId): readonly IdKey[] | null {
    const isRoom = bytesEqual(conversation, ROOM_CONVERSATION);
    const view = this.conversations.find(({ id }) => bytesEqual(id, conversation));
    const members = isRoom ? this.members : view?.members;
    return members?.map(({ member }) => member.key).filter((key) => key !== this.#self) ?? null;
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
    const { owner } = this.#room.ledger;
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
    const { speaking, ledger } = this.#all.of(conversation);
    return { wrapKeys, chain: speaking.chain({ circle: ledger.circle, moment }) };
  }
  /** What this side and the host both know, by number; nothing before the first WELCOME. */
  get features(): ReadonlySet<number> {
    return agreedFeatures(this.#dialect.features, this.#room.welcome?.features ?? []);
  }
  /** What a LOGIN needs; `null` before the first WELCOME. */
  get login(): { readonly welcome: Place; readonly statement: Signed } | null {
    const place = this.#room.place;
    return place === null ? null : { welcome: place, statement: this.#wrapKeys.current.statement };
  }

  get #roster(): Roster {
    return this.#room.ledger.room;
  }

  /** A run at the door ended well. @throws SecurityError when what WELCOME says cannot be. */
  welcomed(welcome: Welcome, moment: Moment): SessionEffect[] {
    const effects = this.#room.welcomed(welcome, moment);
    this.#revision += 1;
    this.#lastHeardMs = moment.nowMs;
    this.#lastPingMs = moment.nowMs;
    this.#pulls.reconnected();
    this.#beside.welcomed(welcome, this.#room.liveAtMs);
    effects.push(...this.#renewal.reconnected(moment), ...this.#registering.reconnected());
    if (this.#prefers !== null) effects.push(send(SESSION_FRAME.prefer, Prefer.encode(this.#prefers)));
    // To the host, whoever goes offline is no longer away.
    if (this.#away) effects.push(awayFrame(true));
    return [...effects, ...this.#room.goOn()];
  }

  /** The connection is gone; the session waits for the next WELCOME. */
  disconnected(): void {
    this.#room.disconnected();
    this.#beside.disconnected(this.#room.liveAtMs);
  }

  /** @throws ProtocolError when a frame is malformed or does not belong here: the connection is to be closed. */
  onFrame(frame: Bytes, moment: Moment): SessionEffect[] {
    // This session has asked for another line, or has ended: what is still under way on this one is not for it.
    if (this.#room.phase === 'away' || this.#room.phase === 'over') return [];
    return this.#alarms.step(() => this.#onFrame(frame, moment));
  }

  #onFrame(frame: Bytes, moment: Moment): SessionEffect[] {
    this.#lastHeardMs = moment.nowMs;
    this.#room.heard(moment);
    const body = frameBody(frame);
    const type = frameType(frame);
    if (type !== SESSION_FRAME.ping && type !== SESSION_FRAME.pong) this.#revision += 1;
    switch (type) {
      case SESSION_FRAME.entry:
        return this.#all.entry(Entry.decode(body), moment);
      case SESSION_FRAME.list:
        return this.#room.listPage(ListPage.decode(body));
      case SESSION_FRAME.log:
        return this.#logPage(LogPage.decode(body), moment);
      case SESSION_FRAME.wrap:
        return this.#all.wrapArrived(WrapDelivery.decode(body));
      case SESSION_FRAME.keys:
        return this.#all.keysArrived(KeysPage.decode(body).statements, moment);
      case SESSION_FRAME.wrapsTaken:
        return this.#all.wrapsTaken(WrapsTaken.decode(body), moment);
      case SESSION_FRAME.placed:
        return this.#all.placedBefore(Placed.decode(body), moment);
      case SESSION_FRAME.deferred:
        return this.#all.deferred(Deferred.decode(body), moment);
      case SESSION_FRAME.needKey:
        this.#all.needKey(NeedKeyFrame.decode(body).request, moment);
        return [];
      case SESSION_FRAME.conversation:
        return this.#all.page(ConversationPage.decode(body), moment);
      case SESSION_FRAME.converseAnswer: {
        const { conversation, outcome } = ConverseAnswer.decode(body);
        return this.#beside.refused(conversation, outcome);
      }
      case SESSION_FRAME.actAnswer:
        return [event(actAnswered(ActAnswer.decode(body)))];
      case SESSION_FRAME.eras:
        if (this.#room.phase === 'live') unexpected(type);
        return this.#alarms.watch(() => this.#all.lost(Eras.decode(body).eras));
      case SESSION_FRAME.registerReply:
        return this.#registering.replied(RegisterReply.decode(body).response);
      case SESSION_FRAME.registered:
        Empty.decode(body);
        return this.#registering.registered();
      case SESSION_FRAME.presence:
        return Presence.decode(body).changes.flatMap(({ memberId, ...now }) =>
          this.#room.list.present(idKey(memberId), now, this.#roster),
        );
      case SESSION_FRAME.receipts:
        return this.#room.marksArrived(ReceiptsFrame.decode(body).marks);
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
        if (!PASSING_CLOSES.has(reason)) this.#room.end();
        return [event({ kind: 'closed', reason, text })];
      }
      default:
        return unexpected(type);
    }
  }

  #logPage(page: LogPage, moment: Moment): SessionEffect[] {
    if (!bytesEqual(page.conversation, ROOM_CONVERSATION)) return this.#all.logPage(page, moment);
    const again = this.#room.isReturning;
    const effects = this.#room.logPage(page, moment);
    if (this.#room.phase !== 'live') return effects;
    effects.push(...this.#heldActs.release((request) => this.act(request)));
    effects.push(...this.#beside.roomLive(again, moment));
    return [...effects, ...this.#all.pump(moment)];
  }

  /** @throws InputError when the text is too long, or too much waits for its place already. */
  say(content: Content, ref: string | null, moment: Moment): SessionEffect[] {
    this.#room.conversation.outgoing.say(content, ref, moment);
    return [...this.setAway(false), ...this.#all.pump(moment)];
  }

  /** Says it in a conversation beside the room. @throws InputError as `say`, or for one that this member is not in */
  sayIn(id: ConversationId, content: Content, ref: string | null, moment: Moment): SessionEffect[] {
    const { conversation, partnerId } = this.#besideCalled(id);
    if (partnerId !== null) this.#checkHere(idKey(partnerId));
    conversation.outgoing.say(content, ref, moment);
    return [...this.setAway(false), ...this.#all.pump(moment)];
  }

  /** Says it to one member alone. @throws InputError as `say`, to oneself, or where the host knows nothing of it */
  sayTo(member: RosterMember, content: Content, ref: string | null, moment: Moment): SessionEffect[] {
    this.#checkConversations();
    if (member.key === this.#self)
      throw new InputError('not-allowed', 'That is you. Notes to yourself are best kept elsewhere.');
    this.#checkHere(member.key);
    const { beside, effects } = this.#beside.direct(member, moment);
    beside.conversation.outgoing.say(content, ref, moment);
    return [...effects, ...this.setAway(false), ...this.#all.pump(moment)];
  }

  /** Makes a conversation of one's own, with these in it. @throws InputError for a name that cannot be one */
  makeConversation(
    start: { readonly name: string; readonly topic: string; readonly members: readonly RosterMember[] },
    moment: Moment,
  ): { readonly id: ConversationId; readonly effects: SessionEffect[] } {
    this.#checkConversations();
    const members = start.members.filter(({ key }) => key !== this.#self).map(({ memberId }) => memberId);
    const { beside, effects } = this.#beside.make({ ...start, members }, moment);
    return { id: beside.conversation.id, effects };
  }

  /** @throws InputError where this member may not, or is not in it */
  changeConversation(id: ConversationId, wish: ConversationWish): SessionEffect[] {
    return this.#beside.change(this.#besideCalled(id), wish);
  }

  /** Another name or topic. @throws InputError as `changeConversation`, or for a text that cannot be one */
  renameConversation(
    id: ConversationId,
    to: { readonly name?: string; readonly topic?: string },
    moment: Moment,
  ): SessionEffect[] {
    return this.#beside.rename(this.#besideCalled(id), to, moment);
  }

  /** Leaves it for good. @throws InputError where that cannot be */
  partConversation(id: ConversationId): SessionEffect[] {
    return this.#beside.part(this.#besideCalled(id));
  }

  /** @throws InputError for somebody whom the room does not list: there is nobody to say it to */
  #checkHere(member: IdKey): void {
    if (this.#roster.member(member) === undefined)
      throw new InputError('no-such-member', 'They are not in the room any more.');
  }

  #besideCalled(id: ConversationId): Beside {
    this.#checkConversations();
    const beside = this.#beside.find(idKey(id));
    if (beside === undefined)
      throw new InputError(
        'no-such-conversation',
        'You are not in that conversation. /conversations lists yours.',
      );
    return beside;
  }

  #checkConversations(): void {
    if (this.#room.welcome !== null && !this.features.has(FEATURE.conversations))
      throw new InputError(
        'not-supported',
        'The host of this room knows no direct messages or conversations.',
      );
    if (this.#room.ledger.owner === null || this.#room.phase === 'over') throw notConnected();
  }

  /** Where a message was said that is remembered here, and what is known of it. */
  messageCalled(
    id: string,
  ): { readonly conversation: ConversationId; readonly message: KnownMessage } | null {
    for (const { id: conversation, timeline } of this.#all.each) {
      const message = timeline.book.find(id);
      if (message !== null) return { conversation, message };
    }
    return null;
  }

  /** The latest of one's own in a conversation. */
  latestOwn(conversation: ConversationId): KnownMessage | null {
    return this.#all.find(conversation)?.timeline.book.latestOwn ?? null;
  }

  /** How the room lets its members change what they have said. */
  get policy(): Policy {
    return policyOf(this.#roster.settings);
  }

  /** A message of somebody else stands on this member's screen, and they look at it. */
  seen(id: string): void {
    for (const { timeline, reading } of this.#all.each) if (timeline.book.find(id) !== null) reading.seen(id);
  }

  /** Says whether they are at the keyboard. Speaking says that they are. */
  setAway(away: boolean): SessionEffect[] {
    if (away === this.#away) return [];
    this.#away = away;
    const effects = this.#room.list.setAway(away, this.#roster);
    return this.#room.hasLine ? [awayFrame(away), ...effects] : effects;
  }

  /**
   * Asks the owner for a change. What becomes of it is told by the log, or by a notice.
   * @throws InputError when the host knows nothing of it, this member may not, or there is no line just now.
   */
  act(request: ActRequest): SessionEffect[] {
    const { self } = this;
    const isSoonLive = this.#room.phase === 'listing' || this.#room.phase === 'reading';
    if (isSoonLive && this.#heldActs.hold(request)) return [];
    if (this.#room.phase !== 'live' || self === undefined) throw notConnected();
    const asking = { identity: this.#identity, roster: this.#roster, features: this.features };
    return [askOwner(request, self, asking)];
  }

  /** @throws InputError when this member can have no account here, or there is no line just now */
  mayRegister(): void {
    const { self } = this;
    const hasLine = this.#room.phase === 'live' || this.#room.phase === 'reading';
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
    if (!this.#room.hasLine || !this.features.has(FEATURE.files)) return [];
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
    if (this.#room.phase === 'live') this.#wrapKeys.drop(moment.nowMs);
    if (this.#room.phase === 'over') return [];
    const effects: SessionEffect[] = this.#all.each.flatMap(({ outgoing }) => outgoing.late(moment));
    if (this.#room.phase === 'away') return effects;
    effects.push(...this.#renewal.due(moment, LIMITS.wrapKeyMs));
    if (moment.nowMs - this.#lastPingMs >= LIMITS.pingMs) {
      this.#lastPingMs = moment.nowMs;
      effects.push(send(SESSION_FRAME.ping, new Uint8Array()));
    }
    this.#forgetGone(moment);
    const ways = { isAway: this.#away, keepsWhenSaved: this.#keepsWhenSaved };
    return [...effects, ...this.#all.tick(moment, ways)];
  }

  /** What has disappeared is remembered nowhere. */
  #forgetGone({ nowMs }: Moment): void {
    const { staySeconds } = this.#roster.settings;
    if (staySeconds === 0) return;
    const beforeMs = nowMs - staySeconds * 1_000;
    this.#evidence.expire(beforeMs);
    for (const { timeline } of this.#all.each) timeline.book.expire(beforeMs);
  }

  /** All that `save` gave with this mark is kept where the program's end does not reach it. */
  saved({ logs, generation }: SaveMark, moment: Moment): SessionEffect[] {
    for (const { key, record, index } of logs) {
      const conversation = this.#all.each.find((each) => each.key === key);
      if (conversation?.record === record) conversation.savedIndex = index;
    }
    const { next } = this.#wrapKeys;
    if (next === null || next > generation || this.#room.phase === 'over') return [];
    return this.#renewal.kept(this.#room.phase !== 'away', moment);
  }

  /** Whether the host has been silent for so long that the line must be dead. */
  isDead(nowMs: number): boolean {
    return this.#room.hasLine && nowMs - this.#lastHeardMs >= LIMITS.deadMs;
  }

  wrapKeysMade(pair: WrapKeyPair, moment: Moment): SessionEffect[] {
    if (this.#room.phase === 'over') return [];
    this.#revision += 1;
    return this.#renewal.made(pair, this.#room.phase !== 'away', !this.#keepsWhenSaved, moment);
  }

  /** The person has taken note of the alarms: sending goes on, on a new connection where this one is of no more use. */
  acknowledge(moment: Moment): SessionEffect[] {
    this.#alarms.acknowledge();
    this.#revision += 1;
    const areAnew = this.#beside.acknowledge();
    return this.#room.conversation.timeline.acknowledge() || areAnew
      ? [{ kind: 'reconnect' }]
      : this.#all.pump(moment);
  }

  /**
   * What the person decides about the key of a member.
   * @throws InputError when there is nothing of the kind to decide
   */
  mark(member: RosterMember, mark: Mark, moment: Moment): SessionEffect[] {
    this.#trust.mark(member, mark);
    this.#revision += 1;
    return this.#all.pump(moment);
  }

  /** Going for good. The host answers by closing. */
  leave(): SessionEffect[] {
    if (!this.#room.hasLine) return [];
    return [askToLeave(this.#identity, this.#roomId, this.#roster.epoch)];
  }

  /** Nothing is said or opened any more. */
  erase(): void {
    this.#room.end();
    this.#room.conversation.erase();
    this.#beside.erase();
  }
}

const PAUSED =
  'The host has closed the room for now. It is kept: this program tries until it is open again, and your place stays.';

function awayFrame(away: boolean): SessionEffect {
  return send(SESSION_FRAME.away, Away.encode({ away }));
}

function notConnected(): InputError {
  return new InputError('not-connected', 'Not connected just now. Try again once you are back.');
}
