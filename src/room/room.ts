/**
 * The host's side of a room as one state machine: connections come and go, frames arrive, time passes; what it answers
 * is a list of effects. It has no socket, clock, disk or key that opens a message.
 * @see docs/architecture.md#room
 */
import { Roster, type RosterMember } from '../crypto/roster.ts';
import { type RosterChange, successions } from '../crypto/roster-change.ts';
import { importVerifyKey, type SigningKey, type VerifyKey } from '../crypto/signature.ts';
import type { LogPosition } from '../protocol/admission-frames.ts';
import type { Bytes } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { ProtocolError, SecurityError } from '../protocol/errors.ts';
import { type Hash, type IdKey, idKey } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import type { CloseReason, Refusal, Removal } from '../protocol/reasons.ts';
import { heldMs, PLAIN_ROOM } from '../protocol/room-settings.ts';
import { closeFrame } from '../protocol/session-frames.ts';
import type { RoomSettings } from '../protocol/signed-objects.ts';
import { DIALECT } from '../protocol/version.ts';
import { Accounts } from './accounts.ts';
import { type Ban, BanBook, type BanView } from './bans.ts';
import { CodeKeeper, type ShownCode } from './code-keeper.ts';
import { Conversations } from './conversations.ts';
import type { DepositStart } from './deposits.ts';
import type { RoomEffect } from './effects.ts';
import { Entrance, type EntranceStart } from './entrance.ts';
import { type HolderId, InvitationBook } from './invitations.ts';
import { Moderation } from './moderation.ts';
import { Nicknames } from './nicknames.ts';
import type { Cause } from './operation-batch.ts';
import { Owner } from './owner.ts';
import { Relay, type RelayPeer } from './relay.ts';
import { Resident, type ResidentChanges } from './resident.ts';
import type { KeptRoom, PlacedOperation, RoomStore } from './store.ts';
import { type DiskReport, Transfers } from './transfers.ts';
import type { Visitor } from './visitors.ts';
import type { WrapKeeper } from './wrap-queue.ts';

export interface RoomStart extends EntranceStart {
  readonly ownerKey: SigningKey;
  readonly store: RoomStore;
  /** How a new room is to begin with, where it is not plain. */
  readonly settings?: Partial<RoomSettings>;
  /** Not given: files only pass through. */
  readonly deposits?: DepositStart;
}

/** Where list and log stand. */
export interface RoomPosition {
  readonly epoch: number;
  readonly operation: Hash;
  readonly index: number;
  readonly head: Hash;
}

/** A resident's connection. */
type ResidentLine = RelayPeer & { lastHeardMs: number };

export class Room {
  readonly #limits: Limits;
  readonly #owner: Owner;
  readonly #ownerKey: VerifyKey;
  readonly #roster: Roster;
  readonly #relay: Relay;
  readonly #moderation: Moderation;
  readonly #codes: CodeKeeper;
  readonly #entrance: Entrance;
  readonly #lines = new Map<HolderId, ResidentLine>();
  readonly #residents = new Map<IdKey, Resident>();
  readonly #nicknames: Nicknames;
  readonly #bans: BanBook;
  readonly invitations: InvitationBook;
  readonly #store: RoomStore;
  readonly #conversations: Conversations;
  readonly #transfers: Transfers;
  readonly #changes: ResidentChanges = {
    records: new Set(),
    progress: new Set(),
    places: new Map(),
    conversations: new Set(),
  };
  #savedBans: readonly Ban[];
  #latestOperation: Signed;

  constructor(start: RoomStart, moment: Moment) {
    const { limits, roomId } = start;
    this.#limits = limits;
    this.#owner = new Owner(
      start.ownerKey,
      { roomName: start.name, settings: { ...PLAIN_ROOM, ...start.settings } },
      limits,
    );
    this.#ownerKey = importVerifyKey(start.ownerKey.spki, start.ownerKey.algorithm);
    const { store } = start;
    const { kept } = store;
    this.#roster = kept === null ? new Roster(roomId) : Roster.restore(roomId, this.#ownerKey, kept.roster);
    this.#nicknames = new Nicknames(this.#owner);
    this.#codes = new CodeKeeper(moment);
    this.#store = store;
    this.invitations = new InvitationBook(limits, kept?.invitations);
    this.#bans = new BanBook(limits.bansMost, kept?.bans);
    this.#savedBans = this.#bans.all;
    const moderation = {
      roomId,
      roster: this.#roster,
      owner: this.#owner,
      limits,
      nickRefusal: (nick: string, member: RosterMember, { nowMs }: Moment) =>
        this.#bans.holds(member.key, nick, nowMs)
          ? 'nick-refused'
          : this.#nicknames.refusal(nick, member.role, member),
      kick: (member: IdKey, cause: Cause, moment: Moment) => this.#showOut(member, cause, moment),
      ban: (member: IdKey, forMs: number | null, cause: Cause, moment: Moment) =>
        this.#shutOut(member, forMs, cause, moment),
      unban: (nick: string) => this.#bans.lift(nick),
    };
    this.#moderation = new Moderation(moderation, kept?.mutedUntilMs);
    this.#conversations = new Conversations({
      ...{ roomId, roster: this.#roster, owner: this.#owner, residents: this.#residents, limits, store },
      changed: this.#changes.conversations,
    });
    const keeping = start.deposits && {
      ...start.deposits,
      store,
      heldMs: () => heldMs(this.#roster.settings.staySeconds, limits.backlogMs),
    };
    this.#transfers = new Transfers({ residents: this.#residents, limits, ...(keeping && { keeping }) });
    const relay = {
      transfers: this.#transfers,
      conversations: this.#conversations,
      roomId,
      roster: this.#roster,
      owner: this.#owner,
      moderation: this.#moderation,
      accounts: new Accounts(start.accounts ?? null, limits),
      residents: this.#residents,
      log: store.log,
      limits,
      dialect: start.dialect ?? DIALECT,
      changes: this.#changes,
      store,
    };
    this.#relay = new Relay(relay, moment);
    this.#entrance = new Entrance(start, {
      roster: this.#roster,
      owner: this.#owner,
      residents: this.#residents,
      nicknames: this.#nicknames,
      invitations: this.invitations,
      bans: this.#bans,
      codes: this.#codes,
      changes: this.#changes,
      keeperOf: (member) => this.#keeperOf(member),
      logIndex: () => this.#relay.position.index,
      attach: (connection, resident, positions, moment) =>
        this.#attach(connection, resident, positions, moment),
      transfers: (connection, member, moment) => this.#transfers.enter(connection, member, moment),
      replaced: (connection, moment) =>
        this.#close(connection, 'replaced', 'this session continues elsewhere', moment),
    });
    this.#latestOperation = kept === null ? this.#create(moment) : this.#openAgain(kept, moment);
    this.save();
  }

  #create(moment: Moment): Signed {
    const operation = this.#owner.create(this.#roster, moment.nowMs);
    this.#roster.apply(operation, this.#ownerKey);
    this.#relay.placeOperation(operation, moment);
    this.#store.saveRoster(this.#placed(operation));
    return operation;
  }

  /** @throws SecurityError when what was kept is not what the owner signed. */
  #openAgain(kept: KeptRoom, moment: Moment): Signed {
    for (const each of kept.members) {
      const member = this.#roster.member(each.key);
      if (member === undefined)
        throw new SecurityError('kept-room', 'someone is kept whom the roster does not list');
      const keeper = this.#keeperOf(member.key);
      const start = { member, nowMs: moment.nowMs, limits: this.#limits, keeper };
      this.#residents.set(member.key, Resident.restore(each, start));
      this.#nicknames.take(member.nick);
    }
    this.#conversations.restore(kept.conversations, this.#relay.beginEra(moment));
    this.#transfers.restore();
    // Written down at once, and signed a moment later: the host may have ended between the two.
    for (const { member } of this.#bans.all) this.#showOut(member, null, moment, 'banned');
    return kept.roster.operation;
  }

  /** What opens the door to a member who comes back; `null` for someone who is none. */
  accountKey(member: IdKey): Bytes | null {
    return this.#residents.get(member)?.accountKey ?? null;
  }

  /** Something is not as it was stored: `save` has to be called before anyone is told of it. */
  get isUnsaved(): boolean {
    const { records, progress, places, conversations } = this.#changes;
    const hasBans = this.#savedBans !== this.#bans.all;
    return (
      hasBans ||
      records.size > 0 ||
      progress.size > 0 ||
      places.size > 0 ||
      conversations.size > 0 ||
      this.invitations.hasChanged ||
      this.#moderation.hasChanged
    );
  }

  /** Leaves with the store all that is not as it was stored; when to write that down is the shell's to say. */
  save(): void {
    const { records, progress } = this.#changes;
    for (const resident of records) if (this.#isHere(resident)) this.#store.saveMember(resident.record);
    for (const resident of progress) if (this.#isHere(resident)) this.#store.saveProgress(resident.progress);
    records.clear();
    progress.clear();
    this.#saveConversations();
    for (const invitation of this.invitations.takeChanged()) this.#store.saveInvitation(invitation);
    const mutes = this.#moderation.takeChanged();
    if (mutes !== null) this.#store.saveMutes(mutes);
    if (this.#savedBans === this.#bans.all) return;
    this.#savedBans = this.#bans.all;
    this.#store.saveBans(this.#savedBans);
  }

  #saveConversations(): void {
    const { places, conversations } = this.#changes;
    for (const conversation of conversations) {
      this.#store.saveConversation(conversation.record);
      for (const [member, place] of conversation.places)
        this.#store.savePlace(conversation.key, member, place.kept);
    }
    for (const [place, { conversation, member }] of places) {
      // Whoever is gone from it has no place there to be kept.
      if (conversation.places.get(member) === place && !conversations.has(conversation))
        this.#store.savePlace(conversation.key, member, place.kept);
    }
    places.clear();
    conversations.clear();
  }

  #isHere(resident: Resident): boolean {
    return this.#residents.get(resident.member.key) === resident;
  }

  #placed(operation: Signed): PlacedOperation {
    const { members, epoch, hash, lastRemovalEpoch, usedActs } = this.#roster;
    return { operation, members, epoch, hash, lastRemovalEpoch, usedActs };
  }

  #keeperOf(member: IdKey): WrapKeeper {
    return {
      keepWrap: (wrap) => this.#store.keepWrap(member, wrap),
      dropWraps: (wraps) => this.#store.dropWraps(wraps),
    };
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
    return this.#entrance.visitors;
  }
  get bans(): readonly BanView[] {
    return this.#bans.all;
  }
  /** Epoch, head and the latest operation's hash, for people to compare. */
  get position(): RoomPosition {
    const { epoch, hash: operation } = this.#roster;
    return { epoch, operation, ...this.#relay.position };
  }

  connected(connection: HolderId, channelBinding: Bytes, moment: Moment): RoomEffect[] {
    return this.#entrance.connected(connection, channelBinding, moment);
  }

  /** One whole frame. A peer that breaks the protocol is told so and closed; nobody else notices. */
  frame(connection: HolderId, frame: Bytes, moment: Moment): RoomEffect[] {
    const line = this.#lines.get(connection);
    const isTransfer = line === undefined && this.#transfers.has(connection);
    if (line === undefined && !isTransfer && !this.#entrance.has(connection)) return [];
    try {
      if (isTransfer) return this.#transfers.frame(connection, frame, moment);
      if (line === undefined)
        return [...this.#entrance.frame(connection, frame, moment), ...this.#settle(moment)];
      line.lastHeardMs = moment.nowMs;
      return [...this.#relay.frame(line, frame, moment), ...this.#settle(moment)];
    } catch (error) {
      if (!(error instanceof ProtocolError || error instanceof SecurityError)) throw error;
      return [...this.#close(connection, 'protocol', error.message, moment), ...this.#settle(moment)];
    }
  }

  /**
   * So many bytes of a bare stream have come on a line for a file.
   * @returns the lines that get the same bytes, before the effects, and the file that is written down, if it is
   */
  bytes(connection: HolderId, count: number, moment: Moment): ReturnType<Transfers['arrived']> {
    try {
      return this.#transfers.arrived(connection, count, moment);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const effects = this.#close(connection, 'protocol', error.message, moment);
      return { to: [], deposit: null, effects };
    }
  }

  /** What has become of a file that is written beside the room, or read from there. */
  disk(report: DiskReport, moment: Moment): RoomEffect[] {
    return this.#transfers.disk(report, moment);
  }

  disconnected(connection: HolderId, moment: Moment): RoomEffect[] {
    return [...this.#drop(connection, 'gone', moment), ...this.#settle(moment)];
  }

  /** Time passes: to be called a few times a second. */
  tick(moment: Moment): RoomEffect[] {
    const effects: RoomEffect[] = [];
    if (this.#codes.update(moment))
      effects.push({ kind: 'notice', notice: { kind: 'code', code: this.#codes.shown } });
    this.#bans.expire(moment.nowMs);
    this.#moderation.tick(moment.nowMs);
    effects.push(...this.#entrance.tick(moment));
    for (const [connection, { lastHeardMs }] of this.#lines) {
      if (moment.nowMs - lastHeardMs >= this.#limits.deadMs) {
        effects.push(...this.#close(connection, 'silent', 'nothing was heard from you', moment));
      }
    }
    for (const resident of this.#residents.values()) {
      const since = resident.offlineSinceMs;
      const isTooLong = since !== null && moment.nowMs - since >= this.#limits.guestOfflineMs;
      // Whoever lost the device with their key has to find their account again.
      const stays = resident.prefers.stays || resident.account !== null;
      if (isTooLong && !stays) {
        this.#owner.remove(resident.member.memberId, 'absent', moment.nowMs);
      }
    }
    this.#relay.tick(moment);
    effects.push(...this.#transfers.tick(moment));
    effects.push(...this.#settle(moment), ...this.#relay.presence(moment));
    return effects;
  }

  /**
   * The host says yes to someone who waits.
   * @throws InputError `not-waiting` when nobody of that number does, `room-full` when there is no place: they wait on.
   */
  admit(holder: HolderId, moment: Moment): RoomEffect[] {
    this.#entrance.admit(holder);
    return this.#settle(moment);
  }

  /** The host says no, to someone who waits or is still at the checks. @throws InputError `not-at-door` */
  deny(holder: HolderId, moment: Moment): RoomEffect[] {
    return [...this.#entrance.deny(holder, moment), ...this.#settle(moment)];
  }

  /** A candidate has been at the door too long, or has to make room. */
  turnAway(connection: HolderId, reason: Refusal, moment: Moment): RoomEffect[] {
    return [...this.#entrance.turnAway(connection, reason, moment), ...this.#settle(moment)];
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

  /** The owner changes how the room is. @throws InputError `text-too-long` or `bad-setting` */
  change(part: Partial<RoomSettings>, moment: Moment): RoomEffect[] {
    this.#moderation.configure(part);
    return this.#settle(moment);
  }

  /** The room ends, or is closed until its host opens it again: everyone is told. */
  close(reason: 'host-closing' | 'paused', text: string, moment: Moment): RoomEffect[] {
    // What was asked for moments ago is so when the room is open again.
    const last = reason === 'paused' ? this.#settle(moment, true) : [];
    const lines = [...this.#lines.keys()];
    return [
      ...last,
      ...lines.flatMap((connection) => this.#close(connection, reason, text, moment)),
      ...this.#entrance.close(moment),
      ...this.#transfers.close(),
    ];
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

  /** What follows from any event: places in line, operations that are due. */
  #settle(moment: Moment, isLast = false): RoomEffect[] {
    const effects = this.#entrance.settle(moment);
    const signed = this.#owner.operation(this.#roster, moment.nowMs, isLast);
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
    this.#store.saveRoster(this.#placed(signed));
    const effects: RoomEffect[] = [{ kind: 'broadcast', frame: this.#relay.placeOperation(signed, moment) }];
    // The very next thing that whoever reads along hears.
    effects.push(...this.#conversations.roomChanged(signed, change, moment));
    for (const { before, after } of change.changed) {
      const resident = this.#residents.get(after.key);
      if (resident !== undefined) resident.member = after;
      this.#nicknames.free(before.nick);
      this.#nicknames.take(after.nick);
    }
    const predecessors = new Map<IdKey, Resident>();
    for (const { before, after } of successions(change)) {
      const resident = this.#residents.get(before.key);
      if (resident !== undefined) predecessors.set(after.key, resident);
      this.#moderation.succeeded(before.key, after.key);
    }
    for (const { member, reason, by } of change.removed) {
      const resident = this.#residents.get(member.key);
      this.#residents.delete(member.key);
      this.#store.forgetMember(member.key);
      this.#moderation.gone(member.key);
      effects.push(...this.#transfers.memberGone(member.key, moment));
      if (reason !== 'replaced') {
        this.#nicknames.free(member.nick);
        effects.push(...this.#entrance.accountEnded(member.key, moment));
      }
      if (resident === undefined || resident.connection === null) continue;
      const left = reason === 'left';
      const text = left ? 'you left the room' : removedText(reason, by?.nick ?? 'the owner');
      effects.push(...this.#close(resident.connection, left ? 'bye' : 'removed', text, moment));
    }
    effects.push(...this.#entrance.signedIn(change.added, predecessors, moment));
    effects.push({ kind: 'notice', notice: { kind: 'roster', change } });
    return effects;
  }

  #attach(
    connection: HolderId,
    resident: Resident,
    positions: readonly LogPosition[],
    moment: Moment,
  ): Pick<ReturnType<Relay['attach']>, 'welcome' | 'deliveries'> {
    const operation = this.#latestOperation;
    const { peer, ...session } = this.#relay.attach(connection, resident, operation, positions, moment);
    this.#lines.set(connection, { ...peer, lastHeardMs: moment.nowMs });
    return session;
  }

  #close(connection: HolderId, reason: CloseReason, text: string, moment: Moment): RoomEffect[] {
    const frame = this.#transfers.isBare(connection) ? null : closeFrame(reason, text);
    return [...this.#drop(connection, 'refused', moment), { kind: 'close', connection, frame }];
  }

  /** A connection is gone. @param how it is told to the host where someone stood at the door with it */
  #drop(connection: HolderId, how: 'gone' | 'refused', moment: Moment): RoomEffect[] {
    if (this.#transfers.has(connection)) return this.#transfers.gone(connection, moment);
    const line = this.#lines.get(connection);
    if (line === undefined) return this.#entrance.gone(connection, how);
    this.#lines.delete(connection);
    return this.#relay.detach(line, moment);
  }
}

function removedText(reason: RosterChange['removed'][number]['reason'], who: string): string {
  if (reason === 'replaced') return 'your account goes on elsewhere, under another key';
  return `${who} ${reason === 'banned' ? 'banned' : 'removed'} you from the room`;
}
