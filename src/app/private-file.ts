/** Files that only this account may read. A new one never takes the place of anything. */
import { lstat, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { InputError } from '../protocol/errors.ts';
import { writeNew } from './atomic-file.ts';

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

/**
 * For this account alone, with whatever lies above it. Step by step: asked for all of it at once, Node asks for ever where a
 * folder above cannot be made, as below /proc.
 */
export async function makeFolder(path: string): Promise<void> {
  if ((await lstat(path).catch(() => null)) !== null) return;
  const above = dirname(path);
  if (above !== path) await makeFolder(above);
  await mkdir(path, { mode: 0o700 }).catch((error: unknown) => {
    if (!isErrno(error, 'EEXIST')) throw error;
  });
}
