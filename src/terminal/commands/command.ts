/** What a slash command is: who may give it, what follows it, and what it is called where people read of it. */
import { InputError } from '../../protocol/errors.ts';
import type { Parse } from './arguments.ts';
import type { CommandCall } from './calls.ts';

/** Who may give a command, each kind including those before it. */
const AUDIENCES = ['everyone', 'moderators', 'host'] as const;
export type Audience = (typeof AUDIENCES)[number];

/**
 * What may stand at a place of the arguments, for completion. `path` and `text` are all that is left of the line; a
 * text names people. So are `paths`, where each is a word and the last may be whom they are for, and the numbers of
 * `offers`, which may end with a folder, and of `transfers`.
 */
export type Argument =
  | 'nick'
  | 'command'
  | 'path'
  | 'text'
  | 'visitor'
  | 'waiting'
  | 'banned'
  | 'conversation'
  | 'invitation'
  | 'paths'
  | 'offers'
  | 'transfers'
  | readonly string[];

/** An argument of some of a command's acts only. */
type ArgumentOf = { readonly kind: Argument; readonly acts: readonly string[] };

export type CommandName = CommandCall['name'] | 'qr';

export interface Command {
  readonly name: CommandName;
  readonly aliases: readonly string[];
  /** What follows the name, e.g. `NICK [DURATION]`; empty when nothing does. */
  readonly usage: string;
  readonly summary: string;
  /** What more there is to know, a sentence or two; empty where the summary says it all. */
  readonly details: string;
  readonly section: Section;
  readonly for: Audience;
  /** By place. Places beyond it complete nothing. */
  readonly completes: readonly (Argument | ArgumentOf | null)[];
  /** @throws InputError `usage` when the arguments do not fit. */
  parse(args: string): CommandCall;
}

/** In the order in which help lists them. */
export const SECTIONS = [
  'Talking',
  'Conversations',
  'Files',
  'The room',
  'This screen',
  'Keeping order',
  'The door',
] as const;
type Section = (typeof SECTIONS)[number];

/** A command as its section lists it: what is left out is empty. */
type Row = Pick<Command, 'name' | 'summary'> &
  Partial<Pick<Command, 'aliases' | 'usage' | 'details' | 'completes'>> & { readonly parse: Parse };

export function usageLine({ name, usage = '' }: Pick<Row, 'name' | 'usage'>): string {
  return usage === '' ? `/${name}` : `/${name} ${usage}`;
}

/** Those of a section that the same people may give. */
export function commands(section: Section, audience: Audience, rows: readonly Row[]): readonly Command[] {
  return rows.map((row) => ({
    aliases: [],
    usage: '',
    details: '',
    completes: [],
    ...row,
    section,
    for: audience,
    parse(args) {
      const trimmed = args.trim();
      const call = row.parse(trimmed === '' ? [] : trimmed.split(/\s+/u), trimmed);
      if (call === null) throw new InputError('usage', `Usage: ${usageLine(row)}`);
      return call;
    },
  }));
}

/** Whether someone of this kind may give the command. */
export function mayGive(entry: Pick<Command, 'for'>, viewer: Audience): boolean {
  return AUDIENCES.indexOf(viewer) >= AUDIENCES.indexOf(entry.for);
}
