import { createInterface } from 'node:readline';

const ROLES: ReadonlyMap<string, 's' | 'c'> = new Map([
  ['h', 's'],
  ['host', 's'],
  ['s', 's'],
  ['j', 'c'],
  ['join', 'c'],
  ['c', 'c'],
]);

/** @returns the command that was chosen, or `null` when the person gave up with Ctrl-C or Ctrl-D. */
export function askRole(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<'s' | 'c' | null> {
  const lines = createInterface({ input, output, prompt: 'Host a room or join one? [h/j] ' });
  lines.prompt();
  return new Promise((resolve) => {
    lines.on('line', (line) => {
      const role = ROLES.get(line.trim().toLowerCase());
      if (role === undefined) {
        lines.prompt();
        return;
      }
      resolve(role);
      lines.close();
    });
    lines.on('close', () => resolve(null));
  });
}
