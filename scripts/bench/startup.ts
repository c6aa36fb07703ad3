/** How long the executable takes until it has said its version and is gone, beside Node with nothing to do. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { onCore } from './child.ts';
import { OURS, type Row, row } from './report.ts';

const suffix = process.platform === 'win32' ? '.exe' : '';
export const executable = resolve(import.meta.dirname, `../../dist/securechat${suffix}`);

/** @returns nothing where the executable has not been built. */
export function measureStartup(repetitions: number): Row[] {
  if (!existsSync(executable)) {
    console.error('No dist/securechat: the start-up is left out. Build it with: npm run build');
    return [];
  }
  const samples = new Map<string, number[]>([
    [OURS, []],
    ['node -e 0', []],
  ]);
  const commands = { [OURS]: [executable, '--version'], 'node -e 0': [process.execPath, '-e', '0'] };
  // The first round brings both programs into memory.
  for (let repetition = -1; repetition < repetitions; repetition += 1) {
    for (const [name, command] of Object.entries(commands)) {
      const tookMs = timeOf(command);
      if (repetition >= 0) samples.get(name)?.push(tookMs);
    }
  }
  const about = { topic: 'startup', what: 'start-up, --version', unit: 'ms' } as const;
  return [row(about, samples, { ratios: [{ to: 'node -e 0', most: 1.3 }] })];
}

function timeOf(command: readonly string[]): number {
  const [program, ...args] = onCore('server', command);
  const startMs = performance.now();
  const { status } = spawnSync(program, args, { stdio: 'ignore' });
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}`);
  return performance.now() - startMs;
}
