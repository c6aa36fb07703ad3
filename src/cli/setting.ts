/** What a setting is, and the kinds of them. */
import type { SecretSource } from '../app/options.ts';
import { InputError } from '../protocol/errors.ts';
import { expandHome } from '../terminal/home.ts';
import { parseBoolean, parseChoice, parseCount, parseSecretSource } from './parse.ts';

/** Tables of the file, in its order; `general` stands above the first of them. */
export const SECTIONS = ['general', 'host', 'join', 'terminal', 'log'] as const;
export type Section = (typeof SECTIONS)[number];

/** How a setting is written: what follows its option, and its type in the file. */
export type Form =
  /** Yes or no: `--name` and `--no-name`. */
  | { readonly kind: 'flag' }
  /** One of several, each of which is an option without a value. */
  | {
      readonly kind: 'flags';
      readonly choices: readonly { readonly value: string; readonly summary: string }[];
    }
  | { readonly kind: 'choice'; readonly argument: string; readonly choices: readonly string[] }
  | {
      readonly kind: 'text' | 'integer' | 'file';
      readonly argument: string;
      /** Its option may stand alone, which gives an empty text. */
      readonly isOptional?: boolean;
    }
  | { readonly kind: 'list'; readonly argument: string; readonly most: number };

export interface Setting<Value = unknown> {
  readonly section: Section;
  /** Its name in the file. */
  readonly key: string;
  /** Its long option without the dashes; its variable comes from it as well. */
  readonly option: string;
  readonly form: Form;
  readonly command: 'host' | 'join' | 'both';
  /** The weakest place it may be given: `option` means the command line only, `file` means everywhere. */
  readonly place: 'option' | 'variable' | 'file';
  /** What it does; of a flag, when it is on. */
  readonly summary: string;
  /** What the option that switches a flag off does, where that is the one that is shown. */
  readonly offSummary: string;
  readonly fallback: Value;
  /** The default as help and reports show it. */
  readonly fallbackText: string;
  /** A value as the file has it, for the sample. */
  readonly example: string;
  /**
   * @param texts as they were given; all but lists take the last one
   * @throws InputError
   */
  read(texts: readonly string[]): Value;
}

/** What each setting says of itself; the rest follows from its form. */
export type Row = Pick<Setting, 'key' | 'summary'> &
  Partial<Pick<Setting, 'option' | 'offSummary' | 'place' | 'fallbackText' | 'example'>>;
export type Where = Pick<Setting, 'section' | 'command'>;

/** The last one counts, as it does for options given twice. */
function lastOf(texts: readonly string[]): string {
  return texts.at(-1) ?? '';
}

export function setting<Value, Fallback = Value>(
  where: Where,
  row: Row,
  form: Form,
  fallback: Fallback,
  parse: (text: string) => Value,
): Setting<Value | Fallback> {
  return {
    option: row.key,
    offSummary: '',
    place: 'file',
    fallbackText: String(fallback),
    example: `"${String(fallback)}"`,
    ...where,
    ...row,
    form,
    fallback,
    read: (texts) => parse(lastOf(texts)),
  };
}

export function flag<Fallback extends boolean | null>(where: Where, row: Row, fallback: Fallback) {
  const example = fallback === false ? 'true' : 'false';
  return setting(where, { example, ...row }, { kind: 'flag' }, fallback, parseBoolean);
}

/** One of several, each of which is an option of its own. */
export function flags<Choice extends string>(
  where: Where,
  row: Row,
  choices: readonly { readonly value: Choice; readonly summary: string }[],
): Setting<Choice | null> {
  const values = choices.map(({ value }) => value);
  return setting(where, row, { kind: 'flags', choices }, null, (text) => parseChoice(text, values));
}

export function choice<Choice extends string>(
  where: Where,
  row: Row,
  argument: string,
  choices: readonly Choice[],
  fallback: Choice,
) {
  return setting(where, row, { kind: 'choice', argument, choices }, fallback, (text) =>
    parseChoice(text, choices),
  );
}

export function file(where: Where, row: Row): Setting<string | null> {
  const known = { fallbackText: 'none', ...row };
  return setting(where, known, { kind: 'file', argument: 'file' }, null, (text) => {
    if (text === '') throw new InputError('bad-text', 'Write the name of a file.');
    return expandHome(text);
  });
}

/** A file that is read late, or standard input. */
export function source(where: Where, row: Row): Setting<SecretSource | null> {
  const { read, ...rest } = file(where, row);
  return { ...rest, fallback: null, read: (texts) => parseSecretSource(read(texts) ?? '') };
}

export function count(
  where: Where,
  row: Row,
  range: { readonly least: number; readonly most: number; readonly fallback: number },
): Setting<number> {
  const { least, most, fallback } = range;
  const known = { example: String(fallback), ...row };
  return setting(where, known, { kind: 'integer', argument: 'n' }, fallback, (text) =>
    parseCount(text, least, most),
  );
}

/** An option that may be given several times. */
export function list<Value>(
  where: Where,
  row: Row,
  form: { readonly argument: string; readonly most: number },
  parse: (text: string) => Value,
): Setting<readonly Value[]> {
  return {
    ...setting<Value, readonly Value[]>(
      where,
      { fallbackText: 'none', ...row },
      { kind: 'list', ...form },
      [],
      parse,
    ),
    fallback: [],
    read(texts) {
      if (texts.length > form.most) throw new InputError('too-many', `Give it ${form.most} times at most.`);
      return texts.map(parse);
    },
  };
}
