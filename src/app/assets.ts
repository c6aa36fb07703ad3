/**
 * Files that travel inside the executable: the code of each worker, which cannot be loaded from a folder there.
 */
import { getAsset, isSea } from 'node:sea';

/**
 * @param name the asset's name: a worker's file name ending in `.js`, for example `answer-worker.js`.
 * @returns its text inside the executable, or `null` when running from source, where the file beside the caller is used.
 * @throws Error when the executable was built without it.
 */
export function loadAsset(name: string): string | null {
  return isSea() ? getAsset(name, 'utf8') : null;
}
