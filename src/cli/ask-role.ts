/** `securechat` alone: whether to host or to join. One line with a number, a letter or a word; Enter joins. */
import { createInterface } from 'node:readline';

const ROLES: ReadonlyMap<string, 's' | 'c'> = new Map([
  ['1', 's'],
  ['h', 's'],
  ['host', 's'],
  ['s', 's'],
  ['2', 'c'],
  ['j', 'c'],
  ['join', 'c'],
  ['c', 'c'],
  // Most who start the program without a word have an invitation at hand.
  ['', 'c'],
]);

const CHOICES = ['1  Host a room on this machine', '2  Join a room by invitation'];
const HELP = 'Type 1 or h to host, 2 or j to join; Esc leaves.';

/** How long an Esc may turn out to be the beginning of another key. */
const ESCAPE_MS = 100;

interface Key {
  readonly name?: string;
  readonly sequence?: string;
}

/**
 * Leaves the terminal as it was found. What was typed ahead goes back into `input`, for the questions that follow.
 * @returns the command that was chosen, or `null` when the person gave up with Ctrl-C, Ctrl-D or Esc.
 */
export function askRole(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<'s' | 'c' | null> {
  const lines = createInterface({
    input,
    output,
    prompt: 'Host a room or join one? [join] ',
    escapeCodeTimeout: ESCAPE_MS,
  });
  output.write(`${CHOICES.join('\n')}\n`);
  lines.prompt();
  return new Promise((resolve) => {
    let chosen: 's' | 'c' | null = null;
    let ahead = '';
    const onKey = (_text: string | undefined, key: Key): void => {
      if (chosen !== null) ahead += key.sequence ?? '';
      else if (key.name === 'escape') lines.close();
    };
    // Before the line's own listener: the Enter that chooses is not typed ahead.
    input.prependListener('keypress', onKey);
    lines.on('line', (line) => {
      if (chosen !== null) return;
      const role = ROLES.get(line.trim().toLowerCase());
      if (role === undefined) {
        output.write(`${HELP}\n`);
        lines.prompt();
        return;
      }
      chosen = role;
      lines.close();
    });
    lines.on('close', () => {
      if (chosen === null) output.write('\n');
      // The keys of one paste come one by one, all in this turn.
      setImmediate(() => {
        input.off('keypress', onKey);
        if (ahead !== '') input.unshift(ahead);
        resolve(chosen);
      });
    });
  });
}
