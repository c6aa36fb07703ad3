/** From the settings as they were chosen to the options that `app/` takes. */
import { WriteStream } from 'node:tty';
import type {
  CheckOptions,
  CommonOptions,
  FileOptions,
  HostOptions,
  IdentityOptions,
  IdentitySource,
  InvitationSource,
  JoinOptions,
  KeepOptions,
  RoomsAct,
  RoomsOptions,
  SecretSource,
  SendOptions,
} from '../app/options.ts';
import { checkSavedName } from '../app/saved/saved-name.ts';
import { parseDuration } from '../protocol/duration.ts';
import { InputError } from '../protocol/errors.ts';
import { parseFingerprint } from '../protocol/fingerprint.ts';
import { checkNickname } from '../protocol/nickname.ts';
import type { Prefer } from '../protocol/session-frames.ts';
import type { Choices } from './layers.ts';
import { SETTINGS } from './settings.ts';
import type { Surroundings } from './surroundings.ts';

/** @throws InputError when standard input is wanted for two things. */
export function toHostOptions(
  choices: Choices,
  surroundings: Surroundings,
  folder: string | null,
): HostOptions {
  const keep = keepOf(choices, folder);
  const answer = choices.value(SETTINGS.hostAnswerFile);
  const motd = choices.value(SETTINGS.motdFile);
  const identity = identityOf(choices);
  checkStandardInput(choices, [answer, motd, identity?.passphrase ?? null, keep?.passphrase ?? null]);
  return {
    ...toCommonOptions(choices, surroundings),
    identity,
    keep,
    files: filesOf(choices),
    prefers: prefersOf(choices),
    roomName: choices.value(SETTINGS.room),
    question: choices.value(SETTINGS.question),
    answer,
    listen: choices.value(SETTINGS.listen),
    reach: choices.value(SETTINGS.reach),
    addresses: choices.value(SETTINGS.address),
    invitationUses: choices.value(SETTINGS.uses),
    invitationMs: choices.value(SETTINGS.expires),
    membersMost: choices.value(SETTINGS.maxMembers),
    chat: choices.value(SETTINGS.chat),
    topic: choices.value(SETTINGS.topic),
    motd,
    approval: choices.value(SETTINGS.approve),
    staySeconds: choices.value(SETTINGS.stay),
    edits: choices.value(SETTINGS.edits),
    readReceipts: choices.value(SETTINGS.readReceipts),
    qr: choices.value(SETTINGS.qr),
    clipboard: choices.value(SETTINGS.clipboard),
  };
}

/**
 * Warns when the invitation itself stood on the command line.
 * @throws InputError when standard input is wanted for two things, two invitations are given, or the nickname is the host's.
 */
export function toJoinOptions(
  invitation: string | undefined,
  choices: Choices,
  surroundings: Surroundings,
  dataFolder: string | null,
): JoinOptions {
  const saved = savedOf(invitation, choices);
  const answer = choices.value(SETTINGS.joinAnswerFile);
  const code = choices.value(SETTINGS.codeFile);
  const password = choices.value(SETTINGS.passwordFile);
  const source = saved === null ? invitationSource(invitation, choices, surroundings) : null;
  const identity = identityOf(choices, saved !== null);
  const passphrase = choices.value(SETTINGS.passphraseFile);
  checkStandardInput(choices, [source, answer, code, password, passphrase]);
  const common = toCommonOptions(choices, surroundings);
  if (common.nick !== null) checkNickname(common.nick);
  return {
    ...common,
    ...{ identity, invitation: source, answer, code, password, passphrase, dataFolder },
    files: filesOf(choices),
    prefers: prefersOf(choices),
    identityByOption: choices.given(SETTINGS.identity)?.origin.kind === 'option',
    ...saveOf(choices, identity !== null || saved !== null),
    saved,
    takeover: takeoverOf(choices, saved),
  };
}

/** @throws InputError when a room is named that is saved already, and with it how to come into one that is not. */
function savedOf(invitation: string | undefined, choices: Choices): string | null {
  if (invitation?.startsWith('@') !== true) return null;
  const saved = checkSavedName(invitation);
  for (const setting of [SETTINGS.tokenFile, SETTINGS.saveAs])
    if (choices.given(setting)?.origin.kind === 'option')
      throw new InputError(
        'conflict',
        `--${setting.key} cannot be used with @${saved}, which is saved already.`,
      );
  return saved;
}

/** @throws InputError when a room is to be saved and not, or without an identity to open it with. */
function saveOf(choices: Choices, hasIdentity: boolean): Pick<JoinOptions, 'save' | 'saveAs'> {
  const saveAs = choices.value(SETTINGS.saveAs);
  const save = choices.value(SETTINGS.save);
  const given = choices.given(SETTINGS.save)?.origin.kind === 'option';
  if (saveAs !== null && save === false && given)
    throw new InputError('conflict', '--save-as cannot be used with --no-save.');
  if (!hasIdentity && (saveAs !== null || (save === true && given)))
    throw new InputError('usage', 'A saved room is opened by an identity: give --identity as well.');
  return { save: saveAs === null ? save : true, saveAs };
}

/** @throws InputError when nobody says which room. */
function takeoverOf(choices: Choices, saved: string | null): boolean {
  const takeover = choices.value(SETTINGS.takeover);
  if (takeover && saved === null)
    throw new InputError('usage', '--takeover is of a saved room: securechat c @name --takeover');
  return takeover;
}

/** How long `securechat send` waits for somebody to take anything. */
const SEND_WAIT_MS = 10 * 60_000;
const SEND_WAIT_MS_MOST = 7 * 24 * 60 * 60_000;

/** @throws InputError when there is nothing to send, or not one room to send it to. */
export function toSendOptions(
  { words, to, wait }: SendWords,
  choices: Choices,
  surroundings: Surroundings,
  dataFolder: string | null,
): SendOptions {
  const [room, another] = words.filter((word) => word.startsWith('@'));
  const usage = 'It goes: securechat send PATH... --to NICK @ROOM';
  if (room === undefined) throw new InputError('usage', `Into which saved room? ${usage}`);
  if (another !== undefined)
    throw new InputError('usage', `One room at a time; a file called ${another} is written ./${another}`);
  const paths = words.filter((word) => !word.startsWith('@'));
  if (paths.length === 0) throw new InputError('usage', `There is nothing to send. ${usage}`);
  const passphrase = choices.value(SETTINGS.passphraseFile);
  checkStandardInput(choices, [passphrase]);
  return {
    ...toCommonOptions(choices, surroundings),
    ...{ paths, to, passphrase, dataFolder },
    saved: checkSavedName(room),
    waitMs: wait === null ? SEND_WAIT_MS : parseDuration(wait, SEND_WAIT_MS_MOST),
    identity: identityOf(choices, true),
    identityByOption: choices.given(SETTINGS.identity)?.origin.kind === 'option',
    takeover: choices.value(SETTINGS.takeover),
    files: filesOf(choices),
    prefers: prefersOf(choices),
  };
}

interface SendWords {
  /** Paths, and `@room` among them. */
  readonly words: readonly string[];
  readonly to: string | null;
  readonly wait: string | null;
}

/** @throws InputError when standard input is wanted for two things. */
export function toIdentityOptions(
  what: IdentityOptions['what'],
  path: string,
  choices: Choices,
  surroundings: Surroundings,
): IdentityOptions {
  const passphrase = choices.value(SETTINGS.passphraseFile);
  checkStandardInput(choices, [passphrase]);
  return { ...toCommonOptions(choices, surroundings), what, identity: { path, passphrase } };
}

/** @throws InputError when a fingerprint is none. */
export function toCheckOptions(
  file: string,
  known: { readonly owner: string | null; readonly signer: string | null },
  choices: Choices,
  surroundings: Surroundings,
): CheckOptions {
  const owner = known.owner === null ? null : parseFingerprint(known.owner);
  const signer = known.signer === null ? null : parseFingerprint(known.signer);
  return { ...toCommonOptions(choices, surroundings), file, owner, signer };
}

/** @throws InputError when what is to be done needs another number of words. */
export function toRoomsOptions(
  { isSure, ...words }: RoomsWords & { readonly isSure: boolean },
  choices: Choices,
  surroundings: Surroundings,
  folder: string | null,
): RoomsOptions {
  const common = toCommonOptions(choices, surroundings);
  const canConfirm = surroundings.stdinIsTerminal && common.mayAsk && common.display !== 'json';
  return { ...common, act: roomsAct(words), folder, isSure, canConfirm };
}

interface RoomsWords {
  readonly what: RoomsAct['what'];
  readonly first: string | undefined;
  readonly second: string | undefined;
}

const ROOMS_USAGE: Readonly<Record<RoomsAct['what'], string>> = {
  list: 'rooms list',
  rename: 'rooms rename NAME NEW',
  export: 'rooms export NAME FILE',
  delete: 'rooms delete NAME',
  backup: 'rooms backup NAME FILE',
  restore: 'rooms restore FILE [NAME]',
};

function roomsAct({ what, first, second }: RoomsWords): RoomsAct {
  if (what === 'list' && first === undefined) return { what };
  if (what === 'delete' && first !== undefined && second === undefined) return { what, name: first };
  if (what === 'restore' && first !== undefined) return { what, file: first, name: second ?? null };
  if (first !== undefined && second !== undefined) {
    if (what === 'rename') return { what, name: first, to: second };
    if (what === 'export' || what === 'backup') return { what, name: first, file: second };
  }
  throw new InputError('usage', `It goes: securechat ${ROOMS_USAGE[what]}`);
}

/** @throws InputError when a passphrase is given for no room. */
function keepOf(choices: Choices, folder: string | null): KeepOptions | null {
  const name = choices.value(SETTINGS.keep);
  const passphrase = choices.value(SETTINGS.keepPassphraseFile);
  if (name !== null) return { name: name === '' ? null : name, passphrase, folder };
  if (choices.given(SETTINGS.keepPassphraseFile)?.origin.kind === 'option')
    throw new InputError('usage', '--keep-passphrase-file is of a kept room: give --keep as well.');
  return null;
}

/**
 * @param namedElsewhere a saved room says which file it is
 * @throws InputError when a passphrase is given for no file.
 */
function identityOf(choices: Choices, namedElsewhere = false): IdentitySource | null {
  const path = choices.value(SETTINGS.identity);
  const passphrase = choices.value(SETTINGS.passphraseFile);
  if (path !== null) return { path, passphrase };
  if (!namedElsewhere && choices.given(SETTINGS.passphraseFile)?.origin.kind === 'option')
    throw new InputError('usage', '--passphrase-file is of an identity: give --identity as well.');
  return null;
}

/** Nothing is taken unasked that is larger than what is taken at all. */
function filesOf(choices: Choices): FileOptions {
  const most = choices.value(SETTINGS.maxFile);
  const autoAccept = choices
    .value(SETTINGS.autoAccept)
    .map(({ from, maxBytes }) => ({ from, maxBytes: Math.min(maxBytes, most) }));
  return { downloads: choices.value(SETTINGS.downloads), maxBytes: most, autoAccept };
}

function prefersOf(choices: Choices): Prefer {
  const lastSeen = choices.value(SETTINGS.lastSeen);
  return { stays: false, receipts: choices.value(SETTINGS.receipts), lastSeen };
}

function toCommonOptions(choices: Choices, surroundings: Surroundings): CommonOptions {
  const { stdoutIsTerminal } = surroundings;
  // Whoever asks for plain lines wants no colour codes read out, unless they ask for those as well.
  const suitsColor = stdoutIsTerminal && !isDumb(surroundings) && !choices.value(SETTINGS.plain);
  return {
    nick: choices.value(SETTINGS.nick),
    signing: choices.given(SETTINGS.sign) === null ? null : choices.value(SETTINGS.sign),
    display: displayOf(choices, surroundings),
    color: choices.value(SETTINGS.color) ?? suitsColor,
    colors: colorsOf(surroundings),
    preferences: {
      timestamps: choices.value(SETTINGS.timestamps),
      quiet: choices.value(SETTINGS.quiet),
      bell: choices.value(SETTINGS.bell),
      notify: choices.value(SETTINGS.notify),
      atDirect: choices.value(SETTINGS.atDirect),
      theme: choices.value(SETTINGS.theme),
      pictures: choices.value(SETTINGS.pictures),
    },
    mayAsk: choices.value(SETTINGS.input),
    logFile: choices.value(SETTINGS.logFile),
    logLevel: choices.value(SETTINGS.logLevel),
  };
}

/** @throws InputError when both were asked for by option; an option that asks for one is stronger than a file. */
function displayOf(choices: Choices, surroundings: Surroundings): CommonOptions['display'] {
  const plain = choices.value(SETTINGS.plain);
  if (choices.value(SETTINGS.json)) {
    if (plain && choices.given(SETTINGS.plain)?.origin.kind === 'option') {
      throw new InputError('conflict', '--json cannot be used with --plain.');
    }
    return 'json';
  }
  const canRedraw = surroundings.stdinIsTerminal && surroundings.stdoutIsTerminal && !isDumb(surroundings);
  return plain || !canRedraw ? 'plain' : 'terminal';
}

function isDumb(surroundings: Surroundings): boolean {
  return surroundings.env['TERM'] === 'dumb';
}

/** Node knows terminals by their variables, but for those whose name says it. */
function colorsOf({ env }: Surroundings): CommonOptions['colors'] {
  const named = env['TERM']?.includes('256color') ?? false;
  // Asking with NO_COLOR and FORCE_COLOR both set would print a warning; which of them counts is decided elsewhere.
  const { NO_COLOR, NODE_DISABLE_COLORS, ...rest } = env;
  return named || WriteStream.prototype.getColorDepth(rest) >= 8 ? 256 : 16;
}

/** An option that is given twice, or a secret and commands, cannot share one input. */
function checkStandardInput(choices: Choices, sources: readonly (InvitationSource | null)[]): void {
  const readers = sources.filter((source) => source?.kind === 'standardInput').length;
  if (readers > 1) {
    throw new InputError(
      'standard-input-taken',
      'Only one secret can come from standard input: give files for the others.',
    );
  }
  if (readers === 1 && choices.value(SETTINGS.json)) {
    throw new InputError(
      'standard-input-taken',
      'With --json, standard input carries commands: give a file instead of -, or answer the prompt event.',
    );
  }
}

/** An invitation as an argument is stronger than a file named in a weaker place, but not than `--token-file`. */
function invitationSource(
  invitation: string | undefined,
  choices: Choices,
  surroundings: Surroundings,
): InvitationSource | null {
  const file: SecretSource | null = choices.value(SETTINGS.tokenFile);
  if (invitation === undefined) return file;
  if (choices.given(SETTINGS.tokenFile)?.origin.kind === 'option') {
    throw new InputError('two-invitations', 'Give the invitation once: as an argument or with --token-file.');
  }
  surroundings.writeErr(
    'securechat: warning: an invitation on the command line can be seen in the process list and the shell history; ' +
      'next time paste it when asked, or use --token-file.\n',
  );
  return { kind: 'text', text: invitation };
}
