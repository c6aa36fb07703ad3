/**
 * What the host does for members who are in: it places messages in the log, serves pages, and carries wraps to the one
 * member each is for. Content passes through as it came.
 * @see docs/protocol.md#session
 */
import type { Roster, RosterSnapshot } from '../crypto/roster.ts';
import { type ActKind, SignedAct } from '../protocol/acts.ts';
import type { LogPosition, Welcome } from '../protocol/admission-frames.ts';
import { type Bytes, bytesEqual } from '../protocol/bytes.ts';
import type { Decoded, Signed } from '../protocol/codec.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { encodeFrame, frameBody, frameType } from '../protocol/framing.ts';
import {
  type ConversationId,
  type Hash,
  type IdKey,
  idKey,
  ROOM_CONVERSATION,
  type RoomId,
  sessionId,
} from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import type { ActOutcome, Deferral } from '../protocol/reasons.ts';
import { heldMs } from '../protocol/room-settings.ts';
import {
  Ack,
  ActAnswer,
  ActFrame,
  Away,
  Converse,
  Deferred,
  ERAS_MOST,
  Eras,
  LeaveFrame,
  NeedKeyFrame,
  OpenDirect,
  Placed,
  Post,
  Prefer,
  PublishKey,
  PullConversation,
  PullKeys,
  PullList,
  PullLog,
  SESSION_FRAME,
  Wraps,
  WrapsTaken,
} from '../protocol/session-frames.ts';
import { ChainAnnouncement, Leave, MessageHeader, NeedKey } from '../protocol/signed-objects.ts';
import { type Dialect, FEATURE, PROTOCOL_VERSION } from '../protocol/version.ts';
import type { Accounts } from './accounts.ts';
import type { Conversation } from './conversation.ts';
import type { Conversations } from './conversations.ts';
import type { RoomEffect } from './effects.ts';
import { FairRate } from './fair-rate.ts';
import type { HolderId } from './invitations.ts';
import { checkPublished, keysPage, needKeyTarget, routeWraps } from './keys.ts';
import { ListPages } from './list-pages.ts';
import type { Log } from './log.ts';
import type { LogPlace } from './log-place.ts';
import type { Moderation } from './moderation.ts';
import type { Owner } from './owner.ts';
import { NOTHING, PAGE_MARGIN_BYTES, Placing } from './placing.ts';
import { type Circle, judgePost } from './posting.ts';
import { PresenceNews } from './presence.ts';
import type { Resident, ResidentChanges } from './resident.ts';
import type { RoomStore } from './store.ts';
import type { Transfers } from './transfers.ts';
import type { KeptWrap } from './wrap-queue.ts';

/** One member's connection. */
export interface RelayPeer {
  readonly connection: HolderId;
  readonly resident: Resident;
  /** The list as of this connection's WELCOME, until its last page has been served. */
  list: Pick<RosterSnapshot, 'members'> | null;
  /** Where the log stood then. */
  readonly welcomeIndex: number;
  /** From here on this member may have missed what was broadcast, before this connection was theirs. */
  readonly goneSinceMs: number;
  live: boolean;
  /** Under which credential a registration has begun here. */
  registering: string | null;
}

export interface RelayContext {
  readonly roomId: RoomId;
  readonly roster: Roster;
  readonly owner: Owner;
  readonly moderation: Moderation;
  readonly accounts: Accounts;
  readonly residents: ReadonlyMap<IdKey, Resident>;
  readonly log: Log;
  readonly limits: Limits;
  readonly dialect: Dialect;
  readonly changes: ResidentChanges;
  readonly conversations: Conversations;
  readonly transfers: Transfers;
  readonly store: Pick<RoomStore, 'kept' | 'saveEra'>;
}

/** A log as one member writes and reads it. */
interface Desk {
  readonly conversation: ConversationId;
  /** `null`: the room itself. */
  readonly beside: Conversation | null;
  /** Who reads it. */
  readonly list: Circle;
  readonly place: LogPlace;
  readonly placing: Placing;
  /** Whoever reads it, by key. */
  readonly reader: (key: IdKey) => Resident | undefined;
}

export class Relay {
  readonly #context: RelayContext;
  readonly #rate: FairRate;
  readonly #presence: PresenceNews;
  readonly #listPages: ListPages;
  readonly #placing: Placing;
  /** Someone has said what they have since the log last let go of what everyone has. */
  #hasAcks = false;
  /** Statements about the latest starts of the room, oldest first. */
  #eras: Signed[];

  constructor(context: RelayContext, { nowMs }: Pick<Moment, 'nowMs'>) {
    this.#context = context;
    const { limits, store } = context;
    this.#placing = new Placing(ROOM_CONVERSATION, context.log, store.kept?.placedAtMs ?? 0);
    this.#eras = [...(store.kept?.eras ?? [])];
    this.#rate = new FairRate(limits.messagesPerRoomPerSecond * limits.roomBurstSeconds, nowMs);
    this.#presence = new PresenceNews(context);
    this.#listPages = new ListPages(
      limits.pageBytes - PAGE_MARGIN_BYTES,
      ({ key }) => context.residents.get(key)?.presence ?? { state: 'offline', seenMinute: 0 },
    );
  }

  get position(): { readonly index: number; readonly head: Hash } {
    return { index: this.#context.log.index, head: this.#context.log.head };
  }

  /** Appends a roster operation. @returns the ENTRY frame for everyone. */
  placeOperation(operation: Signed, moment: Moment): Bytes {
    const { bytes: header, signature } = operation;
    return this.#placing.place('roster', { header, ciphertext: NOTHING, signature }, moment).frame;
  }

  /** The room is open again, and everyone is shown from where on. */
  beginEra(moment: Moment): number {
    const { owner, roster, store } = this.#context;
    const era = Math.max((store.kept?.era ?? 0) + 1, Math.floor(moment.nowMs / 1_000));
    const signed = owner.beginEra(era, roster, [this.#placing.position]);
    const { bytes: header, signature } = signed;
    this.#placing.place('era', { header, ciphertext: NOTHING, signature }, moment);
    this.#eras = [...this.#eras, signed].slice(-ERAS_MOST);
    store.saveEra(era, signed);
    return era;
  }

  /** Begins a member's session: what WELCOME says, and what waited for them. */
  attach(
    connection: HolderId,
    resident: Resident,
    operation: Signed,
    positions: readonly LogPosition[],
    moment: Moment,
  ): { readonly peer: RelayPeer; readonly welcome: Welcome; readonly deliveries: readonly Bytes[] } {
    const { log, roster, limits, owner, dialect, accounts } = this.#context;
    // A line may have been dead for so long before anybody noticed.
    const goneSinceMs = (resident.offlineSinceMs ?? moment.nowMs) - limits.deadMs;
    this.#presence.arrived(resident);
    resident.connection = connection;
    resident.liveIn.clear();
    this.#context.conversations.arrived(resident);
    this.#context.transfers.returned(resident.member.key, moment);
    this.#listPages.presenceChanged();
    resident.sessionId = sessionId(moment.randomBytes(16));
    resident.offlineSinceMs = null;
    const welcome: Welcome = {
      features: dialect.features.filter((feature) => feature !== FEATURE.accounts || accounts.exist),
      memberId: resident.member.memberId,
      sessionId: resident.sessionId,
      accountKey: resident.accountKey,
      ownerKey: owner.publicKey,
      operation,
      positions: [
        { ...this.#placing.position, acknowledged: resident.acknowledged },
        ...this.#context.conversations.standings(resident, moment),
      ],
      retention: {
        entries: limits.backlogEntries,
        bytes: limits.backlogBytes,
        seconds: Math.floor(limits.backlogMs / 1_000),
        hashes: limits.headsKept,
      },
      messagesPerSecond: limits.messagesPerMemberPerSecond,
      messagesBurst: limits.messagesPerMemberBurst,
    };
    const begin = {
      list: roster.snapshot(),
      welcomeIndex: log.index,
      goneSinceMs,
      live: false,
      registering: null,
    };
    const deliveries = [...this.#erasFor(resident, positions), ...resident.wrapsUnderWay.frames];
    return { peer: { connection, resident, ...begin }, welcome, deliveries };
  }

  /** For who holds what this log does not: a copy of the room from before that was opened. */
  #erasFor(resident: Resident, positions: readonly LogPosition[]): readonly Bytes[] {
    const { log, conversations } = this.#context;
    return positions.flatMap((position) => {
      const { conversation, index, head } = position;
      const own = log.headAt(index);
      const isRoom = bytesEqual(conversation, ROOM_CONVERSATION);
      if (isRoom && own !== null && bytesEqual(own, head)) return [];
      const eras = isRoom ? this.#eras : conversations.erasOf(resident, position);
      return eras.length === 0 ? [] : [encodeFrame(SESSION_FRAME.eras, Eras.encode({ eras: [...eras] }))];
    });
  }

  /** A member's connection is gone. Their place in the room stays for a while. */
  detach(peer: RelayPeer, moment: Moment): RoomEffect[] {
    const { resident } = peer;
    if (resident.connection !== peer.connection) return [];
    resident.goOffline(moment.nowMs);
    this.#listPages.presenceChanged();
    this.#context.changes.progress.add(resident);
    this.#presence.changed(resident);
    return [];
  }

  /** @throws ProtocolError when the frame is malformed or does not belong here. */
  frame(peer: RelayPeer, frame: Bytes, moment: Moment): RoomEffect[] {
    const body = frameBody(frame);
    const type = frameType(frame);
    if (type === SESSION_FRAME.post) return this.#post(peer, body, moment);
    this.#countFrame(peer.resident, moment);
    switch (type) {
      case SESSION_FRAME.ping:
        return [
          { kind: 'send', to: peer.connection, frame: encodeFrame(SESSION_FRAME.pong, new Uint8Array()) },
        ];
      case SESSION_FRAME.pong:
        return [];
      case SESSION_FRAME.pullList:
        return [this.#listPage(peer, PullList.decode(body).from)];
      case SESSION_FRAME.pullLog:
        return this.#logPage(peer, PullLog.decode(body));
      case SESSION_FRAME.pullKeys: {
        const { members } = PullKeys.decode(body);
        return [{ kind: 'send', to: peer.connection, frame: keysPage(members, this.#context.residents) }];
      }
      case SESSION_FRAME.publishKey: {
        const { statement } = PublishKey.decode(body);
        peer.resident.statement = checkPublished(statement, peer.resident, this.#context.roomId);
        this.#context.changes.records.add(peer.resident);
        return [];
      }
      case SESSION_FRAME.wraps:
        return this.#wraps(peer, Wraps.decode(body), moment);
      case SESSION_FRAME.needKey:
        return this.#needKey(peer, NeedKeyFrame.decode(body).request, frame, moment);
      case SESSION_FRAME.openDirect:
        return this.#context.conversations.openDirect(peer, OpenDirect.decode(body).memberId, moment);
      case SESSION_FRAME.converse:
        return this.#context.conversations.converse(peer, Converse.decode(body).operation, moment);
      case SESSION_FRAME.pullConversation: {
        const { conversation, from } = PullConversation.decode(body);
        return this.#context.conversations.page(peer, conversation, from);
      }
      case SESSION_FRAME.leave:
        return this.#leave(peer, LeaveFrame.decode(body).leave, moment);
      case SESSION_FRAME.ack:
        return this.#ack(peer.resident, Ack.decode(body));
      case SESSION_FRAME.prefer:
        peer.resident.prefers = Prefer.decode(body);
        this.#context.changes.records.add(peer.resident);
        return [];
      case SESSION_FRAME.away:
        return this.#away(peer, Away.decode(body).away);
      case SESSION_FRAME.register:
        return [
          {
            kind: 'send',
            to: peer.connection,
            frame: this.#context.accounts.register(peer, body, moment),
          },
        ];
      case SESSION_FRAME.registerRecord:
        this.#context.changes.records.add(peer.resident);
        return [{ kind: 'send', to: peer.connection, frame: this.#context.accounts.record(peer, body) }];
      case SESSION_FRAME.act:
        return this.#act(peer, ActFrame.decode(body).act, moment);
      case SESSION_FRAME.offerFile:
        return this.#context.transfers.offer(peer.resident, body, moment);
      case SESSION_FRAME.withdrawFile:
        return this.#context.transfers.withdraw(peer.resident, body, moment);
      case SESSION_FRAME.declineFile:
        return this.#context.transfers.decline(peer.resident, body, moment);
      default:
        throw new ProtocolError('unexpected-frame', `frame ${type} in a session`);
    }
  }

  /** Time passes: what is too old, or what everyone has, need not be held any longer. */
  tick({ nowMs }: Moment): void {
    const { log, limits, residents, roster } = this.#context;
    const oldestMs = nowMs - heldMs(roster.settings.staySeconds, limits.backlogMs);
    log.expire(oldestMs);
    this.#context.conversations.tick(oldestMs);
    // A chain lives for an hour, and a message may have waited for its place: these open nothing that is still held.
    const uselessMs = oldestMs - 2 * limits.chainMs;
    for (const { wrapsUnderWay } of residents.values()) wrapsUnderWay.cameBefore(uselessMs);
    if (!this.#hasAcks) return;
    this.#hasAcks = false;
    let least = log.index;
    for (const { acknowledged } of residents.values()) least = Math.min(least, acknowledged);
    log.release(least);
  }

  /** Tells a member what became of their act, where the log does not. */
  answerAct({ connection }: Resident, kind: ActKind, outcome: ActOutcome): RoomEffect[] {
    if (connection === null) return [];
    const frame = encodeFrame(SESSION_FRAME.actAnswer, ActAnswer.encode({ kind, outcome }));
    return [{ kind: 'send', to: connection, frame }];
  }

  /** A member has the log up to here for good, and all the wraps that came before. */
  #ack(resident: Resident, { conversation, index }: Decoded<typeof Ack>): RoomEffect[] {
    const desk = this.#desk(resident, conversation);
    if (desk === null) return [];
    if (index > desk.placing.log.index)
      throw new ProtocolError('bad-index', `entry ${index} of that log does not exist`);
    if (index <= desk.place.acknowledged) return [];
    desk.place.acknowledge(index);
    resident.wrapsUnderWay.seen(idKey(conversation), index);
    this.#stepped(resident, desk);
    if (desk.beside !== null) {
      desk.beside.hasAcks = true;
      return [];
    }
    this.#hasAcks = true;
    this.#presence.acknowledged(resident);
    return [];
  }

  #away({ resident, live }: RelayPeer, away: boolean): RoomEffect[] {
    resident.away = away;
    this.#listPages.presenceChanged();
    if (live) this.#presence.changed(resident);
    return [];
  }

  #act({ resident }: RelayPeer, signed: Signed, moment: Moment): RoomEffect[] {
    const { outcome, effects } = this.#context.moderation.act(signed, resident, moment);
    if (outcome === null) return [...effects];
    return [...effects, ...this.answerAct(resident, SignedAct.decode(signed.bytes).kind, outcome)];
  }

  /** Presence and receipts since the last call, as broadcasts. */
  presence(moment: Moment): RoomEffect[] {
    return this.#presence.due(moment);
  }

  #post(peer: RelayPeer, body: Bytes, moment: Moment): RoomEffect[] {
    const { resident } = peer;
    const post = Post.decode(body);
    const header = MessageHeader.decode(post.header);
    const waitMs = this.#waitMs(resident, body.length, moment.nowMs);
    if (waitMs > 0) {
      this.#countFrame(resident, moment);
      return [this.#deferred(peer, header, 'wait', waitMs)];
    }
    const desk = this.#desk(resident, header.conversation);
    // No longer theirs: what tells them so is under way.
    if (desk === null) return [this.#deferred(peer, header, 'stale', 0)];
    const verdict = judgePost(post, header, resident, { ...this.#context, ...desk, log: desk.placing.log });
    if (verdict.kind === 'known') {
      const { conversation, chainId, n } = verdict.header;
      const placed = Placed.encode({ conversation, chainId, n, index: verdict.index });
      return [{ kind: 'send', to: peer.connection, frame: encodeFrame(SESSION_FRAME.placed, placed) }];
    }
    if (verdict.kind !== 'place') return [this.#deferred(peer, verdict.header, verdict.kind, 0)];
    if (desk.beside === null) {
      const slowMs = this.#slowMs(resident, moment.nowMs);
      if (slowMs > 0) return [this.#deferred(peer, header, 'wait', slowMs)];
      resident.lastPlacedMs = moment.nowMs;
    }
    const { frame, index } = desk.placing.place('message', post, moment, verdict.leaf);
    resident.quotedGeneration = header.generation;
    desk.place.rememberPlaced(header.n, verdict.leaf, index);
    this.#context.changes.progress.add(resident);
    this.#stepped(resident, desk);
    return [
      desk.beside === null
        ? { kind: 'broadcast', frame }
        : this.#context.conversations.tell(desk.beside, frame),
    ];
  }

  /** @throws ProtocolError when this member floods: told to wait, an honest program waits. */
  #countFrame(resident: Resident, { nowMs }: Moment): void {
    const { framesPerMemberPerSecond: perSecond, framesPerMemberBurst: burst } = this.#context.limits;
    if (resident.frames.take(1, { perSecond, burst }, nowMs) > 0) {
      throw new ProtocolError('flood', 'more frames than a member may send');
    }
  }

  /** @returns 0 when within every rate, else how long to wait. */
  #waitMs(resident: Resident, bytes: number, nowMs: number): number {
    const { limits, roster } = this.#context;
    const perSecond = Math.min(
      limits.messagesPerRoomPerSecond,
      limits.deliveriesPerRoomPerSecond / Math.max(1, roster.size),
    );
    const own = { perSecond: limits.messagesPerMemberPerSecond, burst: limits.messagesPerMemberBurst };
    const ownBytes = { perSecond: limits.bytesPerMemberPerSecond, burst: limits.bytesPerMemberBurst };
    return (
      resident.messages.take(1, own, nowMs) ||
      resident.bytes.take(bytes, ownBytes, nowMs) ||
      this.#rate.take(resident.member.key, { perSecond, burst: perSecond * limits.roomBurstSeconds }, nowMs)
    );
  }

  /** @returns how long a plain member waits in slow mode, by the setting as it is now. */
  #slowMs({ member, lastPlacedMs }: Resident, nowMs: number): number {
    if (member.role !== 'member' || lastPlacedMs === null) return 0;
    // A clock that went back must not keep anyone waiting for longer than the setting says.
    const sinceMs = Math.max(0, nowMs - lastPlacedMs);
    return Math.max(0, this.#context.roster.settings.slowSeconds * 1_000 - sinceMs);
  }

  #deferred(
    peer: RelayPeer,
    { conversation, chainId, n }: Pick<ChainAnnouncement, 'conversation' | 'chainId' | 'n'>,
    reason: Deferral,
    retryAfterMs: number,
  ): RoomEffect {
    const body = Deferred.encode({ conversation, chainId, n, reason, retryAfterMs });
    return { kind: 'send', to: peer.connection, frame: encodeFrame(SESSION_FRAME.deferred, body) };
  }

  /** A member's place in one log, and whoever else reads it; `null` where they have none. */
  #desk(resident: Resident, conversation: ConversationId): Desk | null {
    const { residents, roster, conversations } = this.#context;
    if (bytesEqual(conversation, ROOM_CONVERSATION)) {
      const reader = (key: IdKey): Resident | undefined => residents.get(key);
      const { place } = resident;
      return { conversation, beside: null, list: roster, place, placing: this.#placing, reader };
    }
    const found = conversations.find(resident, conversation);
    if (found === null) return null;
    const { conversation: beside, place } = found;
    const { roster: list, placing, places } = beside;
    const reader = (key: IdKey): Resident | undefined => (places.has(key) ? residents.get(key) : undefined);
    return { conversation, beside, list, place, placing, reader };
  }

  /** Someone's place in a log is another one now. */
  #stepped(resident: Resident, { beside, place }: Desk): void {
    if (beside === null) this.#context.changes.progress.add(resident);
    else this.#context.changes.places.set(place, { conversation: beside, member: resident.member.key });
  }

  #listPage(peer: RelayPeer, from: number): RoomEffect {
    const { members } = peer.list ?? this.#context.roster.snapshot();
    const { frame, next } = this.#listPages.page(members, from);
    peer.list = next < members.length ? { members } : null;
    return { kind: 'send', to: peer.connection, frame };
  }

  #logPage(peer: RelayPeer, { conversation, after }: Decoded<typeof PullLog>): RoomEffect[] {
    const { connection, resident } = peer;
    const desk = this.#desk(resident, conversation);
    if (desk === null) return this.#context.conversations.notIn(peer, conversation);
    // They were removed and came in again, and know of neither: what lay between is not for them.
    if (desk.beside !== null && after < desk.place.from)
      return this.#context.conversations.page(peer, conversation, 0);
    const isLive = desk.beside === null ? peer.live : resident.liveIn.has(desk.beside);
    if (isLive) throw new ProtocolError('unexpected-frame', 'PULL_LOG on a live connection');
    const { frame, first, live } = desk.placing.page(after, this.#context.limits);
    const page: RoomEffect = { kind: 'send', to: connection, frame };
    if (desk.beside !== null) {
      // Where something is gone that they asked for they begin anew, and read once more.
      if (live && first === after + 1) resident.liveIn.add(desk.beside);
      return [page];
    }
    // They begin anew from WELCOME: what lies before is not theirs any more.
    if (first > after + 1) resident.droppedTo = peer.welcomeIndex;
    if (!live) return [page];
    peer.live = true;
    this.#presence.changed(resident);
    const receipts = this.#presence.receiptsFor(resident, peer.goneSinceMs);
    return [
      { kind: 'live', connection },
      page,
      ...receipts.map((each) => ({ kind: 'send', to: connection, frame: each }) as const),
    ];
  }

  #wraps(peer: RelayPeer, wraps: Wraps, moment: Moment): RoomEffect[] {
    const { limits } = this.#context;
    const { resident } = peer;
    const announcement = ChainAnnouncement.decode(wraps.announcement.bytes);
    const rate = { perSecond: limits.wrapsPerMemberPerSecond, burst: limits.membersMost };
    const waitMs = resident.wraps.take(Math.max(1, wraps.wraps.length), rate, moment.nowMs);
    if (waitMs > 0) return [this.#deferred(peer, announcement, 'wait', waitMs)];
    const desk = this.#desk(resident, announcement.conversation);
    if (desk === null) return [this.#deferred(peer, announcement, 'stale', 0)];
    const { list: circle, place, reader, placing } = desk;
    const at = { roomId: this.#context.roomId, circle, place, reader };
    const routed = routeWraps(wraps, announcement, resident, at);
    this.#stepped(resident, desk);
    const effects: RoomEffect[] = [];
    for (const { to, frame } of routed.deliveries) {
      this.#keepWrap(to, {
        frame,
        from: resident.member.key,
        conversation: idKey(announcement.conversation),
        logIndex: placing.log.index,
        cameAtMs: moment.nowMs,
      });
      if (to.connection !== null) effects.push({ kind: 'send', to: to.connection, frame });
    }
    const taken = WrapsTaken.encode({ chainId: routed.announcement.chainId, refused: [...routed.refused] });
    effects.push({ kind: 'send', to: peer.connection, frame: encodeFrame(SESSION_FRAME.wrapsTaken, taken) });
    return effects;
  }

  #keepWrap(to: Resident, kept: KeptWrap): void {
    const { limits, residents } = this.#context;
    const most = limits.wrapsWaitingPerMember;
    const share = (total: number): number => Math.min(most, Math.ceil(total / residents.size));
    if (to.connection === null) return to.wrapsUnderWay.push(kept, share(limits.wrapsWaitingTotal));
    // Who is still heard has heard the host within `deadMs`, and so has what was sent before. Who means to come back
    // after their program has ended has it for good once they say so.
    if (!to.prefers.stays) to.wrapsUnderWay.arrivedBefore(kept.cameAtMs - 2 * limits.deadMs);
    to.wrapsUnderWay.push(kept, share(limits.wrapsUnconfirmedTotal));
  }

  #needKey(peer: RelayPeer, request: Signed, frame: Bytes, moment: Moment): RoomEffect[] {
    const { limits } = this.#context;
    const rate = { perSecond: limits.needKeyPerMinute / 60, burst: limits.needKeyPerMinute };
    if (peer.resident.requests.take(1, rate, moment.nowMs) > 0) return [];
    const need = NeedKey.decode(request.bytes);
    const desk = this.#desk(peer.resident, need.conversation);
    if (desk === null) return [];
    const at = { roomId: this.#context.roomId, reader: desk.reader };
    const target = needKeyTarget(request, need, peer.resident, at);
    if (target === null || target.connection === null) return [];
    return [{ kind: 'send', to: target.connection, frame: frame.slice() }];
  }

  #leave(peer: RelayPeer, signed: Signed, moment: Moment): RoomEffect[] {
    const { member, verifyKey } = peer.resident;
    const leave = Leave.decode(signed.bytes);
    const fits =
      leave.version === PROTOCOL_VERSION &&
      bytesEqual(leave.roomId, this.#context.roomId) &&
      bytesEqual(leave.memberId, member.memberId) &&
      verifyKey.verify('sc1/leave', signed.bytes, signed.signature);
    if (!fits) throw new ProtocolError('bad-signature', "a LEAVE that is not the sender's own");
    this.#context.owner.remove(member.memberId, 'left', moment.nowMs);
    return [];
  }
}
