/**
 * A member's own sender chain: begun when there is something to say, wrapped to everyone on the signed roster before the
 * first message, to newcomers before the next one, and begun anew when someone is gone.
 * @see docs/protocol.md#sender-chains
 */

import { contentCommitment, encodeContent } from '../crypto/content.ts';
import { sealEnvelope } from '../crypto/envelope.ts';
import { sha256 } from '../crypto/hash.ts';
import { wrapChainKey } from '../crypto/key-wrap.ts';
import { chainStart, leafHash } from '../crypto/log-hash.ts';
import type { Roster, RosterMember } from '../crypto/roster.ts';
import { SendingChain } from '../crypto/sender-chain.ts';
import type { SigningKey } from '../crypto/signature.ts';
import { type CheckedStatement, checkStatement } from '../crypto/statement.ts';
import { type Bytes, bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { type Content, SALT_BYTES } from '../protocol/content.ts';
import { SecurityError } from '../protocol/errors.ts';
import { encodeFrame } from '../protocol/framing.ts';
import { growingNumber } from '../protocol/growing.ts';
import {
  type ChainId,
  type ConversationId,
  chainSequence,
  type Hash,
  type IdKey,
  idKey,
  type MemberId,
  newChainId,
  type RoomId,
  ZERO_HASH,
} from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import {
  type Deferred,
  KEYS_PAGE,
  Post,
  PullKeys,
  SESSION_FRAME,
  WRAPS_PAGE,
  type Wrap,
  Wraps,
} from '../protocol/session-frames.ts';
import { ChainAnnouncement, MessageHeader, WrapKeyStatement } from '../protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import type { Circle } from './circle.ts';
import type { History } from './history.ts';
import type { KnownKeys } from './known-keys.ts';
import { type ChainPlace, Outbox, type Said, type Sealed } from './outbox.ts';

/** A member whose keys the host refuses this often is left out; they ask for the key when they need it. */
const WRAP_ROUNDS = 3;
/** After a page that was refused whole, the roster is about to change: asking at once again would only repeat it. */
const REFUSED_PAGE_MS = 250;
/** What is told to wait is told so one by one: sooner, most of a window would come too early again. */
const RETRY_LEAST_MS = 250;
/** Numbers spent on messages that were not placed; past half of what receivers jump, a new chain is due. */
const UNPLACED_MOST = LIMITS.ratchetJump / 2;

/** A host that answers STALE for ever must not keep a processor busy with signatures. */
const SEAL_AGAIN_MS = 10;
const SEAL_AGAIN_MOST_MS = 5_000;

interface OwnChain {
  readonly id: ChainId;
  readonly sending: SendingChain;
  readonly epoch: number;
  readonly startedAtMs: number;
  announced: boolean;
  /** Whom the chain key was wrapped to. */
  readonly given: Set<IdKey>;
  readonly rounds: Map<IdKey, number>;
  /** What the next message's `previous` is: of the latest sealed, and of the latest placed. */
  sealedLeaf: Hash;
  placedLeaf: Hash;
  placedN: number;
}

/** What a step of speaking may look at. */
export interface SpeakingContext {
  /** The room's list, which each message quotes. */
  readonly room: Roster;
  /** Who reads it. */
  readonly circle: Circle;
  /** Beside the room, a message quotes that list as well. */
  readonly isBeside: boolean;
  readonly history: History;
  /** Own wrap-key generation, quoted in each header. */
  readonly generation: number;
  readonly moment: Moment;
  /** One message at a time: the room's slow mode holds this member. */
  readonly isSlow: boolean;
}

type Errand =
  | { readonly kind: 'none' }
  | { readonly kind: 'pulling'; readonly members: readonly RosterMember[] }
  | {
      readonly kind: 'wrapping';
      readonly chain: ChainId;
      readonly members: readonly RosterMember[];
      readonly frame: Bytes;
    };

export class Speaking {
  readonly #identity: SigningKey;
  readonly #roomId: RoomId;
  readonly #conversation: ConversationId;
  readonly #keys: KnownKeys;
  readonly #outbox = new Outbox();
  #chain: OwnChain | null = null;
  /** Of the latest chain; `null` before the first connection. */
  #sequence: number | null = null;
  readonly #earlier: number | null;
  /** The chains of this run. */
  readonly #begun = new Set<IdKey>();
  #errand: Errand = { kind: 'none' };
  #notBeforeMs = 0;
  /** What is under way has not been sent on this connection yet. */
  #reconnected = false;
  /** How often in a row everything under way was sealed anew. */
  #sealedAgain = 0;
  /** The page of wraps under way was told to wait. */
  #retryWraps = false;

  constructor(start: {
    readonly identity: SigningKey;
    readonly roomId: RoomId;
    readonly conversation: ConversationId;
    readonly keys: KnownKeys;
    /** The latest chain of the run that this one goes on with; `null` where it goes on with none. */
    readonly earlier: number | null;
  }) {
    this.#identity = start.identity;
    this.#roomId = start.roomId;
    this.#conversation = start.conversation;
    this.#keys = start.keys;
    this.#earlier = start.earlier;
  }

  /** Of the latest chain. */
  get sequence(): number {
    return this.#sequence ?? this.#earlier ?? 0;
  }

  /** The chain that is sent under, the how many-th of this run; `null`: the next message begins one. */
  chain(
    context: Pick<SpeakingContext, 'circle' | 'moment'>,
  ): { readonly number: number; readonly startedAtMs: number; readonly messages: number } | null {
    if (this.#chain === null || this.#spent(this.#chain, context)) return null;
    const { startedAtMs, sending } = this.#chain;
    return { number: this.#begun.size, startedAtMs, messages: sending.n };
  }

  /**
   * Whether a chain of one's own was begun by an earlier run that this one goes on with, or by another program that does.
   * The next chain comes after it.
   */
  isOfEarlierRun(chain: ChainId): boolean {
    if (this.#earlier === null || this.#begun.has(idKey(chain))) return false;
    this.#sequence = Math.max(this.sequence, chainSequence(chain));
    return true;
  }

  /** Messages said and not placed. */
  get unplaced(): number {
    return this.#outbox.unsaid;
  }
  /** No more is taken up before some of it has its place. */
  get isFull(): boolean {
    return this.#outbox.isFull;
  }
  /** Nothing at all waits for its place. */
  get isIdle(): boolean {
    return this.#outbox.size === 0;
  }

  /** @throws InputError when too many wait already. */
  say(content: Content, ref: string | null, nowMs: number): void {
    this.#outbox.say(content, ref, nowMs);
  }

  /**
   * Goes as far as it can: keys, wraps, then messages.
   * @returns frames to send, in order.
   */
  pump(context: SpeakingContext): Bytes[] {
    const { moment } = context;
    if (moment.nowMs < this.#notBeforeMs) return [];
    if (this.#errand.kind === 'wrapping' && this.#errand.chain === this.#chain?.id && this.#retryWraps) {
      this.#retryWraps = false;
      return [this.#errand.frame];
    }
    if (this.#errand.kind !== 'none') return [];
    const again = this.#settleDeferred(context);
    if (again.length > 0 || this.#outbox.verdict() === 'undecided') return again;
    if (moment.nowMs < this.#notBeforeMs) return [];
    if (this.#outbox.next === undefined || !this.#outbox.mayPost(context.isSlow)) return [];
    const chain = this.#currentChain(context);
    const errand = this.#nextErrand(chain, context);
    if (errand !== null) return [errand];
    const frames: Bytes[] = [];
    while (this.#outbox.next !== undefined && this.#outbox.mayPost(context.isSlow))
      frames.push(this.#seal(this.#outbox.next, chain, context));
    return frames;
  }

  /** Statements that were asked for. @throws SecurityError when one is not its member's, or an old one. */
  keys(statements: readonly Signed[]): void {
    if (this.#errand.kind !== 'pulling') return;
    const asked = this.#errand.members;
    this.#errand = { kind: 'none' };
    const wanted = new Map(asked.map((member) => [member.key, member]));
    let lie: SecurityError | null = null;
    for (const signed of statements) {
      try {
        const { member, statement } = checkForMember(signed, wanted, this.#roomId);
        if (statement.generation < this.#keys.generation(member.key)) {
          throw new SecurityError('old-wrap-key', `the host handed out an old wrap key of ${member.nick}`);
        }
        wanted.delete(member.key);
        this.#keys.hold(member.key, statement);
      } catch (error) {
        if (!(error instanceof SecurityError)) throw error;
        lie ??= error;
      }
    }
    // Withheld, or not theirs: the message goes to the others, and these members will ask for its key.
    for (const member of wanted.values()) this.#round(member.key, WRAP_ROUNDS);
    if (lie !== null) throw lie;
  }

  wrapsTaken(
    taken: { readonly chainId: ChainId; readonly refused: readonly MemberId[] },
    nowMs: number,
  ): void {
    const chain = this.#chain;
    if (this.#errand.kind !== 'wrapping' || idKey(this.#errand.chain) !== idKey(taken.chainId)) return;
    const { members } = this.#errand;
    this.#errand = { kind: 'none' };
    if (chain === null || idKey(chain.id) !== idKey(taken.chainId)) return;
    const refused = new Set(taken.refused.map(idKey));
    chain.announced = true;
    for (const member of members) {
      if (!refused.has(member.key)) {
        chain.given.add(member.key);
        continue;
      }
      this.#keys.dropStatement(member.key);
      this.#round(member.key, 1);
    }
    if (refused.size > 0 && refused.size === members.length) this.#notBeforeMs = nowMs + REFUSED_PAGE_MS;
  }

  /** The host did not place a message, or asked to wait with wraps. */
  deferred({ chainId, n, reason, retryAfterMs }: Deferred, nowMs: number): void {
    const known = this.#outbox.deferred({ chainId, n }, reason);
    if (!known && this.#errand.kind === 'wrapping') this.#retryWraps = true;
    const waitMs = reason === 'wait' ? Math.max(RETRY_LEAST_MS, retryAfterMs) : retryAfterMs;
    if (known || this.#retryWraps) this.#notBeforeMs = Math.max(this.#notBeforeMs, nowMs + waitMs);
  }

  /**
   * What is not to be sent any more because this member is muted: all that has no place, once the host has refused what
   * was under way. Messages of before a new connection go out once more first: they may have their place already.
   */
  muted(isMuted: boolean): readonly Said[] {
    const verdict = this.#outbox.verdict();
    const isRefused =
      verdict === 'muted' ||
      (isMuted && verdict !== 'undecided' && (!this.#reconnected || this.#outbox.isIdle));
    if (!isRefused || (verdict === 'none' && !this.#outbox.isIdle)) return [];
    if (this.#chain !== null) this.#chain.sealedLeaf = this.#chain.placedLeaf;
    return this.#outbox.takeBack();
  }

  /** Nothing that waits is sent any more: there is nobody left to send it to. */
  takeBack(): readonly Said[] {
    this.dropChain();
    return this.#outbox.takeBack();
  }

  /** The room's slow mode is another now: what waits asks again at once. */
  slowChanged(): void {
    this.#notBeforeMs = 0;
  }

  /** A message that slow mode holds, when the person has not been told: it goes out by itself after `inMs`. */
  slowed(nowMs: number): { readonly said: Said; readonly inMs: number } | null {
    const said = this.#outbox.firstWaiting();
    return said === null ? null : { said, inMs: Math.max(0, this.#notBeforeMs - nowMs) };
  }

  /** Nothing goes out before a later time than this. */
  isWaiting(nowMs: number): boolean {
    return nowMs < this.#notBeforeMs;
  }

  /** What is under way with this number. */
  at(place: ChainPlace): Sealed | undefined {
    return this.#outbox.at(place);
  }

  /** An entry has its place. @returns what it was, or `null` when it is none of those under way. */
  placed(leaf: Hash): Sealed | null {
    const sealed = this.#outbox.placed(leaf);
    if (sealed === null) return null;
    this.#sealedAgain = 0;
    if (this.#chain !== null && bytesEqual(this.#chain.id, sealed.chainId)) {
      this.#chain.placedLeaf = sealed.leaf;
      this.#chain.placedN = sealed.n;
    }
    return sealed;
  }

  /** A member asks for the key of this chain: they are given it before the next message. */
  needKey(asker: IdKey, chain: ChainId, generation: number): void {
    if (this.#chain === null || idKey(this.#chain.id) !== idKey(chain)) return;
    this.#chain.given.delete(asker);
    this.#chain.rounds.delete(asker);
    const held = this.#keys.statement(asker);
    if (held !== undefined && held.generation < generation) this.#keys.dropStatement(asker);
  }

  /** A new connection: whatever was asked on the old one is asked again; sealed messages go out as they are. */
  reconnected(nowMs: number): void {
    // An earlier run with the same identity, over since, may have begun a chain in this very moment.
    this.#sequence ??= Math.max(this.#earlier ?? 0, growingNumber(nowMs));
    this.#errand = { kind: 'none' };
    this.#retryWraps = false;
    this.#notBeforeMs = 0;
    this.#reconnected = true;
    for (const sealed of this.#outbox.sendAgain()) sealed.deferred = 'wait';
  }

  /** No message is sealed under the present chain any more. */
  dropChain(): void {
    this.#chain = null;
    this.#errand = { kind: 'none' };
  }

  late(nowMs: number): readonly Said[] {
    return this.#outbox.late(nowMs);
  }

  #settleDeferred(context: SpeakingContext): Bytes[] {
    const verdict = this.#outbox.verdict();
    if (verdict === 'none' || verdict === 'undecided' || verdict === 'muted') return [];
    // The first time on a new connection the bytes go out as they are, whatever has become of their chain: if the log
    // holds them already, the host says so, and nothing is placed twice.
    const maySend = this.#reconnected
      ? !this.#isOfLostLog(context)
      : this.#chain !== null && !this.#spent(this.#chain, context);
    this.#reconnected = false;
    if (verdict === 'send-again' && maySend) return this.#outbox.sendAgain().map(postFrame);
    this.#outbox.sealAgain();
    if (this.#sealedAgain > 0) {
      const delayMs = Math.min(SEAL_AGAIN_MOST_MS, SEAL_AGAIN_MS * 2 ** this.#sealedAgain);
      this.#notBeforeMs = context.moment.nowMs + delayMs;
    }
    this.#sealedAgain += 1;
    if (this.#chain !== null) this.#chain.sealedLeaf = this.#chain.placedLeaf;
    return [];
  }

  /** What is under way quotes what the host has lost since: it cannot have its place, and no host would give it one. */
  #isOfLostLog({ room, circle, isBeside, history }: SpeakingContext): boolean {
    return this.#outbox.underway.some(({ header }) => {
      const { epoch, rosterHash, seenIndex, seenHead, ...quoted } = MessageHeader.decode(header);
      const verdicts = [room.verdict(epoch, rosterHash)];
      if (isBeside) verdicts.push(circle.verdict(quoted.conversationEpoch, quoted.conversationRosterHash));
      const isUnknown = verdicts.some((verdict) => verdict === 'ahead' || verdict === 'forked');
      return isUnknown || seenIndex > history.index || history.judge(seenIndex, seenHead) === 'different';
    });
  }

  #spent(chain: OwnChain, { circle, moment }: Pick<SpeakingContext, 'circle' | 'moment'>): boolean {
    return (
      chain.epoch < circle.lastRemovalEpoch ||
      chain.sending.n >= LIMITS.chainMessages ||
      chain.sending.n - chain.placedN > UNPLACED_MOST ||
      moment.nowMs - chain.startedAtMs >= LIMITS.chainMs
    );
  }

  #currentChain(context: SpeakingContext): OwnChain {
    if (this.#chain !== null && !this.#spent(this.#chain, context)) return this.#chain;
    const { moment, circle } = context;
    const secret = moment.randomBytes(32);
    this.#sequence = Math.max((this.#sequence ?? 0) + 1, growingNumber(moment.nowMs));
    const id = newChainId(this.#sequence, moment.randomBytes(4));
    this.#begun.add(idKey(id));
    const start = chainStart(this.#identity.memberId, id);
    const chain: OwnChain = {
      id,
      sending: SendingChain.start(secret),
      epoch: circle.epoch,
      startedAtMs: moment.nowMs,
      announced: false,
      given: new Set(),
      rounds: new Map(),
      sealedLeaf: start,
      placedLeaf: start,
      placedN: -1,
    };
    secret.fill(0);
    this.#chain = chain;
    return chain;
  }

  /** What has to travel before the next message: keys still unknown, wraps still owed. `null` when nothing has. */
  #nextErrand(chain: OwnChain, context: SpeakingContext): Bytes | null {
    const self = idKey(this.#identity.memberId);
    const owed: RosterMember[] = [];
    const unknown: RosterMember[] = [];
    for (const member of context.circle.members) {
      if (member.key === self || chain.given.has(member.key)) continue;
      if ((chain.rounds.get(member.key) ?? 0) >= WRAP_ROUNDS) continue;
      if (this.#keys.statement(member.key) !== undefined) owed.push(member);
      else unknown.push(member);
    }
    if (unknown.length > 0) {
      const members = unknown.slice(0, KEYS_PAGE);
      this.#errand = { kind: 'pulling', members };
      const body = PullKeys.encode({ members: members.map((member) => member.memberId) });
      return encodeFrame(SESSION_FRAME.pullKeys, body);
    }
    if (owed.length === 0 && chain.announced) return null;
    const members = owed.slice(0, WRAPS_PAGE);
    const frame = this.#wrapsFrame(chain, members, context);
    this.#errand = { kind: 'wrapping', chain: chain.id, members, frame };
    return frame;
  }

  #wrapsFrame(chain: OwnChain, members: readonly RosterMember[], { circle }: SpeakingContext): Bytes {
    const { n, chainKey, commitment } = chain.sending.current();
    const bytes = ChainAnnouncement.encode({
      version: PROTOCOL_VERSION,
      roomId: this.#roomId,
      conversation: this.#conversation,
      epoch: circle.epoch,
      rosterHash: circle.hash,
      memberId: this.#identity.memberId,
      chainId: chain.id,
      n,
      commitment,
      algorithm: this.#identity.algorithm,
      identityKey: this.#identity.spki,
    });
    const announcementHash = sha256(bytes);
    const wraps: Wrap[] = [];
    for (const member of members) {
      const statement = this.#keys.statement(member.key);
      if (statement === undefined) continue;
      const wrapped = wrapChainKey({
        to: statement.wrapKeys,
        chainKey,
        announcementHash,
        memberId: member.memberId,
        statementHash: statement.hash,
      });
      wraps.push({ memberId: member.memberId, generation: statement.generation, ...wrapped });
    }
    chainKey.fill(0);
    const announcement = { bytes, signature: this.#identity.sign('sc1/chain', bytes) };
    return encodeFrame(SESSION_FRAME.wraps, Wraps.encode({ announcement, wraps }));
  }

  #seal(said: Said, chain: OwnChain, context: SpeakingContext): Bytes {
    const { room, circle, isBeside, history, generation, moment } = context;
    const body = encodeContent(said.content, moment.randomBytes(SALT_BYTES));
    const { n, key, nonce, commitment } = chain.sending.next();
    const header = MessageHeader.encode({
      version: PROTOCOL_VERSION,
      roomId: this.#roomId,
      conversation: this.#conversation,
      epoch: room.epoch,
      rosterHash: room.hash,
      conversationEpoch: isBeside ? circle.epoch : 0,
      conversationRosterHash: isBeside ? circle.hash : ZERO_HASH,
      memberId: this.#identity.memberId,
      generation,
      chainId: chain.id,
      n,
      commitment,
      content: contentCommitment(body),
      previous: chain.sealedLeaf,
      seenIndex: history.index,
      seenHead: history.head,
    });
    const ciphertext = sealEnvelope({ key, nonce, header, body });
    key.fill(0);
    const signature = this.#identity.sign('sc1/msg', [sha256(header), sha256(ciphertext)]);
    const leaf = leafHash({ header, ciphertext, signature });
    chain.sealedLeaf = leaf;
    this.#outbox.posted({ chainId: chain.id, n, leaf, header, ciphertext, signature, body });
    return postFrame({ header, ciphertext, signature });
  }

  #round(member: IdKey, by: number): void {
    const rounds = this.#chain?.rounds;
    rounds?.set(member, (rounds.get(member) ?? 0) + by);
  }
}

function postFrame({ header, ciphertext, signature }: Post): Bytes {
  return encodeFrame(SESSION_FRAME.post, Post.encode({ header, ciphertext, signature }));
}

/** @throws SecurityError when the statement is not signed by one of `members`. */
function checkForMember(
  signed: Signed,
  members: ReadonlyMap<IdKey, RosterMember>,
  roomId: RoomId,
): { readonly member: RosterMember; readonly statement: CheckedStatement } {
  const member = members.get(idKey(WrapKeyStatement.decode(signed.bytes).memberId));
  if (member === undefined)
    throw new SecurityError('foreign-statement', 'a wrap key of someone who was not asked for');
  const { identity, algorithm } = member;
  return { member, statement: checkStatement(signed, { roomId, identity, algorithm }) };
}
