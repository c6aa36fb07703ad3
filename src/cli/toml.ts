/**
 * The configuration file's syntax. The one file that knows toml-eslint-parser, which was chosen because it keeps the
 * place of every key: a mistake can be named by its line.
 */
import { type AST, ParseError, parseTOML } from 'toml-eslint-parser';
import { InputError } from '../protocol/errors.ts';
import { tomlHint } from './toml-hint.ts';

/** A value as far as settings need it; `texts` are what an option would have been given. */
export interface TomlEntry {
  /** The names from the top down to it. */
  readonly path: readonly string[];
  /** From 1. */
  readonly line: number;
  readonly type: 'string' | 'integer' | 'boolean' | 'strings' | 'table' | 'other';
  readonly texts: readonly string[];
}

/**
 * @param name the file, for messages
 * @returns every key and every table header, in the file's order
 * @throws InputError with line and column, both from 1
 */
export function parseToml(text: string, name: string): readonly TomlEntry[] {
  try {
    const [top] = parseTOML(text, { tomlVersion: '1.0.0' }).body;
    return top.body.flatMap((node) => (node.type === 'TOMLTable' ? table(node) : keyValue(node, [])));
  } catch (error) {
    if (error instanceof ParseError) {
      const { lineNumber, column, message } = error;
      const hint = message.startsWith('Defining') ? '' : hintNear(text, lineNumber, column);
      throw new InputError('toml', `${name}:${lineNumber}:${column + 1}: ${message}.${hint}`);
    }
    if (error instanceof RangeError) throw new InputError('toml', `${name} is nested too deeply.`);
    throw error;
  }
}

/** What is missing at the end of a line, the parser finds at the beginning of the next. */
function hintNear(text: string, lineNumber: number, column: number): string {
  const lines = text.split(/\r?\n/u);
  const own = lines[lineNumber - 1] ?? '';
  const near = column === 0 ? [lines[lineNumber - 2] ?? '', own] : [own];
  const hint = near.map(tomlHint).find((found) => found !== null);
  return hint === undefined ? '' : ` ${hint}`;
}

function table(node: AST.TOMLTable): readonly TomlEntry[] {
  // `[[name]]` adds its number to the names, which nobody wrote.
  const path = node.resolvedKey.filter((name) => typeof name === 'string');
  const type = node.kind === 'array' ? 'other' : 'table';
  const header: TomlEntry = { path, line: node.loc.start.line, type, texts: [] };
  return [header, ...node.body.flatMap((each) => keyValue(each, path))];
}

/** An inline table is its keys: `host = { uses = 3 }` is `[host]` with `uses = 3`. */
function keyValue(node: AST.TOMLKeyValue, above: readonly string[]): readonly TomlEntry[] {
  const path = [...above, ...node.key.keys.map((key) => (key.type === 'TOMLBare' ? key.name : key.value))];
  const { line } = node.loc.start;
  const { value } = node;
  if (value.type === 'TOMLInlineTable') {
    return [{ path, line, type: 'table', texts: [] }, ...value.body.flatMap((each) => keyValue(each, path))];
  }
  if (value.type === 'TOMLArray') {
    const texts = value.elements.map(stringOf);
    const strings = texts.filter((text) => text !== null);
    return [{ path, line, type: strings.length === texts.length ? 'strings' : 'other', texts: strings }];
  }
  switch (value.kind) {
    case 'string':
      return [{ path, line, type: 'string', texts: [value.value] }];
    case 'integer':
      return [{ path, line, type: 'integer', texts: [String(value.bigint)] }];
    case 'boolean':
      return [{ path, line, type: 'boolean', texts: [String(value.value)] }];
    default:
      return [{ path, line, type: 'other', texts: [] }];
  }
}

function stringOf(node: AST.TOMLContentNode): string | null {
  return node.type === 'TOMLValue' && node.kind === 'string' ? node.value : null;
}
