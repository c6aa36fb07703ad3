/**
 * A member's side of a room, from WELCOME on, across reconnections: which frame means what in which phase, and what is
 * asked of the host. What the log says is judged in `timeline.ts`, what is said goes out through `outgoing.ts`.
 *
 *   listing ─▶ reading ─▶ live      away: no connection; LOGIN leads back to reading
 * @see docs/protocol.md#session
 */
import type { WrapKeyPair } from '../crypto/key-wrap.ts';
import { Roster, type RosterChange, type RosterMember } from '../crypto/roster.ts';
import { importVerifyKey, type SigningKey, type VerifyKey } from '../crypto/signature.ts';
import type { ActRequest } from '../protocol/acts.ts';
import type { Welcome } from '../protocol/admission-frames.ts';
import { type Bytes, bytesEqual, fromHex } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import type { Content } from '../protocol/content.ts';
import { InputError, ProtocolError, SecurityError } from '../protocol/errors.ts';
import { frameBody, frameType } from '../protocol/framing.ts';
import {
  type Hash,
  hash,
  type IdKey,
  idKey,
  ROOM_CONVERSATION,
  type RoomId,
} from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import { PASSING_CLOSES } from '../protocol/reasons.ts';
import {
  Ack,
  ActAnswer,
  Away,
  Close,
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
  PullLog,
  Receipts as ReceiptsFrame,
  RegisterReply,
  SESSION_FRAME,
  WrapDelivery,
  WrapsTaken,
} from '../protocol/session-frames.ts';
import { type Era, type RoomSettings, RosterEntry } from '../protocol/signed-objects.ts';
import { agreedFeatures, DIALECT, type Dialect } from '../protocol/version.ts';
import { actAnswered, askOwner, askToLeave, HeldActs } from './acting.ts';
import { Alarms } from './alarms.ts';
import { difference } from './difference.ts';
import { event, type SessionEffect, type ShownMember, send } from './events.ts';
import { Hearing } from './hearing.ts';
import { KeyExchange } from './key-exchange.ts';
import type { ListedMember } from './list-reader.ts';
import { MemberList } from './member-list.ts';
import { Outgoing } from './outgoing.ts';
import { type Receipt, Receipts } from './receipts.ts';
import { checkRegister, Registering } from './registering.ts';
import { eraseSavedState, type SavedState } from './saved-state.ts';
import { Speaking } from './speaking.ts';
import { Timeline } from './timeline.ts';
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
  /** Which record of the log: one that begins anew, or goes back, is another. */
  readonly record: number;
  /** Of the log. */
  readonly index: number;
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
  readonly #speaking: Speaking;
  readonly #hearing: Hearing;
  readonly #timeline: Timeline;
  readonly #keys: KeyExchange;
  readonly #outgoing: Outgoing;
  readonly #list: MemberList;
  readonly #heldActs = new HeldActs();
  readonly #receipts: Receipts;
  #away = false;
  readonly #registering = new Registering();
  #owner: VerifyKey | null = null;
  #welcome: Welcome | null = null;
  /** As an earlier run has kept it; `null` where this one goes on with none. */
  readonly #savedPlace: Place | null;
  #phase: Phase = 'away';
  #joinedOnce = false;
  /** A line was lost since joining, the first one before it was live included: the person is told of the return. */
  #returning = false;
  readonly #prefers: Prefer | null;
  readonly #keepsWhenSaved: boolean;
  /** The log is this member's for good up to here, and the host has been told of it. */
  #savedIndex = 0;
  /** Counts records of the log. */
  #record = 0;
  /** Counts what is worth keeping. */
  #revision = 0;
  /** The host's log is shorter than this record: an alarm, unless a start of the room says why. */
  #isShorter = false;
  /** The start of the room after which this record begins anew. */
  #lostAfter: Era | null = null;
  #toldElsewhere = false;
  #acknowledged = 0;
  #lastAckMs = 0;
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
    this.#speaking = new Speaking(identity, roomId, saved?.sequence);
    this.#hearing = new Hearing(roomId, identity.memberId);
    this.#list = new MemberList(this.#self, (member) => this.#trust.isVerified(member));
    this.#receipts = new Receipts({
      isOffline: (member) => this.#list.isOffline(member),
      isKnown: () => this.#phase === 'live' && !this.#list.isPulling,
    });
    this.#keys = new KeyExchange({
      roomId,
      identity,
      wrapKeys: start.wrapKeys,
      alarms: this.#alarms,
      hearing: this.#hearing,
      speaking: this.#speaking,
    });
    this.#timeline = new Timeline({
      roomId,
      self: this.#self,
      ownKey: importVerifyKey(identity.spki, identity.algorithm),
      hearing: this.#hearing,
      alarms: this.#alarms,
      placed: (leaf) => this.#speaking.placed(leaf)?.said ?? null,
      isOfEarlierRun: (chain) => this.#speaking.isOfEarlierRun(chain),
      // Senders whose record went further have dropped theirs too: nobody goes on with keys of before.
      eraBegan: () => this.#speaking.dropChain(),
      ownPlaced: (own) => this.#told(this.#receipts.placed(own)),
      quoted: (member, generation) => this.#speaking.quoted(member, generation),
      rosterChanged: (change) => this.#rosterChanged(change),
      hadAllAtMs: () => this.#liveAtMs,
      keyMissing: (header, moment) => this.#keys.keyMissing(header, moment),
      identityWanted: (sender) => this.#keys.pullIdentity(sender),
    });
    this.#outgoing = new Outgoing({
      self: this.#self,
      wrapKeys: start.wrapKeys,
      alarms: this.#alarms,
      hearing: this.#hearing,
      keys: this.#keys,
      speaking: this.#speaking,
      timeline: this.#timeline,
      trust: this.#trust,
    });
    if (saved !== null) this.#restore(saved);
  }

  #restore(saved: SavedState): void {
    this.#owner = importVerifyKey(saved.ownerKey, 'rsa');
    const { entries, usedActs, ...roster } = saved.roster;
    const kept = {
      ...roster,
      entries: entries.map((entry) => RosterEntry.decode(entry)),
      usedActs: usedActs.map(({ name, epoch }) => ({ name: idKey(name), epoch })),
    };
    this.#timeline.restore(Roster.restore(this.#roomId, this.#owner, kept), this.#owner, saved);
    this.#hearing.restore(saved.voices);
    this.#savedIndex = saved.log.index;
    this.#returning = true;
    // What it opens is to be gone once this run has moved past it.
    eraseSavedState(saved);
  }

  /** All that a later run needs to go on; `null` while there is nothing to go on with. Secrets are among it. */
  save(): Save | null {
    const log = this.#timeline.save();
    const roster = this.#roster.save();
    const place = this.#place;
    if (log === null || roster === null || place === null || this.#owner === null) return null;
    const { memberId, accountKey, sessionId, retention } = place;
    const wrapKeys = this.#wrapKeys.save();
    const state: SavedState = {
      roomId: this.#roomId,
      ownerKey: this.#owner.spki,
      ...{ memberId, accountKey: accountKey.slice(), sessionId, retention },
      roster: {
        ...roster,
        entries: this.#roster.members.map(({ encoded }) => encoded),
        hashes: [...roster.hashes],
        usedActs: roster.usedActs.map(({ name, epoch }) => ({ name: hash(fromHex(name)), epoch })),
      },
      ...log,
      voices: this.#hearing.save(),
      wrapKeys: [...wrapKeys],
      heldBack: this.#alarms.heldBack,
      sequence: this.#speaking.sequence,
      pins: this.#trust.save(),
    };
    const generation = Math.max(...wrapKeys.map((key) => key.generation));
    return { state, mark: { record: this.#record, index: log.log.index, generation } };
  }

  /** Changes whenever there is something new to save. */
  get revision(): number {
    return this.#revision;
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
    return this.#speaking.unplaced;
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
  get wrapGeneration(): number {
    return this.#wrapKeys.current.generation;
  }
  /** Of one's own: the keys that others wrap to, and the chain that one sends under; `null`: the next message begins one. */
  ownKeys(moment: Moment): {
    readonly wrapKeys: { readonly generation: number; readonly madeAtMs: number };
    readonly chain: ReturnType<Speaking['chain']>;
  } {
    const { generation, madeAtMs } = this.#wrapKeys.current;
    const chain = this.#speaking.chain({ roster: this.#roster, moment });
    return { wrapKeys: { generation, madeAtMs }, chain };
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

  get #roster(): Roster {
    return this.#timeline.roster;
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
    this.#owner ??= importVerifyKey(welcome.ownerKey, 'rsa');
    this.#welcome = welcome;
    this.#lastHeardMs = moment.nowMs;
    this.#lastPingMs = moment.nowMs;
    this.#list.reconnected();
    this.#timeline.resume();
    this.#speaking.reconnected(moment.nowMs);
    effects.push(...this.#keys.reconnected(moment), ...this.#registering.reconnected());
    this.#acknowledged = position.acknowledged;
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
    return [...effects, this.#pullLog()];
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
        if (this.#phase !== 'live') unexpected(type);
        return [...this.#timeline.arrived(Entry.decode(body), moment), ...this.#pump(moment)];
      case SESSION_FRAME.list:
        return this.#listPage(ListPage.decode(body));
      case SESSION_FRAME.log:
        return this.#phase === 'reading' ? this.#logPage(LogPage.decode(body), moment) : unexpected(type);
      case SESSION_FRAME.wrap:
        return this.#keys.wrapArrived(
          WrapDelivery.decode(body),
          this.#phase === 'listing' ? null : this.#roster,
        );
      case SESSION_FRAME.keys:
        return this.#keysArrived(KeysPage.decode(body).statements, moment);
      case SESSION_FRAME.wrapsTaken:
        this.#speaking.wrapsTaken(WrapsTaken.decode(body), moment.nowMs);
        return this.#pump(moment);
      case SESSION_FRAME.placed:
        return this.#outgoing.placedBefore(Placed.decode(body), this.#phase === 'live', moment);
      case SESSION_FRAME.deferred:
        this.#speaking.deferred(Deferred.decode(body), moment.nowMs);
        return [...this.#outgoing.slowed(moment), ...this.#pump(moment)];
      case SESSION_FRAME.needKey:
        this.#keys.needKey(NeedKeyFrame.decode(body).request, this.#roster, moment);
        return [];
      case SESSION_FRAME.actAnswer:
        return [event(actAnswered(ActAnswer.decode(body)))];
      case SESSION_FRAME.eras:
        if (this.#phase === 'live') unexpected(type);
        return this.#alarms.watch(() => this.#lost(Eras.decode(body).eras));
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
    this.#outgoing.say(content, ref, moment);
    return [...this.setAway(false), ...this.#pump(moment)];
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

  /** Time passes: to be called a few times a second. */
  tick(moment: Moment): SessionEffect[] {
    // Whoever was away may have wraps coming for keys that are old by now.
    if (this.#phase === 'live') this.#wrapKeys.drop(moment.nowMs);
    if (this.#phase === 'over') return [];
    const effects: SessionEffect[] = this.#outgoing.late(moment);
    if (this.#phase === 'away') return effects;
    effects.push(...this.#keys.renewalDue(moment, LIMITS.wrapKeyMs));
    if (moment.nowMs - this.#lastPingMs >= LIMITS.pingMs) {
      this.#lastPingMs = moment.nowMs;
      effects.push(send(SESSION_FRAME.ping, new Uint8Array()));
    }
    effects.push(...this.#timeline.tick(moment), ...this.#ack(moment));
    return [...effects, ...this.#pump(moment)];
  }

  /** All that `save` gave with this mark is kept where the program's end does not reach it. */
  saved({ record, index, generation }: SaveMark, moment: Moment): SessionEffect[] {
    if (record === this.#record) this.#savedIndex = index;
    const { next } = this.#wrapKeys;
    if (next === null || next > generation || this.#phase === 'over') return [];
    return this.#keys.wrapKeysKept(this.#phase !== 'away', moment);
  }

  /** Tells the host what it need not keep for this member any longer, now and then. */
  #ack({ nowMs }: Moment): SessionEffect[] {
    const { history } = this.#timeline;
    if (history === null || (this.#phase !== 'live' && this.#phase !== 'reading')) return [];
    const index = this.#keepsWhenSaved ? Math.min(this.#savedIndex, history.index) : history.index;
    const isDue = nowMs - this.#lastAckMs >= LIMITS.ackMs || index - this.#acknowledged >= LIMITS.ackEntries;
    if (index <= this.#acknowledged || !isDue) return [];
    this.#acknowledged = index;
    this.#lastAckMs = nowMs;
    return [send(SESSION_FRAME.ack, Ack.encode({ conversation: ROOM_CONVERSATION, index }))];
  }

  /** Whether the host has been silent for so long that the line must be dead. */
  isDead(nowMs: number): boolean {
    return this.#phase !== 'away' && this.#phase !== 'over' && nowMs - this.#lastHeardMs >= LIMITS.deadMs;
  }

  wrapKeysMade(pair: WrapKeyPair, moment: Moment): SessionEffect[] {
    if (this.#phase === 'over') return [];
    this.#revision += 1;
    return this.#keys.wrapKeysMade(pair, this.#phase !== 'away', !this.#keepsWhenSaved, moment);
  }

  /** The person has taken note of the alarms: sending goes on, on a new connection where this one is of no more use. */
  acknowledge(moment: Moment): SessionEffect[] {
    this.#alarms.acknowledge();
    this.#revision += 1;
    return this.#timeline.acknowledge() ? [{ kind: 'reconnect' }] : this.#pump(moment);
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
    this.#hearing.eraseAll();
    this.#speaking.dropChain();
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
    const owner = this.#owner;
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
    this.#beginRecord();
    // Whoever was removed meanwhile may hold the old chain.
    this.#speaking.dropChain();
    this.#timeline.begin(roster, owner, roomPosition(welcome));
    this.#list.begin(listed);
    this.#phase = 'reading';
    if (!this.#joinedOnce) effects.push(this.#joined(self), ...this.#trust.reminders(roster));
    // An earlier run of the program knew a list as well.
    if (before.size > 0) effects.push(...this.#difference(before));
    this.#joinedOnce = true;
    effects.push(...this.#keys.offerHeldWraps(roster));
    // With every key held so far, messages may have been placed before this record begins.
    this.#hearing.skipped();
    return [...effects, this.#pullLog()];
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
      ...[...this.#keys.offerHeldWraps(this.#roster), this.#pullLog()],
    ];
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
    this.#beginRecord();
    this.#speaking.dropChain();
    this.#hearing.dropChains();
    this.#phase = 'away';
    const entries = lost === 1 ? 'last entry' : `last ${lost} entries`;
    const text = `The host restarted and lost the ${entries}.`;
    return [event({ kind: 'notice', level: 'warning', code: 'entries-lost', text }), { kind: 'reconnect' }];
  }

  /** What has been saved, or is being saved just now, is of the record before. */
  #beginRecord(): void {
    this.#record += 1;
    this.#savedIndex = 0;
  }

  #joined(self: RosterMember): SessionEffect {
    const { roomName } = this.#roster;
    return event({ kind: 'joined', roomId: this.#roomId, roomName, self, members: this.members });
  }

  /** Too far behind to be told entry by entry. */
  #difference(before: Roster): SessionEffect[] {
    const change = difference(before, this.#roster);
    if (change === null) return [];
    for (const { member } of change.removed) this.#forget(member.key);
    return [event({ kind: 'roster', change }), ...this.#trust.changed(change, this.#roster)];
  }

  #rosterChanged(change: RosterChange): SessionEffect[] {
    for (const { member } of change.removed) this.#forget(member.key);
    if (change.settings !== null || change.changed.some(({ after }) => after.key === this.#self))
      this.#speaking.slowChanged();
    return [...this.#trust.changed(change, this.#roster), ...this.#keys.offerHeldWraps(this.#roster)];
  }

  #forget(member: IdKey): void {
    this.#hearing.forget(member);
    this.#speaking.forget(member);
    this.#keys.forget(member);
    this.#list.forget(member);
    this.#receipts.forget(member);
  }

  #pullLog(): SessionEffect {
    const after = this.#timeline.reach;
    return send(SESSION_FRAME.pullLog, PullLog.encode({ conversation: ROOM_CONVERSATION, after }));
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
    effects.push(...this.#keys.withheld(this.#roster), event({ kind: 'live', again: this.#returning }));
    if (this.#returning) effects.push(this.#list.pull());
    this.#returning = false;
    effects.push(...this.#heldActs.release((request) => this.act(request)));
    return [...effects, ...this.#pump(moment)];
  }

  /** The next page of the log, once this one has been judged to its end. */
  #readOn(): SessionEffect[] {
    return this.#phase === 'reading' && !this.#timeline.isHeld ? [this.#pullLog()] : [];
  }

  #keysArrived(statements: readonly Signed[], moment: Moment): SessionEffect[] {
    if (this.#keys.whoAsked() === 'speaking') {
      const effects = this.#outgoing.keysArrived(statements, moment);
      return [...effects, ...this.#pump(moment)];
    }
    const sender = this.#timeline.heldFor;
    if (sender === null) return [];
    const effects = this.#keys.identityArrived(statements[0], sender, this.#timeline, moment);
    if (this.#phase === 'live') effects.push(...this.#keys.withheld(this.#roster));
    return [...effects, ...this.#readOn(), ...this.#pump(moment)];
  }

  #pump(moment: Moment): SessionEffect[] {
    return this.#outgoing.pump(this.#phase === 'live', moment);
  }
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
