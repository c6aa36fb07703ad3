/**
 * What this member has said and the log does not hold yet. Content waits unsealed; a few messages at a time are sealed
 * and on their way. Nothing said is dropped, and nothing is placed twice.
 * @see docs/protocol.md#posting
 */
import { bytesEqual, utf8 } from '../protocol/bytes.ts';
import { type Content, isByItself } from '../protocol/content.ts';
import { InputError } from '../protocol/errors.ts';
import type { ChainId, Ciphertext, Hash } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { Deferral } from '../protocol/reasons.ts';

/** Sealed and unanswered at the same time: enough for a slow link, few enough that sealing again is cheap. */
const WINDOW = 8;

export interface Said {
  readonly content: Content;
  /** What the program that said it calls it. */
  readonly ref: string | null;
  readonly saidAtMs: number;
  /** The person has been told that it is not placed yet. */
  told: boolean;
}

/** Where a message stands among its sender's: numbers begin again with each chain. */
export interface ChainPlace {
  readonly chainId: ChainId;
  readonly n: number;
}

export interface Sealed extends ChainPlace {
  readonly said: Said;
  readonly leaf: Hash;
  readonly header: Uint8Array;
  readonly ciphertext: Ciphertext;
  readonly signature: Uint8Array;
  /** The content as it was sealed: what proves to others what was said. */
  readonly body: Uint8Array;
  deferred: Deferral | null;
}

export class Outbox {
  readonly #waiting: Said[] = [];
  #underway: Sealed[] = [];

  get size(): number {
    return this.#waiting.length + this.#underway.length;
  }
  /** Of that, what the person has said: that they have read something is no loss to them. */
  get unsaid(): number {
    const said = [...this.#waiting, ...this.#underway.map((sealed) => sealed.said)];
    return said.filter(({ content }) => content.kind !== 'read').length;
  }
  get isFull(): boolean {
    return this.size >= LIMITS.outboxMessages;
  }
  /** Nothing is under way. */
  get isIdle(): boolean {
    return this.#underway.length === 0;
  }
  get underway(): readonly Sealed[] {
    return this.#underway;
  }
  get next(): Said | undefined {
    return this.#waiting[0];
  }
  /** @param isSlow one at a time: in slow mode the others would only be told to wait */
  mayPost(isSlow: boolean): boolean {
    const window = isSlow ? 1 : WINDOW;
    return this.#underway.length < window && this.#underway.every(({ deferred }) => deferred === null);
  }

  /** @throws InputError `outbox-full` or `text-too-long`; what was said before is kept. */
  say(content: Content, ref: string | null, nowMs: number): void {
    if (utf8.encode(content.text).length > LIMITS.textBytes) {
      throw new InputError('text-too-long', `A message is at most ${LIMITS.textBytes} bytes of UTF-8.`);
    }
    if (this.isFull) {
      throw new InputError('outbox-full', 'Too many messages wait for the host. Wait until some are placed.');
    }
    const said = { content, ref, saidAtMs: nowMs, told: isByItself(content.kind) };
    // What a conversation is called comes before what is said in it, for those who come in.
    if (content.kind === 'about') this.#waiting.unshift(said);
    else this.#waiting.push(said);
  }

  /** The first waiting message is sealed and sent. */
  posted(sealed: Omit<Sealed, 'deferred' | 'said'>): void {
    const said = this.#waiting.shift();
    if (said !== undefined) this.#underway.push({ ...sealed, said, deferred: null });
  }

  /** What is under way with this number. */
  at(place: ChainPlace): Sealed | undefined {
    return this.#underway.find((sealed) => isAt(sealed, place));
  }

  /** An entry has its place. @returns what it was, or `null` when it is not one that is under way here. */
  placed(leaf: Hash): Sealed | null {
    const at = this.#underway.findIndex((sealed) => bytesEqual(sealed.leaf, leaf));
    return at < 0 ? null : (this.#underway.splice(at, 1)[0] ?? null);
  }

  /** @returns whether a message with this place is under way. */
  deferred(place: ChainPlace, reason: Deferral): boolean {
    const sealed = this.at(place);
    if (sealed === undefined) return false;
    sealed.deferred = reason;
    return true;
  }

  /**
   * What to do about messages that were not placed, once every one under way has its answer.
   * The first one decides: what follows a message that was told to wait fails only for following it.
   */
  verdict(): 'none' | 'undecided' | 'muted' | 'send-again' | 'seal-again' {
    const first = this.#underway[0];
    if (first === undefined || this.#underway.every(({ deferred }) => deferred === null)) return 'none';
    if (this.#underway.some(({ deferred }) => deferred === null)) return 'undecided';
    if (this.#underway.some(({ deferred }) => deferred === 'muted')) return 'muted';
    return first.deferred === 'wait' ? 'send-again' : 'seal-again';
  }

  /** The same bytes go out again. */
  sendAgain(): readonly Sealed[] {
    for (const sealed of this.#underway) sealed.deferred = null;
    return this.#underway;
  }

  /** Everything under way is sealed anew; its keys are spent. */
  sealAgain(): void {
    this.#waiting.unshift(...this.#underway.map(({ said }) => said));
    this.#underway = [];
  }

  /** Takes back all that has no place: what is under way has been refused. */
  takeBack(): readonly Said[] {
    this.sealAgain();
    return this.#waiting.splice(0);
  }

  /** The first message under way that was told to wait and that the person has not been told about. */
  firstWaiting(): Said | null {
    const first = this.#underway.find(({ deferred }) => deferred === 'wait')?.said;
    if (first === undefined || first.told) return null;
    first.told = true;
    return first;
  }

  /** Messages that have waited too long and have not been reported yet. */
  late(nowMs: number): readonly Said[] {
    const late: Said[] = [];
    for (const said of [...this.#underway.map((sealed) => sealed.said), ...this.#waiting]) {
      if (said.told || nowMs - said.saidAtMs < LIMITS.notPlacedMs) continue;
      said.told = true;
      late.push(said);
    }
    return late;
  }
}

function isAt(sealed: Sealed, { chainId, n }: ChainPlace): boolean {
  return sealed.n === n && bytesEqual(sealed.chainId, chainId);
}
