/**
 * Files that travel inside the executable: the code of each worker and what it runs, which cannot be loaded from a folder
 * there.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename } from 'node:path';
import { getAsset, isSea } from 'node:sea';

/**
 * @param name the asset's name: a worker's file name ending in `.js`, for example `answer-worker.js`.
 * @returns its text inside the executable, or `null` when running from source, where the file beside the caller is used.
 * @throws Error when the executable was built without it.
 */
export function loadAsset(name: string): string | null {
  return isSea() ? getAsset(name, 'utf8') : null;
}

/**
 * @param file of a package, as it would be imported
 * @throws Error when the executable was built without it, or the package is not there.
 */
export function loadBinaryAsset(file: string): ArrayBuffer {
  if (isSea()) return getAsset(basename(file));
  const bytes = readFileSync(createRequire(import.meta.url).resolve(file));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
}
