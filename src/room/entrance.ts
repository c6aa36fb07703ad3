/**
 * The way into the room, for everyone who is not in yet: each connection is a candidate (`admission.ts`), then waits
 * where the host wants to be asked, then is approved until the owner has signed, and a resident from then on.
 * @see docs/architecture.md#room
 */
import type { Roster, RosterMember } from '../crypto/roster.ts';
import type { KEEPS, LogPosition, Welcome } from '../protocol/admission-frames.ts';
import { type Bytes, bytesEqual } from '../protocol/bytes.ts';
import { InputError, ProtocolError, unreachable } from '../protocol/errors.ts';
import { ANY_SESSION, type Hash, ID_BYTES, type IdKey, idKey, type RoomId } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import type { Refusal } from '../protocol/reasons.ts';
import { policyOf } from '../protocol/room-settings.ts';
import type { Role } from '../protocol/signed-objects.ts';
import { DIALECT, type Dialect } from '../protocol/version.ts';
import { type AccountGate, accountCalled } from './accounts.ts';
import { Admission, type AdmissionEffect, type Candidate, type Door, type Returner } from './admission.ts';
import type { BanBook } from './bans.ts';
import type { CodeKeeper } from './code-keeper.ts';
import type { Purpose } from './door-gate.ts';
import type { RoomEffect } from './effects.ts';
import type { HolderId, InvitationBook } from './invitations.ts';
import type { Nicknames } from './nicknames.ts';
import type { Owner } from './owner.ts';
import { Resident, type ResidentChanges } from './resident.ts';
import { type Visitor, Visitors } from './visitors.ts';
import type { WrapKeeper } from './wrap-queue.ts';

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

export interface EntranceStart {
  readonly roomId: RoomId;
  readonly name: string;
  readonly question: string;
  readonly maxMembers: number;
  readonly limits: Limits;
  readonly answer: AnswerGate;
  readonly gate: Gate;
  /** What of the room is on the host's disk; not given: nothing. */
  readonly keeps?: keyof typeof KEEPS;
  /** Of a room that is kept, where members may have accounts. */
  readonly accounts?: AccountGate;
  /** Not given: what this build speaks. */
  readonly dialect?: Dialect;
}

/** What the entrance needs of the room behind it. */
export interface EntranceContext {
  readonly roster: Roster;
  readonly owner: Owner;
  readonly residents: Map<IdKey, Resident>;
  readonly nicknames: Nicknames;
  readonly invitations: InvitationBook;
  readonly bans: BanBook;
  readonly codes: CodeKeeper;
  readonly changes: ResidentChanges;
  /** Keeps wraps for a member. */
  readonly keeperOf: (member: IdKey) => WrapKeeper;
  /** Where the room's log stands. */
  readonly logIndex: () => number;
  /** A resident's session begins on this connection. */
  readonly attach: (
    connection: HolderId,
    resident: Resident,
    /** How far they say that they have the log. */
    positions: readonly LogPosition[],
    moment: Moment,
  ) => { readonly welcome: Welcome; readonly deliveries: readonly Bytes[] };
  /** A member opens a line for a file. */
  readonly transfers: (connection: HolderId, member: IdKey, moment: Moment) => RoomEffect[];
  /** The line of a session that continues on another one. */
  readonly replaced: (connection: HolderId, moment: Moment) => RoomEffect[];
}

type Peer =
  | { readonly kind: 'candidate'; readonly admission: Admission }
  /** All is right; the host has to say yes. */
  | { readonly kind: 'waiting'; readonly admission: Admission; readonly candidate: Candidate }
  /** The owner's signature is on its way. */
  | { readonly kind: 'approved'; readonly admission: Admission; readonly candidate: Candidate };

type Waiting = Peer & { readonly kind: 'waiting' };
type Approved = Peer & { readonly kind: 'approved' };

export class Entrance {
  readonly #start: EntranceStart;
  readonly #context: EntranceContext;
  readonly #door: Door;
  readonly #peers = new Map<HolderId, Peer>();
  readonly #visitors = new Visitors();
  #closing = false;

  constructor(start: EntranceStart, context: EntranceContext) {
    this.#start = start;
    this.#context = context;
    this.#door = this.#makeDoor();
  }

  /** Who stands here with an invitation, first come first; nobody of the host's own. */
  get visitors(): readonly Visitor[] {
    return this.#visitors.all;
  }

  has(connection: HolderId): boolean {
    return this.#peers.has(connection);
  }

  connected(connection: HolderId, channelBinding: Bytes, moment: Moment): RoomEffect[] {
    const admission = new Admission(this.#door, connection, channelBinding);
    this.#peers.set(connection, { kind: 'candidate', admission });
    return this.#closing ? this.#effects(connection, admission.refuse('closing'), moment) : [];
  }

  /** @throws ProtocolError or SecurityError when the frame is not one of an honest candidate. */
  frame(connection: HolderId, frame: Bytes, moment: Moment): RoomEffect[] {
    const peer = this.#peers.get(connection);
    return peer === undefined ? [] : this.#effects(connection, peer.admission.onFrame(frame, moment), moment);
  }

  tick(moment: Moment): RoomEffect[] {
    const { invitations } = this.#context;
    for (const holder of invitations.overdue(moment.nowMs)) {
      invitations.fail(holder);
      const peer = this.#peers.get(holder);
      if (peer?.kind === 'candidate') peer.admission.onTryExpired();
    }
    return this.#visitors.all.flatMap((visitor) => this.#waitOn(visitor, moment));
  }

  /** What follows from any event: tries are free for those in line, invitations are used up. */
  settle(moment: Moment): RoomEffect[] {
    const { invitations } = this.#context;
    const effects: RoomEffect[] = [];
    for (let released = invitations.released(); released.length > 0; released = invitations.released()) {
      for (const holder of released) {
        const peer = this.#peers.get(holder);
        if (peer?.kind === 'candidate') {
          effects.push(...this.#effects(holder, peer.admission.onReleased(moment), moment));
        }
      }
    }
    for (const invitation of invitations.exhausted()) {
      effects.push({ kind: 'notice', notice: { kind: 'suspended', invitation, because: 'tries' } });
    }
    return effects;
  }

  /** @throws InputError `not-waiting` when nobody of that number does, `room-full` when there is no place. */
  admit(holder: HolderId): void {
    const peer = this.#peers.get(holder);
    if (peer?.kind !== 'waiting')
      throw new InputError('not-waiting', 'Nobody of that number waits at the door.');
    if (peer.candidate.replaces === null && this.#isFull())
      throw new InputError('room-full', 'The room is full. Remove someone first; they go on waiting.');
    this.#approve(holder, peer);
  }

  /** @throws InputError `not-at-door` */
  deny(holder: HolderId, moment: Moment): RoomEffect[] {
    const peer = this.#peers.get(holder);
    const stands = this.#visitors.all.some((visitor) => visitor.holder === holder);
    if (!stands || (peer?.kind !== 'waiting' && peer?.kind !== 'candidate'))
      throw new InputError('not-at-door', 'Nobody of that number stands at the door.');
    return this.#effects(holder, peer.admission.refuse('denied'), moment);
  }

  turnAway(connection: HolderId, reason: Refusal, moment: Moment): RoomEffect[] {
    const peer = this.#peers.get(connection);
    if (peer?.kind !== 'candidate') return [];
    return this.#effects(connection, peer.admission.refuse(reason), moment);
  }

  /**
   * The owner has signed these members in: whoever of them stands here is welcomed.
   * @param predecessors by the new key, who they were under the old one
   */
  signedIn(
    members: readonly RosterMember[],
    predecessors: ReadonlyMap<IdKey, Resident>,
    moment: Moment,
  ): RoomEffect[] {
    const byKey = new Map(members.map((member) => [member.key, member]));
    return [...this.#peers].flatMap(([connection, peer]) => {
      if (peer.kind !== 'approved') return [];
      const member = byKey.get(idKey(peer.candidate.verifyKey.memberId));
      if (member === undefined) return [];
      return this.#welcome(connection, peer, { member, before: predecessors.get(member.key) }, moment);
    });
  }

  /** A member is gone, and their account with them: whoever was about to go on with it cannot. */
  accountEnded(member: IdKey, moment: Moment): RoomEffect[] {
    return [...this.#peers].flatMap(([connection, peer]) =>
      peer.kind !== 'candidate' && peer.candidate.replaces === member
        ? this.#effects(connection, peer.admission.refuse('denied'), moment)
        : [],
    );
  }

  /** A connection is gone, or is closed because its program broke the protocol. */
  gone(connection: HolderId, how: 'gone' | 'refused'): RoomEffect[] {
    this.#forget(connection);
    return this.#leftDoor(connection, how, null);
  }

  /** The room ends: everyone here is refused, and whoever comes. */
  close(moment: Moment): RoomEffect[] {
    this.#closing = true;
    return [...this.#peers].flatMap(([connection, { admission }]) =>
      this.#effects(connection, admission.refuse('closing'), moment),
    );
  }

  #makeDoor(): Door {
    const start = this.#start;
    const { codes, bans, nicknames, residents, invitations } = this.#context;
    return {
      roomId: start.roomId,
      roomName: start.name,
      question: start.question,
      keeps: start.keeps ?? 'nothing',
      policy: () => policyOf(this.#context.roster.settings),
      limits: start.limits,
      dialect: start.dialect ?? DIALECT,
      invitations,
      startAnswer: (ke1) => start.answer.start(ke1),
      finishAnswer: (state, ke3) => start.answer.finish(state, ke3),
      startPassword: (credential, record, ke1) => {
        if (start.accounts === undefined) throw new ProtocolError('no-accounts', 'this room has no accounts');
        return start.accounts.start(credential, record, ke1);
      },
      finishPassword: (state, ke3) => start.accounts?.finish(state, ke3) != null,
      accountCalled: (nick) => accountCalled(nick, residents),
      hasAccounts: () => [...residents.values()].some(({ account }) => account !== null),
      isReplacing: (key) =>
        [...this.#peers.values()].some(
          (peer) => peer.kind !== 'candidate' && peer.candidate.replaces === key,
        ),
      judgeCode: (code, moment) => codes.judge(code, moment),
      nickRefusal: (nick, role) => nicknames.refusal(nick, role),
      shut: (role) => this.#shut(role),
      isBanned: (member, nick, { nowMs }) => bans.holds(member, nick, nowMs),
      account: (key) => residents.get(key),
      isJoining: (key) =>
        this.#joiningIdentities().some((identity) => idKey(identity.subarray(0, ID_BYTES.member)) === key),
      recognised: (holder, purpose) => start.gate.recognised(holder, purpose),
      unrecognised: (holder, moment) => start.gate.unrecognised(holder, moment.nowMs),
      proved: (holder) => start.gate.proved(holder),
    };
  }

  #isFull(): boolean {
    const { roster, owner } = this.#context;
    const newcomers = owner.approving.filter(({ replaces }) => replaces === null);
    return roster.size + newcomers.length >= this.#start.maxMembers;
  }

  /** The host's own way in is always open, but for a room that is full. */
  #shut(role: Role): 'locked' | 'room-full' | null {
    if (this.#context.roster.settings.locked && role !== 'owner') return 'locked';
    return this.#isFull() ? 'room-full' : null;
  }

  /** Of those who wait, for the owner's signature or the host's yes. */
  #joiningIdentities(): Hash[] {
    return [
      ...this.#context.owner.approving.map(({ entry }) => entry.identity),
      ...this.#visitors.all.flatMap(({ fingerprint }) => fingerprint ?? []),
    ];
  }

  /** Time passes for someone who waits for the host's yes. */
  #waitOn({ holder, sinceMs }: Visitor, moment: Moment): RoomEffect[] {
    const peer = this.#peers.get(holder);
    if (peer?.kind !== 'waiting') return [];
    const refuse = (reason: Refusal) => this.#effects(holder, peer.admission.refuse(reason), moment);
    // What the host has withdrawn lets nobody in. Expired and suspended are for those who come later.
    if (this.#context.invitations.find(peer.candidate.invitation)?.revoked === true) return refuse('revoked');
    if (moment.nowMs - sinceMs >= this.#start.limits.waitingMs) return refuse('timed-out');
    const { approval, locked } = this.#context.roster.settings;
    if (approval) return [];
    const isOnList = peer.candidate.replaces !== null;
    if (locked && !isOnList) return refuse('locked');
    if (isOnList || !this.#isFull()) this.#approve(holder, peer);
    return [];
  }

  #effects(connection: HolderId, effects: readonly AdmissionEffect[], moment: Moment): RoomEffect[] {
    return effects.flatMap((effect): RoomEffect[] => {
      switch (effect.kind) {
        case 'send':
          return [{ kind: 'send', to: connection, frame: effect.frame }];
        case 'close':
          return this.#refused(connection, effect.reason, effect.frame);
        case 'stage': {
          const { stage, invitation } = effect;
          if (this.#roleBy(invitation) === 'owner') return [];
          const visitor = this.#visitors.reached(connection, invitation, stage, moment.nowMs);
          return [{ kind: 'notice', notice: { kind: 'door', ...visitor } }];
        }
        case 'joins':
          return this.#judged(connection, effect.candidate, moment);
        case 'returns':
          return this.#returns(connection, effect.returner, moment);
        case 'transfers':
          this.#peers.delete(connection);
          this.#start.gate.admitted(connection);
          return this.#context.transfers(connection, effect.member, moment);
        default:
          return unreachable(effect);
      }
    });
  }

  #refused(connection: HolderId, reason: Refusal, frame: Bytes): RoomEffect[] {
    this.#forget(connection);
    const left = this.#leftDoor(connection, 'refused', reason);
    const refused: RoomEffect = { kind: 'notice', notice: { kind: 'refused', holder: connection, reason } };
    return [{ kind: 'close', connection, frame }, ...(left.length === 0 ? [refused] : left)];
  }

  /** What someone became by an invitation, or would become. */
  #roleBy(invitation: IdKey): Role {
    return this.#context.invitations.find(invitation)?.role ?? 'member';
  }

  /** All four layers are right. The nickname is theirs from now on, as the use is, until they are in or gone. */
  #judged(connection: HolderId, candidate: Candidate, moment: Moment): RoomEffect[] {
    const peer = this.#peers.get(connection);
    if (peer?.kind !== 'candidate') return [];
    const { admission } = peer;
    // Of an account it is taken already, and stays so.
    if (candidate.replaces === null) this.#context.nicknames.take(candidate.nick);
    this.#start.gate.judged(connection);
    const waiting: Waiting = { kind: 'waiting', admission, candidate };
    if (!this.#context.roster.settings.approval || this.#roleBy(candidate.invitation) === 'owner') {
      this.#approve(connection, waiting);
      return [];
    }
    this.#peers.set(connection, waiting);
    const visitor = this.#visitors.waits(candidate, moment.nowMs);
    return [
      ...this.#effects(connection, admission.wait(), moment),
      { kind: 'notice', notice: { kind: 'door', ...visitor } },
    ];
  }

  #approve(connection: HolderId, { admission, candidate }: Waiting): void {
    const entry = {
      identity: candidate.verifyKey.idFingerprint,
      nick: candidate.nick,
      role: this.#roleBy(candidate.invitation),
      algorithm: candidate.verifyKey.algorithm,
      muted: false,
    };
    this.#context.owner.approve(entry, candidate.replaces);
    this.#peers.set(connection, { kind: 'approved', admission, candidate });
  }

  #welcome(
    connection: HolderId,
    approved: Approved,
    { member, before }: { readonly member: RosterMember; readonly before: Resident | undefined },
    moment: Moment,
  ): RoomEffect[] {
    const { admission, candidate } = approved;
    this.#context.invitations.admitted(candidate.invitation);
    const resident = new Resident({
      member,
      invitations: [candidate.invitation],
      verifyKey: candidate.verifyKey,
      accountKey: moment.randomBytes(32),
      statement: candidate.statement,
      index: this.#context.logIndex(),
      nowMs: moment.nowMs,
      limits: this.#start.limits,
      keeper: this.#context.keeperOf(member.key),
    });
    if (before !== undefined) resident.succeed(before);
    this.#context.residents.set(member.key, resident);
    return this.#enter(connection, resident, admission, [], moment);
  }

  /** A member is back. The session they quote is replaced silently: a lost line is not a second login. */
  #returns(connection: HolderId, returner: Returner, moment: Moment): RoomEffect[] {
    const peer = this.#peers.get(connection);
    const resident = this.#context.residents.get(returner.member);
    if (peer?.kind !== 'candidate') return [];
    const refuse = (reason: Refusal) => this.#effects(connection, peer.admission.refuse(reason), moment);
    // Removed while the run was under way.
    if (resident === undefined) return refuse('not-recognised');
    const before = resident.connection;
    const same =
      bytesEqual(returner.replaces, ANY_SESSION) ||
      (resident.sessionId !== null && idKey(resident.sessionId) === idKey(returner.replaces));
    if (before !== null && !same) return refuse('already-online');
    const { statement } = returner;
    const known = resident.statement;
    const renewed = statement.generation > known.generation;
    if (!renewed && !bytesEqual(statement.signed.bytes, known.signed.bytes)) return refuse('key-refused');
    const effects: RoomEffect[] = [];
    if (before !== null) {
      // The line that ends is no longer theirs: nobody sees them go and come.
      resident.connection = connection;
      effects.push(...this.#context.replaced(before, moment));
    }
    if (renewed) resident.statement = statement;
    // With nothing of the log they begin here: what waited for them, they never get.
    if (returner.positions.length === 0) resident.droppedTo = this.#context.logIndex();
    if (returner.invitation !== null) resident.invitations.add(returner.invitation);
    this.#context.owner.keep(returner.member);
    const { positions } = returner;
    return [...effects, ...this.#enter(connection, resident, peer.admission, positions, moment)];
  }

  /** Through the door: from here on the connection is the resident's. */
  #enter(
    connection: HolderId,
    resident: Resident,
    admission: Admission,
    positions: readonly LogPosition[],
    moment: Moment,
  ): RoomEffect[] {
    this.#start.gate.admitted(connection);
    this.#context.changes.records.add(resident);
    this.#context.changes.progress.add(resident);
    const { welcome, deliveries } = this.#context.attach(connection, resident, positions, moment);
    const frame = admission.welcome(welcome);
    this.#peers.delete(connection);
    return [
      { kind: 'admitted', connection },
      { kind: 'send', to: connection, frame },
      ...deliveries.map((delivery): RoomEffect => ({ kind: 'send', to: connection, frame: delivery })),
      ...this.#leftDoor(connection, 'admitted', null),
    ];
  }

  /** Someone here is no more. Who was not signed in yet never was in the room: use and nickname are free again. */
  #forget(connection: HolderId): void {
    const { invitations, owner, nicknames } = this.#context;
    const peer = this.#peers.get(connection);
    this.#peers.delete(connection);
    invitations.gone(connection);
    if (peer?.kind !== 'waiting' && peer?.kind !== 'approved') return;
    const { candidate } = peer;
    if (peer.kind === 'approved') owner.withdraw(candidate.verifyKey.idFingerprint);
    if (candidate.replaces === null) nicknames.free(candidate.nick);
    invitations.unspend(candidate.invitation);
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
