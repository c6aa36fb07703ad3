/**
 * The slash commands: one open table. A command is known by its row here; what it does is `app/`'s business.
 */
import { InputError } from '../protocol/errors.ts';

/** A command with its arguments understood. */
export type CommandCall =
  | { readonly name: 'quit' | 'names' | 'room' | 'code' | 'security' }
  | { readonly name: 'me'; readonly text: string }
  | { readonly name: 'help'; readonly topic: string | null }
  | { readonly name: 'invite'; readonly act: 'new' | 'list' | 'raw' }
  | { readonly name: 'invite'; readonly act: 'revoke' | 'resume'; readonly id: string }
  | { readonly name: 'whois' | 'kick'; readonly nick: string }
  | { readonly name: 'fork'; readonly act: 'ack' };

export interface Command {
  readonly name: CommandCall['name'];
  readonly aliases: readonly string[];
  /** What follows the name, e.g. `NICK [reason]`; empty when nothing does. */
  readonly usage: string;
  readonly summary: string;
  readonly hostOnly: boolean;
  /** @throws InputError `usage` when the arguments do not fit. */
  parse(args: string): CommandCall;
}

export type ParsedInput =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'command'; readonly name: CommandCall['name']; readonly args: string }
  | { readonly kind: 'unknown'; readonly name: string; readonly nearest: string | null };

type Row = Omit<Command, 'parse'>;

function usageLine(row: Row): string {
  return row.usage === '' ? `/${row.name}` : `/${row.name} ${row.usage}`;
}

/** `parse` gives null where the arguments do not fit, and the person is shown the usage. */
function command(row: Row, parse: (words: readonly string[], args: string) => CommandCall | null): Command {
  return {
    ...row,
    parse(args) {
      const trimmed = args.trim();
      const call = parse(trimmed === '' ? [] : trimmed.split(/\s+/u), trimmed);
      if (call === null) throw new InputError('usage', `Usage: ${usageLine(row)}`);
      return call;
    },
  };
}

/** Nicknames are lower case; people type `@Ann` all the same. */
function nickOf(word: string): string {
  return word.replace(/^@/, '').toLowerCase();
}

function bare(
  name: 'quit' | 'names' | 'room' | 'code' | 'security',
  row: Omit<Row, 'name' | 'usage'>,
): Command {
  return command({ name, usage: '', ...row }, (words) => (words.length === 0 ? { name } : null));
}

export const COMMANDS: readonly Command[] = [
  command(
    {
      name: 'help',
      aliases: [],
      usage: '[command]',
      summary: 'list the commands, or explain one',
      hostOnly: false,
    },
    ([topic, ...rest]) =>
      rest.length > 0 ? null : { name: 'help', topic: topic?.replace(/^\//, '').toLowerCase() ?? null },
  ),
  bare('quit', { aliases: ['exit'], summary: 'leave the room', hostOnly: false }),
  bare('names', { aliases: ['who'], summary: 'show who is in the room', hostOnly: false }),
  command(
    {
      name: 'me',
      aliases: [],
      usage: 'ACTION',
      summary: 'say what you do: "* ann waves"',
      hostOnly: false,
    },
    (_, text) => (text === '' ? null : { name: 'me', text }),
  ),
  command(
    {
      name: 'whois',
      aliases: [],
      usage: 'NICK',
      summary: "show a member's role and key fingerprint",
      hostOnly: false,
    },
    ([nick, ...rest]) =>
      nick === undefined || rest.length > 0 ? null : { name: 'whois', nick: nickOf(nick) },
  ),
  bare('room', {
    aliases: [],
    summary: "show the room's name, epoch and digits to compare",
    hostOnly: false,
  }),
  bare('security', {
    aliases: [],
    summary: 'show what protects this room, and what does not',
    hostOnly: false,
  }),
  command(
    {
      name: 'fork',
      aliases: [],
      usage: 'ack',
      summary: 'accept, after an alarm, that members were shown different histories',
      hostOnly: false,
    },
    ([act, ...rest]) => (act === 'ack' && rest.length === 0 ? { name: 'fork', act } : null),
  ),
  command(
    {
      name: 'invite',
      aliases: [],
      usage: '[new|list|revoke ID|resume ID|raw]',
      summary: 'make, list, withdraw or reopen invitations; raw shows the bare Fernet token and key',
      hostOnly: true,
    },
    ([act = 'list', id, ...rest]) => {
      if (rest.length > 0) return null;
      if (act === 'new' || act === 'list' || act === 'raw') {
        return id === undefined ? { name: 'invite', act } : null;
      }
      if (act !== 'revoke' && act !== 'resume') return null;
      return id === undefined ? null : { name: 'invite', act, id };
    },
  ),
  bare('code', { aliases: [], summary: 'show the room code and how long it lives', hostOnly: true }),
  command(
    {
      name: 'kick',
      aliases: [],
      usage: 'NICK',
      summary: 'remove a member; everyone is shown it',
      hostOnly: true,
    },
    ([nick, ...rest]) =>
      nick === undefined || rest.length > 0 ? null : { name: 'kick', nick: nickOf(nick) },
  ),
];

/** @param name without its slash; an alias will do */
export function findCommand(name: string, table: readonly Command[] = COMMANDS): Command | undefined {
  const wanted = name.toLowerCase();
  return table.find((entry) => entry.name === wanted || entry.aliases.includes(wanted));
}

/** Edits (insert, leave out, replace, swap neighbours) from one word to the other. */
function distance(from: string, to: string): number {
  const rows: number[][] = [Array.from({ length: to.length + 1 }, (_, column) => column)];
  const cell = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      const swapped = row > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        cell(row - 1, column) + 1,
        cell(row, column - 1) + 1,
        cell(row - 1, column - 1) + (same ? 0 : 1),
        swapped ? cell(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
  }
  return cell(from.length, to.length);
}

/** Farther than this it is no slip of the finger, and naming a command would be a guess. */
const SLIP = 2;
const LONGEST_NAME = 20;

function nearestName(name: string, table: readonly Command[]): string | null {
  if (name.length < 2 || name.length > LONGEST_NAME) return null;
  let nearest: string | null = null;
  let least = SLIP + 1;
  for (const candidate of table.flatMap((entry) => [entry.name, ...entry.aliases])) {
    const edits = candidate.startsWith(name) ? 1 : distance(name, candidate);
    // Two slips in a word of three letters make another word.
    if (edits < least && edits < candidate.length - 1) {
      nearest = candidate;
      least = edits;
    }
  }
  return nearest;
}

/**
 * What a typed line is. `//` at the start is one slash of text; nothing else that begins with a slash is ever
 * sent as text, so a mistyped command does not become a message.
 *
 * @returns for `command` the name from the table (aliases resolved) and everything after it, trimmed
 */
export function parseInput(line: string, table: readonly Command[] = COMMANDS): ParsedInput {
  if (!line.startsWith('/')) return { kind: 'text', text: line };
  if (line.startsWith('//')) return { kind: 'text', text: line.slice(1) };
  const [name = ''] = line.slice(1).split(/\s/u, 1);
  const found = findCommand(name, table);
  if (found !== undefined) {
    return { kind: 'command', name: found.name, args: line.slice(1 + name.length).trim() };
  }
  return { kind: 'unknown', name, nearest: nearestName(name.toLowerCase(), table) };
}

/**
 * @param viewer the host is shown the host's commands too
 * @returns one line a command, names in one column
 */
export function helpLines(table: readonly Command[], viewer: { readonly host: boolean }): readonly string[] {
  const shown = table.filter((entry) => viewer.host || !entry.hostOnly);
  const nameColumns = Math.max(...shown.map((entry) => entry.name.length)) + 1;
  const lines = shown.map((entry) => `/${entry.name.padEnd(nameColumns)} ${entry.summary}`);
  return [...lines, '//text sends a text that begins with a slash; /help command explains one.'];
}

/** `/help command`: usage, what it does, other names. */
export function helpTopicLines(entry: Command): readonly string[] {
  const also =
    entry.aliases.length > 0 ? [`Also: ${entry.aliases.map((name) => `/${name}`).join(', ')}`] : [];
  const host = entry.hostOnly ? ['For the host.'] : [];
  return [usageLine(entry), `  ${entry.summary}`, ...also, ...host];
}
