/**
 * What one takes: a stream that becomes a file or folder. Until all of it is there and is what was offered it lies under a name of
 * its own, which another program finds and goes on with, however this one ended. Then it takes its name, over nobody else's file.
 * @see docs/security.md#promises (P39, P40, P41)
 */
import { realpath, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bytes, toHex } from '../../protocol/bytes.ts';
import { InputError } from '../../protocol/errors.ts';
import { partialName, safeFileName } from '../../protocol/file-name.ts';
import { type FileOffer, isFolder } from '../../protocol/file-offer.ts';
import { CHUNK_BYTES } from '../../protocol/file-stream.ts';
import { LIMITS } from '../../protocol/limits.ts';
import { syncFolder } from '../atomic-file.ts';
import { makeFolder } from '../private-file.ts';
import { cannotTake, diskFull, notAsOffered, shownName, type Taking } from './file-sentences.ts';
import { lockPart, type PartLock } from './part-lock.ts';
import { PartialFile } from './partial-file.ts';
import { PartialFolder } from './partial-folder.ts';
import { nameFile, nameFolder } from './take-name.ts';

/**
 * Less is gathered in memory first: a write has a price, however small it is, and 96 KiB at a time cost a tenth of a receiver's CPU more. Much
 * larger ones make file systems take memory in larger parts, which some machines have to ask for first.
 */
const WRITE_BYTES = 192 * 1_024;

export interface DownloadStart {
  /** The downloads folder; made where it is missing. */
  readonly folder: string;
  /** As it was offered. */
  readonly name: string;
  readonly offer: FileOffer;
  /** Ends the hashing of what is there already. */
  readonly signal?: AbortSignal;
}

type Ending = 'finished' | 'discarded' | 'left';

export class Download {
  /** Where it is going to lie, unless something else is there by then. */
  readonly path: string;
  /** So many whole chunks of the stream are there already: the first bytes to be written are those of this chunk. */
  readonly resumeChunk: number;
  readonly #name: string;
  readonly #folder: string;
  readonly #offer: FileOffer;
  readonly #part: PartialFile | PartialFolder;
  readonly #lock: PartLock;
  readonly #buffer = Buffer.allocUnsafeSlow(WRITE_BYTES);
  #bufferedBytes = 0;
  /** What is there already of the chunk that the first bytes are of. */
  #skipBytes: number;
  #failure: unknown = null;
  #ending: Ending | null = null;
  /** One thing at a time, in the order it was asked for. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(
    { name, folder, offer }: DownloadStart,
    part: PartialFile | PartialFolder,
    lock: PartLock,
  ) {
    this.#name = name;
    this.#folder = folder;
    this.#offer = offer;
    this.#part = part;
    this.#lock = lock;
    this.path = join(folder, name);
    this.resumeChunk = Math.floor(part.haveBytes / CHUNK_BYTES);
    this.#skipBytes = part.haveBytes % CHUNK_BYTES;
  }

  /** @throws InputError when it cannot be taken there, and whatever `signal` is aborted with */
  static async open(start: DownloadStart): Promise<Download> {
    const { offer, signal } = start;
    const name = safeFileName(start.name);
    checkBounds(name, offer);
    const taking = { name, folder: start.folder, leftBytes: offer.bytes };
    let lock: PartLock | null = null;
    let part: PartialFile | PartialFolder | null = null;
    try {
      await makeFolder(start.folder);
      const folder = await realpath(start.folder);
      const path = join(folder, partialName(name, toHex(offer.hash)));
      lock = await lockPart(path, name);
      const options = signal === undefined ? {} : { signal };
      part = isFolder(offer)
        ? await PartialFolder.open({ path, name, offer, ...options })
        : await PartialFile.open({ path, bytes: offer.bytes, resumes: true, ...options });
      await checkRoom({ ...taking, leftBytes: offer.bytes - part.haveBytes });
      return new Download({ ...start, name, folder }, part, lock);
    } catch (error) {
      await part?.close();
      if (part?.haveBytes === 0) await rm(part.path, { recursive: true, force: true });
      lock?.remove();
      throw cannotTake(taking, error);
    }
  }

  /**
   * Takes what comes next of the stream.
   * @returns when it is with the system, or is little
   * @throws InputError for a disk that does not take it, `hash-mismatch` for what is not what was offered
   */
  write(pieces: readonly Bytes[]): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#ending !== null) throw new RangeError(`written to a download that is ${this.#ending}`);
      for (const piece of pieces) await this.#gather(piece);
    });
  }

  /**
   * @returns where it lies now
   * @throws InputError `hash-mismatch`: then nothing is left of it
   */
  finish(): Promise<{ readonly path: string }> {
    return this.#inTurn(async () => {
      if (this.#ending !== null) throw new RangeError(`finished a download that is ${this.#ending}`);
      await this.#flush();
      const part = this.#part;
      if (part.haveBytes < this.#offer.bytes)
        throw new RangeError('finished a download that is not all there');
      const path = await (part instanceof PartialFile ? this.#finishFile(part) : this.#finishFolder(part));
      this.#ending = 'finished';
      await syncFolder(this.#folder);
      this.#lock.remove();
      return { path };
    });
  }

  /** Nothing is left of it. */
  discard(): Promise<void> {
    return this.#end('discarded');
  }

  /** What is there of it stays, for whoever goes on with it. */
  leave(): Promise<void> {
    return this.#end('left');
  }

  #end(ending: Ending): Promise<void> {
    const result = this.#turn.then(async () => {
      if (this.#ending !== null) return;
      // What the disk does not take now has to come again.
      if (ending === 'left' && this.#failure === null) await this.#flush().catch(() => {});
      await this.#giveUp(ending);
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  async #giveUp(ending: Ending): Promise<void> {
    this.#ending = ending;
    const isSound = await this.#part.close().then(
      () => true,
      () => false,
    );
    try {
      // What the disk has failed at reads as if it were there. And there is nothing to go on with where nothing came.
      if (ending === 'discarded' || !isSound || this.#part.haveBytes === 0)
        await rm(this.#part.path, { recursive: true, force: true });
    } catch (error) {
      throw cannotTake(this.#taking, error);
    } finally {
      this.#lock.remove();
    }
  }

  async #gather(piece: Bytes): Promise<void> {
    const skipped = Math.min(this.#skipBytes, piece.length);
    this.#skipBytes -= skipped;
    for (let at = skipped; at < piece.length; ) {
      const part = piece.subarray(at, at + WRITE_BYTES - this.#bufferedBytes);
      this.#buffer.set(part, this.#bufferedBytes);
      this.#bufferedBytes += part.length;
      at += part.length;
      if (this.#bufferedBytes === WRITE_BYTES) await this.#flush();
    }
  }

  async #flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#bufferedBytes);
    this.#bufferedBytes = 0;
    await this.#part.append(bytes);
  }

  async #finishFile(file: PartialFile): Promise<string> {
    if (!file.isComplete(this.#offer.hash)) throw notAsOffered(this.#name);
    const stats = await file.sync();
    await file.close();
    return nameFile(file.path, stats, this.#folder, this.#name);
  }

  async #finishFolder(folder: PartialFolder): Promise<string> {
    await folder.complete();
    return nameFolder(folder.path, this.#folder, this.#name);
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(async () => {
      if (this.#failure !== null) throw this.#failure;
      try {
        return await step();
      } catch (error) {
        this.#failure = cannotTake(this.#taking, error);
        if (isWrong(this.#failure)) await this.#giveUp('discarded');
        throw this.#failure;
      }
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  get #taking(): Taking {
    const leftBytes = this.#offer.bytes - this.#part.haveBytes;
    return { name: this.#name, folder: this.#folder, leftBytes };
  }
}

/** Going on with it would come to the same. */
function isWrong(error: unknown): boolean {
  return error instanceof InputError && (error.code === 'hash-mismatch' || error.code === 'bad-manifest');
}

/** Held in memory, or as names on the disk, before anything is known of them. */
function checkBounds(name: string, { manifestBytes, files }: FileOffer): void {
  if (manifestBytes <= LIMITS.manifestBytes && files <= LIMITS.folderFilesMost) return;
  throw new InputError(
    'too-many-files',
    `${shownName(name)} holds more files than are taken at once. Ask for it as one file, or in parts.`,
  );
}

/** Told before the disk is full rather than then. Some systems do not say how much room there is. */
async function checkRoom(taking: Taking): Promise<void> {
  const space = await statfs(taking.folder).catch(() => null);
  if (space === null) return;
  const { blocks, bavail, bsize } = space;
  if (blocks > 0 && bavail * bsize < taking.leftBytes) throw diskFull(taking);
}
