/** What Tab offers for the line being typed: commands, their arguments, nicknames, paths. */
import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { HIDDEN_CHARACTERS } from '../../protocol/clean-text.ts';
import type { Completion } from '../editor/walk.ts';
import { type Argument, type Audience, COMMANDS, type Command, findCommand, mayGive } from './table.ts';

export interface CompletionSources {
  readonly viewer: Audience;
  /** Of the others in the room, likeliest first. */
  readonly nicks: readonly string[];
  readonly paths: (prefix: string) => readonly string[];
}

/** Entries of a folder that are offered: more is no help, and a huge folder must not hold up typing. */
const PATHS_MOST = 200;

function commandNames(typed: string, viewer: Audience): readonly string[] {
  const mine = COMMANDS.filter((entry) => mayGive(entry, viewer));
  const starting = (names: readonly string[]) =>
    names.filter((name) => name.startsWith(typed.toLowerCase())).sort();
  const names = starting(mine.map(({ name }) => name));
  return names.length > 0 ? names : starting(mine.flatMap(({ aliases }) => aliases));
}

function nicknames(typed: string, nicks: readonly string[], after: string): readonly string[] {
  const at = typed.startsWith('@') ? '@' : '';
  const wanted = typed.slice(at.length).toLowerCase();
  return nicks.filter((nick) => nick.startsWith(wanted)).map((nick) => `${at}${nick}${after}`);
}

function argument(kind: Argument, typed: string, sources: CompletionSources): readonly string[] {
  if (kind === 'nick') return nicknames(typed, sources.nicks, ' ');
  if (kind === 'command')
    return commandNames(typed.replace(/^\//, ''), sources.viewer).map((name) => `${name} `);
  if (kind === 'path') return sources.paths(typed);
  return kind.filter((word) => word.startsWith(typed.toLowerCase())).map((word) => `${word} `);
}

/** The rest of a command's line: its words have places, and a path is all that is left. */
function commandArgument(entry: Command, before: string, sources: CompletionSources): Completion | null {
  const words = [...before.matchAll(/\S+/gu)];
  const isNewWord = /\s$/u.test(before);
  const place = words.length - (isNewWord ? 1 : 2);
  const path = entry.completes.indexOf('path');
  if (path >= 0 && place >= path && words[1]?.[0].toLowerCase() === 'save') {
    const from = words[path + 1]?.index ?? before.length;
    return { from, candidates: sources.paths(before.slice(from)) };
  }
  const from = isNewWord ? before.length : (words.at(-1)?.index ?? before.length);
  const kind = entry.completes[place];
  // What takes text may name people anywhere in it.
  if (entry.completes.length === 0 && entry.usage !== '')
    return { from, candidates: nicknames(before.slice(from), sources.nicks, ' ') };
  return kind === undefined || kind === 'path'
    ? null
    : { from, candidates: argument(kind, before.slice(from), sources) };
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
  const typed = /\S*$/u.exec(before)?.[0] ?? '';
  // Tab after a space is no question about everybody.
  if (typed === '' && before !== '') return null;
  const from = before.length - typed.length;
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

/** @param path as a person typed it: `~` is their own folder */
export function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? homedir() + path.slice(1) : path;
}
