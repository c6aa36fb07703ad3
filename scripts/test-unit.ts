/**
 * Runs the unit tests in a few processes, two at a time: one process would leave the second core idle, two end at different times, and one for
 * each file would load the sources two hundred times.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

const FILES = 'test/!(journeys|promises|member|fuzz)/**/*.test.ts';
const OPTIONS = ['--test', '--test-isolation=none', '--test-timeout=60000', '--test-force-exit'];
const SHARDS = 4;
const AT_ONCE = 2;
const cwd = resolve(import.meta.dirname, '..');

interface Outcome {
  readonly passed: boolean;
  readonly report: Buffer;
}

async function run(shard: number): Promise<Outcome> {
  const part = `--test-shard=${shard}/${SHARDS}`;
  const words = ['--import', './test/helpers/compile-cache.ts', ...OPTIONS, part, FILES];
  const running = spawn(process.execPath, words, { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
  const report: Buffer[] = [];
  running.stdout.on('data', (bytes: Buffer) => report.push(bytes));
  const [code] = await once(running, 'close');
  return { passed: code === 0, report: Buffer.concat(report) };
}

const waiting = Array.from({ length: SHARDS }, (_, index) => index + 1);
const outcomes: Outcome[] = [];

async function lane(): Promise<void> {
  for (let shard = waiting.shift(); shard !== undefined; shard = waiting.shift()) {
    const outcome = await run(shard);
    outcomes.push(outcome);
    process.stdout.write(outcome.report);
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, lane));
process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1;
