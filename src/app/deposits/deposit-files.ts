/**
 * The files that wait beside a kept room, as ciphertext: what `room/transfers.ts` decides of them is done here. What is there
 * and what the room's own file says of it agree whenever the room is opened: the rest is removed then.
 * @see docs/architecture.md#kept-rooms
 */
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bytes } from '../../protocol/bytes.ts';
import { sealedBytes } from '../../protocol/file-stream.ts';
import { type IdKey, idKey } from '../../protocol/identifiers.ts';
import type { RoomEffect } from '../../room/effects.ts';
import type { HolderId } from '../../room/invitations.ts';
import type { KeptDeposit } from '../../room/store.ts';
import type { DiskReport } from '../../room/transfers.ts';
import type { Connection } from '../../transport/connection.ts';
import { fileProblem } from '../file-problem.ts';
import type { Log } from '../log.ts';
import { DepositReader } from './deposit-reader.ts';
import { DepositWriter } from './deposit-writer.ts';
import { isGone } from './errors.ts';

/** What this program has named here: what comes is called `.part`. */
const NAME = /^[0-9a-f]{32}(?:\.part)?$/;

/** What of the room's effects is done here. */
export type DepositEffect = RoomEffect & { readonly kind: 'deposit' | 'drop' | 'read' };

interface DepositOptions {
  readonly folder: string;
  /** To stay free on the disk. */
  readonly spareBytes: number;
  readonly log: Log;
}

export class DepositFiles {
  /** Those of which all is there. */
  readonly there: ReadonlySet<IdKey>;
  readonly #options: DepositOptions;
  readonly #writers = new Map<IdKey, DepositWriter>();
  readonly #readers = new Map<HolderId, DepositReader>();
  /** What goes of a file, until it has gone. */
  readonly #ends = new Map<IdKey, Promise<void>>();
  #onReport: (report: DiskReport) => void = () => {};

  private constructor(options: DepositOptions, there: ReadonlySet<IdKey>) {
    this.#options = options;
    this.there = there;
  }

  /** Removes what nobody waits for, and what a crash has left half written. */
  static async open(options: DepositOptions, kept: readonly KeptDeposit[]): Promise<DepositFiles> {
    const { folder, log } = options;
    const sizes = new Map(kept.map(({ fileId, bytes }) => [idKey(fileId), sealedBytes(bytes, 0)]));
    const there = new Set<IdKey>();
    for (const name of await namesIn(folder, log)) {
      if (!NAME.test(name)) continue;
      const path = join(folder, name);
      const stats = await lstat(path).catch(() => null);
      if (stats?.isFile() === true && stats.size === sizes.get(name)) there.add(name);
      else await rm(path, { force: true }).catch((error: unknown) => told(log, 'removed', error));
    }
    return new DepositFiles(options, there);
  }

  onReport(listener: (report: DiskReport) => void): void {
    this.#onReport = listener;
  }

  /** @param connection of the effect's holder, as long as it is there */
  perform(effect: DepositEffect, connection: Connection | undefined): void {
    switch (effect.kind) {
      case 'deposit':
        return this.#begin(effect.file, effect.bytes);
      case 'drop':
        return this.#drop(effect.file);
      case 'read':
        if (connection !== undefined) this.#read(effect, connection);
    }
  }

  /** More of a file has come. */
  write(file: IdKey, bytes: Bytes): void {
    this.#writers.get(file)?.push(bytes);
  }

  /** That connection is gone. */
  left(connection: HolderId): void {
    this.#readers.get(connection)?.stop();
    this.#readers.delete(connection);
  }

  /** Nothing is read or written any more, and nothing half written is left. */
  async close(): Promise<void> {
    for (const connection of this.#readers.keys()) this.left(connection);
    for (const file of this.#writers.keys()) this.#drop(file);
    await Promise.all(this.#ends.values());
  }

  #begin(file: IdKey, bytes: number): void {
    this.#writers.set(
      file,
      new DepositWriter({
        ...{
          path: join(this.#options.folder, file),
          bytes,
          after: this.#ends.get(file) ?? Promise.resolve(),
        },
        freeBytes: () => this.#neededBytes,
        onWritten: (written) => this.#onReport({ kind: 'written', file, bytes: written }),
        onStored: () => {
          this.#writers.delete(file);
          this.#onReport({ kind: 'stored', file });
        },
        onFailed: (error) => {
          this.#writers.delete(file);
          told(this.#options.log, 'kept', error);
          this.#onReport({ kind: 'failed', file });
        },
      }),
    );
  }

  /** For all that is to come, and for what else the host writes there. */
  get #neededBytes(): number {
    let bytes = this.#options.spareBytes;
    for (const writer of this.#writers.values()) bytes += writer.leftBytes;
    return bytes;
  }

  #drop(file: IdKey): void {
    const writer = this.#writers.get(file);
    this.#writers.delete(file);
    const path = join(this.#options.folder, file);
    const before = this.#ends.get(file) ?? Promise.resolve();
    const removed = writer?.stop() ?? before.then(() => rm(path, { force: true }));
    const gone = Promise.all([before, removed])
      .catch((error: unknown) => told(this.#options.log, 'removed', error))
      .then(() => {
        if (this.#ends.get(file) === gone) this.#ends.delete(file);
      });
    this.#ends.set(file, gone);
  }

  #read(
    { connection: id, file, fromChunk, upTo }: DepositEffect & { readonly kind: 'read' },
    connection: Connection,
  ): void {
    let reader = this.#readers.get(id);
    if (reader === undefined) {
      reader = new DepositReader({
        ...{ path: join(this.#options.folder, file), fromChunk, connection },
        onRead: (bytes) => this.#onReport({ kind: 'read', connection: id, bytes }),
        onUnreadable: (isLost, error) => {
          told(this.#options.log, 'read', error);
          this.#onReport({ kind: 'unreadable', connection: id, isLost });
        },
      });
      this.#readers.set(id, reader);
    }
    reader.allow(upTo);
  }
}

async function namesIn(folder: string, log: Log): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (!isGone(error)) told(log, 'read', error);
    return [];
  }
}

function told(log: Log, what: 'kept' | 'read' | 'removed', error: unknown): void {
  log.warn('files', `A file that waits for members could not be ${what}: ${fileProblem(error)}.`);
}
