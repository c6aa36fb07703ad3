/** What is in a folder that is to be sent: its files, in one order on every system. */
import type { BigIntStats } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../protocol/errors.ts';
import { type PathProblem, pathProblem } from '../../protocol/file-manifest.ts';
import { LIMITS } from '../../protocol/limits.ts';
import { cannotSend, counted, shownName } from './file-sentences.ts';

/** Of one folder, whatever they are. */
const ENTRIES_MOST = 2 * LIMITS.folderFilesMost;

interface ListedFile {
  /** On this disk. */
  readonly path: string;
  /** From the folder on, with `/` between names. */
  readonly relative: string;
  readonly stats: BigIntStats;
}

export interface FolderList {
  readonly files: readonly ListedFile[];
  /** Links, pipes, sockets and devices: what they lead to is not in the folder. Folders without files are not counted. */
  readonly leftOut: number;
}

/** @throws InputError when something cannot be read, or the folder is more than anybody takes */
export async function listFolder(folder: string, name: string, signal?: AbortSignal): Promise<FolderList> {
  const files: ListedFile[] = [];
  const waiting: { readonly path: string; readonly relative: string; readonly depth: number }[] = [
    { path: folder, relative: '', depth: 1 },
  ];
  let leftOut = 0;
  let folders = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    signal?.throwIfAborted();
    if (next.depth > LIMITS.folderDepthMost) throw pathError(name, { kind: 'unusable', path: next.relative });
    for (const entry of await entriesOf(next.path, name)) {
      const path = join(next.path, entry);
      const relative = next.relative === '' ? entry : `${next.relative}/${entry}`;
      const stats = await lstat(path, { bigint: true }).catch((error: unknown) => {
        throw cannotSend(`${name}/${relative}`, error);
      });
      if (stats.isFile()) files.push({ path, relative, stats });
      else if (!stats.isDirectory()) leftOut += 1;
      else {
        folders += 1;
        waiting.push({ path, relative, depth: next.depth + 1 });
      }
      if (Math.max(files.length, folders, leftOut) > LIMITS.folderFilesMost) throw tooMany(name);
    }
  }
  files.sort((left, right) => (left.relative < right.relative ? -1 : 1));
  const problem = pathProblem(files.map(({ relative }) => relative));
  if (problem !== null) throw pathError(name, problem);
  return { files, leftOut };
}

/** Counted while it is read: a folder may hold millions. */
async function entriesOf(path: string, name: string): Promise<readonly string[]> {
  const entries: string[] = [];
  try {
    for await (const entry of await opendir(path)) {
      entries.push(entry.name);
      if (entries.length > ENTRIES_MOST) throw tooMany(name);
    }
  } catch (error) {
    throw cannotSend(path, error);
  }
  return entries;
}

export function tooMany(name: string): InputError {
  return new InputError(
    'too-many-files',
    `${shownName(name)} holds more than ${counted(LIMITS.folderFilesMost)} files or folders. Pack it into one file, or send parts of it.`,
  );
}

function pathError(name: string, { kind, path }: PathProblem): InputError {
  const shown = shownName(`${name}/${path}`);
  switch (kind) {
    case 'rooted': {
      const [first = ''] = path.split('/');
      return new InputError(
        'file-name',
        `${shownName(`${name}/${first}`)} cannot be sent: to Windows, a name that begins like this is a place on a disk. Rename it, and send the folder again.`,
      );
    }
    case 'unusable':
      return new InputError(
        'file-name',
        `${shown} lies too deep, or its path is too long to be sent. Send the folder that it is in.`,
      );
    case 'same':
    case 'file-and-folder':
      return new InputError(
        'file-name',
        `${shown} and another one would have the same name on some systems. Rename one of them, and send the folder again.`,
      );
  }
}
