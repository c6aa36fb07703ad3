/**
 * Every setting there is, once. The options, the variables, the file's checks, `securechat config`, the completions, the
 * manual and docs/settings.md are all made from this table.
 */
import type {
  AdvertisedAddress,
  ListenAddress,
  LogLevel,
  Reach,
  SecretSource,
  SigningAlgorithm,
} from '../app/options.ts';
import { parseDuration } from '../protocol/duration.ts';
import { InputError } from '../protocol/errors.ts';
import { LIMITS } from '../protocol/limits.ts';
import { checkNickname, type Nickname } from '../protocol/nickname.ts';
import type { Preferences } from '../terminal/preferences.ts';
import { parseAdvertised, parseCount, parseListen, parseSecretSource, parseText } from './parse.ts';

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
  | { readonly kind: 'text' | 'integer' | 'file'; readonly argument: string }
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
  /** What it does. A flag's is about the opposite of its default. */
  readonly summary: string;
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

type Row = Pick<Setting, 'key' | 'summary'> &
  Partial<Pick<Setting, 'option' | 'place' | 'fallbackText' | 'example'>>;
type Where = Pick<Setting, 'section' | 'command'>;

const GENERAL: Where = { section: 'general', command: 'both' };
const HOST: Where = { section: 'host', command: 'host' };
const JOIN: Where = { section: 'join', command: 'join' };
const TERMINAL: Where = { section: 'terminal', command: 'both' };
const LOG: Where = { section: 'log', command: 'both' };

/** The last one counts, as it does for options given twice. */
function lastOf(texts: readonly string[]): string {
  return texts.at(-1) ?? '';
}

function setting<Value, Fallback = Value>(
  where: Where,
  row: Row,
  form: Form,
  fallback: Fallback,
  parse: (text: string) => Value,
): Setting<Value | Fallback> {
  return {
    option: row.key,
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

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['0', false],
]);

function parseBoolean(text: string): boolean {
  const value = BOOLEANS.get(text.trim().toLowerCase());
  if (value === undefined) throw new InputError('bad-choice', 'Write true or false.');
  return value;
}

function flag<Fallback extends boolean | null>(where: Where, row: Row, fallback: Fallback) {
  const example = fallback === false ? 'true' : 'false';
  return setting(where, { example, ...row }, { kind: 'flag' }, fallback, parseBoolean);
}

function isOneOf<Choice extends string>(text: string, choices: readonly Choice[]): text is Choice {
  return choices.some((choice) => choice === text);
}

function parseChoice<Choice extends string>(text: string, choices: readonly Choice[]): Choice {
  if (!isOneOf(text, choices)) throw new InputError('bad-choice', `Write one of ${choices.join(', ')}.`);
  return text;
}

function choice<Choice extends string>(
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

function file(where: Where, row: Row): Setting<string | null> {
  const known = { fallbackText: 'none', ...row };
  return setting(where, known, { kind: 'file', argument: 'file' }, null, (text) => {
    if (text === '') throw new InputError('bad-text', 'Write the name of a file.');
    return text;
  });
}

/** A file that is read late, or standard input. */
function source(where: Where, row: Row): Setting<SecretSource | null> {
  const { read, ...rest } = file(where, row);
  return { ...rest, fallback: null, read: (texts) => parseSecretSource(read(texts) ?? '') };
}

const REACHES: readonly { readonly value: Reach; readonly summary: string }[] = [
  { value: 'private', summary: "put this machine's private addresses into the invitation (the default)" },
  { value: 'public', summary: "put this machine's public addresses into the invitation" },
  { value: 'this-machine', summary: 'be reached from this machine only' },
];

export const SETTINGS = {
  nick: setting<Nickname, null>(
    GENERAL,
    { key: 'nick', summary: 'your nickname', fallbackText: 'asked for', example: '"ann"' },
    { kind: 'text', argument: 'nick' },
    null,
    checkNickname,
  ),
  sign: choice<SigningAlgorithm>(
    GENERAL,
    { key: 'sign', summary: 'what signs your messages' },
    'algorithm',
    ['rsa', 'dsa'],
    'rsa',
  ),

  room: setting<string, null>(
    HOST,
    { key: 'room', summary: "the room's name", fallbackText: 'asked for', example: '"Kitchen"' },
    { kind: 'text', argument: 'name' },
    null,
    (text) => parseText(text, LIMITS.roomNameBytes),
  ),
  question: setting<string, null>(
    HOST,
    {
      key: 'question',
      summary: 'the security question',
      fallbackText: 'asked for',
      example: '"Where did we meet?"',
    },
    { kind: 'text', argument: 'text' },
    null,
    (text) => parseText(text, LIMITS.questionBytes),
  ),
  hostAnswerFile: source(HOST, {
    key: 'answer-file',
    summary: 'read its answer from a file, or - for standard input',
    fallbackText: 'asked for',
    example: '"answer.txt"',
  }),
  listen: setting<ListenAddress>(
    HOST,
    { key: 'listen', summary: 'where to listen', fallbackText: '[::]:8888', example: '"[::]:8888"' },
    { kind: 'text', argument: 'address:port' },
    parseListen('[::]:8888'),
    parseListen,
  ),
  reach: setting<Reach, null>(
    HOST,
    {
      key: 'reach',
      summary: "which of this machine's addresses stand in the invitation",
      fallbackText: 'asked for, else private',
      example: '"private"',
    },
    { kind: 'flags', choices: REACHES },
    null,
    (text) =>
      parseChoice(
        text,
        REACHES.map(({ value }) => value),
      ),
  ),
  address: {
    ...HOST,
    key: 'address',
    option: 'address',
    form: { kind: 'list', argument: 'host[:port]', most: LIMITS.addressesPerInvitation },
    place: 'file',
    summary: 'put this address into the invitation instead (repeatable)',
    fallback: [],
    fallbackText: 'none',
    example: '["chat.example.org"]',
    read(texts) {
      const most = LIMITS.addressesPerInvitation;
      if (texts.length > most) throw new InputError('too-many', `Give it ${most} times at most.`);
      return texts.map(parseAdvertised);
    },
  } satisfies Setting<readonly AdvertisedAddress[]>,
  uses: setting(
    HOST,
    { key: 'uses', summary: 'how many may join with the first invitation', example: '16' },
    { kind: 'integer', argument: 'n' },
    16,
    (text) => parseCount(text, 1, LIMITS.invitationUsesMost),
  ),
  expires: setting(
    HOST,
    {
      key: 'expires',
      summary: 'how long the first invitation lasts, at most 30d',
      fallbackText: '24h',
      example: '"24h"',
    },
    { kind: 'text', argument: 'duration' },
    24 * 60 * 60_000,
    (text) => parseDuration(text, LIMITS.invitationMsMost),
  ),
  maxMembers: setting(
    HOST,
    {
      key: 'max-members',
      summary: 'how many members the room may have',
      example: String(LIMITS.membersDefault),
    },
    { kind: 'integer', argument: 'n' },
    LIMITS.membersDefault,
    (text) => parseCount(text, 2, LIMITS.membersMost),
  ),
  topic: setting<string, null>(
    HOST,
    { key: 'topic', summary: "the room's topic", fallbackText: 'none', example: '"Dinner on Friday"' },
    { kind: 'text', argument: 'text' },
    null,
    (text) => parseText(text, LIMITS.topicBytes),
  ),
  motdFile: source(HOST, {
    key: 'motd-file',
    summary: 'read the message of the day, which joiners are shown, from a file',
    example: '"welcome.txt"',
  }),
  approve: flag(HOST, { key: 'approve', summary: 'let each joiner in by hand, with /admit' }, false),
  chat: flag(HOST, { key: 'chat', summary: 'relay only: take no part in the talk' }, true),
  qr: flag(HOST, { key: 'qr', summary: 'draw no QR code of the invitation' }, true),

  tokenFile: source(JOIN, {
    key: 'token-file',
    summary: 'read the invitation from a file, or - for standard input',
    fallbackText: 'asked for',
    example: '"invitation.txt"',
  }),
  joinAnswerFile: source(JOIN, {
    key: 'answer-file',
    summary: 'read the answer from a file, or - for standard input',
    fallbackText: 'asked for',
    example: '"answer.txt"',
  }),
  codeFile: source(JOIN, {
    key: 'code-file',
    summary: 'read the room code from a file, or - for standard input',
    fallbackText: 'asked for',
    example: '"code.txt"',
  }),

  timestamps: choice<Preferences['timestamps']>(
    TERMINAL,
    { key: 'timestamps', summary: 'the time before each line' },
    'how',
    ['minutes', 'seconds', 'off'],
    'minutes',
  ),
  quiet: flag(TERMINAL, { key: 'quiet', summary: 'leave out who comes and goes' }, false),
  bell: choice<Preferences['bell']>(
    TERMINAL,
    { key: 'bell', summary: 'ring when you are named, never, or at every message' },
    'when',
    ['on', 'off', 'all'],
    'on',
  ),
  notify: flag(TERMINAL, { key: 'notify', summary: 'desktop notifications, without what was said' }, false),
  theme: choice<Preferences['theme']>(
    TERMINAL,
    { key: 'theme', summary: 'colours for any terminal, a dark or a light one' },
    'theme',
    ['auto', 'dark', 'light'],
    'auto',
  ),
  color: flag(
    TERMINAL,
    { key: 'color', summary: 'no colour', fallbackText: 'where the terminal has it' },
    null,
  ),
  plain: flag(TERMINAL, { key: 'plain', summary: 'one line per event, nothing drawn again' }, false),
  json: flag(
    TERMINAL,
    { key: 'json', summary: 'one JSON object a line, for programs', place: 'option' },
    false,
  ),
  input: flag(
    TERMINAL,
    { key: 'input', summary: 'never ask: fail when something is missing', place: 'option' },
    true,
  ),

  logFile: file(LOG, {
    key: 'file',
    option: 'log-file',
    summary: 'write the log to this file',
    example: '"securechat.log"',
  }),
  logLevel: choice<LogLevel>(
    LOG,
    { key: 'level', option: 'log-level', summary: 'how much to log' },
    'level',
    ['error', 'warn', 'info', 'debug'],
    'warn',
  ),
  config: file(GENERAL, {
    key: 'config',
    summary: 'read this configuration file, which must exist',
    fallbackText: 'where "securechat config --path" says',
    place: 'variable',
  }),
} as const;

/**
 * What somebody may try to write down, and the option that names a file instead: variables are seen by other programs,
 * and a configuration file is copied about and shown to others.
 */
export const SECRETS: ReadonlyMap<string, string> = new Map([
  ['answer', SETTINGS.hostAnswerFile.option],
  ['code', SETTINGS.codeFile.option],
  ['invitation', SETTINGS.tokenFile.option],
  ['token', SETTINGS.tokenFile.option],
]);

/** The table in its order. */
export const ALL_SETTINGS: readonly Setting[] = Object.values(SETTINGS);

/** Which of two commands, host or join, a setting is for. */
export function settingsOf(command: 'host' | 'join'): readonly Setting[] {
  return ALL_SETTINGS.filter((each) => each.command === 'both' || each.command === command);
}

/** @returns the name of its environment variable, or `null`: colour has its own, which all programs share. */
export function variableOf({ option, place }: Setting): string | null {
  return place === 'option' || option === 'color' ? null : variableName(option);
}

/** @param option a long option without its dashes */
export function variableName(option: string): string {
  return `SECURECHAT_${option.toUpperCase().replaceAll('-', '_')}`;
}
