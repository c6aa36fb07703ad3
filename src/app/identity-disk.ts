/**
 * Identity files on disk. Links are followed when reading, so that a file may lie where its owner wants it: what counts
 * is who may read the file itself.
 */
import type { Stats } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { IDENTITY_FILE_BYTES_MOST, parseIdentity, type SealedIdentity } from '../crypto/identity-file.ts';
import { InputError } from '../protocol/errors.ts';
import { replaceFile } from './atomic-file.ts';
import { readAtMost } from './bounded-file.ts';
import { fileError } from './private-file.ts';

const OTHERS = 0o077;

/** @throws InputError `file` when it cannot be read or others may read it, `identity-file` when it is none. */
export async function readIdentityFile(path: string): Promise<SealedIdentity> {
  const bytes = await readAtMost(path, IDENTITY_FILE_BYTES_MOST + 1, (stats) =>
    checkPrivate(path, stats),
  ).catch((error: unknown) => {
    throw fileError('read', path, error);
  });
  try {
    return parseIdentity(bytes.toString('utf8'));
  } catch (error) {
    throw named(path, error);
  }
}

/**
 * As ssh does: a key of one's own that others can read is not used until that is put right.
 * @throws InputError `file-mode`
 */
function checkPrivate(path: string, { mode, uid }: Stats): void {
  // Windows has no such modes, and no account numbers.
  if (process.getuid === undefined || uid !== process.getuid() || (mode & OTHERS) === 0) return;
  throw new InputError(
    'file-mode',
    `Others on this machine may read or change ${path}. Run: chmod 600 '${path}'. If they may have read it, make a new identity.`,
  );
}

/**
 * The old file stays until the new one is on the disk, and takes its name in one step. A link goes on pointing to it.
 * @throws InputError `file` when it cannot be written: then the old one is as it was
 */
export async function replaceIdentityFile(path: string, text: string): Promise<void> {
  try {
    await replaceFile(await realpath(path), text);
  } catch (error) {
    throw fileError('write', path, error);
  }
}

/** @returns the error to throw: the same, with the file's name before it where it is about what the file holds */
export function named(path: string, error: unknown): unknown {
  const isAboutFile =
    error instanceof InputError && (error.code === 'identity-file' || error.code === 'identity-key');
  return isAboutFile ? new InputError(error.code, `${path} ${error.message}.`) : error;
}
