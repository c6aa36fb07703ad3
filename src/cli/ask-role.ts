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
export async function askRole(
  input: NodeJS.ReadableStream,
  output: NodeJS.WritableStream,
): Promise<'s' | 'c' | null> {
  const lines = createInterface({ input, output, prompt: 'Host a room or join one? [h/j] ' });
  lines.prompt();
  for await (const line of lines) {
    const role = ROLES.get(line.trim().toLowerCase());
    if (role !== undefined) return role;
    lines.prompt();
  }
  output.write('\n');
  return null;
}
