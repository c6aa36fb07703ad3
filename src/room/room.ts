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
import type { CloseReason, Refusal } from '../protocol/reasons.ts';
import { closeFrame } from '../protocol/session-frames.ts';
import { DIALECT, type Dialect } from '../protocol/version.ts';
import { Admission, type AdmissionEffect, type Candidate, type Door, type Returner } from './admission.ts';
import { CodeKeeper, type ShownCode } from './code-keeper.ts';
import type { Purpose } from './door-gate.ts';
import type { RoomEffect } from './effects.ts';
import { type HolderId, InvitationBook } from './invitations.ts';
import type { Log } from './log.ts';
import { Owner } from './owner.ts';
import { Relay, type RelayPeer } from './relay.ts';
import { Resident } from './resident.ts';

/** The part of the gate in front of the door that a run decides about. */
export interface Gate {
  /** A valid HELLO. @returns false when too many people stand at the door. */
  recognised(holder: HolderId, purpose: Purpose): boolean;
  unrecognised(holder: HolderId, nowMs: number): void;
  /** Admitted: no longer at the door. */
  admitted(holder: HolderId): void;
}

/** The OPAQUE host side for this room's answer, bound to its setup and record. */
export interface AnswerGate {
  start(ke1: Bytes): { readonly state: string; readonly ke2: Bytes };
  finish(state: string, ke3: Bytes): Bytes | null;
}

export interface RoomSettings {
  readonly roomId: RoomId;
  readonly name: string;
  readonly question: string;
  readonly maxMembers: number;
  readonly limits: Limits;
  readonly ownerKey: SigningKey;
  readonly answer: AnswerGate;
  readonly gate: Gate;
  readonly makeLog: (startHead: Hash) => Log;
  /** Not given: what this build speaks. */
  readonly dialect?: Dialect;
}

type Peer =
  | { readonly kind: 'candidate'; readonly admission: Admission }
  | { readonly kind: 'approved'; readonly admission: Admission; readonly candidate: Candidate }
  | ({ readonly kind: 'resident'; lastHeardMs: number } & RelayPeer);

type Approved = Peer & { readonly kind: 'approved' };

export class Room {
  readonly #settings: RoomSettings;
  readonly #limits: Limits;
  readonly #owner: Owner;
  readonly #ownerKey: VerifyKey;
  readonly #roster: Roster;
  readonly #relay: Relay;
  readonly #codes: CodeKeeper;
  readonly #door: Door;
  readonly #peers = new Map<HolderId, Peer>();
  readonly #residents = new Map<IdKey, Resident>();
  /** Nicknames in use or promised, by their folded form. */
  readonly #nicks = new Set<string>();
  readonly invitations: InvitationBook;
  #latestOperation: Signed;
  #closing = false;

  constructor(settings: RoomSettings, moment: Moment) {
    const { limits, roomId } = settings;
    this.#settings = settings;
    this.#limits = limits;
    this.#owner = new Owner(settings.ownerKey, settings.name, limits);
    this.#ownerKey = importVerifyKey(settings.ownerKey.spki, settings.ownerKey.algorithm);
    this.#roster = new Roster(roomId);
    this.#codes = new CodeKeeper(moment);
    this.invitations = new InvitationBook(limits);
    this.#relay = new Relay({
      roomId,
      roster: this.#roster,
      owner: this.#owner,
      residents: this.#residents,
      log: settings.makeLog(startHead(roomId, ROOM_CONVERSATION)),
      limits,
      dialect: settings.dialect ?? DIALECT,
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
    const resident = this.#residents.get(member);
    if (resident === undefined) return [];
    this.#owner.remove(resident.member.memberId, 'removed', moment.nowMs);
    const effects: RoomEffect[] = [];
    for (const key of resident.invitations) {
      const invitation = this.invitations.find(key);
      if (invitation === undefined || invitation.suspended || invitation.usesLeft === 0) continue;
      this.invitations.suspend(key);
      effects.push({ kind: 'notice', notice: { kind: 'suspended', invitation: key, because: 'removal' } });
    }
    return [...effects, ...this.#settle(moment)];
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
    const settings = this.#settings;
    const codes = this.#codes;
    return {
      roomId: settings.roomId,
      roomName: settings.name,
      question: settings.question,
      keeps: 'nothing',
      limits: this.#limits,
      dialect: settings.dialect ?? DIALECT,
      invitations: this.invitations,
      startAnswer: (ke1) => settings.answer.start(ke1),
      finishAnswer: (state, ke3) => settings.answer.finish(state, ke3),
      judgeCode: (code, moment) => codes.judge(code, moment),
      nickRefusal: (nick, role) => this.#nickRefusal(nick, role),
      isFull: () => this.#roster.size + this.#owner.approving.length >= settings.maxMembers,
      account: (key) => this.#residents.get(key),
      isJoining: (key) =>
        this.#owner.approving.some(({ identity }) => idKey(identity.subarray(0, ID_BYTES.member)) === key),
      recognised: (holder, purpose) => settings.gate.recognised(holder, purpose),
      unrecognised: (holder, moment) => settings.gate.unrecognised(holder, moment.nowMs),
    };
  }

  #nickRefusal(nick: string, role: 'member' | 'owner'): Refusal | null {
    try {
      checkNickname(nick);
    } catch (error) {
      // The owner may well be called "host".
      const allowed = error instanceof InputError && error.code === 'nick-reserved' && role === 'owner';
      if (!allowed) return 'nick-refused';
    }
    return this.#nicks.has(foldNickname(nick)) ? 'nick-taken' : null;
  }

  #admissionEffects(connection: HolderId, effects: readonly AdmissionEffect[], moment: Moment): RoomEffect[] {
    const out: RoomEffect[] = [];
    for (const effect of effects) {
      switch (effect.kind) {
        case 'send':
          out.push({ kind: 'send', to: connection, frame: effect.frame });
          break;
        case 'close':
          this.invitations.gone(connection);
          this.#peers.delete(connection);
          out.push({ kind: 'close', connection, frame: effect.frame });
          out.push({
            kind: 'notice',
            notice: { kind: 'refused', holder: connection, reason: effect.reason },
          });
          break;
        case 'stage':
          out.push({
            kind: 'notice',
            notice: { kind: 'door', holder: connection, stage: effect.stage, invitation: effect.invitation },
          });
          break;
        case 'joins':
          this.#approve(connection, effect.candidate);
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

  #approve(connection: HolderId, candidate: Candidate): void {
    const peer = this.#peers.get(connection);
    if (peer?.kind !== 'candidate') return;
    this.#nicks.add(foldNickname(candidate.nick));
    this.#owner.approve({
      identity: candidate.verifyKey.idFingerprint,
      nick: candidate.nick,
      role: this.invitations.find(candidate.invitation)?.role ?? 'member',
      algorithm: candidate.verifyKey.algorithm,
    });
    this.#peers.set(connection, { kind: 'approved', admission: peer.admission, candidate });
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
    return effects;
  }

  #operate(signed: Signed, moment: Moment): RoomEffect[] {
    const change = this.#roster.apply(signed, this.#ownerKey);
    this.#latestOperation = signed;
    const effects: RoomEffect[] = [{ kind: 'broadcast', frame: this.#relay.placeOperation(signed, moment) }];
    for (const { member, reason } of change.removed) {
      const resident = this.#residents.get(member.key);
      this.#residents.delete(member.key);
      this.#nicks.delete(foldNickname(member.nick));
      if (resident === undefined || resident.connection === null) continue;
      const left = reason === 'left';
      const text = left ? 'you left the room' : 'the owner removed you from the room';
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
    this.#settings.gate.admitted(connection);
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
    ];
  }

  #close(connection: HolderId, reason: CloseReason, text: string, moment: Moment): RoomEffect[] {
    return [
      ...this.#drop(connection, moment),
      { kind: 'close', connection, frame: closeFrame(reason, text) },
    ];
  }

  /** Forgets a connection. Someone approved and gone before the signature never was here. */
  #drop(connection: HolderId, moment: Moment): RoomEffect[] {
    const peer = this.#peers.get(connection);
    if (peer === undefined) return [];
    this.#peers.delete(connection);
    if (peer.kind === 'resident') return this.#relay.detach(peer, moment);
    this.invitations.gone(connection);
    if (peer.kind === 'approved') {
      const { candidate } = peer;
      this.#owner.withdraw(candidate.verifyKey.idFingerprint);
      this.#nicks.delete(foldNickname(candidate.nick));
      this.invitations.unspend(candidate.invitation);
    }
    return [];
  }
}
