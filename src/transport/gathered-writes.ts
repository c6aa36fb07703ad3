/**
 * Writes of what a bare stream is made of: few and large ones, because each has a price however small it is, and one at a time,
 * because of those that wait for a socket Node makes one more copy.
 */
import type { Bytes } from '../protocol/bytes.ts';
import { GATHER_BYTES, giveGatherBuffer, takeGatherBuffer } from './gather-buffers.ts';

interface Write {
  readonly buffer: Buffer;
  readonly bytes: number;
  readonly onTaken: () => void;
}

export interface GatheredWritesStart {
  /** Asked before anything is queued; what may not be is dropped. */
  readonly mayQueue: (bytes: number) => boolean;
  /** @param onTaken called when the operating system has taken it, or never will */
  readonly write: (bytes: Buffer, onTaken: (error?: Error | null) => void) => void;
}

export class GatheredWrites {
  readonly #start: GatheredWritesStart;
  readonly #waiting: Write[] = [];
  #waitingBytes = 0;
  #writing = 0;
  /** What is forwarded waits here for the end of this turn, or of the write under way. */
  #gathered: Buffer | null = null;
  #gatheredBytes = 0;

  constructor(start: GatheredWritesStart) {
    this.#start = start;
  }

  /** That the socket has not been given yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** @param pieces the caller's again @param onTaken called once the operating system has taken all of them */
  add(pieces: readonly Bytes[], onTaken: () => void): void {
    let bytes = 0;
    for (const { length } of pieces) bytes += length;
    if (bytes > GATHER_BYTES) throw new RangeError(`${bytes} bytes at a time`);
    const buffer = takeGatherBuffer();
    let at = 0;
    for (const piece of pieces) {
      buffer.set(piece, at);
      at += piece.length;
    }
    this.#queueGathered();
    this.#queue({ buffer, bytes, onTaken });
  }

  /** Goes out in one write with what else is forwarded in this turn. @param bytes the caller's again */
  forward(bytes: Bytes): void {
    if (this.#gathered !== null && this.#gatheredBytes + bytes.length > GATHER_BYTES) this.#queueGathered();
    if (this.#gathered === null) {
      this.#gathered = takeGatherBuffer();
      // Behind a write that the line has not taken there is time to gather more: else a peer that reads nothing costs a
      // buffer for each piece, however small.
      if (this.#writing === 0) setImmediate(() => this.#queueGathered());
    }
    this.#gathered.set(bytes, this.#gatheredBytes);
    this.#gatheredBytes += bytes.length;
  }

  /** All of it is given to the socket now, for what is to come after it. */
  flush(): void {
    this.#queueGathered();
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift())
      this.#write(next);
  }

  #queueGathered(): void {
    const buffer = this.#gathered;
    const bytes = this.#gatheredBytes;
    this.#gathered = null;
    this.#gatheredBytes = 0;
    if (buffer !== null) this.#queue({ buffer, bytes, onTaken: () => {} });
  }

  #queue(write: Write): void {
    if (!this.#start.mayQueue(write.bytes)) return giveGatherBuffer(write.buffer);
    this.#waiting.push(write);
    this.#waitingBytes += write.bytes;
    this.#next();
  }

  #next(): void {
    if (this.#writing > 0) return;
    const next = this.#waiting.shift();
    if (next === undefined) this.#queueGathered();
    else this.#write(next);
  }

  #write({ buffer, bytes, onTaken }: Write): void {
    this.#waitingBytes -= bytes;
    this.#writing += 1;
    this.#start.write(buffer.subarray(0, bytes), (error) => {
      this.#writing -= 1;
      giveGatherBuffer(buffer);
      if (error == null) {
        onTaken();
        this.#next();
      } else this.#drop();
    });
  }

  #drop(): void {
    for (const { buffer } of this.#waiting.splice(0)) giveGatherBuffer(buffer);
    this.#waitingBytes = 0;
    if (this.#gathered !== null) giveGatherBuffer(this.#gathered);
    this.#gathered = null;
    this.#gatheredBytes = 0;
  }
}
