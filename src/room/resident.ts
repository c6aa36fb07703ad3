/** What the host holds of one member: public keys, a session, counters. Nothing that opens a message. */
import type { RosterMember } from '../crypto/roster.ts';
import { importVerifyKey, type VerifyKey } from '../crypto/signature.ts';
import type { Bytes } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import type { IdKey, SessionId } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import {
  minuteOf,
  type Prefer,
  type PresenceNow,
  type PresenceState,
  USUAL_PREFER,
} from '../protocol/session-frames.ts';
import type { Conversation } from './conversation.ts';
import type { HolderId } from './invitations.ts';
import { LogPlace } from './log-place.ts';
import type { Account, KeptMember, MemberProgress, MemberRecord } from './store.ts';
import { TokenBucket } from './token-bucket.ts';
import { type WrapKeeper, WrapQueue } from './wrap-queue.ts';

/** The wrap keys in it were parsed to be checked; parsed they would cost 10 KiB a member, and the host wraps nothing. */
interface KeptStatement {
  readonly signed: Signed;
  readonly generation: number;
}

function bytesOf({ signed, generation }: KeptStatement): KeptStatement {
  return { signed, generation };
}

export interface ResidentStart {
  readonly member: RosterMember;
  readonly invitations: readonly IdKey[];
  readonly verifyKey: VerifyKey;
  readonly accountKey: Bytes;
  readonly statement: KeptStatement;
  /** The log's index as they come in: nothing before it is for them. */
  readonly index: number;
  readonly nowMs: number;
  readonly limits: Limits;
  /** Learns of the wraps that are kept for them. */
  readonly keeper: WrapKeeper;
}

/** Members of whom something is not as it was stored. */
export interface ResidentChanges {
  readonly records: Set<Resident>;
  readonly progress: Set<Resident>;
  /** Of conversations, with whose they are. */
  readonly places: Map<LogPlace, { readonly conversation: Conversation; readonly member: IdKey }>;
  readonly conversations: Set<Conversation>;
}

export class Resident {
  member: RosterMember;
  /** All that this member has shown to hold: suspended when they are removed. */
  readonly invitations: Set<IdKey>;
  readonly verifyKey: VerifyKey;
  readonly accountKey: Bytes;
  #statement: KeptStatement;
  /** The generation this member's latest message quoted: older wrap keys are refused from then on. */
  quotedGeneration = 0;
  /** Where they stand in the room's own log. */
  readonly place: LogPlace;
  /** Beside the room, those they are in. */
  readonly conversations = new Set<Conversation>();
  /** Those of which they are sent each entry on the present line. */
  readonly liveIn = new Set<Conversation>();
  prefers: Prefer = USUAL_PREFER;
  /** What keeps their nickname and place for them, under whatever key. Plain data: it is kept on disk as it is. */
  account: Account | null = null;
  connection: HolderId | null = null;
  sessionId: SessionId | null = null;
  offlineSinceMs: number | null;
  /** They have said that they are not at the keyboard. */
  away = false;
  /** What the others were last told. */
  shown: PresenceState = 'online';
  /**
   * Whoever was gone has what was placed meanwhile once they have acknowledged this index: without end while they are
   * offline, `null` when nothing is missing.
   */
  catchUpTo: number | null = null;
  /** What had been let go of, when they came back, before they had it; 0: nothing. */
  droppedTo = 0;
  caughtUpAtMs: number | null = null;
  readonly wrapsUnderWay: WrapQueue;
  readonly messages: TokenBucket;
  readonly bytes: TokenBucket;
  readonly wraps: TokenBucket;
  readonly requests: TokenBucket;
  readonly acts: TokenBucket;
  readonly registrations: TokenBucket;
  readonly converses: TokenBucket;
  /** When their latest message got its place, for slow mode. */
  lastPlacedMs: number | null = null;
  /** All frames that have no rate of their own. */
  readonly frames: TokenBucket;

  constructor(start: ResidentStart, kept?: KeptMember) {
    this.member = start.member;
    this.invitations = new Set(start.invitations);
    this.wrapsUnderWay = new WrapQueue(start.keeper, kept?.wraps);
    this.verifyKey = start.verifyKey;
    this.accountKey = start.accountKey;
    this.#statement = bytesOf(start.statement);
    this.place = kept === undefined ? new LogPlace(start.index) : LogPlace.restore(kept);
    this.offlineSinceMs = start.nowMs;
    this.messages = new TokenBucket(start.limits.messagesPerMemberBurst, start.nowMs);
    this.bytes = new TokenBucket(start.limits.bytesPerMemberBurst, start.nowMs);
    this.wraps = new TokenBucket(start.limits.membersMost, start.nowMs);
    this.frames = new TokenBucket(start.limits.framesPerMemberBurst, start.nowMs);
    this.acts = new TokenBucket(start.limits.actsPerMemberPerMinute, start.nowMs);
    this.registrations = new TokenBucket(start.limits.registrationsPerMemberPerMinute, start.nowMs);
    this.converses = new TokenBucket(start.limits.conversePerMinute, start.nowMs);
    this.requests = new TokenBucket(start.limits.needKeyPerMinute, start.nowMs);
    if (kept !== undefined) this.#takeUp(kept);
  }

  /**
   * As they were when the room was last open. Who does not stay has as long as ever to come back: it was the room that
   * was away.
   */
  static restore(
    kept: KeptMember,
    start: Pick<ResidentStart, 'member' | 'nowMs' | 'limits' | 'keeper'>,
  ): Resident {
    const { invitations, accountKey, statement, generation, acknowledged: index } = kept;
    const verifyKey = importVerifyKey(kept.spki, kept.algorithm);
    const known = { invitations, accountKey, index, verifyKey, statement: { signed: statement, generation } };
    return new Resident({ ...start, ...known }, kept);
  }

  #takeUp({ prefers, account, quotedGeneration, offlineSinceMs }: KeptMember): void {
    this.prefers = prefers;
    this.account = account;
    this.quotedGeneration = quotedGeneration;
    if (prefers.stays) this.offlineSinceMs = offlineSinceMs ?? this.offlineSinceMs;
    this.shown = 'offline';
    this.catchUpTo = Number.POSITIVE_INFINITY;
  }

  get record(): MemberRecord {
    const { member, verifyKey, accountKey, statement, invitations, prefers, account } = this;
    return {
      key: member.key,
      spki: verifyKey.spki,
      algorithm: verifyKey.algorithm,
      accountKey,
      statement: statement.signed,
      generation: statement.generation,
      invitations: [...invitations],
      prefers,
      account,
    };
  }

  get progress(): MemberProgress {
    const { member, place, quotedGeneration, offlineSinceMs } = this;
    return { key: member.key, ...place.kept, quotedGeneration, offlineSinceMs };
  }

  /** They have the room's log up to here for good. */
  get acknowledged(): number {
    return this.place.acknowledged;
  }

  /** As others may be told. */
  get presence(): PresenceNow {
    if (this.connection !== null) return { state: this.away ? 'away' : 'online', seenMinute: 0 };
    const sinceMs = this.prefers.lastSeen ? this.offlineSinceMs : null;
    return { state: 'offline', seenMinute: sinceMs === null ? 0 : minuteOf(sinceMs) };
  }

  /** Their line is gone: from here on things wait for them. */
  goOffline(sinceMs: number): void {
    this.connection = null;
    this.liveIn.clear();
    this.offlineSinceMs = sinceMs;
    this.away = false;
    this.catchUpTo = Number.POSITIVE_INFINITY;
    this.droppedTo = 0;
  }

  get statement(): KeptStatement {
    return this.#statement;
  }
  set statement(statement: KeptStatement) {
    this.#statement = bytesOf(statement);
  }

  /** The same person under another key: what was theirs is, and what they have shown to hold. */
  succeed(before: Resident): void {
    this.account = before.account;
    this.lastPlacedMs = before.lastPlacedMs;
    for (const invitation of before.invitations) this.invitations.add(invitation);
  }
}
