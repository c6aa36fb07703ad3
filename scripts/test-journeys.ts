/**
 * Runs the journeys with the executable, as people do: it is built first. With files or words as `node --test` takes them, only those; with
 * SECURECHAT_BIN, that executable and no other.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';

const FILES = 'test/journeys/**/*.test.ts';
const OPTIONS = ['--test', '--test-concurrency=2', '--test-timeout=120000', '--test-force-exit'];
const cwd = resolve(import.meta.dirname, '..');
const name = process.platform === 'win32' ? 'securechat.exe' : 'securechat';

function built(): string {
  execFileSync(process.execPath, [join(cwd, 'scripts/build.ts')], { cwd, stdio: 'inherit' });
  return join(cwd, 'dist', name);
}

const env = { ...process.env, SECURECHAT_BIN: process.env['SECURECHAT_BIN'] ?? built() };
const chosen = process.argv.slice(2);
const words = [
  '--import',
  './test/helpers/compile-cache.ts',
  ...OPTIONS,
  ...(chosen.length > 0 ? chosen : [FILES]),
];
const running = spawn(process.execPath, words, { cwd, env, stdio: 'inherit' });
const [code] = await once(running, 'close');
process.exitCode = code ?? 1;
