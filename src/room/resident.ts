/** What the host holds of one member: public keys, a session, counters. Nothing that opens a message. */
import type { RosterMember } from '../crypto/roster.ts';
import type { VerifyKey } from '../crypto/signature.ts';
import type { CheckedStatement } from '../crypto/statement.ts';
import type { Bytes } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import type { Hash, IdKey, SessionId } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Prefer } from '../protocol/session-frames.ts';
import type { HolderId } from './invitations.ts';
import { TokenBucket } from './token-bucket.ts';
import { WrapQueue } from './wrap-queue.ts';

/** Placed messages remembered by number, so that one sent again is answered with its index: several send windows. */
const PLACED_KEPT = 64;

/** A sender's chain as far as the host checks it: order, never keys. */
export interface HostChain {
  readonly chainKey: IdKey;
  readonly epoch: number;
  lastN: number;
  lastLeaf: Hash;
  readonly placed: Map<number, { readonly leaf: Hash; readonly index: number }>;
}

/** How everyone is treated who has not asked for anything else. */
const USUAL: Prefer = { stays: false, receipts: true, lastSeen: true };

/** The wrap keys in it were parsed to be checked; parsed they would cost 10 KiB a member, and the host wraps nothing. */
interface KeptStatement {
  readonly signed: Signed;
  readonly generation: number;
}

function kept({ signed, generation }: KeptStatement): KeptStatement {
  return { signed, generation };
}

/** What the host keeps of a password: with its OPAQUE setup it lets passwords be tested. */
export interface Account {
  /** Of whoever first registered it; it goes along when the account goes on under another key. */
  readonly credential: string;
  /** As base64url. */
  readonly record: string;
}

export interface ResidentStart {
  readonly member: RosterMember;
  readonly invitation: IdKey;
  readonly verifyKey: VerifyKey;
  readonly accountKey: Bytes;
  readonly statement: CheckedStatement;
  /** The log's index as they come in: nothing before it is for them. */
  readonly index: number;
  readonly nowMs: number;
  readonly limits: Limits;
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
  /** They have the log up to here for good. */
  acknowledged: number;
  prefers: Prefer = USUAL;
  /** What keeps their nickname and place for them, under whatever key. Plain data: it is kept on disk as it is. */
  account: Account | null = null;
  connection: HolderId | null = null;
  sessionId: SessionId | null = null;
  offlineSinceMs: number | null;
  /** What the others were last told. */
  shownOnline = true;
  readonly wrapsUnderWay = new WrapQueue();
  chain: HostChain | null = null;
  /** Of the latest chain: none before it is taken up again. */
  chainSequence = -1;
  readonly messages: TokenBucket;
  readonly bytes: TokenBucket;
  readonly wraps: TokenBucket;
  readonly requests: TokenBucket;
  readonly acts: TokenBucket;
  readonly registrations: TokenBucket;
  /** When their latest message got its place, for slow mode. */
  lastPlacedMs: number | null = null;
  /** All frames that have no rate of their own. */
  readonly frames: TokenBucket;

  constructor(start: ResidentStart) {
    this.member = start.member;
    this.invitations = new Set([start.invitation]);
    this.verifyKey = start.verifyKey;
    this.accountKey = start.accountKey;
    this.#statement = kept(start.statement);
    this.acknowledged = start.index;
    this.offlineSinceMs = start.nowMs;
    this.messages = new TokenBucket(start.limits.messagesPerMemberBurst, start.nowMs);
    this.bytes = new TokenBucket(start.limits.bytesPerMemberBurst, start.nowMs);
    this.wraps = new TokenBucket(start.limits.membersMost, start.nowMs);
    this.frames = new TokenBucket(start.limits.framesPerMemberBurst, start.nowMs);
    this.acts = new TokenBucket(start.limits.actsPerMemberPerMinute, start.nowMs);
    this.registrations = new TokenBucket(start.limits.registrationsPerMemberPerMinute, start.nowMs);
    this.requests = new TokenBucket(start.limits.needKeyPerMinute, start.nowMs);
  }

  get statement(): KeptStatement {
    return this.#statement;
  }
  set statement(statement: KeptStatement) {
    this.#statement = kept(statement);
  }

  /** The same person under another key: what was theirs is, and what they have shown to hold. */
  succeed(before: Resident): void {
    this.account = before.account;
    this.lastPlacedMs = before.lastPlacedMs;
    for (const invitation of before.invitations) this.invitations.add(invitation);
  }

  rememberPlaced(n: number, leaf: Hash, index: number): void {
    const chain = this.chain;
    if (chain === null) return;
    chain.lastN = n;
    chain.lastLeaf = leaf;
    chain.placed.set(n, { leaf, index });
    if (chain.placed.size > PLACED_KEPT) {
      const oldest = chain.placed.keys().next().value;
      if (oldest !== undefined) chain.placed.delete(oldest);
    }
  }
}
