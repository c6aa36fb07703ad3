/** One file on its way to the disk of a kept room: under another name until all of it is there for good. */
import { type FileHandle, open, rename, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Bytes } from '../../protocol/bytes.ts';
import { FILE_MODE } from '../../storage/room-database.ts';
import { syncFolder } from '../atomic-file.ts';
import { makeFolder } from '../private-file.ts';

interface DepositEvents {
  /** So many bytes in all are out of memory. */
  readonly onWritten: (bytes: number) => void;
  /** All of it is there, and outlasts a loss of power. */
  readonly onStored: () => void;
  /** Nothing of it is there. Once. */
  readonly onFailed: (error: unknown) => void;
}

export interface DepositStart extends DepositEvents {
  readonly path: string;
  /** As it comes: ciphertext. */
  readonly bytes: number;
  /** What was there of an earlier one is gone by then. */
  readonly after: Promise<void>;
  /** That have to be free on the disk before it begins. */
  readonly freeBytes: () => number;
}

/** Pieces come as small as they were sent: gathered, they cost neither a write nor an object each. */
const BLOCK_BYTES = 256 * 1_024;

export class DepositWriter {
  readonly #start: DepositStart;
  /** Full ones, and the one that is being filled. */
  #blocks: Buffer[] = [];
  #filledBytes = 0;
  #writtenBytes = 0;
  #handle: FileHandle | null = null;
  #isOver = false;
  #work: Promise<void> | null = null;

  constructor(start: DepositStart) {
    this.#start = start;
  }

  /** That have not been written yet. */
  get leftBytes(): number {
    return this.#start.bytes - this.#writtenBytes;
  }

  /** @param piece copied: it may be a view of a read buffer */
  push(piece: Bytes): void {
    if (this.#isOver) return;
    for (let at = 0; at < piece.length; ) {
      let block = this.#blocks.at(-1);
      if (block === undefined || this.#filledBytes === block.length) {
        block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
        this.#blocks.push(block);
        this.#filledBytes = 0;
      }
      const part = piece.subarray(at, at + block.length - this.#filledBytes);
      block.set(part, this.#filledBytes);
      this.#filledBytes += part.length;
      at += part.length;
    }
    this.#work ??= this.#run();
  }

  /** Nothing of it is left afterwards, also where all of it was there. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#blocks = [];
    await this.#work;
    await this.#clear();
  }

  async #run(): Promise<void> {
    const { after, bytes, onWritten, onStored, onFailed } = this.#start;
    try {
      await after;
      while (this.#blocks.length > 0) {
        await this.#write(this.#takeBlocks());
        if (!this.#isOver) onWritten(this.#writtenBytes);
      }
      if (this.#writtenBytes === bytes && !this.#isOver) {
        await this.#finish();
        if (!this.#isOver) onStored();
      }
    } catch (error) {
      const isNews = !this.#isOver;
      this.#isOver = true;
      this.#blocks = [];
      await this.#clear();
      if (isNews) onFailed(error);
    } finally {
      this.#work = null;
    }
  }

  #takeBlocks(): readonly Buffer[] {
    const blocks = this.#blocks;
    const last = blocks.pop();
    if (last !== undefined) blocks.push(last.subarray(0, this.#filledBytes));
    this.#blocks = [];
    this.#filledBytes = 0;
    return blocks;
  }

  async #write(blocks: readonly Buffer[]): Promise<void> {
    if (this.#handle === null) {
      const folder = dirname(this.#start.path);
      await makeFolder(folder);
      const { bavail, bsize } = await statfs(folder);
      if (bavail * bsize < this.#start.freeBytes()) throw new Error('the disk is nearly full');
      this.#handle = await open(partOf(this.#start.path), 'wx', FILE_MODE);
    }
    for (const block of blocks)
      for (let at = 0; at < block.length; ) {
        const { bytesWritten } = await this.#handle.write(block, at, block.length - at, this.#writtenBytes);
        at += bytesWritten;
        this.#writtenBytes += bytesWritten;
      }
  }

  async #finish(): Promise<void> {
    const { path } = this.#start;
    await this.#handle?.sync();
    await this.#handle?.close();
    this.#handle = null;
    await rename(partOf(path), path);
    await syncFolder(dirname(path));
  }

  async #clear(): Promise<void> {
    // What cannot be removed is removed when the room is opened the next time.
    await this.#handle?.close().catch(() => {});
    this.#handle = null;
    const { path } = this.#start;
    for (const each of [partOf(path), path]) await rm(each, { force: true }).catch(() => {});
  }
}

function partOf(path: string): string {
  return `${path}.part`;
}
