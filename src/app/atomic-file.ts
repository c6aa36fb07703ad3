/** Files that are there whole or not at all, whatever becomes of the program or the machine meanwhile. */
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Bytes } from '../protocol/bytes.ts';

/** Read and write for the owner, nothing for anyone else. */
const MODE = 0o600;

/** All of it is on the disk when this is done; nothing is left of it when it fails. @throws when it is there already */
export async function writeNew(path: string, content: string | Bytes): Promise<void> {
  const file = await open(path, 'wx', MODE);
  try {
    await file.writeFile(content);
    await file.sync();
    await file.close();
  } catch (error) {
    await file.close().catch(() => {});
    await rm(path, { force: true });
    throw error;
  }
}

/**
 * What was there stays until the new content is on the disk, and is replaced in one step. A program that is killed meanwhile
 * leaves at most one file behind, whose place the next one takes.
 */
export async function replaceFile(path: string, content: string | Bytes): Promise<void> {
  const beside = newFile(path);
  await rm(beside, { force: true });
  await writeNew(beside, content);
  try {
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Neither the file is left nor what a killed program has left of it. */
export async function removeFile(path: string): Promise<void> {
  for (const each of [path, newFile(path)]) await rm(each, { force: true });
}

function newFile(path: string): string {
  return `${path}.new`;
}

/** The new name is on the disk as well. Not every system lets a folder be opened; then the file is at least. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => null);
  await folder?.sync().catch(() => {});
  await folder?.close();
}
