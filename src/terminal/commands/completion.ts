/** What Tab offers for the line being typed: commands, their arguments, nicknames, paths. */
import { readdirSync } from 'node:fs';
import { HIDDEN_CHARACTERS } from '../../protocol/clean-text.ts';
import { lastWordStart } from '../editor/last-word.ts';
import type { Completion } from '../editor/walk.ts';
import { expandHome } from '../home.ts';
import { type Argument, type Audience, type Command, mayGive } from './command.ts';
import { isTo } from './file-arguments.ts';
import { type QuotedWord, quotedWords, quoteWord } from './quoted-words.ts';
import { COMMANDS, findCommand } from './table.ts';

export interface CompletionSources {
  readonly viewer: Audience;
  /** Of one's conversations. */
  readonly conversations?: readonly string[];
  /** Of the others in the room, in the order in which they are offered. */
  readonly nicks: readonly string[];
  /** The numbers of files that may be accepted or declined. */
  readonly offers?: readonly string[];
  /** The numbers of files that may be cancelled. */
  readonly transfers?: readonly string[];
  /** Who stands at the door, as `/deny` names them; known to the host only, like all that follows. */
  readonly visitors?: readonly string[];
  /** Of these, who waits for the host. */
  readonly waiting?: readonly string[];
  /** The nicknames that are banned. */
  readonly banned?: readonly string[];
  /** The numbers of the invitations. */
  readonly invitations?: readonly string[];
  readonly paths: (prefix: string) => readonly string[];
}

/** Entries of a folder that are offered: more is no help, and a huge folder must not hold up typing. */
const PATHS_MOST = 200;

function commandNames(typed: string, viewer: Audience): readonly string[] {
  const mine = COMMANDS.filter((entry) => mayGive(entry, viewer));
  const fitting = (names: readonly string[]) =>
    names.filter((name) => name.startsWith(typed.toLowerCase())).sort();
  const names = fitting(mine.map(({ name }) => name));
  return names.length > 0 ? names : fitting(mine.flatMap(({ aliases }) => aliases));
}

function nicknames(typed: string, nicks: readonly string[], after: string): readonly string[] {
  const at = typed.startsWith('@') ? '@' : '';
  const wanted = typed.slice(at.length).toLowerCase();
  return nicks.filter((nick) => nick.startsWith(wanted)).map((nick) => `${at}${nick}${after}`);
}

function argument(kind: Argument, typed: string, sources: CompletionSources): readonly string[] {
  switch (kind) {
    case 'nick':
    case 'text':
      return nicknames(typed, sources.nicks, ' ');
    case 'command':
      return commandNames(typed.replace(/^\//, ''), sources.viewer).map((name) => `${name} `);
    case 'path':
    case 'paths':
      return sources.paths(typed);
    case 'offers':
      return starting(typed, numbers(sources.offers));
    case 'transfers':
      return starting(typed, numbers(sources.transfers));
    case 'visitor':
      return nicknames(typed, sources.visitors ?? [], ' ');
    case 'waiting':
      return nicknames(typed, sources.waiting ?? [], ' ');
    case 'banned':
      return nicknames(typed, sources.banned ?? [], ' ');
    case 'conversation':
      return conversations(typed, sources);
    case 'invitation':
      return starting(typed, sources.invitations ?? []);
    default:
      return starting(typed, kind);
  }
}

/** By name, and members as `/join` takes them. */
function conversations(
  typed: string,
  { conversations: names = [], nicks }: CompletionSources,
): readonly string[] {
  return typed.startsWith('@') ? nicknames(typed, nicks, ' ') : starting(typed, [...names, 'room']);
}

function starting(typed: string, words: readonly string[]): readonly string[] {
  return words.filter((word) => word.startsWith(typed.toLowerCase())).map((word) => `${word} `);
}

function numbers(files: readonly string[] = []): readonly string[] {
  return files.length > 1 ? [...files, 'all'] : files;
}

/** The word before the cursor, empty behind a space. Its quotation mark may not be closed yet. */
function lastOf(words: readonly QuotedWord[], line: string): QuotedWord {
  const last = words.at(-1);
  if (last !== undefined && last.end === line.length) return last;
  return { text: '', start: line.length, end: line.length, quote: '', isBare: true, isOpen: false };
}

/** Words that may hold spaces: paths, and behind `to` where they go. */
function quotedArgument(kind: 'paths' | 'offers', before: string, sources: CompletionSources): Completion {
  const [name = ''] = before.split(/\s/u, 1);
  const args = before.slice(name.length);
  const words = quotedWords(args);
  const last = lastOf(words, args);
  const earlier = words.filter(({ start }) => start < last.start);
  const mark = earlier.at(-1);
  const isBehindTo = mark !== undefined && isTo(mark) && (kind === 'offers' || earlier.length > 1);
  const from = name.length + last.start;
  if (isBehindTo && kind === 'paths') return { from, candidates: whoOrWhere(last.text, sources) };
  if (kind === 'offers' && !isBehindTo) return { from, candidates: argument(kind, last.text, sources) };
  const paths = sources.paths(last.text).map((path) => {
    const isWhole = !/[/\\]$/.test(path);
    return quoteWord(path, { quote: last.quote, isWhole }) + (isWhole ? ' ' : '');
  });
  return { from, candidates: paths };
}

function whoOrWhere(
  typed: string,
  { nicks, conversations: names = [] }: CompletionSources,
): readonly string[] {
  return [...nicknames(typed, nicks, ' '), ...(typed.startsWith('@') ? [] : starting(typed, names))];
}

/** What goes on to the end of the line. */
const IN_REST: ReadonlySet<Argument> = new Set(['path', 'text', 'offers', 'transfers']);

/** The rest of a command's line: its words have places, and a path or a text is all that is left. */
function commandArgument(entry: Command, before: string, sources: CompletionSources): Completion | null {
  const words = [...before.matchAll(/\S+/gu)];
  const place = words.length - (/\s$/u.test(before) ? 1 : 2);
  const kinds = kindsOf(entry, words[1]?.[0].toLowerCase() ?? '');
  const [first] = kinds;
  if (first === 'paths' || (first === 'offers' && entry.name === 'accept'))
    return quotedArgument(first, before, sources);
  const rest = kinds.findIndex((kind) => kind !== undefined && kind !== null && IN_REST.has(kind));
  const isRest = rest >= 0 && place >= rest;
  const kind = kinds[isRest ? rest : place];
  if (kind === undefined || kind === null) return null;
  const from = kind === 'path' ? (words[rest + 1]?.index ?? before.length) : lastWordStart(before);
  return { from, candidates: argument(kind, before.slice(from), sources) };
}

/** @param act the first word after the command's name; `null` is a place of other acts */
function kindsOf({ completes }: Command, act: string): readonly (Argument | null)[] {
  return completes.map((place) => {
    if (place === null || typeof place === 'string' || !('kind' in place)) return place;
    return place.acts.includes(act) ? place.kind : null;
  });
}

/** @returns `null` where there is nothing to offer */
export function completeLine(line: string, cursor: number, sources: CompletionSources): Completion | null {
  const before = line.slice(0, cursor);
  const completion = offered(before, sources);
  return completion === null || completion.candidates.length === 0 ? null : completion;
}

function offered(before: string, sources: CompletionSources): Completion | null {
  if (before.startsWith('/') && !before.startsWith('//')) {
    const [name = ''] = before.slice(1).split(/\s/u, 1);
    if (name.length === before.length - 1) {
      return { from: 0, candidates: commandNames(name, sources.viewer).map((found) => `/${found} `) };
    }
    const entry = findCommand(name);
    return entry === undefined || !mayGive(entry, sources.viewer)
      ? null
      : commandArgument(entry, before, sources);
  }
  const from = lastWordStart(before);
  const typed = before.slice(from);
  // Tab after a space is no question about everybody.
  if (typed === '' && before !== '') return null;
  const after = from === 0 && !typed.startsWith('@') ? ': ' : ' ';
  return { from, candidates: nicknames(typed, sources.nicks, after) };
}

/**
 * Files and folders that a path may go on to, folders with a slash. Names that a terminal would not show as they are
 * are left out.
 */
export function pathsFrom(prefix: string): readonly string[] {
  const slash = Math.max(
    prefix.lastIndexOf('/'),
    process.platform === 'win32' ? prefix.lastIndexOf('\\') : -1,
  );
  const folder = prefix.slice(0, slash + 1);
  const typed = prefix.slice(slash + 1);
  try {
    return readdirSync(expandHome(folder) || '.', { withFileTypes: true })
      .filter(({ name }) => name.startsWith(typed) && (typed.startsWith('.') || !name.startsWith('.')))
      .filter(({ name }) => name.search(HIDDEN_CHARACTERS) < 0)
      .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`)
      .sort()
      .slice(0, PATHS_MOST);
  } catch {
    // No such folder, or none that may be read: nothing to offer.
    return [];
  }
}
