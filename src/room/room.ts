/**
 * The host's side of a room as one state machine: connections come and go, frames arrive, time passes; what it answers
 * is a list of effects. It has no socket, clock, disk or key that opens a message.
 * @see docs/architecture.md#room
 */
import { startHead } from '../crypto/log-hash.ts';
import { Roster, type RosterMember } from '../crypto/roster.ts';
import { importVerifyKey, type SigningKey, type VerifyKey } from '../crypto/signature.ts';
import { type Bytes, bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { InputError, ProtocolError, SecurityError, unreachable } from '../protocol/errors.ts';
import {
  type Hash,
  ID_BYTES,
  type IdKey,
  idKey,
  ROOM_CONVERSATION,
  type RoomId,
} from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import { checkNickname, foldNickname } from '../protocol/nickname.ts';
import type { CloseReason, Refusal, Removal } from '../protocol/reasons.ts';
import { closeFrame } from '../protocol/session-frames.ts';
import type { Role, RoomSettings } from '../protocol/signed-objects.ts';
import { DIALECT, type Dialect } from '../protocol/version.ts';
import { Admission, type AdmissionEffect, type Candidate, type Door, type Returner } from './admission.ts';
import { BanBook, type BanView } from './bans.ts';
import { CodeKeeper, type ShownCode } from './code-keeper.ts';
import type { Purpose } from './door-gate.ts';
import type { RoomEffect } from './effects.ts';
import { type HolderId, InvitationBook } from './invitations.ts';
import type { Log } from './log.ts';
import { Moderation } from './moderation.ts';
import type { Cause } from './operation-batch.ts';
import { Owner } from './owner.ts';
import { Relay, type RelayPeer } from './relay.ts';
import { Resident } from './resident.ts';
import { type Visitor, Visitors } from './visitors.ts';

/** The part of the gate in front of the door that a run decides about. */
export interface Gate {
  /** A valid HELLO. @returns false when too many people stand at the door. */
  recognised(holder: HolderId, purpose: Purpose): boolean;
  unrecognised(holder: HolderId, nowMs: number): void;
  /** The answer is proved: not to be crowded out. */
  proved(holder: HolderId): void;
  /** All is right: no longer the gate's to time. */
  judged(holder: HolderId): void;
  /** Admitted: no longer at the door. */
  admitted(holder: HolderId): void;
}

/** The OPAQUE host side for this room's answer, bound to its setup and record. */
export interface AnswerGate {
  start(ke1: Bytes): { readonly state: string; readonly ke2: Bytes };
  finish(state: string, ke3: Bytes): Bytes | null;
}

export interface RoomStart {
  readonly roomId: RoomId;
  readonly name: string;
  readonly question: string;
  readonly maxMembers: number;
  readonly limits: Limits;
  readonly ownerKey: SigningKey;
  readonly answer: AnswerGate;
  readonly gate: Gate;
  readonly makeLog: (startHead: Hash) => Log;
  /** How the room is to begin with, where it is not plain. */
  readonly settings?: Partial<RoomSettings>;
  /** Not given: what this build speaks. */
  readonly dialect?: Dialect;
}

const PLAIN_ROOM: RoomSettings = { topic: '', motd: '', slowSeconds: 0, locked: false, approval: false };

type Peer =
  | { readonly kind: 'candidate'; readonly admission: Admission }
  /** All is right; the host has to say yes. */
  | { readonly kind: 'waiting'; readonly admission: Admission; readonly candidate: Candidate }
  /** The owner's signature is on its way. */
  | { readonly kind: 'approved'; readonly admission: Admission; readonly candidate: Candidate }
  | ({ readonly kind: 'resident'; lastHeardMs: number } & RelayPeer);

type Waiting = Peer & { readonly kind: 'waiting' };
type Approved = Peer & { readonly kind: 'approved' };

export class Room {
  readonly #start: RoomStart;
  readonly #limits: Limits;
  readonly #owner: Owner;
  readonly #ownerKey: VerifyKey;
  readonly #roster: Roster;
  readonly #relay: Relay;
  readonly #moderation: Moderation;
  readonly #codes: CodeKeeper;
  readonly #door: Door;
  readonly #peers = new Map<HolderId, Peer>();
  readonly #residents = new Map<IdKey, Resident>();
  /** Nicknames in use or promised, by their folded form. */
  readonly #nicks = new Set<string>();
  readonly #visitors = new Visitors();
  readonly #bans: BanBook;
  readonly invitations: InvitationBook;
  #latestOperation: Signed;
  #closing = false;

  constructor(start: RoomStart, moment: Moment) {
    const { limits, roomId } = start;
    this.#start = start;
    this.#limits = limits;
    this.#owner = new Owner(
      start.ownerKey,
      { roomName: start.name, settings: { ...PLAIN_ROOM, ...start.settings } },
      limits,
    );
    this.#ownerKey = importVerifyKey(start.ownerKey.spki, start.ownerKey.algorithm);
    this.#roster = new Roster(roomId);
    this.#codes = new CodeKeeper(moment);
    this.invitations = new InvitationBook(limits);
    this.#bans = new BanBook(limits.bansMost);
    this.#moderation = new Moderation({
      roomId,
      roster: this.#roster,
      owner: this.#owner,
      limits,
      nickRefusal: (nick, member, { nowMs }) =>
        this.#bans.holds(member.key, nick, nowMs)
          ? 'nick-refused'
          : this.#nickRefusal(nick, member.role, member),
      kick: (member, cause, moment) => this.#showOut(member, cause, moment),
      ban: (member, forMs, cause, moment) => this.#shutOut(member, forMs, cause, moment),
      unban: (nick) => this.#bans.lift(nick),
    });
    this.#relay = new Relay({
      roomId,
      roster: this.#roster,
      owner: this.#owner,
      moderation: this.#moderation,
      residents: this.#residents,
      log: start.makeLog(startHead(roomId, ROOM_CONVERSATION)),
      limits,
      dialect: start.dialect ?? DIALECT,
      nowMs: moment.nowMs,
    });
    this.#door = this.#makeDoor();
    this.#latestOperation = this.#owner.create(this.#roster, moment.nowMs);
    this.#roster.apply(this.#latestOperation, this.#ownerKey);
    this.#relay.placeOperation(this.#latestOperation, moment);
  }

  get code(): ShownCode {
    return this.#codes.shown;
  }
  get members(): readonly RosterMember[] {
    return this.#roster.members;
  }
  get settings(): RoomSettings {
    return this.#roster.settings;
  }
  /** Who stands at the door with an invitation, first come first; nobody of the host's own. */
  get atDoor(): readonly Visitor[] {
    return this.#visitors.all;
  }
  get bans(): readonly BanView[] {
    return this.#bans.all;
  }
  /** Epoch and head, for two people to compare. */
  get position(): { readonly epoch: number; readonly index: number; readonly head: Bytes } {
    return { epoch: this.#roster.epoch, ...this.#relay.position };
  }

  connected(connection: HolderId, channelBinding: Bytes, moment: Moment): RoomEffect[] {
    const admission = new Admission(this.#door, connection, channelBinding);
    this.#peers.set(connection, { kind: 'candidate', admission });
    return this.#closing ? this.#admissionEffects(connection, admission.refuse('closing'), moment) : [];
  }

  /** One whole frame. A peer that breaks the protocol is told so and closed; nobody else notices. */
  frame(connection: HolderId, frame: Bytes, moment: Moment): RoomEffect[] {
    const peer = this.#peers.get(connection);
    if (peer === undefined) return [];
    try {
      if (peer.kind === 'resident') {
        peer.lastHeardMs = moment.nowMs;
        return [...this.#relay.frame(peer, frame, moment), ...this.#settle(moment)];
      }
      const effects = this.#admissionEffects(connection, peer.admission.onFrame(frame, moment), moment);
      return [...effects, ...this.#settle(moment)];
    } catch (error) {
      if (!(error instanceof ProtocolError || error instanceof SecurityError)) throw error;
      return [...this.#close(connection, 'protocol', error.message, moment), ...this.#settle(moment)];
    }
  }

  disconnected(connection: HolderId, moment: Moment): RoomEffect[] {
    return [...this.#drop(connection, moment), ...this.#settle(moment)];
  }

  /** Time passes: to be called a few times a second. */
  tick(moment: Moment): RoomEffect[] {
    const effects: RoomEffect[] = [];
    if (this.#codes.update(moment))
      effects.push({ kind: 'notice', notice: { kind: 'code', code: this.#codes.shown } });
    for (const holder of this.invitations.overdue(moment.nowMs)) {
      this.invitations.fail(holder);
      const peer = this.#peers.get(holder);
      if (peer?.kind === 'candidate') peer.admission.onTryExpired();
    }
    this.#bans.expire(moment.nowMs);
    this.#moderation.tick(moment.nowMs);
    for (const visitor of this.#visitors.all) effects.push(...this.#waitOn(visitor, moment));
    for (const [connection, peer] of this.#peers) {
      if (peer.kind === 'resident' && moment.nowMs - peer.lastHeardMs >= this.#limits.deadMs) {
        effects.push(...this.#close(connection, 'silent', 'nothing was heard from you', moment));
      }
    }
    for (const resident of this.#residents.values()) {
      const since = resident.offlineSinceMs;
      if (since !== null && moment.nowMs - since >= this.#limits.guestOfflineMs) {
        this.#owner.remove(resident.member.memberId, 'absent', moment.nowMs);
      }
    }
    effects.push(...this.#settle(moment), ...this.#relay.presence());
    return effects;
  }

  /**
   * The host says yes to someone who waits.
   * @throws InputError `not-waiting` when nobody of that number does, `room-full` when there is no place: they wait on.
   */
  admit(holder: HolderId, moment: Moment): RoomEffect[] {
    const peer = this.#peers.get(holder);
    if (peer?.kind !== 'waiting')
      throw new InputError('not-waiting', 'Nobody of that number waits at the door.');
    if (this.#isFull())
      throw new InputError('room-full', 'The room is full. Remove someone first; they go on waiting.');
    this.#approve(holder, peer);
    return this.#settle(moment);
  }

  /** The host says no, to someone who waits or is still at the checks. @throws InputError `not-at-door` */
  deny(holder: HolderId, moment: Moment): RoomEffect[] {
    const peer = this.#peers.get(holder);
    const stands = this.#visitors.all.some((visitor) => visitor.holder === holder);
    if (!stands || (peer?.kind !== 'waiting' && peer?.kind !== 'candidate'))
      throw new InputError('not-at-door', 'Nobody of that number stands at the door.');
    return [
      ...this.#admissionEffects(holder, peer.admission.refuse('denied'), moment),
      ...this.#settle(moment),
    ];
  }

  /** A candidate has been at the door too long, or has to make room. */
  turnAway(connection: HolderId, reason: Refusal, moment: Moment): RoomEffect[] {
    const peer = this.#peers.get(connection);
    if (peer?.kind !== 'candidate') return [];
    return [
      ...this.#admissionEffects(connection, peer.admission.refuse(reason), moment),
      ...this.#settle(moment),
    ];
  }

  /** The owner removes a member; what invitations they came by are suspended, because they still have them. */
  remove(member: IdKey, moment: Moment): RoomEffect[] {
    return [...this.#showOut(member, null, moment), ...this.#settle(moment)];
  }

  /** The owner removes a member, who may not come back for `forMs`; `null`: until that is taken back. */
  ban(member: IdKey, forMs: number | null, moment: Moment): RoomEffect[] {
    return [...this.#shutOut(member, forMs, null, moment), ...this.#settle(moment)];
  }

  /** @returns whether anyone was banned under that nickname */
  unban(nick: string): boolean {
    return this.#bans.lift(nick);
  }

  /** The owner silences a member for `forMs`; `null`: until that is taken back. Nobody silences the owner. */
  mute(member: IdKey, forMs: number | null, moment: Moment): RoomEffect[] {
    this.#moderation.mute(member, forMs, moment.nowMs);
    return this.#settle(moment);
  }

  unmute(member: IdKey, moment: Moment): RoomEffect[] {
    this.#moderation.unmute(member);
    return this.#settle(moment);
  }

  /** The owner makes a member a moderator, or a plain member again. */
  setRole(member: IdKey, role: 'member' | 'moderator', moment: Moment): RoomEffect[] {
    this.#moderation.setRole(member, role);
    return this.#settle(moment);
  }

  /** The owner changes how the room is. @throws InputError `bad-setting` when it is beyond its limit */
  change(part: Partial<RoomSettings>, moment: Moment): RoomEffect[] {
    this.#moderation.configure(part);
    return this.#settle(moment);
  }

  /** The room ends: everyone is told. */
  close(text: string, moment: Moment): RoomEffect[] {
    this.#closing = true;
    const effects: RoomEffect[] = [];
    for (const [connection, peer] of [...this.#peers]) {
      if (peer.kind === 'resident') effects.push(...this.#close(connection, 'host-closing', text, moment));
      else effects.push(...this.#admissionEffects(connection, peer.admission.refuse('closing'), moment));
    }
    return effects;
  }

  #makeDoor(): Door {
    const start = this.#start;
    const codes = this.#codes;
    return {
      roomId: start.roomId,
      roomName: start.name,
      question: start.question,
      keeps: 'nothing',
      limits: this.#limits,
      dialect: start.dialect ?? DIALECT,
      invitations: this.invitations,
      startAnswer: (ke1) => start.answer.start(ke1),
      finishAnswer: (state, ke3) => start.answer.finish(state, ke3),
      judgeCode: (code, moment) => codes.judge(code, moment),
      nickRefusal: (nick, role) => this.#nickRefusal(nick, role),
      shut: (role) => this.#shut(role),
      isBanned: (member, nick, { nowMs }) => this.#bans.holds(member, nick, nowMs),
      account: (key) => this.#residents.get(key),
      isJoining: (key) =>
        [...this.#owner.approving.map(({ identity }) => identity), ...this.#waitingIdentities()].some(
          (identity) => idKey(identity.subarray(0, ID_BYTES.member)) === key,
        ),
      recognised: (holder, purpose) => start.gate.recognised(holder, purpose),
      unrecognised: (holder, moment) => start.gate.unrecognised(holder, moment.nowMs),
      proved: (holder) => start.gate.proved(holder),
    };
  }

  #isFull(): boolean {
    return this.#roster.size + this.#owner.approving.length >= this.#start.maxMembers;
  }

  /** The host's own way in is always open, but for a room that is full. */
  #shut(role: Role): 'locked' | 'room-full' | null {
    if (this.#roster.settings.locked && role !== 'owner') return 'locked';
    return this.#isFull() ? 'room-full' : null;
  }

  #waitingIdentities(): Hash[] {
    return this.#visitors.all.flatMap(({ fingerprint }) => fingerprint ?? []);
  }

  /** Time passes for someone who waits for the host's yes. */
  #waitOn({ holder, sinceMs }: Visitor, moment: Moment): RoomEffect[] {
    const peer = this.#peers.get(holder);
    if (peer?.kind !== 'waiting') return [];
    const refuse = (reason: Refusal) => this.#admissionEffects(holder, peer.admission.refuse(reason), moment);
    // What the host has withdrawn lets nobody in. Expired and suspended are for those who come later.
    if (this.invitations.find(peer.candidate.invitation)?.revoked === true) return refuse('revoked');
    if (moment.nowMs - sinceMs >= this.#limits.waitingMs) return refuse('timed-out');
    const { approval, locked } = this.#roster.settings;
    if (approval) return [];
    if (locked) return refuse('locked');
    if (!this.#isFull()) this.#approve(holder, peer);
    return [];
  }

  /** Someone is shown out, by the owner or by a member's act. What they came by is suspended. */
  #showOut(member: IdKey, cause: Cause | null, moment: Moment, reason: Removal = 'removed'): RoomEffect[] {
    const resident = this.#residents.get(member);
    if (resident === undefined) return [];
    this.#owner.remove(resident.member.memberId, reason, moment.nowMs, cause);
    return this.#suspendInvitationsOf(resident);
  }

  /** Someone is shown out who is not to come back: not as themselves, and not by what they came by. */
  #shutOut(member: IdKey, forMs: number | null, cause: Cause | null, moment: Moment): RoomEffect[] {
    const resident = this.#residents.get(member);
    if (resident === undefined) return [];
    const { nick } = resident.member;
    const by = cause === null ? null : (this.#roster.member(idKey(cause.act.memberId))?.nick ?? null);
    this.#bans.add({ member, nick, untilMs: forMs === null ? null : moment.nowMs + forMs, by });
    return this.#showOut(member, cause, moment, 'banned');
  }

  #suspendInvitationsOf(resident: Resident): RoomEffect[] {
    const effects: RoomEffect[] = [];
    for (const key of resident.invitations) {
      const invitation = this.invitations.find(key);
      if (invitation === undefined || invitation.suspended) continue;
      // One that is used up may get a use back yet, from someone who waits at the door; until then there is nothing to tell.
      this.invitations.suspend(key);
      if (invitation.usesLeft > 0)
        effects.push({ kind: 'notice', notice: { kind: 'suspended', invitation: key, because: 'removal' } });
    }
    return effects;
  }

  /** @param of who asks for it and is here already: their own nickname is not in their way */
  #nickRefusal(nick: string, role: Role, of?: RosterMember): 'nick-taken' | 'nick-refused' | null {
    try {
      checkNickname(nick, role === 'owner');
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      return 'nick-refused';
    }
    const folded = foldNickname(nick);
    if (of !== undefined && folded === foldNickname(of.nick)) return null;
    return this.#nicks.has(folded) || this.#owner.hasPromised(folded) ? 'nick-taken' : null;
  }

  #admissionEffects(connection: HolderId, effects: readonly AdmissionEffect[], moment: Moment): RoomEffect[] {
    const out: RoomEffect[] = [];
    for (const effect of effects) {
      switch (effect.kind) {
        case 'send':
          out.push({ kind: 'send', to: connection, frame: effect.frame });
          break;
        case 'close': {
          this.#forget(connection);
          out.push({ kind: 'close', connection, frame: effect.frame });
          const { reason } = effect;
          const left = this.#leftDoor(connection, 'refused', reason);
          out.push(...left);
          if (left.length === 0)
            out.push({ kind: 'notice', notice: { kind: 'refused', holder: connection, reason } });
          break;
        }
        case 'stage': {
          const { stage, invitation } = effect;
          if (this.#roleBy(invitation) === 'owner') break;
          const visitor = this.#visitors.reached(connection, invitation, stage, moment.nowMs);
          out.push({ kind: 'notice', notice: { kind: 'door', ...visitor } });
          break;
        }
        case 'joins':
          out.push(...this.#judged(connection, effect.candidate, moment));
          break;
        case 'returns':
          out.push(...this.#returns(connection, effect.returner, moment));
          break;
        default:
          unreachable(effect);
      }
    }
    return out;
  }

  /** What someone became by an invitation, or would become. */
  #roleBy(invitation: IdKey): Role {
    return this.invitations.find(invitation)?.role ?? 'member';
  }

  /** All four layers are right. The nickname is theirs from now on, as the use is, until they are in or gone. */
  #judged(connection: HolderId, candidate: Candidate, moment: Moment): RoomEffect[] {
    const peer = this.#peers.get(connection);
    if (peer?.kind !== 'candidate') return [];
    const { admission } = peer;
    this.#nicks.add(foldNickname(candidate.nick));
    this.#start.gate.judged(connection);
    const waiting: Waiting = { kind: 'waiting', admission, candidate };
    if (!this.#roster.settings.approval || this.#roleBy(candidate.invitation) === 'owner') {
      this.#approve(connection, waiting);
      return [];
    }
    this.#peers.set(connection, waiting);
    const visitor = this.#visitors.waits(candidate, moment.nowMs);
    return [
      ...this.#admissionEffects(connection, admission.wait(), moment),
      { kind: 'notice', notice: { kind: 'door', ...visitor } },
    ];
  }

  #approve(connection: HolderId, { admission, candidate }: Waiting): void {
    this.#owner.approve({
      identity: candidate.verifyKey.idFingerprint,
      nick: candidate.nick,
      role: this.#roleBy(candidate.invitation),
      algorithm: candidate.verifyKey.algorithm,
      muted: false,
    });
    this.#peers.set(connection, { kind: 'approved', admission, candidate });
  }

  /** What follows from any event: places in line, operations that are due. */
  #settle(moment: Moment): RoomEffect[] {
    const effects: RoomEffect[] = [];
    for (
      let released = this.invitations.released();
      released.length > 0;
      released = this.invitations.released()
    ) {
      for (const holder of released) {
        const peer = this.#peers.get(holder);
        if (peer?.kind === 'candidate') {
          effects.push(...this.#admissionEffects(holder, peer.admission.onReleased(moment), moment));
        }
      }
    }
    for (const invitation of this.invitations.exhausted()) {
      effects.push({ kind: 'notice', notice: { kind: 'suspended', invitation, because: 'tries' } });
    }
    const signed = this.#owner.operation(this.#roster, moment.nowMs);
    if (signed !== null) effects.push(...this.#operate(signed, moment));
    for (const { act } of this.#owner.takeDropped()) {
      const target = idKey(act.target);
      if (act.kind === 'ban' && !this.#owner.isRemoving(target)) this.#bans.forget(target);
      const actor = this.#residents.get(idKey(act.memberId));
      if (actor !== undefined) effects.push(...this.#relay.answerAct(actor, act.kind, 'stale'));
    }
    return effects;
  }

  #operate(signed: Signed, moment: Moment): RoomEffect[] {
    const change = this.#roster.apply(signed, this.#ownerKey);
    this.#latestOperation = signed;
    const effects: RoomEffect[] = [{ kind: 'broadcast', frame: this.#relay.placeOperation(signed, moment) }];
    for (const { before, after } of change.changed) {
      const resident = this.#residents.get(after.key);
      if (resident !== undefined) resident.member = after;
      this.#nicks.delete(foldNickname(before.nick));
      this.#nicks.add(foldNickname(after.nick));
    }
    for (const { member, reason, by } of change.removed) {
      const resident = this.#residents.get(member.key);
      this.#residents.delete(member.key);
      this.#moderation.gone(member.key);
      this.#nicks.delete(foldNickname(member.nick));
      if (resident === undefined || resident.connection === null) continue;
      const left = reason === 'left';
      const who = by?.nick ?? 'the owner';
      const text = left
        ? 'you left the room'
        : `${who} ${reason === 'banned' ? 'banned' : 'removed'} you from the room`;
      effects.push(...this.#close(resident.connection, left ? 'bye' : 'removed', text, moment));
    }
    const added = new Map(change.added.map((member) => [member.key, member]));
    for (const [connection, peer] of [...this.#peers]) {
      if (peer.kind !== 'approved') continue;
      const member = added.get(idKey(peer.candidate.verifyKey.memberId));
      if (member !== undefined) effects.push(...this.#welcome(connection, peer, member, moment));
    }
    effects.push({ kind: 'notice', notice: { kind: 'roster', change } });
    return effects;
  }

  #welcome(connection: HolderId, approved: Approved, member: RosterMember, moment: Moment): RoomEffect[] {
    const { admission, candidate } = approved;
    this.invitations.admitted(candidate.invitation);
    const resident = new Resident({
      member,
      invitation: candidate.invitation,
      verifyKey: candidate.verifyKey,
      accountKey: moment.randomBytes(32),
      statement: candidate.statement,
      nowMs: moment.nowMs,
      limits: this.#limits,
    });
    this.#residents.set(member.key, resident);
    return this.#attach(connection, resident, admission, moment);
  }

  /** A member is back. The session they quote is replaced silently: a lost line is not a second login. */
  #returns(connection: HolderId, returner: Returner, moment: Moment): RoomEffect[] {
    const peer = this.#peers.get(connection);
    const resident = this.#residents.get(returner.member);
    if (peer?.kind !== 'candidate') return [];
    const refuse = (reason: Refusal) =>
      this.#admissionEffects(connection, peer.admission.refuse(reason), moment);
    // Removed while the run was under way.
    if (resident === undefined) return refuse('not-recognised');
    const { statement } = returner;
    const known = resident.statement;
    const renewed = statement.generation > known.generation;
    if (!renewed && !bytesEqual(statement.signed.bytes, known.signed.bytes)) return refuse('key-refused');
    const effects: RoomEffect[] = [];
    const before = resident.connection;
    if (before !== null) {
      const same = resident.sessionId !== null && idKey(resident.sessionId) === idKey(returner.replaces);
      if (!same) return refuse('already-online');
      // The line that ends is no longer theirs: nobody sees them go and come.
      resident.connection = connection;
      effects.push(...this.#close(before, 'replaced', 'this session continues elsewhere', moment));
    }
    if (renewed) resident.statement = statement;
    for (const { conversation, index } of returner.positions)
      if (bytesEqual(conversation, ROOM_CONVERSATION)) resident.wrapsUnderWay.seen(index);
    if (returner.invitation !== null) resident.invitations.add(returner.invitation);
    this.#owner.keep(returner.member);
    return [...effects, ...this.#attach(connection, resident, peer.admission, moment)];
  }

  #attach(connection: HolderId, resident: Resident, admission: Admission, moment: Moment): RoomEffect[] {
    this.#start.gate.admitted(connection);
    const { peer, welcome, deliveries } = this.#relay.attach(
      connection,
      resident,
      this.#latestOperation,
      moment,
    );
    const frame = admission.welcome(welcome);
    this.#peers.set(connection, { kind: 'resident', lastHeardMs: moment.nowMs, ...peer });
    return [
      { kind: 'admitted', connection },
      { kind: 'send', to: connection, frame },
      ...deliveries.map((delivery): RoomEffect => ({ kind: 'send', to: connection, frame: delivery })),
      ...this.#leftDoor(connection, 'admitted', null),
    ];
  }

  #close(connection: HolderId, reason: CloseReason, text: string, moment: Moment): RoomEffect[] {
    return [
      ...this.#leftDoor(connection, 'refused', null),
      ...this.#drop(connection, moment),
      { kind: 'close', connection, frame: closeFrame(reason, text) },
    ];
  }

  /** A connection is gone. */
  #drop(connection: HolderId, moment: Moment): RoomEffect[] {
    const peer = this.#peers.get(connection);
    if (peer?.kind !== 'resident') {
      this.#forget(connection);
      return this.#leftDoor(connection, 'gone', null);
    }
    this.#peers.delete(connection);
    return this.#relay.detach(peer, moment);
  }

  /** Someone at the door is no more. Who was not signed in yet never was here: use and nickname are free again. */
  #forget(connection: HolderId): void {
    const peer = this.#peers.get(connection);
    this.#peers.delete(connection);
    this.invitations.gone(connection);
    if (peer?.kind !== 'waiting' && peer?.kind !== 'approved') return;
    const { candidate } = peer;
    if (peer.kind === 'approved') this.#owner.withdraw(candidate.verifyKey.idFingerprint);
    this.#nicks.delete(foldNickname(candidate.nick));
    this.invitations.unspend(candidate.invitation);
  }

  /** Tells the host, if the host was told that they came. */
  #leftDoor(
    connection: HolderId,
    how: 'gone' | 'refused' | 'admitted',
    reason: Refusal | null,
  ): RoomEffect[] {
    const visitor = this.#visitors.left(connection);
    if (visitor === undefined) return [];
    const { holder, invitation } = visitor;
    return [{ kind: 'notice', notice: { kind: 'door-left', holder, invitation, how, reason } }];
  }
}
