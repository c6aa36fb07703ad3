/**
 * Keys on their way, to this member and from them: wraps of the others' chain keys, the statements of others, the
 * requests of those who lack a key, and one's own wrap keys when they are renewed.
 * @see docs/protocol.md#sender-chains
 */
import type { WrapKeyPair } from '../crypto/key-wrap.ts';
import type { Roster, RosterMember } from '../crypto/roster.ts';
import type { SigningKey } from '../crypto/signature.ts';
import { checkStatement } from '../crypto/statement.ts';
import type { Signed } from '../protocol/codec.ts';
import { ProtocolError } from '../protocol/errors.ts';
import type { IdKey, RoomId } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import { PublishKey, PullKeys, SESSION_FRAME, type Wrap } from '../protocol/session-frames.ts';
import type { MessageHeader } from '../protocol/signed-objects.ts';
import type { Alarms } from './alarms.ts';
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
  readonly identity: SigningKey;
  readonly wrapKeys: OwnWrapKeys;
  readonly alarms: Alarms;
  readonly hearing: Hearing;
  readonly speaking: Speaking;
}

export class KeyExchange {
  readonly #context: KeyExchangeContext;
  readonly #requests: KeyRequests;
  /** Who asked for the KEYS that are on their way, first asked first. */
  #askedBy: ('speaking' | 'timeline')[] = [];
  /** Of messages that could not be checked, because the host had no key of theirs. */
  #uncheckedSenders: RosterMember[] = [];
  #heldWraps: DeliveredWrap[] = [];
  /** Made while there was no connection, or not kept yet where they have to be: published once both is so. */
  #mayPublish = false;

  constructor(context: KeyExchangeContext) {
    this.#context = context;
    this.#requests = new KeyRequests(context.roomId, context.identity);
  }

  /** A new connection: nothing is on its way any more, and own keys that are due are renewed. */
  reconnected(moment: Moment): SessionEffect[] {
    this.#askedBy = [];
    return [
      ...(this.#mayPublish ? this.#publish(moment) : []),
      ...this.renewalDue(moment, LIMITS.wrapKeyOldOnConnectMs),
    ];
  }

  /** Asks for new wrap keys of one's own when the present ones are older than `olderThanMs`. */
  renewalDue(moment: Moment, olderThanMs: number): SessionEffect[] {
    return this.#context.wrapKeys.due(moment.nowMs, olderThanMs) ? [{ kind: 'make-wrap-keys' }] : [];
  }

  /** @param isKept whether they may be published as they are, or `kept` says when */
  wrapKeysMade(pair: WrapKeyPair, isConnected: boolean, isKept: boolean, moment: Moment): SessionEffect[] {
    this.#context.wrapKeys.prepare(pair, moment.nowMs);
    return isKept ? this.wrapKeysKept(isConnected, moment) : [];
  }

  /** What others wrap to will be there after the program's end as well. */
  wrapKeysKept(isConnected: boolean, moment: Moment): SessionEffect[] {
    if (isConnected) return this.#publish(moment);
    // A LOGIN under way may have named the present ones: these are published once there is someone to tell.
    this.#mayPublish = true;
    return [];
  }

  #publish(moment: Moment): SessionEffect[] {
    const { wrapKeys } = this.#context;
    this.#mayPublish = false;
    wrapKeys.takeNext(moment.nowMs);
    return [send(SESSION_FRAME.publishKey, PublishKey.encode({ statement: wrapKeys.current.statement }))];
  }

  /** @param roster `null`: not known yet, so the wrap waits for it */
  wrapArrived({ announcement, wrap }: DeliveredWrap, roster: Roster | null): SessionEffect[] {
    const held = { announcement: copySigned(announcement), wrap: copyWrap(wrap) };
    if (roster !== null) return this.#take(held, roster);
    this.#hold(held);
    return [];
  }

  /** The roster has changed: wraps that waited for it are tried again. */
  offerHeldWraps(roster: Roster): SessionEffect[] {
    return this.#heldWraps.splice(0).flatMap((held) => this.#take(held, roster));
  }

  #take(held: DeliveredWrap, roster: Roster): SessionEffect[] {
    const { alarms, hearing, wrapKeys } = this.#context;
    return alarms.watch(() => {
      const taken = hearing.take(held.announcement, held.wrap, roster, wrapKeys);
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
  needKey(signed: Signed, roster: Roster, { nowMs }: Moment): void {
    const { hearing, speaking } = this.#context;
    const verifyKeyOf = (member: IdKey) => hearing.verifyKey(member);
    const request = this.#requests.receive(signed, roster, verifyKeyOf, nowMs);
    if (request !== null) speaking.needKey(request.asker.key, request.chainId, request.generation);
  }

  /** The timeline waits for the statement of this sender. */
  pullIdentity(sender: RosterMember): SessionEffect[] {
    this.#askedBy.push('timeline');
    return [send(SESSION_FRAME.pullKeys, PullKeys.encode({ members: [sender.memberId] }))];
  }

  /** Speaking has pulled the statements of those it wraps for. */
  pulledToSpeak(): void {
    this.#askedBy.push('speaking');
  }

  /** @throws ProtocolError when nobody asked for KEYS. */
  whoAsked(): 'speaking' | 'timeline' {
    const asked = this.#askedBy.shift();
    if (asked === undefined) throw new ProtocolError('unexpected-frame', 'KEYS that nobody asked for');
    return asked;
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
  withheld(roster: Roster): SessionEffect[] {
    const here = this.#uncheckedSenders.splice(0).find((sender) => roster.member(sender.key) !== undefined);
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
