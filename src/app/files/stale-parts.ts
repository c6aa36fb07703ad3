/** Partial files that nobody goes on with. */
import { lstat, readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../../protocol/bytes.ts';
import { isPartialName, partialName, safeFileName } from '../../protocol/file-name.ts';
import type { Hash } from '../../protocol/identifiers.ts';
import { tryLockPart, withoutLock } from './part-lock.ts';
import { isOwn } from './partial-file.ts';

export interface StalePart {
  readonly path: string;
  /** When anything of it was written last, in milliseconds since the epoch. */
  readonly writtenMs: number;
}

/**
 * @param folder the downloads folder
 * @param olderThanMs since anything of it was written
 * @returns none where the folder cannot be read
 */
export async function staleParts(
  folder: string,
  olderThanMs: number,
  nowMs: number = Date.now(),
): Promise<readonly StalePart[]> {
  const entries = await readdir(folder).catch(() => []);
  const names = new Set(entries.filter(isPartialName).map(withoutLock));
  const stale: StalePart[] = [];
  for (const name of [...names].sort()) {
    const path = join(folder, name);
    const writtenMs = await lastWritten(path);
    if (writtenMs !== null && nowMs - writtenMs > olderThanMs) stale.push({ path, writtenMs });
  }
  return stale;
}

/** @returns whether it is gone: not when a program has begun to go on with it */
export async function removeStale({ path, writtenMs }: StalePart): Promise<boolean> {
  const lock = await tryLockPart(path).catch(() => null);
  if (lock === null) return false;
  try {
    const now = await lastWritten(path);
    if (now !== null && now > writtenMs && (await lstat(path).catch(() => null)) !== null) return false;
    await rm(path, { recursive: true, force: true });
    return true;
  } finally {
    lock.remove();
  }
}

/** What there is of a file that nobody wants any more; nothing while another program goes on with it. */
export async function removePart(of: {
  readonly folder: string;
  readonly name: string;
  readonly hash: Hash;
}): Promise<void> {
  const folder = await realpath(of.folder).catch(() => null);
  if (folder === null) return;
  const path = join(folder, partialName(safeFileName(of.name), toHex(of.hash)));
  const stats = await lstat(path).catch(() => null);
  if (stats === null || !isOwn(stats)) return;
  const lock = await tryLockPart(path).catch(() => null);
  if (lock === null) return;
  try {
    await rm(path, { recursive: true, force: true });
  } finally {
    lock.remove();
  }
}

/** Of a folder, its newest file. @returns `null` for what is not ours: a link, or another account's */
async function lastWritten(path: string): Promise<number | null> {
  const stats = (await lstat(path).catch(() => null)) ?? (await lstat(`${path}.lock`).catch(() => null));
  if (stats === null || !isOwn(stats)) return null;
  if (stats.isFile()) return stats.mtimeMs;
  if (!stats.isDirectory()) return null;
  let newest = stats.mtimeMs;
  for (const entry of await readdir(path, { recursive: true }).catch(() => [])) {
    const inner = await lstat(join(path, entry)).catch(() => null);
    newest = Math.max(newest, inner?.mtimeMs ?? 0);
  }
  return newest;
}
