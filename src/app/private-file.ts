/** Files that only this account may read. A new one never takes the place of anything. */
import { lstat, open, rm } from 'node:fs/promises';
import { InputError } from '../protocol/errors.ts';

/** Read and write for the owner, nothing for anyone else. */
const MODE = 0o600;

/** @throws InputError `file` when something of that name is there. */
export async function checkAbsent(path: string): Promise<void> {
  const there = await lstat(path).catch(() => null);
  if (there !== null) throw taken(path);
}

/** @throws InputError `file` when something of that name is there, or it cannot be written: then nothing is left. */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await writeNew(path, text).catch((error: unknown) => {
    throw isErrno(error, 'EEXIST') ? taken(path) : fileError('write', path, error);
  });
}

/** All of it is on the disk when this is done; nothing is left of it when it fails. */
export async function writeNew(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', MODE);
  try {
    await file.writeFile(text);
    await file.sync();
    await file.close();
  } catch (error) {
    await file.close().catch(() => {});
    await rm(path, { force: true });
    throw error;
  }
}

/** The new name is on the disk as well. Not every system lets a folder be opened; then the file is at least. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => null);
  await folder?.sync().catch(() => {});
  await folder?.close();
}

/** @returns what to throw: said in words, where it is not already */
export function fileError(what: 'read' | 'write', path: string, error: unknown): unknown {
  if (error instanceof InputError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new InputError('file', `Cannot ${what} ${path}: ${why}`);
}

function taken(path: string): InputError {
  return new InputError('file', `${path} exists already and is left as it is. Choose another name.`);
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
