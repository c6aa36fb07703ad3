/**
 * A folder that is not complete: a folder of its own, with the manifest in it and each file in its place. Files are compared with
 * the manifest as each is complete.
 */
import { constants } from 'node:fs';
import { lstat, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../crypto/hash.ts';
import { type Bytes, bytesEqual } from '../../protocol/bytes.ts';
import { InputError, ProtocolError } from '../../protocol/errors.ts';
import { decodeManifest, type FolderFile } from '../../protocol/file-manifest.ts';
import type { FileOffer } from '../../protocol/file-offer.ts';
import { writeNew } from '../atomic-file.ts';
import { readRegularAtMost } from '../bounded-file.ts';
import { isErrno, notAsOffered, shownName } from './file-sentences.ts';
import { isOwn, PartialFile, taken } from './partial-file.ts';

/** No name that is offered begins with a dot. */
const MANIFEST = '.manifest';
const MODE = 0o700;
/** As many threads as Node has for it. */
const SYNCED_AT_ONCE = 4;

export interface PartialFolderStart {
  readonly path: string;
  readonly name: string;
  readonly offer: FileOffer;
  readonly signal?: AbortSignal;
}

export class PartialFolder {
  readonly path: string;
  readonly #name: string;
  readonly #offer: FileOffer;
  readonly #manifest: Bytes;
  /** Folders that are there, and are folders. */
  readonly #folders = new Set<string>();
  /** `null` until the manifest is complete. */
  #files: readonly FolderFile[] | null = null;
  /** The file that is being written: none before the manifest is complete, or after the last. */
  #file: PartialFile | null = null;
  #failure: unknown = null;
  #index = 0;
  #haveBytes = 0;

  private constructor({ path, name, offer }: PartialFolderStart) {
    this.path = path;
    this.#name = name;
    this.#offer = offer;
    this.#manifest = new Uint8Array(offer.manifestBytes);
  }

  /** @throws InputError `partial-taken` when something else is in its place, and the system's own errors */
  static async open(start: PartialFolderStart): Promise<PartialFolder> {
    const folder = new PartialFolder(start);
    await makeOwn(start.path);
    const manifest = await manifestThere(start);
    if (manifest === null) {
      // Without it nobody knows what the rest is.
      await rm(start.path, { recursive: true, force: true });
      await makeOwn(start.path);
    } else {
      await folder.#listed(manifest);
      await folder.#resume(start.signal);
    }
    return folder;
  }

  /** Of the stream, in order. */
  get haveBytes(): number {
    return this.#haveBytes;
  }

  /** @param bytes what comes next @throws InputError `hash-mismatch`, `bad-manifest` */
  async append(bytes: Bytes): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#files === null) rest = await this.#appendManifest(rest);
      else if (this.#file === null) throw new RangeError('more than the folder is going to have');
      else {
        const part = rest.subarray(0, this.#file.leftBytes);
        await this.#file.append(part);
        this.#haveBytes += part.length;
        rest = rest.subarray(part.length);
        if (this.#file.leftBytes === 0) await this.#next();
      }
    }
  }

  /**
   * All of it is on the disk when this is done, and nothing else is in it.
   * @throws InputError `hash-mismatch` unless all of it is there
   */
  async complete(): Promise<void> {
    if (this.#files === null || this.#index < this.#files.length) throw notAsOffered(this.#name);
    const paths = this.#files.map(({ segments }) => join(this.path, ...segments));
    // Together: one after the other takes a disk three times as long.
    for (let at = 0; at < paths.length; at += SYNCED_AT_ONCE)
      await Promise.all(paths.slice(at, at + SYNCED_AT_ONCE).map(syncFile));
    await rm(join(this.path, MANIFEST), { force: true });
  }

  /** @throws as `PartialFile.close` does, of any file */
  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
    if (this.#failure !== null) throw this.#failure;
  }

  async #appendManifest(bytes: Bytes): Promise<Bytes> {
    const part = bytes.subarray(0, this.#manifest.length - this.#haveBytes);
    this.#manifest.set(part, this.#haveBytes);
    this.#haveBytes += part.length;
    if (this.#haveBytes === this.#manifest.length) {
      if (!bytesEqual(sha256(this.#manifest), this.#offer.hash)) throw notAsOffered(this.#name);
      await this.#listed(this.#manifest);
      await writeNew(join(this.path, MANIFEST), this.#manifest);
      await this.#begin(false);
    }
    return bytes.subarray(part.length);
  }

  async #listed(manifest: Bytes): Promise<void> {
    try {
      this.#files = decodeManifest(manifest, this.#offer);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      throw new InputError(
        'bad-manifest',
        `${shownName(this.#name)} cannot be taken: its list of files is not what was offered, or holds names that would meet. Ask for it in another form.`,
      );
    }
    this.#haveBytes = manifest.length;
  }

  /** Goes through what is there, as far as it is complete and right. */
  async #resume(signal: AbortSignal | undefined): Promise<void> {
    await this.#begin(true, signal);
    while (this.#file !== null && this.#file.leftBytes === 0 && (await this.#isRight())) {
      this.#index += 1;
      await this.#begin(true, signal);
    }
    this.#haveBytes += this.#file?.haveBytes ?? 0;
  }

  /** Whether a file of before is what the manifest says; else it is begun anew. */
  async #isRight(): Promise<boolean> {
    const [file, listed] = [this.#file, this.#files?.[this.#index]];
    if (file === null || listed === undefined) return false;
    this.#file = null;
    const isRight = file.isComplete(listed.hash);
    await file.close();
    if (isRight) this.#haveBytes += listed.bytes;
    else this.#file = await PartialFile.open({ path: file.path, bytes: listed.bytes, resumes: false });
    return isRight;
  }

  async #next(): Promise<void> {
    const [file, listed] = [this.#file, this.#files?.[this.#index]];
    if (file === null || listed === undefined) return;
    this.#file = null;
    await this.#closeComplete(file, listed);
    this.#index += 1;
    await this.#begin(false);
  }

  /** Opens the next file that anything is to be written to; empty ones on the way are complete at once. */
  async #begin(resumes: boolean, signal?: AbortSignal): Promise<void> {
    for (; this.#files !== null; this.#index += 1) {
      const listed = this.#files[this.#index];
      if (listed === undefined) return;
      signal?.throwIfAborted();
      const path = await this.#pathOf(listed);
      const file = await PartialFile.open({
        ...{ path, bytes: listed.bytes, resumes },
        ...(signal !== undefined && { signal }),
      });
      if (listed.bytes > 0) {
        this.#file = file;
        return;
      }
      await this.#closeComplete(file, listed);
    }
  }

  async #closeComplete(file: PartialFile, { hash }: FolderFile): Promise<void> {
    await file.close().catch((error: unknown) => {
      this.#failure = error;
      throw error;
    });
    if (!file.isComplete(hash)) throw notAsOffered(this.#name);
  }

  /** The folders that it lies in are there then. */
  async #pathOf({ segments }: FolderFile): Promise<string> {
    let path = this.path;
    for (const segment of segments.slice(0, -1)) {
      path = join(path, segment);
      if (!this.#folders.has(path)) await makeOwn(path);
      this.#folders.add(path);
    }
    return join(path, segments.at(-1) ?? '');
  }
}

async function syncFile(path: string): Promise<void> {
  // Windows syncs only what may be written.
  const file = await open(path, constants.O_RDWR | (constants.O_NOFOLLOW ?? 0));
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A folder of this account, and no link to one. */
async function makeOwn(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: MODE });
  } catch (error) {
    if (!isErrno(error) || error.code !== 'EEXIST') throw error;
    const stats = await lstat(path);
    if (!stats.isDirectory() || !isOwn(stats)) throw taken(path);
  }
}

/** @returns `null` unless a complete one of this very offer is there */
async function manifestThere({ path, offer }: PartialFolderStart): Promise<Bytes | null> {
  const there = await readRegularAtMost(join(path, MANIFEST), offer.manifestBytes + 1).catch(() => null);
  if (there === null || there.length !== offer.manifestBytes) return null;
  return bytesEqual(sha256(there), offer.hash) ? new Uint8Array(there) : null;
}
