/** What a typed line is: something to say, a command, or a slip. */
import { nearestWord } from '../../protocol/nearest-word.ts';
import type { CommandName } from './command.ts';
import { COMMANDS, findCommand } from './table.ts';

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
  return { kind: 'unknown', name, nearest: nearestCommand(name) };
}

function nearestCommand(name: string): string | null {
  const names = COMMANDS.flatMap((entry) => [entry.name, ...entry.aliases]);
  return nearestWord(name.toLowerCase(), names);
}

/** @param name of no command, without its slash */
export function unknownText(name: string, nearest: string | null = nearestCommand(name)): string {
  const meant = nearest === null ? '' : ` Did you mean /${nearest}?`;
  return `There is no /${name}.${meant} /help lists the commands.`;
}
