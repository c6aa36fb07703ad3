/**
 * Every setting there is, once. The options, the variables, the file's checks, `securechat config`, the completions, the
 * manual and docs/settings.md are all made from this table.
 */
import type {
  AdvertisedAddress,
  AutoAccept,
  ListenAddress,
  LogLevel,
  Reach,
  SigningAlgorithm,
} from '../app/options.ts';
import { checkRoomName } from '../app/rooms/room-folder.ts';
import { checkSavedName } from '../app/saved/saved-name.ts';
import { parseDuration } from '../protocol/duration.ts';
import { InputError } from '../protocol/errors.ts';
import { LIMITS } from '../protocol/limits.ts';
import { checkNickname, type Nickname } from '../protocol/nickname.ts';
import { parseStay } from '../protocol/room-settings.ts';
import { expandHome } from '../terminal/home.ts';
import type { Preferences } from '../terminal/view/preferences.ts';
import { parseAdvertised, parseAutoAccept, parseListen, parseSize, parseText } from './parse.ts';
import {
  choice,
  count,
  file,
  flag,
  flags,
  list,
  type Setting,
  setting,
  source,
  type Where,
} from './setting.ts';

const GENERAL: Where = { section: 'general', command: 'both' };
const HOST: Where = { section: 'host', command: 'host' };
const JOIN: Where = { section: 'join', command: 'join' };
const TERMINAL: Where = { section: 'terminal', command: 'both' };
/** Guests copy nothing. */
const HOST_TERMINAL: Where = { section: 'terminal', command: 'host' };
/** As much as an offer may say of itself. */
const FILE_BYTES_MOST = 64 * 2 ** 30;
/** As much as most people mean to send or take without thinking about it. */
const FILE_BYTES_DEFAULT = 100 * 2 ** 20;
const AUTO_ACCEPT_MOST = 64;

const LOG: Where = { section: 'log', command: 'both' };

export const SETTINGS = {
  nick: setting<Nickname, null>(
    GENERAL,
    { key: 'nick', summary: 'your nickname', fallbackText: 'asked for', example: '"ann"' },
    { kind: 'text', argument: 'nick' },
    null,
    // Who hosts may be called that; who joins is checked once more.
    (text) => checkNickname(text, text === 'host'),
  ),
  sign: choice<SigningAlgorithm>(
    GENERAL,
    { key: 'sign', summary: 'what signs your messages' },
    'algorithm',
    ['rsa', 'dsa'],
    'rsa',
  ),
  identity: file(GENERAL, {
    key: 'identity',
    summary: 'be the same member again: the key in this file, made by "securechat identity new"',
    example: '"~/identity.pem"',
  }),
  passphraseFile: source(GENERAL, {
    key: 'passphrase-file',
    summary: "read the identity's passphrase from a file, or - for standard input",
    fallbackText: 'asked for',
    example: '"passphrase.txt"',
  }),
  lastSeen: flag(
    GENERAL,
    {
      key: 'last-seen',
      summary: 'let others see when you were last here, to the minute',
      offSummary: 'let nobody see when you were last here',
    },
    true,
  ),
  receipts: flag(
    GENERAL,
    {
      key: 'receipts',
      summary:
        'let senders see when what they said has reached you, and in small company when you have read it',
      offSummary: 'let senders see nothing of what has reached you, nor what you have read',
    },
    true,
  ),
  downloads: setting<string, null>(
    GENERAL,
    {
      key: 'downloads',
      summary: 'where files go that you accept',
      fallbackText: 'Downloads in your home folder',
      example: '"~/Downloads"',
    },
    { kind: 'file', argument: 'folder' },
    null,
    (text) => {
      if (text === '') throw new InputError('bad-text', 'Write the name of a folder.');
      return expandHome(text);
    },
  ),
  maxFile: setting<number>(
    GENERAL,
    {
      key: 'max-file',
      summary: 'the largest file to send or take, at most 64G',
      fallbackText: '100M',
      example: '"500M"',
    },
    { kind: 'text', argument: 'size' },
    FILE_BYTES_DEFAULT,
    (text) => parseSize(text, FILE_BYTES_MOST),
  ),
  autoAccept: list<AutoAccept>(
    GENERAL,
    {
      key: 'auto-accept',
      summary:
        'take files of this size, of this nick or key fingerprint, or of both (nick:size) without asking (repeatable), up to --max-file',
      example: '["ann:50M", "1M"]',
    },
    { argument: 'rule', most: AUTO_ACCEPT_MOST },
    (text) => parseAutoAccept(text, FILE_BYTES_MOST),
  ),

  keep: setting<string, null>(
    HOST,
    {
      key: 'keep',
      summary:
        'keep the room on disk under this name, or open the one that is kept; without a name, by what it is called',
      fallbackText: 'none',
      example: '"kitchen"',
    },
    { kind: 'text', argument: 'name', isOptional: true },
    null,
    (text) => (text === '' ? '' : checkRoomName(text)),
  ),
  keepPassphraseFile: source(HOST, {
    key: 'keep-passphrase-file',
    summary: "read the passphrase of a kept room's owner key from a file, or - for standard input",
    example: '"room-passphrase.txt"',
  }),
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
  reach: flags<Reach>(
    HOST,
    {
      key: 'reach',
      summary: "which of this machine's addresses stand in the invitation",
      fallbackText: 'asked for, else private',
      example: '"private"',
    },
    [
      { value: 'private', summary: "put this machine's private addresses into the invitation (the default)" },
      { value: 'public', summary: "put this machine's public addresses into the invitation" },
      { value: 'this-machine', summary: 'be reached from this machine only' },
    ],
  ),
  address: list<AdvertisedAddress>(
    HOST,
    {
      key: 'address',
      summary:
        "put this address into the invitation (repeatable); with --private or --public, before the machine's own",
      example: '["chat.example.org"]',
    },
    { argument: 'host[:port]', most: LIMITS.addressesPerInvitation },
    parseAdvertised,
  ),
  uses: count(
    HOST,
    { key: 'uses', summary: 'how many may join with the first invitation' },
    { least: 1, most: LIMITS.invitationUsesMost, fallback: 16 },
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
  maxMembers: count(
    HOST,
    { key: 'max-members', summary: 'how many members the room may have' },
    { least: 2, most: LIMITS.membersMost, fallback: LIMITS.membersDefault },
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
  stay: setting<number, null>(
    HOST,
    {
      key: 'stay',
      summary: 'let messages disappear after this time, 30s to 30d; off lets them stay',
      fallbackText: 'off',
      example: '"7d"',
    },
    { kind: 'text', argument: 'duration' },
    null,
    parseStay,
  ),
  edits: flag(
    HOST,
    {
      key: 'edits',
      summary: 'let members change or take back what they said',
      offSummary: 'let nobody change or take back what was said',
    },
    true,
  ),
  readReceipts: flag(
    HOST,
    {
      key: 'read-receipts',
      summary: 'let senders be told what has been read',
      offSummary: 'let nobody be told what has been read',
    },
    true,
  ),
  chat: flag(
    HOST,
    { key: 'chat', summary: 'take part in the talk', offSummary: 'relay only: take no part in the talk' },
    true,
  ),
  qr: flag(
    HOST,
    {
      key: 'qr',
      summary: 'draw a QR code of the first invitation unasked',
      offSummary: 'draw no QR code unasked: /qr draws one',
    },
    true,
  ),

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
  passwordFile: source(JOIN, {
    key: 'password-file',
    summary: "read the password of the nickname's account from a file, or - for standard input",
    fallbackText: 'asked for',
    example: '"password.txt"',
  }),
  save: flag(
    JOIN,
    {
      key: 'save',
      summary: 'save this room, to come back with "securechat c @name"; needs --identity',
      offSummary: 'save nothing of this room',
      fallbackText: 'in a kept room, with an identity',
    },
    null,
  ),
  saveAs: setting<string, null>(
    JOIN,
    {
      key: 'save-as',
      summary: 'save this room under this name',
      fallbackText: "after the room's name",
      place: 'option',
    },
    { kind: 'text', argument: 'name' },
    null,
    checkSavedName,
  ),
  takeover: flag(
    JOIN,
    { key: 'takeover', summary: 'go on here, and end it where you are in the room already', place: 'option' },
    false,
  ),

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
  atDirect: flag(
    TERMINAL,
    { key: 'at-direct', summary: 'what begins with @nick goes to that member alone' },
    false,
  ),
  theme: choice<Preferences['theme']>(
    TERMINAL,
    { key: 'theme', summary: 'colours for any terminal, a dark or a light one' },
    'theme',
    ['auto', 'dark', 'light'],
    'auto',
  ),
  clipboard: flag(
    HOST_TERMINAL,
    {
      key: 'clipboard',
      summary: 'put new invitations on the clipboard',
      offSummary: 'leave the clipboard alone: new invitations are put there otherwise',
    },
    true,
  ),
  color: flag(
    TERMINAL,
    { key: 'color', summary: 'colour', offSummary: 'no colour', fallbackText: 'where the terminal has it' },
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
    {
      key: 'input',
      summary: 'ask for what is missing',
      offSummary: 'never ask: fail when something is missing',
      place: 'option',
    },
    true,
  ),
  pictures: choice<NonNullable<Preferences['pictures']>>(
    TERMINAL,
    { key: 'pictures', summary: 'draw pictures that you have accepted, as the terminal can, or none' },
    'how',
    ['auto', 'off'],
    'auto',
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
  ['keep-passphrase', SETTINGS.keepPassphraseFile.option],
  ['password', SETTINGS.passwordFile.option],
  ['passphrase', SETTINGS.passphraseFile.option],
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
