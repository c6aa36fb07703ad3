/**
 * What one sends: a file or a folder as one stream of bytes, which is read when somebody takes it. All of it is hashed first, and
 * whatever has changed since is not sent: others were told the hash.
 *
 * A path that a person has typed may be a link. Links inside a folder are left out, because what they lead to is not in it.
 */
import { createHash } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { access, type FileHandle, open, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { sha256 } from '../../crypto/hash.ts';
import type { Bytes } from '../../protocol/bytes.ts';
import { InputError } from '../../protocol/errors.ts';
import { encodeManifest } from '../../protocol/file-manifest.ts';
import { type Hash, hash } from '../../protocol/identifiers.ts';
import { LIMITS } from '../../protocol/limits.ts';
import { cannotSend, isErrno, shownName, tooLarge } from './file-sentences.ts';
import { listFolder, tooMany } from './list-folder.ts';

/** At a time, of a file that is being hashed. */
const READ_BYTES = 1_024 * 1_024;

/** To open a pipe waits for its other end: nothing is waited for, and then it is looked at. Neither is on every system. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const NO_LINK = constants.O_NOFOLLOW ?? 0;

export interface SourceOptions {
  /** What may be sent; of a folder, its manifest and all contents. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (hashedBytes: number, totalBytes: number) => void;
}

/** A file as it was when it was hashed. */
interface SourceFile {
  readonly path: string;
  /** For people. */
  readonly shown: string;
  readonly flags: number;
  readonly was: BigIntStats;
}

/**
 * @param path as a person typed it
 * @throws InputError when it cannot be sent, and whatever `signal` is aborted with
 */
export async function openSource(path: string, options: SourceOptions): Promise<Source> {
  const { full, name, stats } = await look(path, options.maxBytes);
  if (stats.isDirectory()) return openFolder(full, name, options);
  const file = { path: full, shown: name, flags: OPEN_FLAGS, was: stats };
  const hashing = new Hashing(Number(stats.size), options);
  return new Source({ name, manifest: null, files: [file], hash: await hashing.hashOf(file), leftOut: 0 });
}

/**
 * Whether it is there and may be read, without reading any of it.
 * @throws InputError as `openSource`, as far as that can be told already
 */
export async function checkSource(path: string, maxBytes: number): Promise<void> {
  const { full, stats } = await look(path, maxBytes);
  await access(full, stats.isDirectory() ? constants.R_OK | constants.X_OK : constants.R_OK).catch(
    (error: unknown) => {
      throw cannotSend(path, error);
    },
  );
}

async function look(
  path: string,
  maxBytes: number,
): Promise<{ readonly full: string; readonly name: string; readonly stats: BigIntStats }> {
  if (path === '') throw new InputError('file-name', 'Name the file or folder to send.');
  const full = resolve(path);
  const name = basename(full);
  if (name === '') throw new InputError('file-name', `${path} is a whole disk. Name a folder on it.`);
  const stats = await stat(full, { bigint: true }).catch((error: unknown) => {
    throw cannotSend(path, error);
  });
  if (stats.isDirectory()) return { full, name, stats };
  if (!stats.isFile())
    throw new InputError(
      'not-a-file',
      `${shownName(path)} is a pipe, a socket or a device. Only files and folders can be sent.`,
    );
  const bytes = Number(stats.size);
  if (bytes > maxBytes || bytes > LIMITS.fileBytesMost) throw tooLarge(name, bytes, maxBytes);
  return { full, name, stats };
}

async function openFolder(full: string, name: string, options: SourceOptions): Promise<Source> {
  const { maxBytes, signal } = options;
  const { files: listed, leftOut } = await listFolder(full, name, signal);
  let contentBytes = 0;
  for (const { stats } of listed) contentBytes += Number(stats.size);
  const checkSize = (bytes: number): void => {
    if (bytes > maxBytes || bytes > LIMITS.fileBytesMost) throw tooLarge(name, bytes, maxBytes);
  };
  checkSize(contentBytes);
  const hashing = new Hashing(contentBytes, options);
  const files: SourceFile[] = [];
  const entries: Parameters<typeof encodeManifest>[0][number][] = [];
  for (const { path, relative, stats } of listed) {
    const file = { path, shown: `${name}/${relative}`, flags: OPEN_FLAGS | NO_LINK, was: stats };
    files.push(file);
    entries.push({
      path: relative,
      bytes: Number(stats.size),
      hash: await hashing.hashOf(file),
      executable: process.platform !== 'win32' && (stats.mode & 0o111n) !== 0n,
    });
  }
  const manifest = encodeManifest(entries);
  if (manifest.length > LIMITS.manifestBytes) throw tooMany(name);
  checkSize(manifest.length + contentBytes);
  return new Source({ name, manifest, files, hash: sha256(manifest), leftOut });
}

/** Goes through contents one after the other, and says how far it is. */
class Hashing {
  readonly #totalBytes: number;
  readonly #options: SourceOptions;
  #hashedBytes = 0;

  constructor(totalBytes: number, options: SourceOptions) {
    this.#totalBytes = totalBytes;
    this.#options = options;
  }

  async hashOf(file: SourceFile): Promise<Hash> {
    const { signal, onProgress } = this.#options;
    const bytes = Number(file.was.size);
    const buffer = Buffer.allocUnsafe(Math.min(READ_BYTES, bytes + 1));
    const digest = createHash('sha256');
    try {
      await using handle = await open(file.path, file.flags);
      let length = 0;
      for (;;) {
        signal?.throwIfAborted();
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, null);
        length += bytesRead;
        if (bytesRead === 0 || length > bytes) break;
        digest.update(buffer.subarray(0, bytesRead));
        this.#hashedBytes += bytesRead;
        onProgress?.(this.#hashedBytes, this.#totalBytes);
      }
      // What is hashed must be what was listed: sizes have been added up already.
      if (length !== bytes || !isSame(file.was, await handle.stat({ bigint: true })))
        throw new InputError(
          'file-changed',
          `${shownName(file.shown)} changes while it is read. Send it again when nothing writes to it.`,
        );
    } catch (error) {
      throw cannotSend(file.shown, error);
    }
    return hash(new Uint8Array(digest.digest()));
  }
}

/** Nobody has written to it, and no other has taken its name. */
function isSame(was: BigIntStats, now: BigIntStats): boolean {
  return was.ino === now.ino && was.dev === now.dev && was.size === now.size && was.mtimeNs === now.mtimeNs;
}

interface SourceStart {
  readonly name: string;
  readonly manifest: Bytes | null;
  readonly files: readonly SourceFile[];
  readonly hash: Hash;
  readonly leftOut: number;
}

export class Source {
  readonly name: string;
  /** Of the stream: manifest and contents. */
  readonly bytes: number;
  /** 0 for a single file. */
  readonly manifestBytes: number;
  /** In the folder; 0 for a single file. */
  readonly files: number;
  /** SHA-256 of the file; of a folder, of its manifest. */
  readonly hash: Hash;
  /** What is in the folder and is not sent: links, pipes, sockets and devices. */
  readonly leftOut: number;
  readonly #manifest: Bytes;
  readonly #files: readonly SourceFile[];
  /** Where in the stream each file begins. */
  readonly #starts: readonly number[];
  /** The only file that is open. */
  #open: { readonly file: SourceFile; readonly handle: FileHandle } | null = null;
  /** One read at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor({ name, manifest, files, hash, leftOut }: SourceStart) {
    this.name = name;
    this.hash = hash;
    this.leftOut = leftOut;
    this.files = manifest === null ? 0 : files.length;
    this.#manifest = manifest ?? new Uint8Array();
    this.manifestBytes = this.#manifest.length;
    this.#files = files;
    const starts: number[] = [];
    let bytes = this.manifestBytes;
    for (const file of files) {
      starts.push(bytes);
      bytes += Number(file.was.size);
    }
    this.#starts = starts;
    this.bytes = bytes;
  }

  /**
   * @param lengthBytes fewer come only at the end of the stream
   * @param into what they are read into, at least as long; not given: bytes of their own
   * @returns the bytes, which are the caller's
   * @throws InputError `file-changed`, `file-gone` or `file` when it is no longer what was offered, or cannot be read
   */
  read(position: number, lengthBytes: number, into?: Bytes): Promise<Bytes> {
    const result = this.#turn.then(() => this.#read(position, lengthBytes, into));
    this.#turn = result.catch(() => {});
    return result;
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#close();
  }

  async #read(position: number, lengthBytes: number, into: Bytes | undefined): Promise<Bytes> {
    if (position < 0 || position > this.bytes) throw new RangeError(`no position ${position}`);
    const wanted = Math.min(lengthBytes, this.bytes - position);
    const target = into?.subarray(0, wanted) ?? Buffer.allocUnsafeSlow(wanted);
    if (target.length < wanted) throw new RangeError('a buffer too small for what is to be read');
    const listed = this.#manifest.subarray(position, position + target.length);
    target.set(listed);
    let filled = listed.length;
    let index = Math.max(
      0,
      this.#starts.findLastIndex((start) => start <= position),
    );
    for (; filled < target.length; index += 1) {
      const file = this.#files[index];
      const start = this.#starts[index];
      if (file === undefined || start === undefined) throw new Error('unreachable: a stream without an end');
      const from = position + filled - start;
      const length = Math.min(target.length - filled, Number(file.was.size) - from);
      if (length > 0) await this.#readFile(file, from, target.subarray(filled, filled + length));
      filled += length;
    }
    return target;
  }

  /** Fills all of `target`. */
  async #readFile(file: SourceFile, from: number, target: Bytes): Promise<void> {
    try {
      const handle = await this.#handleOf(file);
      for (let at = 0; at < target.length; ) {
        const { bytesRead } = await handle.read(target, at, target.length - at, from + at);
        if (bytesRead === 0) throw changed(file);
        at += bytesRead;
      }
      const isEnd = from + target.length === Number(file.was.size);
      if (isEnd) checkSame(file, await handle.stat({ bigint: true }));
    } catch (error) {
      await this.#close();
      throw unreadable(file, error);
    }
  }

  async #handleOf(file: SourceFile): Promise<FileHandle> {
    if (this.#open?.file === file) return this.#open.handle;
    await this.#close();
    const handle = await open(file.path, file.flags);
    this.#open = { file, handle };
    checkSame(file, await handle.stat({ bigint: true }));
    return handle;
  }

  async #close(): Promise<void> {
    const handle = this.#open?.handle;
    this.#open = null;
    await handle?.close();
  }
}

function checkSame(file: SourceFile, now: BigIntStats): void {
  if (!isSame(file.was, now)) throw changed(file);
}

function changed({ shown }: SourceFile): InputError {
  return new InputError(
    'file-changed',
    `${shownName(shown)} has changed since it was offered, and is not sent any more. Send it again as it is now.`,
  );
}

function unreadable(file: SourceFile, error: unknown): unknown {
  if (!isErrno(error)) return error;
  // A link in its place, or a file in the place of its folder, is another thing of that name.
  if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(error.code)) return cannotSend(file.shown, error);
  return new InputError(
    'file-gone',
    `${shownName(file.shown)} is no longer where it was when it was offered. Put it back, or send it again from where it is.`,
  );
}
