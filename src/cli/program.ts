/**
 * The commands and their options. Here words become checked options; what the commands do is in `app/`.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { EXIT } from '../app/exit-codes.ts';
import type { HostOptions, JoinOptions } from '../app/options.ts';
import { parseDuration } from '../protocol/duration.ts';
import { InputError } from '../protocol/errors.ts';
import { LIMITS } from '../protocol/limits.ts';
import { checkNickname } from '../protocol/nickname.ts';
import { VERSION } from '../version.ts';
import { parseAdvertised, parseCount, parseListen, parseSecretSource, parseText } from './parse.ts';
import { type HostFlags, type JoinFlags, toHostOptions, toJoinOptions } from './settings.ts';
import type { Surroundings } from './surroundings.ts';

/** What the commands start. Each resolves to the exit code. */
export interface Actions {
  host(options: HostOptions): Promise<number>;
  join(options: JoinOptions): Promise<number>;
}

const DEFAULT_LISTEN = '[::]:8888';
const DEFAULT_EXPIRY = '24h';
const DEFAULT_USES = 16;

/**
 * Runs the command that the words name.
 * @returns its exit code; wrong usage has been told on standard error.
 */
export async function execute(
  words: readonly string[],
  actions: Actions,
  surroundings: Surroundings,
): Promise<number> {
  let exitCode: number = EXIT.done;
  const program = createProgram(surroundings);
  hostCommand(program).action(async (flags: HostFlags) => {
    exitCode = await actions.host(toHostOptions(flags, surroundings));
  });
  joinCommand(program).action(async (invitation: string | undefined, flags: JoinFlags) => {
    exitCode = await actions.join(toJoinOptions(invitation, flags, surroundings));
  });
  try {
    await program.parseAsync(words, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Commander knows only 0 and 1.
    return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  }
}

function createProgram(surroundings: Surroundings): Command {
  return new Command('securechat')
    .description('A private chatroom hosted on your own machine: end-to-end encrypted, joined by invitation.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand('help [command]', "show a command's help")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => surroundings.writeOut(text),
      writeErr: (text) => surroundings.writeErr(text),
      outputError: (text, write) => write(hideInvitations(text.replace(/^error: /, 'securechat: '))),
    })
    .showHelpAfterError(
      'Run "securechat help" for the commands, "securechat help s" or "securechat help c" for the options.',
    )
    .addHelpText('before', examples('securechat s', 'securechat c'));
}

function hostCommand(program: Command): Command {
  const command = program
    .command('s')
    .aliases(['host', 'serve'])
    .summary('host a room')
    .description('Host a room on this machine and chat in it (also: securechat host, securechat serve).')
    .addHelpText(
      'before',
      examples(
        'securechat s --room Kitchen --question "Where did we meet?"',
        'securechat s --address chat.example.org --uses 3 --expires 2h',
      ),
    );
  const options = [
    option('--room <name>', "the room's name", (text) => parseText(text, LIMITS.roomNameBytes)),
    option('--question <text>', 'the security question (asked for when not given)', (text) =>
      parseText(text, LIMITS.questionBytes),
    ),
    option('--answer-file <file>', 'read its answer from a file, or - for standard input', parseSecretSource),
    option('--listen <address:port>', 'where to listen', parseListen).default(
      parseListen(DEFAULT_LISTEN),
      DEFAULT_LISTEN,
    ),
    new Option('--private', "put this machine's private addresses into the invitation (the default)"),
    new Option('--address <host[:port]>', 'put this address into the invitation instead (repeatable)')
      .default([], 'none')
      .argParser(repeatable(parseAdvertised, LIMITS.addressesPerInvitation)),
    option('--uses <n>', 'how many may join with the first invitation', (text) =>
      parseCount(text, 1, LIMITS.invitationUsesMost),
    ).default(DEFAULT_USES),
    option('--expires <duration>', 'how long the first invitation lasts, at most 30d', (text) =>
      parseDuration(text, LIMITS.invitationMsMost),
    ).default(parseDuration(DEFAULT_EXPIRY, LIMITS.invitationMsMost), DEFAULT_EXPIRY),
    option('--max-members <n>', 'how many members the room may have', (text) =>
      parseCount(text, 2, LIMITS.membersMost),
    ).default(LIMITS.membersDefault),
    new Option('--no-chat', 'relay only: take no part in the talk'),
  ];
  return addOptions(command, [...options, ...commonOptions()]);
}

function joinCommand(program: Command): Command {
  const command = program
    .command('c')
    .aliases(['join', 'client'])
    .summary('join a room')
    .description(
      'Join a room by invitation; asks for what is not given (also: securechat join, securechat client).',
    )
    .argument('[invitation]', 'the invitation; safer pasted when asked for, or read from a file')
    .addHelpText('before', examples('securechat c', 'securechat c --token-file invitation.txt --nick ann'));
  const options = [
    option(
      '--token-file <file>',
      'read the invitation from a file, or - for standard input',
      parseSecretSource,
    ),
    option('--answer-file <file>', 'read the answer from a file, or - for standard input', parseSecretSource),
    option(
      '--code-file <file>',
      'read the room code from a file, or - for standard input',
      parseSecretSource,
    ),
  ];
  return addOptions(command, [...options, ...commonOptions()]);
}

function commonOptions(): readonly Option[] {
  return [
    option('--nick <nick>', 'your nickname (asked for when not given)', checkNickname),
    new Option('--sign <algorithm>', 'what signs your messages').choices(['rsa', 'dsa']).default('rsa'),
    new Option('--json', 'one JSON object a line, for programs').conflicts('plain'),
    new Option('--plain', 'one line per event, nothing drawn again'),
    new Option('--no-color', 'no colour'),
    new Option('--no-input', 'never ask: fail when something is missing'),
    new Option('--log-file <file>', 'write the log to this file'),
    new Option('--log-level <level>', 'how much to log')
      .choices(['error', 'warn', 'info', 'debug'])
      .default('warn'),
  ];
}

function addOptions(command: Command, options: readonly Option[]): Command {
  for (const each of options) command.addOption(each);
  return command;
}

/** An invitation in the wrong place must not come back on screen, where a log may pick it up. */
function hideInvitations(text: string): string {
  return text.replaceAll(/sc1\.[^\s']*/gi, 'sc1.…');
}

function examples(...lines: readonly string[]): string {
  return ['Example:', ...lines.map((line) => `  ${line}`), ''].join('\n');
}

function option<Value>(flags: string, description: string, parse: (text: string) => Value): Option {
  return new Option(flags, description).argParser((text) => explained(() => parse(text)));
}

/** @returns a parser that collects the values of an option given several times. */
function repeatable<Value>(parse: (text: string) => Value, most: number) {
  return (text: string, previous: readonly Value[]): readonly Value[] => {
    if (previous.length === most) throw new InvalidArgumentError(`Give it ${most} times at most.`);
    return [...previous, explained(() => parse(text))];
  };
}

/** Commander prints the message of its own error class beside the option's name. */
function explained<Value>(parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (error instanceof InputError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}
