import { EXIT, exitCodeOf } from '../app/exit-codes.ts';
import { cleanText } from '../protocol/clean-text.ts';
import { type Actions, execute } from './program.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * @param words the command line without the program's own path.
 * @returns the exit code; every failure has been told on standard error.
 */
export async function run(
  words: readonly string[],
  actions: Actions,
  surroundings: Surroundings,
): Promise<number> {
  try {
    if (words.length > 0 || !surroundings.stdinIsTerminal || !surroundings.stdoutIsTerminal) {
      return await execute(words, actions, surroundings);
    }
    const role = await surroundings.askRole();
    return role === null ? EXIT.interrupted : await execute([role], actions, surroundings);
  } catch (error) {
    const text = cleanText(describe(error), { multiline: exitCodeOf(error) === EXIT.unexpected });
    const { wrapped } = await import('../app/standard-error.ts');
    surroundings.writeErr(`${wrapped(`securechat: ${text}`, surroundings.stderrColumns)}\n`);
    return exitCodeOf(error);
  }
}

/** A stack is for us, not for the person: only an error that nobody foresaw shows one. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return `unexpected failure: ${String(error)}`;
  if (exitCodeOf(error) !== EXIT.unexpected) return error.message;
  return `unexpected failure: ${error.stack ?? error.message}`;
}
