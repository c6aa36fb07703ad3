/**
 * One upload of a file from one chunk on, to all who asked for it before it began: how much was sent of it, how much each of
 * them has taken, how much more there is room for, and who does not move. It counts, and tells nobody.
 *
 * A sender may send what the slowest has room for, so what lies in the host's memory is bounded by what has not been taken yet.
 * What waits on the host's disk is sent from there, in a pass for each who asks.
 * @see docs/protocol.md#files
 */
import { ProtocolError } from '../protocol/errors.ts';
import { CHUNK_BYTES, plainBytes, sealedBytes, wholeChunks } from '../protocol/file-stream.ts';
import type { IdKey } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { HolderId } from './invitations.ts';
import type { Offered } from './offered-files.ts';

/** Where a stream goes: the host's disk, or a receiver. */
interface Taker {
  /** Of the stream: what it does not hold in memory any longer. */
  takenBytes: number;
  movedAtMs: number;
}

export interface Receiver extends Taker {
  readonly line: HolderId;
  readonly member: IdKey;
  readonly pass: Pass;
  /** How long it has kept others waiting. */
  behindMs: number;
  toldBytes: number;
  /** Since when somebody waits for the same member, and how much was taken then. */
  markAtMs: number;
  markBytes: number;
}

export interface PassStart {
  readonly number: number;
  readonly file: Offered;
  readonly from: 'owner' | 'disk';
  readonly fromChunk: number;
}

export class Pass {
  readonly number: number;
  readonly file: Offered;
  readonly from: PassStart['from'];
  readonly fromChunk: number;
  /** Of the stream. */
  readonly totalBytes: number;
  readonly receivers = new Set<Receiver>();
  /** It is to wait at the host as well. */
  disk: Taker | null = null;
  readonly #limits: Limits;
  /** `null`: as many are under way as a member may have. */
  #askedAtMs: number | null = null;
  #uploader: HolderId | null = null;
  #sentBytes = 0;
  #grantedBytes = 0;
  /** When the latest of it came, or could come. */
  #movedAtMs: number;

  constructor({ number, file, from, fromChunk }: PassStart, limits: Limits, nowMs: number) {
    this.number = number;
    this.file = file;
    this.from = from;
    this.fromChunk = fromChunk;
    this.totalBytes = sealedBytes(file.bytes, fromChunk);
    this.#limits = limits;
    this.#movedAtMs = nowMs;
  }

  /** The line that brings it, until all of it has come. */
  get uploader(): HolderId | null {
    return this.#uploader;
  }

  /** Others may still join it. */
  get hasNotBegun(): boolean {
    return this.from === 'owner' && this.#uploader === null && this.#sentBytes === 0;
  }

  /** Its receivers have been told that what follows is no frame. */
  get isBare(): boolean {
    return this.from === 'disk' || this.#uploader !== null || this.#sentBytes > 0;
  }

  /** Nothing more is to come. */
  get isSent(): boolean {
    return this.#sentBytes >= this.totalBytes;
  }

  /** Its owner is to be asked, once others are through. */
  get isQueued(): boolean {
    return this.from === 'owner' && this.#askedAtMs === null;
  }

  get isAsked(): boolean {
    return this.from === 'owner' && this.#askedAtMs !== null;
  }

  get takerCount(): number {
    return this.receivers.size + (this.disk === null ? 0 : 1);
  }

  join(line: HolderId, member: IdKey, nowMs: number): Receiver {
    const receiver = {
      ...{ line, member, pass: this, takenBytes: 0, movedAtMs: nowMs },
      ...{ behindMs: 0, toldBytes: -1, markAtMs: nowMs, markBytes: 0 },
    };
    this.receivers.add(receiver);
    return receiver;
  }

  asked(nowMs: number): void {
    this.#askedAtMs = nowMs;
  }

  begin(uploader: HolderId, nowMs: number): void {
    this.#uploader = uploader;
    this.#movedAtMs = nowMs;
    for (const receiver of this.receivers) receiver.movedAtMs = nowMs;
    if (this.disk !== null) this.disk.movedAtMs = nowMs;
  }

  /** @throws ProtocolError `no-credit` */
  arrived(bytes: number, nowMs: number): void {
    if (this.disk?.takenBytes === this.#sentBytes) this.disk.movedAtMs = nowMs;
    this.read(bytes, nowMs);
    if (this.#sentBytes > this.#grantedBytes)
      throw new ProtocolError('no-credit', 'more of a file than there is room for');
    if (this.isSent) this.#uploader = null;
  }

  /** So many bytes more were sent from the disk. */
  read(bytes: number, nowMs: number): void {
    this.#sentBytes += bytes;
    this.#movedAtMs = nowMs;
  }

  /** @throws ProtocolError for what cannot be, and for what is not worth a frame */
  taken(receiver: Receiver, streamBytes: number, nowMs: number): void {
    if (streamBytes > this.#sentBytes || streamBytes < receiver.takenBytes)
      throw new ProtocolError('bad-credit', 'more or less of a file than was sent');
    // Told of every byte, a host would do nothing else.
    const isWorth = streamBytes >= receiver.takenBytes + CHUNK_BYTES || streamBytes === this.#sentBytes;
    if (!isWorth || streamBytes === receiver.takenBytes)
      throw new ProtocolError('flood', 'less of a file than is worth a frame');
    receiver.takenBytes = streamBytes;
    receiver.movedAtMs = nowMs;
  }

  /** So many bytes, in all, are on the disk. @returns whether that can be */
  written(bytes: number, nowMs: number): boolean {
    if (this.disk === null || bytes > this.#sentBytes || bytes < this.disk.takenBytes) return false;
    this.disk = { takenBytes: bytes, movedAtMs: nowMs };
    return true;
  }

  /**
   * Room for an eighth of a window is worth a frame.
   * @param windowBytes how much may be on its way to one receiver
   * @returns how much may be sent in all, where that is more than before
   */
  grant(windowBytes: number, nowMs: number): number | null {
    if (this.#uploader === null && this.from === 'owner') return null;
    let least = this.disk?.takenBytes ?? Number.POSITIVE_INFINITY;
    for (const { takenBytes } of this.receivers) least = Math.min(least, takenBytes);
    const upTo = least + windowBytes < this.totalBytes ? wholeChunks(least + windowBytes) : this.totalBytes;
    const more = upTo - this.#grantedBytes;
    const isLast = upTo === this.totalBytes;
    const isWorth = more >= windowBytes / 8 || isLast || this.#sentBytes >= this.#grantedBytes;
    if (more <= 0 || !isWorth) return null;
    // From here on it is the sender's turn.
    if (this.#sentBytes === this.#grantedBytes) this.#movedAtMs = nowMs;
    this.#grantedBytes = upTo;
    return upTo;
  }

  doneBytes({ takenBytes }: Receiver): number {
    return plainBytes(takenBytes, this.fromChunk, this.file.bytes);
  }

  /** @returns those that have taken more since this was last asked */
  news(): readonly Receiver[] {
    const moved = [...this.receivers].filter(({ takenBytes, toldBytes }) => takenBytes !== toldBytes);
    for (const receiver of moved) receiver.toldBytes = receiver.takenBytes;
    return moved;
  }

  /** Its owner has been asked and opens no line. */
  isUnanswered(nowMs: number): boolean {
    if (!this.hasNotBegun || this.#askedAtMs === null) return false;
    return nowMs - this.#askedAtMs >= this.#limits.transferAnswerMs;
  }

  /** There is room, and nothing comes. */
  isStalled(nowMs: number): boolean {
    return this.#grantedBytes > this.#sentBytes && this.#isLongAgo(this.#movedAtMs, nowMs);
  }

  isDiskStalled(nowMs: number): boolean {
    const { disk } = this;
    return disk !== null && this.#isBehind(disk) && this.#isLongAgo(disk.movedAtMs, nowMs);
  }

  /** Some have room for more, and nothing more may be sent. */
  isHeldUp(windowBytes: number): boolean {
    if (this.#uploader === null || this.#sentBytes !== this.#grantedBytes) return false;
    const takers: readonly Taker[] = [...this.receivers, ...(this.disk === null ? [] : [this.disk])];
    return takers.some((each) => !this.#isFarBehind(each, windowBytes));
  }

  /** @param heldUpMs how much longer some have been held up; `null`: nobody is @returns whether it is for too long */
  holdsUp(receiver: Receiver, heldUpMs: number | null, windowBytes: number): boolean {
    const isFarBehind = heldUpMs !== null && this.#isFarBehind(receiver, windowBytes);
    receiver.behindMs = isFarBehind ? receiver.behindMs + heldUpMs : 0;
    return receiver.behindMs >= this.#limits.transferBehindMs;
  }

  /** It has been sent something and does not take it, or has taken everything and does not say that it has it. */
  isStill(receiver: Receiver, nowMs: number): boolean {
    if (this.#sentBytes === 0) return false;
    if (this.#isBehind(receiver)) return this.#isLongAgo(receiver.movedAtMs, nowMs);
    const hasSource = this.from === 'disk' ? this.#grantedBytes > this.#sentBytes : this.#uploader !== null;
    return !hasSource && nowMs - receiver.movedAtMs >= this.#limits.waitingMs;
  }

  /** While others wait for the same member, taking a little now and then does not hold the place. */
  isTooSlow(receiver: Receiver, isAwaited: boolean, windowBytes: number, nowMs: number): boolean {
    if (!this.#isBehind(receiver)) return false;
    if (isAwaited && !this.#isLongAgo(receiver.markAtMs, nowMs)) return false;
    const isSlow = isAwaited && receiver.takenBytes - receiver.markBytes < windowBytes / 4;
    Object.assign(receiver, { markAtMs: nowMs, markBytes: receiver.takenBytes });
    return isSlow;
  }

  #isBehind({ takenBytes }: Taker): boolean {
    return this.#sentBytes > takenBytes;
  }

  #isFarBehind({ takenBytes }: Taker, windowBytes: number): boolean {
    return takenBytes + windowBytes / 2 <= this.#grantedBytes;
  }

  #isLongAgo(atMs: number, nowMs: number): boolean {
    return nowMs - atMs >= this.#limits.transferStalledMs;
  }
}
