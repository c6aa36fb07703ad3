/**
 * What this member says, from the line they typed to its place in the log: what may go out now, what is held back, and
 * what they are told about it. How it is sealed and wrapped is `speaking.ts`.
 * @see docs/protocol.md#session
 */
import type { RosterMember } from '../crypto/roster.ts';
import { utf8 } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import type { Content } from '../protocol/content.ts';
import { InputError } from '../protocol/errors.ts';
import { frameType } from '../protocol/framing.ts';
import type { Hash, IdKey } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import { type Placed, SESSION_FRAME } from '../protocol/session-frames.ts';
import { MessageHeader } from '../protocol/signed-objects.ts';
import type { Alarms } from './alarms.ts';
import type { Ledger } from './circle.ts';
import type { SessionEffect } from './events.ts';
import type { Said } from './outbox.ts';
import type { Speaking, SpeakingContext } from './speaking.ts';
import type { Timeline } from './timeline.ts';
import type { Trust } from './trust.ts';
import { heldBySlowMode, heldForTrust, mutedMeanwhile, notPlacedYet } from './unsent.ts';
import type { OwnWrapKeys } from './wrap-keys.ts';

export interface OutgoingContext {
  readonly self: IdKey;
  readonly wrapKeys: OwnWrapKeys;
  readonly alarms: Alarms;
  readonly ledger: Ledger;
  /** KEYS are on their way that speaking waits for. */
  readonly pulled: () => void;
  readonly speaking: Speaking;
  readonly timeline: Timeline;
  readonly trust: Trust;
  /** A message of one's own has its place. */
  readonly placed: (leaf: Hash) => Said | null;
}

export class Outgoing {
  readonly #context: OutgoingContext;
  /** When a changed key last held something back; what was said before is not late for it. */
  #heldAtMs = Number.NEGATIVE_INFINITY;
  #toldHeld = false;

  constructor(context: OutgoingContext) {
    this.#context = context;
  }

  /** Takes it up; `pump` sends it. @throws InputError when it is too long, this member is muted, or too much waits. */
  say(content: Content, ref: string | null, { nowMs }: Moment): void {
    if (utf8.encode(content.text).length > LIMITS.textBytes)
      throw new InputError('text-too-long', `A message is at most ${LIMITS.textBytes} bytes of UTF-8.`);
    if (this.#self?.muted === true)
      throw new InputError('muted', 'You are muted: nothing you say is sent. You can read along.');
    this.#context.speaking.say(content, ref, nowMs);
  }

  /**
   * Sends what may be sent now: not before this side has seen everything, nor against an alarm, nor to a key in the place
   * of one that was verified.
   */
  pump(isLive: boolean, moment: Moment): SessionEffect[] {
    const { timeline, alarms, speaking, ledger } = this.#context;
    if (!isLive || timeline.history === null || timeline.isHeld || alarms.heldBack) return [];
    const untrusted = this.#context.trust.pending(ledger.circle);
    if (untrusted.length > 0) return this.#held(untrusted, moment);
    this.#toldHeld = false;
    // What was said before this member was muted.
    const isMuted = this.#self?.muted === true;
    const effects = mutedMeanwhile(speaking.muted(isMuted), isMuted);
    for (const frame of speaking.pump(this.#speakingContext(moment))) {
      if (frameType(frame) === SESSION_FRAME.pullKeys) this.#context.pulled();
      effects.push({ kind: 'send', frame });
    }
    return effects;
  }

  /** The statements of those whom the next message is wrapped for. */
  keysArrived(statements: readonly Signed[]): SessionEffect[] {
    const { alarms, speaking } = this.#context;
    return alarms.watch(() => {
      speaking.keys(statements);
      return [];
    });
  }

  /** What was said a while ago and has no place yet. */
  late({ nowMs }: Moment): SessionEffect[] {
    const { speaking } = this.#context;
    if (nowMs - this.#heldAtMs < LIMITS.notPlacedMs) return [];
    // What slow mode holds is told when it is held; it is late when nothing came of it after its time.
    if (this.#isSlow && speaking.isWaiting(nowMs - LIMITS.notPlacedMs)) return [];
    return notPlacedYet(speaking.late(nowMs));
  }

  /** A message that slow mode holds is told about once, and goes out by itself. */
  slowed({ nowMs }: Moment): SessionEffect[] {
    const slowed = this.#isSlow ? this.#context.speaking.slowed(nowMs) : null;
    return slowed === null ? [] : [heldBySlowMode(slowed)];
  }

  /** The log held this message already: it came in a part that this member did not see. */
  placedBefore(placed: ReturnType<typeof Placed.decode>, isLive: boolean, moment: Moment): SessionEffect[] {
    const { index, ...place } = placed;
    const { speaking, timeline, alarms } = this.#context;
    const sealed = speaking.at(place);
    const self = this.#self;
    if (sealed === undefined || self === undefined) return [];
    const isUnseen = index <= timeline.beganAt && index > MessageHeader.decode(sealed.header).seenIndex;
    if (!isUnseen) {
      const text = 'The host says that a message of yours has a place where you saw none.';
      return alarms.raise('placed-unseen', text);
    }
    const { leaf, said } = sealed;
    this.#context.placed(leaf);
    if (said.content.kind === 'about') return this.pump(isLive, moment);
    const told = timeline.tell({
      leaf,
      from: self,
      ...said,
      ...timeline.times(moment.nowMs, moment),
      own: true,
    });
    return [...told, ...this.pump(isLive, moment)];
  }

  /** Told once, when there is something to hold back. */
  #held(untrusted: readonly RosterMember[], { nowMs }: Moment): SessionEffect[] {
    this.#heldAtMs = nowMs;
    if (this.#toldHeld || this.#context.speaking.unplaced === 0) return [];
    this.#toldHeld = true;
    return [heldForTrust(untrusted.map(({ nick }) => nick))];
  }

  get #self(): RosterMember | undefined {
    return this.#context.ledger.room.member(this.#context.self);
  }

  /** Nothing that was said waits, and nothing would hold it back or slow it down. */
  get isFree(): boolean {
    const { ledger, alarms, speaking, trust } = this.#context;
    const mayTalk = this.#self?.muted === false && !this.#isSlow && !alarms.heldBack;
    return mayTalk && speaking.isIdle && trust.pending(ledger.circle).length === 0;
  }

  /** Whether slow mode holds this member. */
  get #isSlow(): boolean {
    const { room, isBeside } = this.#context.ledger;
    return !isBeside && room.settings.slowSeconds > 0 && this.#self?.role === 'member';
  }

  #speakingContext(moment: Moment): SpeakingContext {
    const { timeline, ledger, wrapKeys } = this.#context;
    const { room, circle, isBeside } = ledger;
    const { history } = timeline;
    if (history === null) throw new Error('no history yet');
    return {
      ...{ room, circle, isBeside },
      history,
      generation: wrapKeys.current.generation,
      moment,
      isSlow: this.#isSlow,
    };
  }
}
