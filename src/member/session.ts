/**
 * A member's side of a room, from WELCOME on, across reconnections. It checks everything the host says against the
 * owner's signatures, the senders' signatures and its own record of the log; what does not fit is an alarm.
 *
 *   listing ─▶ reading ─▶ live      away: no connection; LOGIN leads back to reading
 * @see docs/protocol.md#session
 */

import { sha256 } from '../crypto/hash.ts';
import type { WrapKeyPair } from '../crypto/key-wrap.ts';
import { leafHash } from '../crypto/log-hash.ts';
import { Roster, type RosterMember } from '../crypto/roster.ts';
import { importVerifyKey, type SigningKey, type VerifyKey } from '../crypto/signature.ts';
import { checkStatement } from '../crypto/statement.ts';
import type { Welcome } from '../protocol/admission-frames.ts';
import { type Bytes, bytesEqual, toBase64url } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import type { Content } from '../protocol/content.ts';
import { ProtocolError, SecurityError } from '../protocol/errors.ts';
import { encodeFrame, frameBody, frameType } from '../protocol/framing.ts';
import { type Hash, type IdKey, idKey, ROOM_CONVERSATION, type RoomId } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import {
  Close,
  Deferred,
  DigestItem,
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
  PullList,
  PullLog,
  SESSION_FRAME,
  WholeItem,
  type Wrap,
  WrapDelivery,
  WrapsTaken,
} from '../protocol/session-frames.ts';
import {
  decodeRosterEntries,
  Leave,
  MessageHeader,
  NeedKey,
  type RosterEntry,
} from '../protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import type { SessionEffect, SessionEvent, ShownMember } from './events.ts';
import { Hearing } from './hearing.ts';
import { History } from './history.ts';
import { Speaking, type SpeakingContext } from './speaking.ts';
import type { OwnWrapKeys } from './wrap-keys.ts';

export interface SessionStart {
  readonly roomId: RoomId;
  readonly identity: SigningKey;
  readonly wrapKeys: OwnWrapKeys;
}

type Phase = 'away' | 'listing' | 'reading' | 'live' | 'over';

/** An entry as it came, pushed or in a page. */
interface Arrived {
  readonly index: number;
  readonly kind: Entry['kind'];
  readonly placedAtMs: number;
  readonly header: Bytes;
  readonly ciphertext: Entry['ciphertext'];
  readonly signature: Bytes;
}

/** Wraps that arrive before the roster they are for. */
const WRAPS_HELD_MOST = 4_096;
const ID_BYTES_SHOWN = 9;

export class Session {
  readonly #roomId: RoomId;
  readonly #identity: SigningKey;
  readonly #self: IdKey;
  readonly #wrapKeys: OwnWrapKeys;
  readonly #speaking: Speaking;
  readonly #hearing: Hearing;
  readonly #online = new Map<IdKey, boolean>();
  #roster: Roster;
  #history: History | null = null;
  #owner: VerifyKey | null = null;
  #welcome: Welcome | null = null;
  #phase: Phase = 'away';
  #joinedOnce = false;
  #wasLive = false;
  #ownKey: VerifyKey | null = null;
  #list: RosterEntry[] = [];
  #listOnline: boolean[] = [];
  /** Presence is asked for again after a return; the list itself is known. */
  #presenceOnly = false;
  #heldWraps: { readonly announcement: Signed; readonly wrap: Wrap }[] = [];
  /** Entries that wait, in order, for the key of the first one's sender. */
  #heldEntries: Arrived[] = [];
  #heldSinceMs = 0;
  #keyAsked: IdKey | null = null;
  #alarmed = new Set<string>();
  #heldBack = false;
  /** The log as the host sends it does not continue this side's record. */
  #astray = false;
  readonly #needKeyAskedMs = new Map<string, number>();
  readonly #needKeyAnsweredMs = new Map<IdKey, number>();
  #needKeyAnswers: number[] = [];
  #lastPingMs = 0;
  #lastHeardMs = 0;

  constructor(start: SessionStart) {
    this.#roomId = start.roomId;
    this.#identity = start.identity;
    this.#self = idKey(start.identity.memberId);
    this.#wrapKeys = start.wrapKeys;
    this.#roster = new Roster(start.roomId);
    this.#speaking = new Speaking(start.identity, start.roomId);
    this.#hearing = new Hearing(start.roomId, start.identity.memberId);
  }

  get phase(): Phase {
    return this.#phase;
  }
  get members(): readonly ShownMember[] {
    return this.#roster.members.map((member) => ({ member, online: this.#online.get(member.key) ?? true }));
  }
  get self(): RosterMember | undefined {
    return this.#roster.member(this.#self);
  }
  get roomName(): string {
    return this.#roster.roomName;
  }
  /** Messages said and not placed. */
  get unplaced(): number {
    return this.#speaking.unplaced;
  }
  /** Sending is held back by an alarm that nobody has taken note of. */
  get heldBack(): boolean {
    return this.#heldBack;
  }
  /** Epoch, index and head, for two people to compare; `null` before the first list. */
  get position(): { readonly epoch: number; readonly index: number; readonly head: Hash } | null {
    const history = this.#history;
    return history === null ? null : { epoch: this.#roster.epoch, index: history.index, head: history.head };
  }
  get wrapGeneration(): number {
    return this.#wrapKeys.current.generation;
  }
  /** What a LOGIN needs; `null` before the first WELCOME. */
  get login(): { readonly welcome: Welcome; readonly statement: Signed } | null {
    return this.#welcome === null
      ? null
      : { welcome: this.#welcome, statement: this.#wrapKeys.current.statement };
  }

  /** A run at the door ended well. @throws SecurityError when what WELCOME says cannot be. */
  welcomed(welcome: Welcome, moment: Moment): SessionEffect[] {
    const position = welcome.positions.find(({ conversation }) =>
      bytesEqual(conversation, ROOM_CONVERSATION),
    );
    if (position === undefined || !bytesEqual(welcome.memberId, this.#identity.memberId)) {
      throw new SecurityError('bad-welcome', 'the host welcomed someone else');
    }
    this.#owner ??= importVerifyKey(welcome.ownerKey, 'rsa');
    this.#welcome = welcome;
    this.#lastHeardMs = moment.nowMs;
    this.#lastPingMs = moment.nowMs;
    this.#heldEntries = [];
    this.#keyAsked = null;
    this.#speaking.reconnected();
    const effects: SessionEffect[] = [];
    if (this.#wrapKeys.due(moment.nowMs, LIMITS.wrapKeyOldOnConnectMs))
      effects.push({ kind: 'make-wrap-keys' });
    if (this.#history === null) return [...effects, ...this.#startListing()];
    if (position.index < this.#history.index) {
      return [
        ...effects,
        ...this.#alarm('history-lost', "The host's log is shorter than what you have already seen."),
      ];
    }
    this.#phase = 'reading';
    return [...effects, this.#pullLog(this.#history.index)];
  }

  /** The connection is gone; the session waits for the next WELCOME. */
  disconnected(): void {
    if (this.#phase !== 'over') this.#phase = 'away';
  }

  /** @throws ProtocolError when a frame is malformed or does not belong here: the connection is to be closed. */
  onFrame(frame: Bytes, moment: Moment): SessionEffect[] {
    this.#lastHeardMs = moment.nowMs;
    const body = frameBody(frame);
    const type = frameType(frame);
    switch (type) {
      case SESSION_FRAME.entry:
        return this.#live() ? this.#arrived(Entry.decode(body), moment) : unexpected(type);
      case SESSION_FRAME.list:
        return this.#listPage(ListPage.decode(body));
      case SESSION_FRAME.log:
        return this.#phase === 'reading' ? this.#logPage(LogPage.decode(body), moment) : unexpected(type);
      case SESSION_FRAME.wrap: {
        const { announcement, wrap } = WrapDelivery.decode(body);
        return this.#wrap(announcement, wrap);
      }
      case SESSION_FRAME.keys:
        return this.#keys(KeysPage.decode(body).statements, moment);
      case SESSION_FRAME.wrapsTaken:
        this.#speaking.wrapsTaken(WrapsTaken.decode(body), moment.nowMs);
        return this.#pump(moment);
      case SESSION_FRAME.placed: {
        const { n } = Placed.decode(body);
        this.#speaking.placed(n, null);
        return this.#pump(moment);
      }
      case SESSION_FRAME.deferred: {
        const { n, reason, retryAfterMs } = Deferred.decode(body);
        this.#speaking.deferred(n, reason, retryAfterMs, moment.nowMs);
        return this.#pump(moment);
      }
      case SESSION_FRAME.needKey:
        return this.#needKeyAsked(NeedKeyFrame.decode(body).request, moment);
      case SESSION_FRAME.presence:
        return this.#presence(Presence.decode(body).changes);
      case SESSION_FRAME.ping:
        return [this.#send(SESSION_FRAME.pong, new Uint8Array())];
      case SESSION_FRAME.pong:
        return [];
      case SESSION_FRAME.close: {
        const { reason, text } = Close.decode(body);
        if (reason !== 'silent' && reason !== 'slow-reader') this.#phase = 'over';
        return [this.#event({ kind: 'closed', reason, text })];
      }
      default:
        return unexpected(type);
    }
  }

  /** @throws InputError when too much waits for its place already. */
  say(content: Content, ref: string | null, moment: Moment): SessionEffect[] {
    this.#speaking.say(content, ref, moment.nowMs);
    return this.#pump(moment);
  }

  /** Time passes: to be called a few times a second. */
  tick(moment: Moment): SessionEffect[] {
    const effects: SessionEffect[] = [];
    this.#wrapKeys.drop(moment.nowMs);
    if (this.#phase === 'over' || this.#phase === 'away') return effects;
    if (this.#wrapKeys.due(moment.nowMs, LIMITS.wrapKeyMs)) effects.push({ kind: 'make-wrap-keys' });
    if (moment.nowMs - this.#lastPingMs >= LIMITS.pingMs) {
      this.#lastPingMs = moment.nowMs;
      effects.push(this.#send(SESSION_FRAME.ping, new Uint8Array()));
    }
    if (this.#heldEntries.length > 0 && moment.nowMs - this.#heldSinceMs >= LIMITS.epochAheadMs) {
      effects.push(
        ...this.#alarm('key-withheld', 'The host does not hand out the key of someone who wrote a message.'),
      );
      this.#keyAsked = null;
      const [, ...rest] = this.#heldEntries.splice(0);
      for (const entry of rest) effects.push(...this.#arrived(entry, moment));
    }
    for (const said of this.#speaking.late(moment.nowMs)) {
      const text = `Not placed yet: "${said.content.text.slice(0, 40)}"`;
      effects.push(this.#event({ kind: 'notice', level: 'warning', code: 'not-placed', text }));
    }
    effects.push(...this.#pump(moment));
    return effects;
  }

  /** Whether the host has been silent for so long that the line must be dead. */
  isDead(nowMs: number): boolean {
    return this.#phase !== 'away' && this.#phase !== 'over' && nowMs - this.#lastHeardMs >= LIMITS.deadMs;
  }

  wrapKeysMade(pair: WrapKeyPair, moment: Moment): SessionEffect[] {
    this.#wrapKeys.renew(pair, moment.nowMs);
    if (this.#phase === 'away' || this.#phase === 'over') return [];
    const body = PublishKey.encode({ statement: this.#wrapKeys.current.statement });
    return [this.#send(SESSION_FRAME.publishKey, body)];
  }

  /** The person has taken note of the alarms: sending goes on. */
  acknowledge(moment: Moment): SessionEffect[] {
    this.#heldBack = false;
    this.#alarmed.clear();
    if (!this.#astray) return this.#pump(moment);
    // This record and the host's cannot be reconciled: begin again from what the owner signs now.
    this.#astray = false;
    this.#history = null;
    return [{ kind: 'reconnect' }];
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
  }

  #live(): boolean {
    return this.#phase === 'live';
  }

  #startListing(): SessionEffect[] {
    this.#phase = 'listing';
    this.#presenceOnly = false;
    this.#list = [];
    this.#listOnline = [];
    return [this.#send(SESSION_FRAME.pullList, PullList.encode({ from: 0 }))];
  }

  #listPage(page: ListPage): SessionEffect[] {
    const expected = this.#list.length;
    if (this.#phase !== 'listing' && !this.#presenceOnly) unexpected(SESSION_FRAME.list);
    if (
      page.from !== expected ||
      page.total > LIMITS.membersMost ||
      page.count === 0 ||
      expected + page.count > page.total
    ) {
      throw new ProtocolError('bad-page', 'a page of the member list that was not asked for');
    }
    const entries = decodeRosterEntries(page.entries, page.count);
    entries.forEach((entry, place) => {
      this.#list.push({ ...entry, identity: entry.identity.slice() as Hash });
      this.#listOnline.push(((page.online[place >> 3] ?? 0) & (0x80 >> (place & 7))) !== 0);
    });
    if (this.#list.length < page.total) {
      return [this.#send(SESSION_FRAME.pullList, PullList.encode({ from: this.#list.length }))];
    }
    return this.#presenceOnly ? this.#presenceKnown() : this.#listKnown();
  }

  #presenceKnown(): SessionEffect[] {
    this.#presenceOnly = false;
    const effects: SessionEffect[] = [];
    this.#list.forEach((entry, place) => {
      const key = idKey(entry.identity.subarray(0, this.#identity.memberId.length));
      effects.push(...this.#present(key, this.#listOnline[place] ?? true));
    });
    this.#list = [];
    return effects;
  }

  #listKnown(): SessionEffect[] {
    const { welcome, owner } = { welcome: this.#welcome, owner: this.#owner };
    if (welcome === null || owner === null) return [];
    const roster = new Roster(this.#roomId);
    roster.adopt(welcome.operation, owner, this.#list);
    const self = roster.member(this.#self);
    if (self === undefined || !bytesEqual(self.identity, this.#identity.idFingerprint)) {
      throw new SecurityError('bad-welcome', "the owner's member list does not name you");
    }
    const before = this.#roster;
    this.#roster = roster;
    this.#online.clear();
    this.#list.forEach((entry, place) => {
      const key = idKey(entry.identity.subarray(0, this.#identity.memberId.length));
      this.#online.set(key, key === this.#self || (this.#listOnline[place] ?? true));
    });
    this.#list = [];
    const position = welcome.positions.find(({ conversation }) =>
      bytesEqual(conversation, ROOM_CONVERSATION),
    );
    if (position === undefined) return [];
    this.#history = new History(position.index, position.head.slice() as Hash);
    this.#phase = 'reading';
    const effects: SessionEffect[] = this.#joinedOnce
      ? this.#difference(before)
      : [
          this.#event({
            kind: 'joined',
            roomId: this.#roomId,
            roomName: roster.roomName,
            self,
            members: this.members,
          }),
        ];
    this.#joinedOnce = true;
    return [...effects, ...this.#offerHeldWraps(), this.#pullLog(position.index)];
  }

  /** What changed while this member was too far behind to be told: shown all the same. */
  #difference(before: Roster): SessionEffect[] {
    const added = this.#roster.members.filter((member) => before.member(member.key) === undefined);
    const removed = before.members
      .filter((member) => this.#roster.member(member.key) === undefined)
      .map((member) => ({ member, reason: 'absent' as const }));
    for (const { member } of removed) this.#gone(member.key);
    const change = { epoch: this.#roster.epoch, atMs: 0, added, changed: [], removed };
    return [this.#event({ kind: 'roster', change })];
  }

  #pullLog(after: number): SessionEffect {
    return this.#send(SESSION_FRAME.pullLog, PullLog.encode({ conversation: ROOM_CONVERSATION, after }));
  }

  #logPage(page: LogPage, moment: Moment): SessionEffect[] {
    const history = this.#history;
    if (history === null) return [];
    if (page.first !== history.index + 1 + this.#heldEntries.length) {
      if (page.first <= history.index)
        throw new ProtocolError('bad-page', 'a page of the log that was not asked for');
      // Too far behind: begin again from WELCOME. What lay between is gone, and the person is told.
      const text = 'You were away for so long that some messages are no longer held by the host.';
      this.#history = null;
      return [this.#event({ kind: 'notice', level: 'warning', code: 'gap', text }), ...this.#startListing()];
    }
    const effects: SessionEffect[] = [];
    if (this.#heldEntries.length === 0 && !bytesEqual(page.headBefore, history.head)) {
      effects.push(...this.#alarm('history-forked', 'The host shows another past than the one you saw.'));
    }
    page.items.forEach((item, place) => {
      const index = page.first + place;
      if (item.form === 'digest') effects.push(...this.#passedOver(index, DigestItem.decode(item.body)));
      else effects.push(...this.#arrived({ index, ...WholeItem.decode(item.body) }, moment));
    });
    if (!page.live) {
      if (page.items.length === 0) throw new ProtocolError('bad-page', 'an empty page of the log');
      return [...effects, this.#pullLog(page.first + page.items.length - 1)];
    }
    this.#phase = 'live';
    effects.push(this.#event({ kind: 'live', again: this.#wasLive }));
    if (this.#wasLive) {
      this.#presenceOnly = true;
      this.#listOnline = [];
      effects.push(this.#send(SESSION_FRAME.pullList, PullList.encode({ from: 0 })));
    }
    this.#wasLive = true;
    return [...effects, ...this.#pump(moment)];
  }

  /** An entry whose content the host no longer holds: its hash keeps the chain whole. */
  #passedOver(index: number, item: ReturnType<typeof DigestItem.decode>): SessionEffect[] {
    if (item.kind === 'roster') throw new ProtocolError('bad-page', 'a roster operation was withheld');
    this.#history?.append({ ...item, leaf: item.leaf.slice() as Hash });
    this.#hearing.skipped();
    const text = `Entry ${index} waited longer than the host keeps messages.`;
    return [this.#event({ kind: 'notice', level: 'warning', code: 'gap', text })];
  }

  /** The next entry of the log, in order; or held until the key to judge it is there. */
  #arrived(entry: Arrived, moment: Moment): SessionEffect[] {
    if (this.#heldEntries.length > 0 && this.#keyAsked !== null) {
      if (this.#heldEntries.length >= LIMITS.heldEntries)
        throw new ProtocolError('held', 'too much waits for one key');
      this.#heldEntries.push(copyOf(entry));
      return [];
    }
    const history = this.#history;
    if (history === null) return [];
    if (entry.index !== history.index + 1) {
      const what = entry.index <= history.index ? 'sent an entry twice' : 'left out an entry';
      this.#astray = true;
      return this.#alarm('history-order', `The host ${what}: ${entry.index} after ${history.index}.`);
    }
    return entry.kind === 'roster'
      ? this.#rosterEntry(entry, history, moment)
      : this.#message(entry, history, moment);
  }

  #rosterEntry(entry: Arrived, history: History, moment: Moment): SessionEffect[] {
    history.append({ ...entry, leaf: leafHash(entry) });
    if (this.#owner === null) return [];
    let change: ReturnType<Roster['apply']>;
    try {
      change = this.#roster.apply({ bytes: entry.header, signature: entry.signature }, this.#owner);
    } catch (error) {
      if (!(error instanceof SecurityError)) throw error;
      this.#astray = true;
      return this.#alarm(
        'roster-forked',
        `The member list was changed by someone else than its owner: ${error.message}.`,
      );
    }
    for (const { member } of change.removed) this.#gone(member.key);
    for (const member of change.added) this.#online.set(member.key, true);
    return [this.#event({ kind: 'roster', change }), ...this.#offerHeldWraps(), ...this.#pump(moment)];
  }

  #gone(member: IdKey): void {
    this.#hearing.forget(member);
    this.#speaking.forget(member);
    this.#online.delete(member);
    this.#needKeyAnsweredMs.delete(member);
  }

  #message(entry: Arrived, history: History, moment: Moment): SessionEffect[] {
    const header = MessageHeader.decode(entry.header);
    const sender = this.#roster.member(idKey(header.memberId));
    const verdict = this.#roster.verdict(header.epoch, header.rosterHash);
    const mine = sender?.key === this.#self;
    if (
      verdict === 'good' &&
      sender !== undefined &&
      !mine &&
      this.#hearing.verifyKey(sender.key) === undefined
    ) {
      this.#heldEntries.push(copyOf(entry));
      this.#heldSinceMs = moment.nowMs;
      this.#keyAsked = sender.key;
      return [this.#send(SESSION_FRAME.pullKeys, PullKeys.encode({ members: [sender.memberId] }))];
    }
    const leaf = leafHash(entry);
    history.append({ ...entry, leaf });

    // Sealed before this member came: it was never for them, and they cannot judge it.
    if (verdict === 'before') return [];
    if (verdict === 'forked') {
      return this.#alarm(
        'roster-forked',
        `The host showed ${sender?.nick ?? 'a member'} another member list than you.`,
      );
    }
    if (verdict !== 'good' || sender === undefined) {
      return this.#alarm(
        'stale-placed',
        'The host placed a message sealed for a member list that is not the current one.',
      );
    }
    const verifyKey = mine ? this.#ownVerifyKey() : this.#hearing.verifyKey(sender.key);
    const holds =
      header.version === PROTOCOL_VERSION &&
      bytesEqual(header.roomId, this.#roomId) &&
      bytesEqual(header.conversation, ROOM_CONVERSATION) &&
      verifyKey?.verify('sc1/msg', [sha256(entry.header), sha256(entry.ciphertext)], entry.signature) ===
        true;
    if (!holds)
      return this.#alarm(
        'forged',
        `The host placed a message that ${sender.nick} did not sign for this room.`,
      );
    if (header.seenIndex >= entry.index || history.judge(header.seenIndex, header.seenHead) === 'different') {
      return this.#alarm(
        'history-forked',
        `${sender.nick} and you were shown different histories by the host.`,
      );
    }
    this.#speaking.quoted(sender.key, header.generation);
    const id = toBase64url(leaf.subarray(0, ID_BYTES_SHOWN));
    if (mine) return this.#ownMessage(header, leaf, id, sender, entry.placedAtMs, moment);
    const opened = this.#hearing.open({ sender, header, entry, leaf }, this.#roster.lastRemovalEpoch);
    switch (opened.kind) {
      case 'opened': {
        const { kind: content, text } = opened.content;
        return [
          this.#event({
            kind: 'message',
            id,
            content,
            from: sender,
            text,
            atMs: entry.placedAtMs,
            own: false,
            ref: null,
          }),
        ];
      }
      case 'no-key':
        return [
          this.#event({ kind: 'unopened', id, from: sender, atMs: entry.placedAtMs }),
          ...this.#askForKey(header, moment),
        ];
      case 'fault':
        return this.#alarm(opened.code, `${opened.text}.`);
    }
  }

  #ownMessage(
    header: MessageHeader,
    leaf: Hash,
    id: string,
    self: RosterMember,
    atMs: number,
    moment: Moment,
  ): SessionEffect[] {
    const said = this.#speaking.placed(header.n, leaf);
    if (said === null) return this.#alarm('replayed', 'The host placed a message of yours twice.');
    const { content, ref } = said;
    return [
      this.#event({
        kind: 'message',
        id,
        content: content.kind,
        from: self,
        text: content.text,
        atMs,
        own: true,
        ref,
      }),
      ...this.#pump(moment),
    ];
  }

  #ownVerifyKey(): VerifyKey {
    this.#ownKey ??= importVerifyKey(this.#identity.spki, this.#identity.algorithm);
    return this.#ownKey;
  }

  #keys(statements: readonly Signed[], moment: Moment): SessionEffect[] {
    if (this.#keyAsked === null)
      return this.#guarded(() => this.#speaking.keys(statements, this.#context(moment)), moment);
    const effects: SessionEffect[] = [];
    const sender = this.#roster.member(this.#keyAsked);
    const [signed] = statements;
    if (sender !== undefined && signed !== undefined) {
      effects.push(
        ...this.#guarded(() => {
          const { verifyKey } = checkStatement(signed, { roomId: this.#roomId, ...sender });
          this.#hearing.learn(sender.key, verifyKey);
        }, moment),
      );
    }
    if (sender !== undefined && this.#hearing.verifyKey(sender.key) === undefined) return effects;
    this.#keyAsked = null;
    for (const entry of this.#heldEntries.splice(0)) effects.push(...this.#arrived(entry, moment));
    return effects;
  }

  #wrap(announcement: Signed, wrap: Wrap): SessionEffect[] {
    const held = { announcement: copySigned(announcement), wrap: copyWrap(wrap) };
    if (this.#phase === 'listing') {
      if (this.#heldWraps.length < WRAPS_HELD_MOST) this.#heldWraps.push(held);
      return [];
    }
    return this.#offerWrap(held);
  }

  #offerWrap(held: { readonly announcement: Signed; readonly wrap: Wrap }): SessionEffect[] {
    try {
      const taken = this.#hearing.take(held.announcement, held.wrap, this.#roster, this.#wrapKeys);
      if (taken.kind === 'ahead' && this.#heldWraps.length < WRAPS_HELD_MOST) this.#heldWraps.push(held);
      return [];
    } catch (error) {
      if (error instanceof SecurityError) return this.#alarm(error.code, `${error.message}.`);
      throw error;
    }
  }

  #offerHeldWraps(): SessionEffect[] {
    return this.#heldWraps.splice(0).flatMap((held) => this.#offerWrap(held));
  }

  /** No key for this chain: ask its sender, at times. */
  #askForKey(header: MessageHeader, { nowMs }: Moment): SessionEffect[] {
    const chain = idKey(header.chainId);
    if (nowMs - (this.#needKeyAskedMs.get(chain) ?? Number.NEGATIVE_INFINITY) < LIMITS.needKeyPerAskerMs)
      return [];
    if (this.#needKeyAskedMs.size >= LIMITS.membersMost) this.#needKeyAskedMs.clear();
    this.#needKeyAskedMs.set(chain, nowMs);
    const bytes = NeedKey.encode({
      version: PROTOCOL_VERSION,
      roomId: this.#roomId,
      conversation: ROOM_CONVERSATION,
      asker: this.#identity.memberId,
      sender: header.memberId,
      chainId: header.chainId,
      generation: this.#wrapKeys.current.generation,
    });
    const request = { bytes, signature: this.#identity.sign('sc1/needkey', bytes) };
    return [this.#send(SESSION_FRAME.needKey, NeedKeyFrame.encode({ request }))];
  }

  /** Someone asks for this member's chain key: they get it before the next message, if they are who they say. */
  #needKeyAsked(request: Signed, moment: Moment): SessionEffect[] {
    const { nowMs } = moment;
    const need = NeedKey.decode(request.bytes);
    const asker = this.#roster.member(idKey(need.asker));
    const fits =
      need.version === PROTOCOL_VERSION &&
      bytesEqual(need.roomId, this.#roomId) &&
      bytesEqual(need.conversation, ROOM_CONVERSATION) &&
      bytesEqual(need.sender, this.#identity.memberId);
    if (!fits || asker === undefined) return [];
    if (
      nowMs - (this.#needKeyAnsweredMs.get(asker.key) ?? Number.NEGATIVE_INFINITY) <
      LIMITS.needKeyPerAskerMs
    )
      return [];
    this.#needKeyAnswers = this.#needKeyAnswers.filter((atMs) => nowMs - atMs < 60_000);
    if (this.#needKeyAnswers.length >= LIMITS.needKeyPerMinute) return [];
    const verifyKey = this.#hearing.verifyKey(asker.key);
    // Without the asker's key at hand the request cannot be checked; wrapping to the roster's member is safe all the same.
    if (verifyKey !== undefined && !verifyKey.verify('sc1/needkey', request.bytes, request.signature))
      return [];
    this.#needKeyAnsweredMs.set(asker.key, nowMs);
    this.#needKeyAnswers.push(nowMs);
    this.#speaking.needKey(asker.key, need.chainId, need.generation);
    return [];
  }

  #presence(changes: ReturnType<typeof Presence.decode>['changes']): SessionEffect[] {
    return changes.flatMap(({ memberId, online }) => this.#present(idKey(memberId), online));
  }

  #present(key: IdKey, online: boolean): SessionEffect[] {
    const member = this.#roster.member(key);
    if (member === undefined || key === this.#self || this.#online.get(key) === online) return [];
    this.#online.set(key, online);
    return [this.#event({ kind: 'presence', member, online })];
  }

  #context(moment: Moment): SpeakingContext {
    if (this.#history === null) throw new Error('no history yet');
    return {
      roster: this.#roster,
      history: this.#history,
      generation: this.#wrapKeys.current.generation,
      moment,
      leastGeneration: (member) => this.#hearing.generation(member),
    };
  }

  #pump(moment: Moment): SessionEffect[] {
    if (!this.#live() || this.#heldBack || this.#history === null || this.#keyAsked !== null) return [];
    return this.#speaking
      .pump(this.#context(moment))
      .map((frame): SessionEffect => ({ kind: 'send', frame }));
  }

  #guarded(step: () => void, moment: Moment): SessionEffect[] {
    try {
      step();
    } catch (error) {
      if (error instanceof SecurityError) return this.#alarm(error.code, `${error.message}.`);
      throw error;
    }
    return this.#pump(moment);
  }

  /** Said once for each code until the person has taken note; sending is held back meanwhile. */
  #alarm(code: string, text: string): SessionEffect[] {
    this.#heldBack = true;
    if (this.#alarmed.has(code)) return [];
    this.#alarmed.add(code);
    return [this.#event({ kind: 'alarm', code, text })];
  }

  #event(event: SessionEvent): SessionEffect {
    return { kind: 'event', event };
  }

  #send(type: number, body: Bytes): SessionEffect {
    return { kind: 'send', frame: encodeFrame(type, body) };
  }
}

function unexpected(type: number): never {
  throw new ProtocolError('unexpected-frame', `frame ${type} at this point of a session`);
}

/** Frames are views of a read buffer: what is kept beyond them is copied. */
function copyOf(entry: Arrived): Arrived {
  return {
    ...entry,
    header: entry.header.slice(),
    ciphertext: entry.ciphertext.slice() as Arrived['ciphertext'],
    signature: entry.signature.slice(),
  };
}

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
