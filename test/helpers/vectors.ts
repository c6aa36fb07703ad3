/**
 * Conformance vectors live outside the repository: in `SECURECHAT_VECTORS`, or beside it in `../shared/vectors`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDERS = [
  process.env['SECURECHAT_VECTORS'],
  fileURLToPath(new URL('../../../shared/vectors', import.meta.url)),
];

/**
 * @param path of a JSON file inside the vectors folder
 * @returns its contents, or `null` (and one line saying so) when there is no such folder on this machine
 * @throws Error when the folder is missing where CI=true, or the file is missing from a folder that is there
 */
export function vectors(path: string): unknown | null {
  const folder = FOLDERS.find((candidate) => candidate !== undefined && existsSync(candidate));
  if (folder !== undefined) return JSON.parse(readFileSync(join(folder, path), 'utf8'));
  if (process.env['CI'] === 'true') throw new Error(`vectors are missing: ${path}`);
  console.log(`vectors left out: ${path}`);
  return null;
}
