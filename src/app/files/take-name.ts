/**
 * Gives what is complete the name it was offered under, or that with a number: whatever has the name already stays as it is, even
 * if it came a moment ago.
 */
import type { Stats } from 'node:fs';
import { link, lstat, mkdir, open, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../protocol/errors.ts';
import { numbered } from '../../protocol/file-name.ts';
import { isErrno, shownName } from './file-sentences.ts';
import { taken } from './partial-file.ts';

/** Someone with so many files of one name is not helped by another. */
const NAMES_MOST = 10_000;

/** Of file systems that know no second name of a file: FAT, and some that lie on another machine. */
const NO_LINKS: readonly string[] = ['EPERM', 'ENOSYS', 'ENOTSUP', 'EOPNOTSUPP', 'EMLINK', 'EINVAL'];

/**
 * A second name for the same file, which fails where there is anything; then the first goes.
 * @param file which file has to be at `partial`
 * @returns where it is now
 */
export async function nameFile(partial: string, file: Stats, folder: string, name: string): Promise<string> {
  return firstFree(folder, name, false, async (path) => {
    try {
      await link(partial, path);
    } catch (error) {
      if (!isErrno(error) || !NO_LINKS.includes(error.code)) throw error;
      await replacePlaceholder(partial, path);
      return;
    }
    const { ino, dev } = await lstat(path);
    if (ino !== file.ino || dev !== file.dev) {
      await rm(path);
      throw taken(partial);
    }
    await rm(partial);
  });
}

/** An empty file of our own, made where there is nothing, keeps the name until ours has it. */
async function replacePlaceholder(partial: string, path: string): Promise<void> {
  await (await open(path, 'wx', 0o600)).close();
  await rename(partial, path).catch(async (error: unknown) => {
    await rm(path, { force: true });
    throw error;
  });
}

/** The same with folders: an empty one keeps the name. Windows puts no folder in the place of another, so there nothing need. */
export async function nameFolder(partial: string, folder: string, name: string): Promise<string> {
  return firstFree(folder, name, true, async (path) => {
    if (process.platform === 'win32') {
      if ((await lstat(path).catch(() => null)) !== null) throw Object.assign(new Error('taken'), EXISTS);
      await rename(partial, path);
      return;
    }
    await mkdir(path, { mode: 0o700 });
    await rename(partial, path).catch(async (error: unknown) => {
      await rmdir(path).catch(() => {});
      throw error;
    });
  });
}

const EXISTS = { code: 'EEXIST', syscall: 'rename' } as const;

async function firstFree(
  folder: string,
  name: string,
  isFolder: boolean,
  take: (path: string) => Promise<void>,
): Promise<string> {
  for (let n = 1; n <= NAMES_MOST; n += 1) {
    const path = join(folder, n === 1 ? name : numbered(name, n, isFolder));
    try {
      await take(path);
      return path;
    } catch (error) {
      if (!isErrno(error) || error.code !== 'EEXIST') throw error;
    }
  }
  throw new InputError(
    'name-taken',
    `There are too many files called ${shownName(name)} in ${shownName(folder)}. Move some away, and accept it again.`,
  );
}
