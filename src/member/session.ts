/**
 * A member's side of a room, from WELCOME on, across reconnections: which frame means what in which phase, and what is
 * asked of the host. What the log says is judged in `timeline.ts`, what is said goes out through `speaking.ts`.
 *
 *   listing ─▶ reading ─▶ live      away: no connection; LOGIN leads back to reading
 * @see docs/protocol.md#session
 */

import { signAct } from '../crypto/acts.ts';
import type { WrapKeyPair } from '../crypto/key-wrap.ts';
import { Roster, type RosterChange, type RosterMember } from '../crypto/roster.ts';
import { importVerifyKey, type SigningKey, type VerifyKey } from '../crypto/signature.ts';
import { checkStatement } from '../crypto/statement.ts';
import type { ActRequest } from '../protocol/acts.ts';
import type { Welcome } from '../protocol/admission-frames.ts';
import { type Bytes, bytesEqual, utf8 } from '../protocol/bytes.ts';
import { cleanText } from '../protocol/clean-text.ts';
import type { Signed } from '../protocol/codec.ts';
import type { Content } from '../protocol/content.ts';
import { InputError, ProtocolError, SecurityError } from '../protocol/errors.ts';
import { encodeFrame, frameBody, frameType } from '../protocol/framing.ts';
import { type Hash, type IdKey, idKey, ROOM_CONVERSATION, type RoomId } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import {
  ActAnswer,
  ActFrame,
  Close,
  Deferred,
  Entry,
  KeysPage,
  LeaveFrame,
  ListPage,
  LogPage,
  NeedKeyFrame,
  Placed,
  Presence,
  PublishKey,
  PullKeys,
  PullLog,
  SESSION_FRAME,
  type Wrap,
  WrapDelivery,
  WrapsTaken,
} from '../protocol/session-frames.ts';
import { Leave, MessageHeader, type RoomSettings } from '../protocol/signed-objects.ts';
import { agreedFeatures, DIALECT, type Dialect, FEATURE, PROTOCOL_VERSION } from '../protocol/version.ts';
import { actAnswered, checkRequest } from './acting.ts';
import { Alarms } from './alarms.ts';
import { difference } from './difference.ts';
import type { SessionEffect, SessionEvent, ShownMember } from './events.ts';
import { Hearing } from './hearing.ts';
import { KeyRequests } from './key-requests.ts';
import { type ListedMember, ListReader } from './list-reader.ts';
import { Speaking, type SpeakingContext } from './speaking.ts';
import { shown, Timeline } from './timeline.ts';
import type { OwnWrapKeys } from './wrap-keys.ts';

export interface SessionStart {
  readonly roomId: RoomId;
  readonly identity: SigningKey;
  readonly wrapKeys: OwnWrapKeys;
  /** Not given: what this build speaks. */
  readonly dialect?: Dialect;
}

type Phase = 'away' | 'listing' | 'reading' | 'live' | 'over';

/** Wraps that arrive before the roster they are for. */
const WRAPS_HELD_MOST = 4_096;
/** Acts asked for before the log is read to its end: a program may ask at once. */
const ACTS_HELD_MOST = 16;

export class Session {
  readonly #roomId: RoomId;
  readonly #identity: SigningKey;
  readonly #self: IdKey;
  readonly #wrapKeys: OwnWrapKeys;
  readonly #dialect: Dialect;
  readonly #alarms = new Alarms();
  readonly #speaking: Speaking;
  readonly #hearing: Hearing;
  readonly #timeline: Timeline;
  readonly #keyRequests: KeyRequests;
  readonly #offline = new Set<IdKey>();
  #owner: VerifyKey | null = null;
  #welcome: Welcome | null = null;
  #phase: Phase = 'away';
  #joinedOnce = false;
  /** A line was lost since joining, the first one before it was live included: the person is told of the return. */
  #returning = false;
  /** The list being pulled: to begin with, or for presence alone after a return. */
  #listReader: ListReader | null = null;
  /** Who asked for the KEYS that are on their way, first asked first. */
  #keysFor: ('speaking' | 'timeline')[] = [];
  /** Of messages that could not be checked, because the host had no key of theirs. */
  #uncheckedSenders: RosterMember[] = [];
  #heldWraps: { readonly announcement: Signed; readonly wrap: Wrap }[] = [];
  #heldActs: ActRequest[] = [];
  /** Made while there was no connection. */
  #wrapKeysReady: WrapKeyPair | null = null;
  #lastPingMs = 0;
  #lastHeardMs = 0;

  constructor(start: SessionStart) {
    const { roomId, identity } = start;
    this.#roomId = roomId;
    this.#identity = identity;
    this.#self = idKey(identity.memberId);
    this.#wrapKeys = start.wrapKeys;
    this.#dialect = start.dialect ?? DIALECT;
    this.#speaking = new Speaking(identity, roomId);
    this.#hearing = new Hearing(roomId, identity.memberId);
    this.#keyRequests = new KeyRequests(roomId, identity);
    this.#timeline = new Timeline({
      roomId,
      self: this.#self,
      ownKey: importVerifyKey(identity.spki, identity.algorithm),
      hearing: this.#hearing,
      alarms: this.#alarms,
      placed: (leaf) => this.#speaking.placed(leaf)?.said ?? null,
      quoted: (member, generation) => this.#speaking.quoted(member, generation),
      rosterChanged: (change) => this.#rosterChanged(change),
      keyMissing: (header, { nowMs }) => {
        const frame = this.#keyRequests.ask(header, this.#wrapKeys.current.generation, nowMs);
        return frame === null ? [] : [{ kind: 'send', frame }];
      },
      identityWanted: (sender) => this.#pullIdentity(sender),
    });
  }

  get phase(): Phase {
    return this.#phase;
  }
  get members(): readonly ShownMember[] {
    return this.#roster.members.map((member) => ({ member, online: !this.#offline.has(member.key) }));
  }
  get onlineCount(): number {
    return this.#roster.size - this.#offline.size;
  }
  get settings(): RoomSettings {
    return this.#roster.settings;
  }
  get self(): RosterMember | undefined {
    return this.#roster.member(this.#self);
  }
  /** Messages said and not placed. */
  get unplaced(): number {
    return this.#speaking.unplaced;
  }
  /** Sending is held back by an alarm that nobody has taken note of. */
  get heldBack(): boolean {
    return this.#alarms.heldBack;
  }
  /** Epoch, index and head, for two people to compare; `null` before the first list. */
  get position(): { readonly epoch: number; readonly index: number; readonly head: Hash } | null {
    const { history } = this.#timeline;
    return history === null ? null : { epoch: this.#roster.epoch, index: history.index, head: history.head };
  }
  get wrapGeneration(): number {
    return this.#wrapKeys.current.generation;
  }
  /** What this side and the host both know, by number; nothing before the first WELCOME. */
  get features(): ReadonlySet<number> {
    return agreedFeatures(this.#dialect.features, this.#welcome?.features ?? []);
  }
  /** What a LOGIN needs; `null` before the first WELCOME. */
  get login(): { readonly welcome: Welcome; readonly statement: Signed } | null {
    if (this.#welcome === null) return null;
    return { welcome: this.#welcome, statement: this.#wrapKeys.current.statement };
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
    const announced = this.#welcome?.retention;
    if (announced !== undefined && !sameRetention(announced, welcome.retention)) {
      const text = 'The host says that it keeps messages for another time than it said before.';
      effects.push(...this.#alarms.raise('retention-changed', text));
    }
    this.#owner ??= importVerifyKey(welcome.ownerKey, 'rsa');
    this.#welcome = welcome;
    this.#lastHeardMs = moment.nowMs;
    this.#lastPingMs = moment.nowMs;
    this.#listReader = null;
    this.#keysFor = [];
    this.#timeline.resume();
    this.#speaking.reconnected();
    if (this.#wrapKeysReady !== null) effects.push(this.#renewWrapKeys(this.#wrapKeysReady, moment));
    this.#wrapKeysReady = null;
    if (this.#wrapKeys.due(moment.nowMs, LIMITS.wrapKeyOldOnConnectMs))
      effects.push({ kind: 'make-wrap-keys' });
    const { history } = this.#timeline;
    if (history === null) return [...effects, ...this.#startListing()];
    this.#phase = 'reading';
    if (position.index >= history.index) return [...effects, this.#pullLog()];
    this.#timeline.forsake();
    const text = 'The log of the host is shorter than what you have already seen.';
    return [...effects, ...this.#alarms.raise('history-lost', text), ...this.#startListing()];
  }

  /** The connection is gone; the session waits for the next WELCOME. */
  disconnected(): void {
    if (this.#phase !== 'over') this.#phase = 'away';
    this.#returning = this.#joinedOnce;
  }

  /** @throws ProtocolError when a frame is malformed or does not belong here: the connection is to be closed. */
  onFrame(frame: Bytes, moment: Moment): SessionEffect[] {
    this.#lastHeardMs = moment.nowMs;
    const body = frameBody(frame);
    const type = frameType(frame);
    switch (type) {
      case SESSION_FRAME.entry:
        if (this.#phase !== 'live') unexpected(type);
        return [...this.#timeline.arrived(Entry.decode(body), moment), ...this.#pump(moment)];
      case SESSION_FRAME.list:
        return this.#listPage(ListPage.decode(body));
      case SESSION_FRAME.log:
        return this.#phase === 'reading' ? this.#logPage(LogPage.decode(body), moment) : unexpected(type);
      case SESSION_FRAME.wrap: {
        const { announcement, wrap } = WrapDelivery.decode(body);
        return this.#wrapArrived({ announcement: copySigned(announcement), wrap: copyWrap(wrap) });
      }
      case SESSION_FRAME.keys:
        return this.#keys(KeysPage.decode(body).statements, moment);
      case SESSION_FRAME.wrapsTaken:
        this.#speaking.wrapsTaken(WrapsTaken.decode(body), moment.nowMs);
        return this.#pump(moment);
      case SESSION_FRAME.placed:
        return this.#known(Placed.decode(body), moment);
      case SESSION_FRAME.deferred:
        this.#speaking.deferred(Deferred.decode(body), moment.nowMs);
        return [...this.#slowed(moment), ...this.#pump(moment)];
      case SESSION_FRAME.needKey:
        this.#needKey(NeedKeyFrame.decode(body).request, moment);
        return [];
      case SESSION_FRAME.actAnswer:
        return [event(actAnswered(ActAnswer.decode(body)))];
      case SESSION_FRAME.presence:
        return Presence.decode(body).changes.flatMap(({ memberId, online }) =>
          this.#present(idKey(memberId), online),
        );
      case SESSION_FRAME.ping:
        return [this.#send(SESSION_FRAME.pong, new Uint8Array())];
      case SESSION_FRAME.pong:
        return [];
      case SESSION_FRAME.close: {
        const { reason, text } = Close.decode(body);
        if (reason !== 'silent' && reason !== 'slow-reader') this.#phase = 'over';
        return [event({ kind: 'closed', reason, text })];
      }
      default:
        return unexpected(type);
    }
  }

  /** @throws InputError when the text is too long, or too much waits for its place already. */
  say(content: Content, ref: string | null, moment: Moment): SessionEffect[] {
    if (utf8.encode(content.text).length > LIMITS.textBytes)
      throw new InputError('text-too-long', `A message is at most ${LIMITS.textBytes} bytes of UTF-8.`);
    if (this.self?.muted === true)
      throw new InputError('muted', 'You are muted: nothing you say is sent. You can read along.');
    this.#speaking.say(content, ref, moment.nowMs);
    return this.#pump(moment);
  }

  /**
   * Asks the owner for a change. What becomes of it is told by the log, or by a notice.
   * @throws InputError when the host knows nothing of it, this member may not, or there is no line just now.
   */
  act(request: ActRequest): SessionEffect[] {
    const { self } = this;
    const isSoonLive = this.#phase === 'listing' || this.#phase === 'reading';
    if (isSoonLive && this.#heldActs.length < ACTS_HELD_MOST) {
      this.#heldActs.push(request);
      return [];
    }
    if (this.#phase !== 'live' || self === undefined)
      throw new InputError('not-connected', 'Not connected just now. Try again once you are back.');
    if (!this.features.has(FEATURE.moderation))
      throw new InputError('not-supported', 'This host runs an older securechat that does not know this.');
    const target = 'member' in request ? this.#roster.member(idKey(request.member)) : null;
    if (target === undefined) throw new InputError('no-such-member', 'They are not in the room any more.');
    checkRequest(request, self, target);
    const act = signAct(this.#identity, this.#roster, request);
    return [this.#send(SESSION_FRAME.act, ActFrame.encode({ act }))];
  }

  /** What was asked for before the log was read to its end. */
  #actsDue(): SessionEffect[] {
    return this.#heldActs.splice(0).flatMap((request) => {
      try {
        return this.act(request);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        return [event({ kind: 'notice', level: 'warning', code: 'act-refused', text: error.message })];
      }
    });
  }

  /** Time passes: to be called a few times a second. */
  tick(moment: Moment): SessionEffect[] {
    this.#wrapKeys.drop(moment.nowMs);
    if (this.#phase === 'over') return [];
    const effects: SessionEffect[] = this.#late(moment);
    if (this.#phase === 'away') return effects;
    if (this.#wrapKeys.due(moment.nowMs, LIMITS.wrapKeyMs)) effects.push({ kind: 'make-wrap-keys' });
    if (moment.nowMs - this.#lastPingMs >= LIMITS.pingMs) {
      this.#lastPingMs = moment.nowMs;
      effects.push(this.#send(SESSION_FRAME.ping, new Uint8Array()));
    }
    effects.push(...this.#timeline.tick(moment));
    return [...effects, ...this.#pump(moment)];
  }

  /** What was said a while ago and has no place yet: one word about all of it. */
  #late(moment: Moment): SessionEffect[] {
    // What slow mode holds is told when it is held; it is late when nothing came of it after its time.
    if (this.#isSlow && this.#speaking.isWaiting(moment.nowMs - LIMITS.notPlacedMs)) return [];
    const [first, ...others] = this.#speaking.late(moment.nowMs);
    if (first === undefined) return [];
    const text = `Not placed yet: ${quoted(first.content, others.length)}`;
    return [event({ kind: 'notice', level: 'warning', code: 'not-placed', text })];
  }

  /** Whether the host has been silent for so long that the line must be dead. */
  isDead(nowMs: number): boolean {
    return this.#phase !== 'away' && this.#phase !== 'over' && nowMs - this.#lastHeardMs >= LIMITS.deadMs;
  }

  wrapKeysMade(pair: WrapKeyPair, moment: Moment): SessionEffect[] {
    if (this.#phase === 'over') return [];
    if (this.#phase !== 'away') return [this.#renewWrapKeys(pair, moment)];
    // A LOGIN under way may have named the present ones: these are published once there is someone to tell.
    this.#wrapKeysReady = pair;
    return [];
  }

  #renewWrapKeys(pair: WrapKeyPair, moment: Moment): SessionEffect {
    this.#wrapKeys.renew(pair, moment.nowMs);
    const body = PublishKey.encode({ statement: this.#wrapKeys.current.statement });
    return this.#send(SESSION_FRAME.publishKey, body);
  }

  /** The person has taken note of the alarms: sending goes on, on a new connection where this one is of no more use. */
  acknowledge(moment: Moment): SessionEffect[] {
    this.#alarms.acknowledge();
    return this.#timeline.acknowledge() ? [{ kind: 'reconnect' }] : this.#pump(moment);
  }

  /** Going for good. The host answers by closing. */
  leave(): SessionEffect[] {
    if (this.#phase === 'away' || this.#phase === 'over') return [];
    const bytes = Leave.encode({
      version: PROTOCOL_VERSION,
      roomId: this.#roomId,
      memberId: this.#identity.memberId,
      epoch: this.#roster.epoch,
    });
    const leave = { bytes, signature: this.#identity.sign('sc1/leave', bytes) };
    return [this.#send(SESSION_FRAME.leave, LeaveFrame.encode({ leave }))];
  }

  /** Nothing is said or opened any more. */
  erase(): void {
    this.#phase = 'over';
    this.#hearing.eraseAll();
    this.#speaking.dropChain();
  }

  #startListing(): SessionEffect[] {
    this.#phase = 'listing';
    return [this.#pullList()];
  }

  #pullList(): SessionEffect {
    this.#listReader = new ListReader();
    return { kind: 'send', frame: this.#listReader.pull() };
  }

  #listPage(page: ListPage): SessionEffect[] {
    const reader = this.#listReader ?? unexpected(SESSION_FRAME.list);
    const listed = reader.take(page);
    if (listed === null) return [{ kind: 'send', frame: reader.pull() }];
    this.#listReader = null;
    if (this.#phase === 'listing') return this.#listKnown(listed);
    return listed.flatMap(({ key, online }) => this.#present(key, online));
  }

  #listKnown(listed: readonly ListedMember[]): SessionEffect[] {
    const welcome = this.#welcome;
    const owner = this.#owner;
    if (welcome === null || owner === null) return [];
    const before = this.#roster;
    const roster = new Roster(this.#roomId);
    const entries = listed.map(({ entry }) => entry);
    roster.adopt(welcome.operation, owner, entries);
    const self = roster.member(this.#self);
    if (self === undefined || !bytesEqual(self.identity, this.#identity.idFingerprint)) {
      throw new SecurityError('bad-welcome', 'the list that the owner signed does not name you');
    }
    if (roster.epoch < before.epoch || before.verdict(roster.epoch, roster.hash) === 'forked') {
      throw new SecurityError(
        'roster-rollback',
        'the host shows a member list from before the one you have seen',
      );
    }
    // Whoever was removed meanwhile may hold the old chain.
    this.#speaking.dropChain();
    this.#timeline.begin(roster, owner, roomPosition(welcome));
    this.#offline.clear();
    for (const { key, online } of listed) if (!online && key !== this.#self) this.#offline.add(key);
    this.#phase = 'reading';
    const effects: SessionEffect[] = this.#joinedOnce ? this.#difference(before) : [this.#joined(self)];
    this.#joinedOnce = true;
    effects.push(...this.#offerHeldWraps());
    // With every key held so far, messages may have been placed before this record begins.
    this.#hearing.skipped();
    return [...effects, this.#pullLog()];
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
    return [event({ kind: 'roster', change })];
  }

  #rosterChanged(change: RosterChange): SessionEffect[] {
    for (const { member } of change.removed) this.#forget(member.key);
    if (change.settings !== null || change.changed.some(({ after }) => after.key === this.#self))
      this.#speaking.slowChanged();
    return this.#offerHeldWraps();
  }

  #forget(member: IdKey): void {
    this.#hearing.forget(member);
    this.#speaking.forget(member);
    this.#keyRequests.forget(member);
    this.#offline.delete(member);
  }

  #pullLog(): SessionEffect {
    const after = this.#timeline.reach;
    return this.#send(SESSION_FRAME.pullLog, PullLog.encode({ conversation: ROOM_CONVERSATION, after }));
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
    const effects = this.#timeline.page(page, moment);
    if (!page.live) return [...effects, ...this.#readOn()];
    this.#phase = 'live';
    if (this.#welcome !== null) effects.push(...this.#timeline.caughtUp(this.#welcome.retention));
    effects.push(...this.#unchecked(), event({ kind: 'live', again: this.#returning }));
    if (this.#returning) effects.push(this.#pullList());
    this.#returning = false;
    return [...effects, ...this.#actsDue(), ...this.#pump(moment)];
  }

  /** The log held this message already: it came in a part that this member did not see. */
  #known({ index, ...place }: ReturnType<typeof Placed.decode>, moment: Moment): SessionEffect[] {
    const sealed = this.#speaking.at(place);
    const { self } = this;
    if (sealed === undefined || self === undefined) return [];
    const isUnseen = index <= this.#timeline.beganAt && index > MessageHeader.decode(sealed.header).seenIndex;
    if (!isUnseen) {
      const text = 'The host says that a message of yours has a place where you saw none.';
      return this.#alarms.raise('placed-unseen', text);
    }
    const { leaf, said } = sealed;
    this.#speaking.placed(leaf);
    return [shown({ leaf, from: self, ...said, atMs: moment.nowMs, own: true }), ...this.#pump(moment)];
  }

  /** The next page of the log, once this one has been judged to its end. */
  #readOn(): SessionEffect[] {
    return this.#phase === 'reading' && !this.#timeline.isHeld ? [this.#pullLog()] : [];
  }

  /** The host has no key only of those who are gone. */
  #unchecked(): SessionEffect[] {
    const here = this.#uncheckedSenders
      .splice(0)
      .find((sender) => this.#roster.member(sender.key) !== undefined);
    if (here === undefined) return [];
    return this.#alarms.raise(
      'key-withheld',
      `The host does not hand out the key of ${here.nick}, who wrote a message.`,
    );
  }

  #pullIdentity(sender: RosterMember): SessionEffect[] {
    this.#keysFor.push('timeline');
    return [this.#send(SESSION_FRAME.pullKeys, PullKeys.encode({ members: [sender.memberId] }))];
  }

  #keys(statements: readonly Signed[], moment: Moment): SessionEffect[] {
    const asked = this.#keysFor.shift();
    if (asked === undefined) throw new ProtocolError('unexpected-frame', 'KEYS that nobody asked for');
    if (asked === 'speaking') {
      const effects = this.#alarms.watch(() => {
        this.#speaking.keys(statements, this.#context(moment));
        return [];
      });
      return [...effects, ...this.#pump(moment)];
    }
    const sender = this.#timeline.heldFor;
    const [signed] = statements;
    if (sender === null) return [];
    if (signed === undefined) {
      this.#uncheckedSenders.push(sender);
      const effects = this.#timeline.releaseUnchecked(moment);
      if (this.#phase === 'live') effects.push(...this.#unchecked());
      return [...effects, ...this.#readOn(), ...this.#pump(moment)];
    }
    const effects = this.#alarms.watch(() => {
      const { verifyKey } = checkStatement(signed, { roomId: this.#roomId, ...sender });
      this.#hearing.learn(sender.key, verifyKey);
      return this.#timeline.release(moment);
    });
    return [...effects, ...this.#readOn(), ...this.#pump(moment)];
  }

  #wrapArrived(held: { readonly announcement: Signed; readonly wrap: Wrap }): SessionEffect[] {
    if (this.#phase === 'listing') {
      this.#hold(held);
      return [];
    }
    return this.#alarms.watch(() => {
      const taken = this.#hearing.take(held.announcement, held.wrap, this.#roster, this.#wrapKeys);
      if (taken.kind === 'ahead') this.#hold(held);
      return [];
    });
  }

  #hold(held: { readonly announcement: Signed; readonly wrap: Wrap }): void {
    if (this.#heldWraps.length < WRAPS_HELD_MOST) this.#heldWraps.push(held);
  }

  #offerHeldWraps(): SessionEffect[] {
    return this.#heldWraps.splice(0).flatMap((held) => this.#wrapArrived(held));
  }

  /** Someone asks for this member's chain key: they get it before the next message. */
  #needKey(signed: Signed, { nowMs }: Moment): void {
    const verifyKeyOf = (member: IdKey) => this.#hearing.verifyKey(member);
    const request = this.#keyRequests.receive(signed, this.#roster, verifyKeyOf, nowMs);
    if (request !== null) this.#speaking.needKey(request.asker.key, request.chainId, request.generation);
  }

  #present(key: IdKey, online: boolean): SessionEffect[] {
    const member = this.#roster.member(key);
    if (member === undefined || key === this.#self || this.#offline.has(key) === !online) return [];
    if (online) this.#offline.delete(key);
    else this.#offline.add(key);
    return [event({ kind: 'presence', member, online })];
  }

  #context(moment: Moment): SpeakingContext {
    const { history } = this.#timeline;
    if (history === null) throw new Error('no history yet');
    return {
      roster: this.#roster,
      history,
      generation: this.#wrapKeys.current.generation,
      moment,
      isSlow: this.#isSlow,
      leastGeneration: (member) => this.#hearing.generation(member),
    };
  }

  /** Sends what may be sent now: not before this side has seen everything, nor against an alarm. */
  #pump(moment: Moment): SessionEffect[] {
    const ready = this.#phase === 'live' && this.#timeline.history !== null && !this.#timeline.isHeld;
    if (!ready || this.#alarms.heldBack) return [];
    const effects = this.#takenBack();
    for (const frame of this.#speaking.pump(this.#context(moment))) {
      if (frameType(frame) === SESSION_FRAME.pullKeys) this.#keysFor.push('speaking');
      effects.push({ kind: 'send', frame });
    }
    return effects;
  }

  /** Whether slow mode holds this member. */
  get #isSlow(): boolean {
    return this.#roster.settings.slowSeconds > 0 && this.self?.role === 'member';
  }

  /** What was said and will not be sent, because this member was muted meanwhile. */
  #takenBack(): SessionEffect[] {
    const [first, ...others] = this.#speaking.muted(this.self?.muted === true);
    if (first === undefined) return [];
    const text = `You are muted. Not sent: ${quoted(first.content, others.length)}`;
    return [event({ kind: 'notice', level: 'warning', code: 'muted', text })];
  }

  /** A message that slow mode holds is told about once, and goes out by itself. */
  #slowed({ nowMs }: Moment): SessionEffect[] {
    const slowed = this.#isSlow ? this.#speaking.slowed(nowMs) : null;
    if (slowed === null) return [];
    const inSeconds = Math.ceil(slowed.inMs / 1_000);
    const text = `Slow mode: ${quoted(slowed.said.content, 0)} goes out in ${inSeconds} s.`;
    return [event({ kind: 'notice', level: 'info', code: 'slow-mode', text })];
  }

  #send(type: number, body: Bytes): SessionEffect {
    return { kind: 'send', frame: encodeFrame(type, body) };
  }
}

/** Characters of a message that a notice about it repeats. */
const QUOTED_CHARACTERS = 40;

function quoted({ text }: Content, others: number): string {
  const more = others === 0 ? '' : ` and ${others} more`;
  return `"${cleanText(text, { maxCodePoints: QUOTED_CHARACTERS })}"${more}`;
}

function event(content: SessionEvent): SessionEffect {
  return { kind: 'event', event: content };
}

/** @throws SecurityError when WELCOME does not say where the room's log stands. */
function roomPosition(welcome: Welcome): Welcome['positions'][number] {
  const position = welcome.positions.find(({ conversation }) => bytesEqual(conversation, ROOM_CONVERSATION));
  if (position === undefined)
    throw new SecurityError('bad-welcome', 'the host does not say where the log stands');
  return position;
}

type Retention = Welcome['retention'];

function sameRetention(before: Retention, now: Retention): boolean {
  return before.entries === now.entries && before.bytes === now.bytes && before.hashes === now.hashes;
}

function unexpected(type: number): never {
  throw new ProtocolError('unexpected-frame', `frame ${type} at this point of a session`);
}

/** Frames are views of a read buffer: what is kept beyond them is copied. */
function copySigned(signed: Signed): Signed {
  return { bytes: signed.bytes.slice(), signature: signed.signature.slice() };
}

function copyWrap(wrap: Wrap): Wrap {
  return {
    memberId: wrap.memberId.slice() as Wrap['memberId'],
    generation: wrap.generation,
    rsaCiphertext: wrap.rsaCiphertext.slice(),
    kemCiphertext: wrap.kemCiphertext.slice(),
    sealed: wrap.sealed.slice(),
  };
}
