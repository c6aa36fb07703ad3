/**
 * From commander's flags to the options that `app/` takes.
 */
import type {
  AdvertisedAddress,
  CommonOptions,
  HostOptions,
  InvitationSource,
  JoinOptions,
  ListenAddress,
  LogLevel,
  SecretSource,
  SigningAlgorithm,
} from '../app/options.ts';
import { InputError } from '../protocol/errors.ts';
import type { Nickname } from '../protocol/nickname.ts';
import type { Surroundings } from './surroundings.ts';

interface CommonFlags {
  readonly nick?: Nickname;
  readonly sign: SigningAlgorithm;
  readonly json?: true;
  readonly plain?: true;
  readonly color: boolean;
  readonly input: boolean;
  readonly logFile?: string;
  readonly logLevel: LogLevel;
}

export interface HostFlags extends CommonFlags {
  readonly room?: string;
  readonly question?: string;
  readonly answerFile?: SecretSource;
  readonly listen: ListenAddress;
  readonly address: readonly AdvertisedAddress[];
  readonly uses: number;
  readonly expires: number;
  readonly maxMembers: number;
  readonly chat: boolean;
}

export interface JoinFlags extends CommonFlags {
  readonly tokenFile?: SecretSource;
  readonly answerFile?: SecretSource;
  readonly codeFile?: SecretSource;
}

/** @throws InputError when standard input is wanted for two things. */
export function toHostOptions(flags: HostFlags, surroundings: Surroundings): HostOptions {
  checkStandardInput(flags, [flags.answerFile]);
  return {
    ...toCommonOptions(flags, surroundings),
    roomName: flags.room ?? null,
    question: flags.question ?? null,
    answer: flags.answerFile ?? null,
    listen: flags.listen,
    addresses: flags.address,
    invitationUses: flags.uses,
    invitationMs: flags.expires,
    membersMost: flags.maxMembers,
    chat: flags.chat,
    reach: null,
    topic: null,
    motd: null,
    approval: false,
    qr: true,
  };
}

/**
 * Warns when the invitation itself stood on the command line.
 * @throws InputError when standard input is wanted for two things, or two invitations are given.
 */
export function toJoinOptions(
  invitation: string | undefined,
  flags: JoinFlags,
  surroundings: Surroundings,
): JoinOptions {
  checkStandardInput(flags, [flags.tokenFile, flags.answerFile, flags.codeFile]);
  return {
    ...toCommonOptions(flags, surroundings),
    invitation: invitationSource(invitation, flags.tokenFile, surroundings),
    answer: flags.answerFile ?? null,
    code: flags.codeFile ?? null,
  };
}

function toCommonOptions(flags: CommonFlags, surroundings: Surroundings): CommonOptions {
  return {
    nick: flags.nick ?? null,
    signing: flags.sign,
    display: displayOf(flags, surroundings),
    color: flags.color && wantsColor(surroundings),
    colors: 16,
    preferences: { timestamps: 'minutes', quiet: false, bell: 'on', notify: false, theme: 'auto' },
    mayAsk: flags.input,
    logFile: flags.logFile ?? null,
    logLevel: flags.logLevel,
  };
}

function displayOf(flags: CommonFlags, surroundings: Surroundings): CommonOptions['display'] {
  if (flags.json) return 'json';
  const canRedraw = surroundings.stdinIsTerminal && surroundings.stdoutIsTerminal && !isDumb(surroundings);
  return flags.plain || !canRedraw ? 'plain' : 'terminal';
}

/** @see https://no-color.org and https://force-color.org: an empty value counts as unset. */
function wantsColor(surroundings: Surroundings): boolean {
  if (surroundings.env['NO_COLOR']) return false;
  if (surroundings.env['FORCE_COLOR']) return true;
  return surroundings.stdoutIsTerminal && !isDumb(surroundings);
}

function isDumb(surroundings: Surroundings): boolean {
  return surroundings.env['TERM'] === 'dumb';
}

function checkStandardInput(flags: CommonFlags, sources: readonly (SecretSource | undefined)[]): void {
  const readers = sources.filter((source) => source?.kind === 'standardInput').length;
  if (readers > 1) {
    throw new InputError(
      'standard-input-taken',
      'Only one secret can come from standard input: give files for the others.',
    );
  }
  if (readers === 1 && flags.json) {
    throw new InputError(
      'standard-input-taken',
      'With --json, standard input carries commands: give a file instead of -, or answer the prompt event.',
    );
  }
}

function invitationSource(
  invitation: string | undefined,
  tokenFile: SecretSource | undefined,
  surroundings: Surroundings,
): InvitationSource | null {
  if (invitation === undefined) return tokenFile ?? null;
  if (tokenFile !== undefined) {
    throw new InputError('two-invitations', 'Give the invitation once: as an argument or with --token-file.');
  }
  surroundings.writeErr(
    'securechat: warning: an invitation on the command line can be seen in the process list and the shell history; ' +
      'next time paste it when asked, or use --token-file.\n',
  );
  return { kind: 'text', text: invitation };
}
