/** Other people's programs that judge this one. */
import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** More than any of them prints. */
const OUTPUT_BYTES_MOST = 64 * 1_024 * 1_024;

export type Probe = readonly [string, ...string[]];

/**
 * @param probe a command that succeeds where what a test needs is there
 * @returns whether it is; where it is not, one line says what is left out
 * @throws Error where CI=true, which has everything
 */
export function available(probe: Probe, leftOut: string): boolean {
  const [file, ...words] = probe;
  if (spawnSync(file, words, { stdio: 'ignore' }).status === 0) return true;
  if (process.env['CI'] === 'true') throw new Error(`missing: ${probe.join(' ')}`);
  console.log(`left out: ${leftOut} (${probe.join(' ')} failed)`);
  return false;
}

/** The first Python that has the package `cryptography`, or `null`. */
export function pythonWithCryptography(leftOut: string): string | null {
  const candidates = ['python3', '/usr/bin/python3'];
  const found = candidates.find((file) => spawnSync(file, ['-c', 'import cryptography']).status === 0);
  return found ?? (available(['python3', '-c', 'import cryptography'], leftOut) ? 'python3' : null);
}

/**
 * @param input.text for its standard input, which then ends
 * @param input.until it ends only when this has come about
 * @returns standard output and error together, whatever the exit code.
 */
export async function outputOf(
  file: string,
  words: readonly string[],
  input: { readonly text?: string; readonly until?: Promise<unknown> } = {},
): Promise<string> {
  const running = run(file, words, { maxBuffer: OUTPUT_BYTES_MOST });
  const { stdin } = running.child;
  stdin?.on('error', () => {});
  stdin?.write(input.text ?? '');
  void Promise.resolve(input.until).then(() => stdin?.end());
  try {
    const { stdout, stderr } = await running;
    return stdout + stderr;
  } catch (error) {
    if (error instanceof Error && 'stdout' in error && 'stderr' in error)
      return `${error.stdout}${error.stderr}`;
    throw error;
  }
}
