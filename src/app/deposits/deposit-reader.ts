/** A file that waits beside a kept room, on its way to one receiver: from any chunk on, as far as there is room. */
import { type FileHandle, open } from 'node:fs/promises';
import { placeInWhole, STREAM_HEADER_BYTES } from '../../protocol/file-stream.ts';
import type { Connection } from '../../transport/connection.ts';
import { isGone } from './errors.ts';

export interface ReadingStart {
  readonly path: string;
  readonly fromChunk: number;
  readonly connection: Pick<Connection, 'sendAll' | 'closed'>;
  /** So many bytes more have been sent. */
  readonly onRead: (bytes: number) => void;
  /** Once. `isLost`: what was there is not there any more, or is cut short. */
  readonly onUnreadable: (isLost: boolean, error: unknown) => void;
}

/** Of one read and one write: smaller ones are what costs. */
const STEP_BYTES = 256 * 1_024;
/** In memory until the system has taken it: one step is read while the other is sent. */
const QUEUE_BYTES = 2 * STEP_BYTES;

export class DepositReader {
  readonly #start: ReadingStart;
  #handle: FileHandle | null = null;
  /** Of the stream. */
  #sentBytes = 0;
  #upTo = 0;
  #queuedBytes = 0;
  #isReading = false;
  #isOver = false;

  constructor(start: ReadingStart) {
    this.#start = start;
  }

  /** There is room for so many bytes of the stream in all. */
  allow(upTo: number): void {
    this.#upTo = Math.max(this.#upTo, upTo);
    this.#go();
  }

  stop(): void {
    this.#isOver = true;
    if (!this.#isReading) this.#close();
  }

  get #mayRead(): boolean {
    const { closed } = this.#start.connection;
    return !closed && this.#sentBytes < this.#upTo && this.#queuedBytes < QUEUE_BYTES;
  }

  #go(): void {
    if (this.#isReading || this.#isOver) return;
    this.#isReading = true;
    this.#pump()
      .catch((error: unknown) => {
        const isNews = !this.#isOver;
        this.#isOver = true;
        if (isNews) this.#start.onUnreadable(error instanceof CutShortError || isGone(error), error);
      })
      .finally(() => {
        this.#isReading = false;
        if (this.#isOver) this.#close();
        // Allowed, or taken, since the last look.
        else if (this.#mayRead) this.#go();
      });
  }

  async #pump(): Promise<void> {
    const { connection, onRead } = this.#start;
    while (this.#mayRead) {
      const step = await this.#read();
      if (this.#isOver || connection.closed) return;
      this.#sentBytes += step.length;
      this.#queuedBytes += step.length;
      connection.sendAll([step], () => {
        this.#queuedBytes -= step.length;
        this.#go();
      });
      onRead(step.length);
    }
  }

  async #read(): Promise<Buffer> {
    const { path, fromChunk } = this.#start;
    this.#handle ??= await open(path, 'r');
    // Behind the header lie the chunks that are not asked for.
    const isHeader = this.#sentBytes < STREAM_HEADER_BYTES && fromChunk > 0;
    const end = isHeader ? Math.min(STREAM_HEADER_BYTES, this.#upTo) : this.#upTo;
    const length = Math.min(STEP_BYTES, end - this.#sentBytes);
    const from = placeInWhole(this.#sentBytes, fromChunk);
    const step = Buffer.allocUnsafeSlow(length);
    for (let at = 0; at < length; ) {
      const { bytesRead } = await this.#handle.read(step, at, length - at, from + at);
      if (bytesRead === 0) throw new CutShortError(`${path} ends too soon`);
      at += bytesRead;
    }
    return step;
  }

  #close(): void {
    const handle = this.#handle;
    this.#handle = null;
    handle?.close().catch(() => {});
  }
}

class CutShortError extends Error {
  override readonly name = 'CutShortError';
}
