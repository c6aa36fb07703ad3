/**
 * Runs the unit tests in two processes, half of the files in each: one process would leave the second core idle, and one
 * for each file would load the sources two hundred times.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const FILES = 'test/!(journeys|promises|member|fuzz)/**/*.test.ts';
const OPTIONS = ['--test', '--test-isolation=none', '--test-timeout=60000', '--test-force-exit'];
const SHARDS = ['1/2', '2/2'];
const cwd = resolve(import.meta.dirname, '..');

/** What it prints is held back until it is its turn: two reports at once could not be read. */
async function run(shard: string, before: Promise<unknown>): Promise<boolean> {
  const words = ['--import', './test/helpers/compile-cache.ts', ...OPTIONS, `--test-shard=${shard}`, FILES];
  const running = spawn(process.execPath, words, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const report: Buffer[] = [];
  running.stdout.on('data', (bytes: Buffer) => report.push(bytes));
  const [code] = await once(running, 'close');
  await before;
  process.stdout.write(Buffer.concat(report));
  return code === 0;
}

let before: Promise<boolean> = Promise.resolve(true);
const halves = SHARDS.map((shard) => {
  before = run(shard, before);
  return before;
});
const passed = await Promise.all(halves);
process.exitCode = passed.every(Boolean) ? 0 : 1;
