/**
 * Where Node keeps what it has compiled, so that the sources are compiled once for a whole run of the tests and not once
 * for each program that a test starts. Imported before a test file, it does the same for the tests themselves.
 */
import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Not in a temporary folder that everyone may write to: what lies here is run. Node puts each file there whole. */
export const COMPILE_CACHE: string = fileURLToPath(
  new URL('../../node_modules/.cache/compiled', import.meta.url),
);

enableCompileCache(COMPILE_CACHE);
