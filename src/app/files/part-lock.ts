/** Keeps two programs from writing one partial file: `storage/file-lock.ts`, beside it, in the words of files. */
import { lstat } from 'node:fs/promises';
import { InputError } from '../../protocol/errors.ts';
import { StorageError } from '../../storage/errors.ts';
import { type FileLock, takeLock } from '../../storage/file-lock.ts';
import { shownName } from './file-sentences.ts';
import { taken } from './partial-file.ts';

export type PartLock = Pick<FileLock, 'remove'>;

const ENDING = '.lock';

/**
 * @param part the path of the partial file or folder
 * @returns a lock of which nothing is left once it is removed
 * @throws InputError `file-busy` when another program has it
 */
export async function lockPart(part: string, name: string): Promise<PartLock> {
  const lock = await tryLockPart(part);
  if (lock !== null) return lock;
  throw new InputError(
    'file-busy',
    `Another program is taking ${shownName(name)} into this folder. Wait for it, or accept the file into another folder.`,
  );
}

/** @returns `null` when another program has it */
export async function tryLockPart(part: string): Promise<PartLock | null> {
  const path = part + ENDING;
  const there = await lstat(path).catch(() => null);
  if (there !== null && !there.isFile()) throw taken(path);
  try {
    return takeLock(path);
  } catch (error) {
    // Its cause is the system's own error, which is told as that of any other file. All else says that it is no lock of ours.
    throw error instanceof StorageError ? error.cause : taken(path);
  }
}

/** @returns the partial file that this is the lock of; another name as it is */
export function withoutLock(name: string): string {
  return name.endsWith(ENDING) ? name.slice(0, -ENDING.length) : name;
}
