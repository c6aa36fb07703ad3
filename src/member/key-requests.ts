/**
 * NEEDKEY, both ways: asking a sender for the key of a chain that cannot be opened, and answering those who ask for
 * one's own. Bounded on both sides, because each answer costs a wrap.
 * @see docs/protocol.md#sender-chains
 */
import type { RosterMember } from '../crypto/roster.ts';
import type { SigningKey, VerifyKey } from '../crypto/signature.ts';
import { type Bytes, bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { encodeFrame } from '../protocol/framing.ts';
import {
  type ChainId,
  type ConversationId,
  type IdKey,
  idKey,
  type RoomId,
} from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import { NeedKeyFrame, SESSION_FRAME } from '../protocol/session-frames.ts';
import { type MessageHeader, NeedKey } from '../protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import type { Circle } from './circle.ts';

const MINUTE_MS = 60_000;

/** A request that deserves an answer. */
export interface KeyRequest {
  readonly asker: RosterMember;
  readonly chainId: ChainId;
  readonly generation: number;
}

export class KeyRequests {
  readonly #roomId: RoomId;
  readonly #conversation: ConversationId;
  readonly #identity: SigningKey;
  readonly #askedMs = new Map<IdKey, number>();
  readonly #answeredMs = new Map<IdKey, number>();
  #asks: number[] = [];
  #answers: number[] = [];

  constructor(roomId: RoomId, conversation: ConversationId, identity: SigningKey) {
    this.#roomId = roomId;
    this.#conversation = conversation;
    this.#identity = identity;
  }

  /** @returns the frame that asks the sender of this message for its chain key, or `null` when that was just done. */
  ask(header: MessageHeader, generation: number, nowMs: number): Bytes | null {
    const chain = idKey(header.chainId);
    if (within(this.#askedMs.get(chain), nowMs)) return null;
    // The host passes on no more than that.
    this.#asks = lastMinute(this.#asks, nowMs);
    if (this.#asks.length >= LIMITS.needKeyPerMinute) return null;
    this.#asks.push(nowMs);
    if (this.#askedMs.size >= LIMITS.membersMost) this.#askedMs.clear();
    this.#askedMs.set(chain, nowMs);
    const bytes = NeedKey.encode({
      version: PROTOCOL_VERSION,
      roomId: this.#roomId,
      conversation: this.#conversation,
      asker: this.#identity.memberId,
      sender: header.memberId,
      chainId: header.chainId,
      generation,
    });
    const request = { bytes, signature: this.#identity.sign('sc1/needkey', bytes) };
    return encodeFrame(SESSION_FRAME.needKey, NeedKeyFrame.encode({ request }));
  }

  /** @returns what is asked for, or `null` when it is not for this member, not from a member, or too much. */
  receive(
    request: Signed,
    circle: Circle,
    verifyKeyOf: (member: IdKey) => VerifyKey | undefined,
    nowMs: number,
  ): KeyRequest | null {
    const need = NeedKey.decode(request.bytes);
    const asker = circle.member(idKey(need.asker));
    const fits =
      need.version === PROTOCOL_VERSION &&
      bytesEqual(need.roomId, this.#roomId) &&
      bytesEqual(need.conversation, this.#conversation) &&
      bytesEqual(need.sender, this.#identity.memberId);
    if (!fits || asker === undefined || within(this.#answeredMs.get(asker.key), nowMs)) return null;
    this.#answers = lastMinute(this.#answers, nowMs);
    if (this.#answers.length >= LIMITS.needKeyPerMinute) return null;
    // Without the asker's key at hand the request cannot be checked. Answering is safe all the same: the answer is
    // wrapped to the keys of the member on the signed roster, whoever asked.
    const verifyKey = verifyKeyOf(asker.key);
    if (verifyKey !== undefined && !verifyKey.verify('sc1/needkey', request.bytes, request.signature))
      return null;
    this.#answeredMs.set(asker.key, nowMs);
    this.#answers.push(nowMs);
    return { asker, chainId: need.chainId, generation: need.generation };
  }

  forget(member: IdKey): void {
    this.#answeredMs.delete(member);
  }
}

function lastMinute(timesMs: readonly number[], nowMs: number): number[] {
  return timesMs.filter((atMs) => nowMs - atMs < MINUTE_MS);
}

function within(sinceMs: number | undefined, nowMs: number): boolean {
  return sinceMs !== undefined && nowMs - sinceMs < LIMITS.needKeyPerAskerMs;
}
