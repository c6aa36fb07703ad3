/** Files that are there whole or not at all, whatever becomes of the program or the machine meanwhile. */
import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Bytes, toHex } from '../protocol/bytes.ts';

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

/** What was there stays until the new content is on the disk, and is replaced in one step. */
export async function replaceFile(path: string, content: string | Bytes): Promise<void> {
  const beside = `${path}.${toHex(randomBytes(4))}.new`;
  await writeNew(beside, content);
  try {
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** The new name is on the disk as well. Not every system lets a folder be opened; then the file is at least. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => null);
  await folder?.sync().catch(() => {});
  await folder?.close();
}
