/**
 * What the host does for members who are in: it places messages in the log, serves pages, and carries wraps to the one
 * member each is for. Content passes through as it came.
 * @see docs/protocol.md#session
 */
import { leafHash } from '../crypto/log-hash.ts';
import type { Roster, RosterSnapshot } from '../crypto/roster.ts';
import { type ActKind, SignedAct } from '../protocol/acts.ts';
import type { LogPosition, Welcome } from '../protocol/admission-frames.ts';
import { type Bytes, bytesEqual } from '../protocol/bytes.ts';
import type { Decoded, Signed } from '../protocol/codec.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { encodeFrame, frameBody, frameType } from '../protocol/framing.ts';
import {
  ciphertext,
  type Hash,
  type IdKey,
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
  Deferred,
  DigestItem,
  Entry,
  type EntryKind,
  ERAS_MOST,
  Eras,
  LeaveFrame,
  LOG_PAGE_ENTRIES,
  LogPage,
  NeedKeyFrame,
  Placed,
  Post,
  Prefer,
  PublishKey,
  PullKeys,
  PullList,
  PullLog,
  SESSION_FRAME,
  WholeItem,
  Wraps,
  WrapsTaken,
} from '../protocol/session-frames.ts';
import { ChainAnnouncement, Leave, MessageHeader } from '../protocol/signed-objects.ts';
import { type Dialect, FEATURE, PROTOCOL_VERSION } from '../protocol/version.ts';
import type { Accounts } from './accounts.ts';
import type { RoomEffect } from './effects.ts';
import { FairRate } from './fair-rate.ts';
import type { HolderId } from './invitations.ts';
import { checkPublished, keysPage, needKeyTarget, routeWraps } from './keys.ts';
import { ListPages } from './list-pages.ts';
import type { Log } from './log.ts';
import type { Moderation } from './moderation.ts';
import type { Owner } from './owner.ts';
import { judgePost } from './posting.ts';
import { PresenceNews } from './presence.ts';
import type { Resident, ResidentChanges } from './resident.ts';
import type { RoomStore } from './store.ts';
import type { KeptWrap } from './wrap-queue.ts';

/** A page's own fields beside what it lists. */
const PAGE_MARGIN_BYTES = 4_096;
const NOTHING = ciphertext(new Uint8Array());

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
  readonly store: Pick<RoomStore, 'kept' | 'saveEra'>;
}

export class Relay {
  readonly #context: RelayContext;
  readonly #rate: FairRate;
  readonly #presence: PresenceNews;
  readonly #listPages: ListPages;
  #placedAtMs = 0;
  /** Someone has said what they have since the log last let go of what everyone has. */
  #hasAcks = false;
  /** Statements about the latest starts of the room, oldest first. */
  #eras: Signed[];

  constructor(context: RelayContext, { nowMs }: Pick<Moment, 'nowMs'>) {
    this.#context = context;
    const { limits, store } = context;
    this.#placedAtMs = store.kept?.placedAtMs ?? 0;
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
    return this.#place(
      'roster',
      { header: operation.bytes, ciphertext: NOTHING, signature: operation.signature },
      moment,
    ).frame;
  }

  /** The room is open again, and everyone is shown from where on. */
  beginEra(moment: Moment): void {
    const { owner, roster, store, log } = this.#context;
    const era = Math.max((store.kept?.era ?? 0) + 1, Math.floor(moment.nowMs / 1_000));
    const position = { conversation: ROOM_CONVERSATION, index: log.index, head: log.head };
    const signed = owner.beginEra(era, roster, [position]);
    const { bytes: header, signature } = signed;
    this.#place('era', { header, ciphertext: NOTHING, signature }, moment);
    this.#eras = [...this.#eras, signed].slice(-ERAS_MOST);
    store.saveEra(era, signed);
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
        {
          conversation: ROOM_CONVERSATION,
          index: log.index,
          head: log.head,
          acknowledged: resident.acknowledged,
        },
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
    const deliveries = [...this.#erasFor(positions), ...resident.wrapsUnderWay.frames];
    return { peer: { connection, resident, ...begin }, welcome, deliveries };
  }

  /** For who holds what this log does not: a copy of the room from before that was opened. */
  #erasFor(positions: readonly LogPosition[]): readonly Bytes[] {
    const { log } = this.#context;
    const isStrange = positions.some(({ conversation, index, head }) => {
      const own = bytesEqual(conversation, ROOM_CONVERSATION) ? log.headAt(index) : null;
      return own === null || !bytesEqual(own, head);
    });
    if (!isStrange || this.#eras.length === 0) return [];
    return [encodeFrame(SESSION_FRAME.eras, Eras.encode({ eras: this.#eras }))];
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
        return this.#logPage(peer, PullLog.decode(body).after);
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
      default:
        throw new ProtocolError('unexpected-frame', `frame ${type} in a session`);
    }
  }

  /** Time passes: what is too old, or what everyone has, need not be held any longer. */
  tick({ nowMs }: Moment): void {
    const { log, limits, residents, roster } = this.#context;
    const oldestMs = nowMs - heldMs(roster.settings.staySeconds, limits.backlogMs);
    log.expire(oldestMs);
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
    const isKnown = bytesEqual(conversation, ROOM_CONVERSATION) && index <= this.#context.log.index;
    if (!isKnown) throw new ProtocolError('bad-index', `entry ${index} of that log does not exist`);
    if (index <= resident.acknowledged) return [];
    resident.acknowledged = index;
    this.#hasAcks = true;
    this.#context.changes.progress.add(resident);
    resident.wrapsUnderWay.seen(index);
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
    const waitMs = this.#waitMs(resident, body.length, moment.nowMs);
    if (waitMs > 0) {
      this.#countFrame(resident, moment);
      return [this.#deferred(peer, MessageHeader.decode(post.header), 'wait', waitMs)];
    }
    const verdict = judgePost(post, resident, this.#context);
    if (verdict.kind === 'known') {
      const { conversation, chainId, n } = verdict.header;
      const placed = Placed.encode({ conversation, chainId, n, index: verdict.index });
      return [{ kind: 'send', to: peer.connection, frame: encodeFrame(SESSION_FRAME.placed, placed) }];
    }
    if (verdict.kind !== 'place') return [this.#deferred(peer, verdict.header, verdict.kind, 0)];
    const slowMs = this.#slowMs(resident, moment.nowMs);
    if (slowMs > 0) return [this.#deferred(peer, verdict.header, 'wait', slowMs)];
    resident.lastPlacedMs = moment.nowMs;
    const { frame, index } = this.#place('message', post, moment, verdict.leaf);
    resident.quotedGeneration = verdict.header.generation;
    resident.rememberPlaced(verdict.header.n, verdict.leaf, index);
    this.#context.changes.progress.add(resident);
    return [{ kind: 'broadcast', frame }];
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

  #place(
    kind: EntryKind,
    { header, ciphertext: sealed, signature }: Post,
    moment: Moment,
    known?: Hash,
  ): { readonly frame: Bytes; readonly index: number } {
    const { log } = this.#context;
    // Never backwards, whatever the clock does: readers sort by the log, and show these times.
    this.#placedAtMs = Math.max(this.#placedAtMs, moment.nowMs);
    const placedAtMs = this.#placedAtMs;
    // The frame these bytes came in may be part of a larger read: keep only what the entry needs.
    const entry = {
      header: header.slice(),
      ciphertext: ciphertext(sealed.slice()),
      signature: signature.slice(),
    };
    const leaf = known ?? leafHash(entry);
    const index = log.append({ kind, placedAtMs, leaf, ...entry });
    const body = Entry.encode({ conversation: ROOM_CONVERSATION, index, kind, placedAtMs, ...entry });
    return { frame: encodeFrame(SESSION_FRAME.entry, body), index };
  }

  #listPage(peer: RelayPeer, from: number): RoomEffect {
    const { members } = peer.list ?? this.#context.roster.snapshot();
    const { frame, next } = this.#listPages.page(members, from);
    peer.list = next < members.length ? { members } : null;
    return { kind: 'send', to: peer.connection, frame };
  }

  #logPage(peer: RelayPeer, after: number): RoomEffect[] {
    const { log, limits } = this.#context;
    if (peer.live) throw new ProtocolError('unexpected-frame', 'PULL_LOG on a live connection');
    if (after > log.index) throw new ProtocolError('bad-index', `entry ${after} of this log does not exist`);
    const { first, headBefore, items } = log.read(after, {
      entries: LOG_PAGE_ENTRIES,
      bytes: limits.pageBytes - PAGE_MARGIN_BYTES,
    });
    // They begin anew from WELCOME: what lies before is not theirs any more.
    if (first > after + 1) peer.resident.droppedTo = peer.welcomeIndex;
    const live = first + items.length > log.index;
    const body = LogPage.encode({
      conversation: ROOM_CONVERSATION,
      first,
      headBefore,
      items: items.map((item) =>
        item.form === 'whole'
          ? { form: 'whole' as const, body: WholeItem.encode(item) }
          : { form: 'digest' as const, body: DigestItem.encode(item) },
      ),
      live,
    });
    const page: RoomEffect = {
      kind: 'send',
      to: peer.connection,
      frame: encodeFrame(SESSION_FRAME.log, body),
    };
    if (!live) return [page];
    peer.live = true;
    this.#presence.changed(peer.resident);
    const receipts = this.#presence.receiptsFor(peer.resident, peer.goneSinceMs);
    return [
      { kind: 'live', connection: peer.connection },
      page,
      ...receipts.map((frame) => ({ kind: 'send', to: peer.connection, frame }) as const),
    ];
  }

  #wraps(peer: RelayPeer, wraps: Wraps, moment: Moment): RoomEffect[] {
    const { limits } = this.#context;
    const { resident } = peer;
    const rate = { perSecond: limits.wrapsPerMemberPerSecond, burst: limits.membersMost };
    const waitMs = resident.wraps.take(Math.max(1, wraps.wraps.length), rate, moment.nowMs);
    if (waitMs > 0) {
      return [this.#deferred(peer, ChainAnnouncement.decode(wraps.announcement.bytes), 'wait', waitMs)];
    }
    const routed = routeWraps(wraps, resident, this.#context);
    this.#context.changes.progress.add(resident);
    const effects: RoomEffect[] = [];
    for (const { to, frame } of routed.deliveries) {
      this.#keepWrap(to, {
        frame,
        from: resident.member.key,
        logIndex: this.#context.log.index,
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
    const target = needKeyTarget(request, peer.resident, this.#context);
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
