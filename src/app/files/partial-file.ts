/**
 * A file that is not complete: written in order, hashed on the way, and gone on with by a later program.
 *
 * It is this account's alone, and never executable: what others send is looked at before it is run. Where it is to lie somebody else
 * may have put a link; nothing is written through one, symbolic or hard.
 */
import { createHash, type Hash as Digest } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, rm } from 'node:fs/promises';
import { type Bytes, bytesEqual } from '../../protocol/bytes.ts';
import { InputError } from '../../protocol/errors.ts';
import { isErrno, shownName } from './file-sentences.ts';

const MODE = 0o600;
const READ_BYTES = 1_024 * 1_024;
/** So much is put on the disk for good while more comes: at the end nobody waits for all of it, and memory is not full of it. */
const SYNC_BYTES = 32 * 1_024 * 1_024;

const NO_LINK = constants.O_NOFOLLOW ?? 0;
/** Neither waits for a pipe nor follows a link, where the system can be told so. */
const FLAGS = constants.O_RDWR | constants.O_CREAT | (constants.O_NONBLOCK ?? 0) | NO_LINK;

export interface PartialFileStart {
  readonly path: string;
  /** It is going to have so many. */
  readonly bytes: number;
  /** What is there already counts; else it begins anew. */
  readonly resumes: boolean;
  readonly signal?: AbortSignal;
}

export class PartialFile {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #bytes: number;
  readonly #digest: Digest = createHash('sha256');
  #haveBytes = 0;
  #unsyncedBytes = 0;
  /** A system tells of what it could not put on the disk once only: whoever waits next hears of it, and whoever closes. */
  #syncing: Promise<void> = Promise.resolve();

  private constructor(handle: FileHandle, { path, bytes }: PartialFileStart) {
    this.#handle = handle;
    this.path = path;
    this.#bytes = bytes;
  }

  /** @throws InputError `partial-taken` when something else is in its place, and the system's own errors */
  static async open(start: PartialFileStart): Promise<PartialFile> {
    const { handle, size } = await openOwn(start.path);
    try {
      const file = new PartialFile(handle, start);
      // Longer than it is ever going to be: whatever it is, it is not the beginning of this.
      const isOther = !start.resumes || size > start.bytes;
      if (size > 0 && isOther) await handle.truncate(0);
      else if (size > 0) await file.#hashThere(start.signal);
      return file;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  get haveBytes(): number {
    return this.#haveBytes;
  }

  get leftBytes(): number {
    return this.#bytes - this.#haveBytes;
  }

  /** @param bytes what comes next; not to be changed before this is done */
  async append(bytes: Bytes): Promise<void> {
    if (bytes.length > this.leftBytes) throw new RangeError('more than the file is going to have');
    const writing = writeAll(this.#handle, bytes, this.#haveBytes);
    // Beside the write, which is not on this thread.
    this.#digest.update(bytes);
    await writing;
    this.#haveBytes += bytes.length;
    this.#unsyncedBytes += bytes.length;
    if (this.#unsyncedBytes >= SYNC_BYTES) await this.#beginSync();
  }

  /** Not to be written to afterwards. @returns whether all of it is there and has this hash */
  isComplete(hash: Bytes): boolean {
    return this.leftBytes === 0 && bytesEqual(this.#digest.digest(), hash);
  }

  /** All of it is on the disk when this is done. @returns which file it is */
  async sync(): Promise<Stats> {
    await this.#syncing;
    await this.#handle.sync();
    return this.#handle.stat();
  }

  /** @throws the system's error when what was written may not be on the disk, although it can be read for now */
  async close(): Promise<void> {
    try {
      await this.#syncing;
    } finally {
      await this.#handle.close();
    }
  }

  /** @returns when what was begun before is on the disk: a slow one is waited for here */
  async #beginSync(): Promise<void> {
    this.#unsyncedBytes = 0;
    await this.#syncing;
    this.#syncing = this.#handle.datasync();
    this.#syncing.catch(() => {});
  }

  async #hashThere(signal: AbortSignal | undefined): Promise<void> {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await this.#handle.read(buffer, 0, buffer.length, this.#haveBytes);
      if (bytesRead === 0) return;
      this.#digest.update(buffer.subarray(0, bytesRead));
      this.#haveBytes += bytesRead;
    }
  }
}

/** A disk that is nearly full takes a part, and says so the next time. */
async function writeAll(handle: FileHandle, bytes: Bytes, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at);
    if (bytesWritten === 0) throw new Error('the disk takes nothing and does not say why');
    at += bytesWritten;
  }
}

/** A file of this account that has no other name. */
async function openOwn(
  path: string,
  flags = FLAGS,
): Promise<{ readonly handle: FileHandle; readonly size: number }> {
  // Windows cannot be told to follow no link.
  if (NO_LINK === 0 && (await lstat(path).catch(() => null))?.isSymbolicLink()) throw taken(path);
  const handle = await open(path, flags, MODE).catch((error: unknown) => {
    throw isErrno(error) && ['ELOOP', 'EISDIR', 'ENXIO'].includes(error.code) ? taken(path) : error;
  });
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || !isOwn(stats)) throw taken(path);
    if (stats.nlink <= 1) {
      if (process.platform !== 'win32' && (stats.mode & 0o777) !== MODE) await handle.chmod(MODE);
      return { handle, size: stats.size };
    }
  } catch (error) {
    await handle.close();
    throw error;
  }
  // Killed between two names, or somebody else's doing: the other name keeps the file, and this one begins anew.
  await handle.close();
  await rm(path);
  return openOwn(path, flags | constants.O_EXCL);
}

/** Windows has no account numbers. */
export function isOwn({ uid }: Pick<Stats, 'uid'>): boolean {
  return process.getuid === undefined || uid === process.getuid();
}

export function taken(path: string): InputError {
  return new InputError(
    'partial-taken',
    `${shownName(path)} is a link, or somebody else's: nothing is written to it. Remove it, and accept the file again.`,
  );
}
