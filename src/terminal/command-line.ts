/** What a typed line is: something to say, a command, or a slip. */
import { nearestWord } from '../protocol/nearest-word.ts';
import { COMMANDS, type CommandName, findCommand } from './commands.ts';

export type ParsedInput =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'command'; readonly name: CommandName; readonly args: string }
  | { readonly kind: 'unknown'; readonly name: string; readonly nearest: string | null };

/**
 * What a typed line is. `//` at the start is one slash of text; nothing else that begins with a slash is ever
 * sent as text, so a mistyped command does not become a message.
 *
 * @returns for `command` the name from the table (aliases resolved) and everything after it, trimmed
 */
export function parseInput(line: string): ParsedInput {
  if (!line.startsWith('/')) return { kind: 'text', text: line };
  if (line.startsWith('//')) return { kind: 'text', text: line.slice(1) };
  const [name = ''] = line.slice(1).split(/\s/u, 1);
  const found = findCommand(name);
  if (found !== undefined) {
    return { kind: 'command', name: found.name, args: line.slice(1 + name.length).trim() };
  }
  const names = COMMANDS.flatMap((entry) => [entry.name, ...entry.aliases]);
  return { kind: 'unknown', name, nearest: nearestWord(name.toLowerCase(), names) };
}
