/**
 * Keys on their way in one conversation, to this member and from them: wraps of the others' chain keys, the statements of
 * others, and the requests of those who lack a key.
 * @see docs/protocol.md#sender-chains
 */
import type { RosterMember } from '../crypto/roster.ts';
import type { SigningKey } from '../crypto/signature.ts';
import { checkStatement } from '../crypto/statement.ts';
import type { Signed } from '../protocol/codec.ts';
import type { ConversationId, IdKey, RoomId } from '../protocol/identifiers.ts';
import type { Moment } from '../protocol/moment.ts';
import { PullKeys, SESSION_FRAME, type Wrap } from '../protocol/session-frames.ts';
import type { MessageHeader } from '../protocol/signed-objects.ts';
import type { Alarms } from './alarms.ts';
import type { Circle } from './circle.ts';
import { type SessionEffect, send } from './events.ts';
import type { Hearing } from './hearing.ts';
import { KeyRequests } from './key-requests.ts';
import type { Speaking } from './speaking.ts';
import type { Timeline } from './timeline.ts';
import type { OwnWrapKeys } from './wrap-keys.ts';

/** Wraps that arrive before the roster they are for. */
const WRAPS_HELD_MOST = 4_096;

/** A sender's chain key, sealed for this member. */
interface DeliveredWrap {
  readonly announcement: Signed;
  readonly wrap: Wrap;
}

export interface KeyExchangeContext {
  readonly roomId: RoomId;
  readonly conversation: ConversationId;
  readonly identity: SigningKey;
  readonly wrapKeys: OwnWrapKeys;
  readonly alarms: Alarms;
  readonly hearing: Hearing;
  readonly speaking: Speaking;
  /** KEYS are on their way that the timeline waits for. */
  readonly pulled: () => void;
}

export class KeyExchange {
  readonly #context: KeyExchangeContext;
  readonly #requests: KeyRequests;
  /** Of messages that could not be checked, because the host had no key of theirs. */
  #uncheckedSenders: RosterMember[] = [];
  #heldWraps: DeliveredWrap[] = [];

  constructor(context: KeyExchangeContext) {
    this.#context = context;
    this.#requests = new KeyRequests(context.roomId, context.conversation, context.identity);
  }

  /** @param circle `null`: not known yet, so the wrap waits for it */
  wrapArrived({ announcement, wrap }: DeliveredWrap, circle: Circle | null): SessionEffect[] {
    const held = { announcement: copySigned(announcement), wrap: copyWrap(wrap) };
    if (circle !== null) return this.#take(held, circle);
    this.#hold(held);
    return [];
  }

  /** Those that wait for a roster, which another goes on with. */
  takeHeldWraps(): readonly DeliveredWrap[] {
    return this.#heldWraps.splice(0);
  }

  /** The roster has changed: wraps that waited for it are tried again. */
  offerHeldWraps(circle: Circle): SessionEffect[] {
    return this.#heldWraps.splice(0).flatMap((held) => this.#take(held, circle));
  }

  #take(held: DeliveredWrap, circle: Circle): SessionEffect[] {
    const { alarms, hearing, wrapKeys } = this.#context;
    return alarms.watch(() => {
      const taken = hearing.take(held.announcement, held.wrap, circle, wrapKeys);
      if (taken.kind === 'ahead') this.#hold(held);
      return [];
    });
  }

  #hold(held: DeliveredWrap): void {
    if (this.#heldWraps.length < WRAPS_HELD_MOST) this.#heldWraps.push(held);
  }

  /** A message could not be opened for want of its chain key: its sender is asked. */
  keyMissing(header: MessageHeader, { nowMs }: Moment): SessionEffect[] {
    const frame = this.#requests.ask(header, this.#context.wrapKeys.current.generation, nowMs);
    return frame === null ? [] : [{ kind: 'send', frame }];
  }

  /** Someone asks for this member's chain key: they get it before the next message. */
  needKey(signed: Signed, circle: Circle, { nowMs }: Moment): void {
    const { hearing, speaking } = this.#context;
    const verifyKeyOf = (member: IdKey) => hearing.verifyKey(member);
    const request = this.#requests.receive(signed, circle, verifyKeyOf, nowMs);
    if (request !== null) speaking.needKey(request.asker.key, request.chainId, request.generation);
  }

  /** The timeline waits for the statement of this sender. */
  pullIdentity(sender: RosterMember): SessionEffect[] {
    this.#context.pulled();
    return [send(SESSION_FRAME.pullKeys, PullKeys.encode({ members: [sender.memberId] }))];
  }

  /** The statement that the timeline waits for, or nothing where the host has none. */
  identityArrived(
    signed: Signed | undefined,
    sender: RosterMember,
    timeline: Timeline,
    moment: Moment,
  ): SessionEffect[] {
    if (signed === undefined) {
      this.#uncheckedSenders.push(sender);
      return timeline.releaseUnchecked(moment);
    }
    const { roomId, alarms, hearing } = this.#context;
    return alarms.watch(() => {
      const { verifyKey } = checkStatement(signed, { roomId, ...sender });
      hearing.learn(sender.key, verifyKey);
      return timeline.release(moment);
    });
  }

  /** To be judged at the end of the log: an honest host lacks keys only of those who are gone. */
  withheld(circle: Circle): SessionEffect[] {
    const unchecked = this.#uncheckedSenders.splice(0);
    if (unchecked.length === 0) return [];
    const present = new Set(circle.members.map(({ key }) => key));
    const here = unchecked.find((sender) => present.has(sender.key));
    if (here === undefined) return [];
    return this.#context.alarms.raise(
      'key-withheld',
      `The host does not hand out the key of ${here.nick}, who wrote a message.`,
    );
  }

  forget(member: IdKey): void {
    this.#requests.forget(member);
  }
}

/** Frames are views of a read buffer: what is kept beyond them is copied. */
function copySigned(signed: Signed): Signed {
  return { bytes: signed.bytes.slice(), signature: signed.signature.slice() };
}

function copyWrap(wrap: Wrap): Wrap {
  return {
    memberId: wrap.memberId.slice() as Wrap['memberId'],
    generation: wrap.generation,
    rsaCiphertext: wrap.rsaCiphertext.slice(),
    kemCiphertext: wrap.kemCiphertext.slice(),
    sealed: wrap.sealed.slice(),
  };
}
