/**
 * The command line: words become settings, and settings the options that `app/` takes. What the commands do is
 * elsewhere. The one file that knows commander.
 */
import { Argument, Command, CommanderError, Option } from 'commander';
import { EXIT } from '../app/exit-codes.ts';
import type {
  CheckOptions,
  HostOptions,
  IdentityOptions,
  JoinOptions,
  RoomsAct,
  RoomsOptions,
  SendOptions,
} from '../app/options.ts';
import { cleanText } from '../protocol/clean-text.ts';
import { InputError } from '../protocol/errors.ts';
import { nearestWord } from '../protocol/nearest-word.ts';
import { VERSION } from '../version.ts';
import { choose } from './choose.ts';
import {
  ALL_COMMANDS,
  CHECK,
  COMPLETION,
  CONFIG,
  type CommandEntry,
  HELP,
  HOST,
  IDENTITY,
  JOIN,
  MANUAL,
  ROOMS,
  SEND,
  type Shell,
} from './commands.ts';
import type { Given, Layer } from './layers.ts';
import { type OptionEntry, optionsOf } from './option-entries.ts';
import type { Section, Setting } from './setting.ts';
import type { Surroundings } from './surroundings.ts';
import {
  toCheckOptions,
  toHostOptions,
  toIdentityOptions,
  toJoinOptions,
  toRoomsOptions,
  toSendOptions,
} from './to-options.ts';

/** What the commands start. Each resolves to the exit code. */
export interface Actions {
  host(options: HostOptions): Promise<number>;
  join(options: JoinOptions): Promise<number>;
  send(options: SendOptions): Promise<number>;
  identity(options: IdentityOptions): Promise<number>;
  rooms(options: RoomsOptions): Promise<number>;
  check(options: CheckOptions): Promise<number>;
}

/** What commander collects of the options that are settings, by its name for each. */
type Flags = Readonly<Record<string, readonly string[] | boolean | undefined>>;

const HEADINGS: Readonly<Record<Section, string>> = {
  general: 'Options:',
  host: 'Room:',
  join: 'Joining:',
  terminal: 'Screen:',
  log: 'Log:',
};

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
  addCommand(program, HOST).action(async (flags: Flags) => {
    const { choices } = await choose(optionLayer(HOST, flags), surroundings);
    exitCode = await actions.host(toHostOptions(choices, surroundings, await surroundings.dataFolder()));
  });
  addCommand(program, JOIN).action(async (invitation: string | undefined, flags: Flags) => {
    const { choices } = await choose(optionLayer(JOIN, flags), surroundings);
    exitCode = await actions.join(
      toJoinOptions(invitation, choices, surroundings, await surroundings.dataFolder()),
    );
  });
  addCommand(program, SEND).action(async (words: readonly string[], flags: Flags) => {
    const { choices } = await choose(optionLayer(SEND, flags), surroundings);
    const asked = { words, to: given(flags, 'to'), wait: given(flags, 'wait') };
    exitCode = await actions.send(
      toSendOptions(asked, choices, surroundings, await surroundings.dataFolder()),
    );
  });
  addCommand(program, IDENTITY).action(async (what: IdentityOptions['what'], path: string, flags: Flags) => {
    const { choices } = await choose(optionLayer(IDENTITY, flags), surroundings);
    exitCode = await actions.identity(toIdentityOptions(what, path, choices, surroundings));
  });
  addCommand(program, ROOMS).action(
    async (
      what: RoomsAct['what'] | undefined,
      first: string | undefined,
      second: string | undefined,
      flags: Flags,
    ) => {
      const { choices } = await choose(optionLayer(ROOMS, flags), surroundings);
      const words = { what: what ?? 'list', first, second, isSure: flags['yes'] === true };
      const folder = await surroundings.dataFolder();
      exitCode = await actions.rooms(toRoomsOptions(words, choices, surroundings, folder));
    },
  );
  addCommand(program, CHECK).action(async (file: string, flags: Flags) => {
    const { choices } = await choose(optionLayer(CHECK, flags), surroundings);
    const known = { owner: given(flags, 'owner'), signer: given(flags, 'signer') };
    exitCode = await actions.check(toCheckOptions(file, known, choices, surroundings));
  });
  addCommand(program, CONFIG).action(async (what: 'init' | undefined, flags: Flags) => {
    const { runConfig } = await import('./config-command.ts');
    const asked = what ?? (flags['path'] === true ? 'path' : flags['json'] === true ? 'json' : 'text');
    await runConfig(asked, optionLayer(CONFIG, flags), surroundings);
  });
  addCommand(program, COMPLETION).action(async (shell: Shell) => {
    surroundings.writeOut((await import('./completion/script.ts')).completionScript(shell));
  });
  addCommand(program, MANUAL).action(async () => {
    surroundings.writeOut((await import('./manual.ts')).manualPage());
  });
  addCommand(program, HELP).action((name: string | undefined) => showHelp(program, name));
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
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => surroundings.writeOut(text),
      writeErr: (text) => surroundings.writeErr(text),
      outputError: (text, write) =>
        write(cleanText(hideInvitations(text.replace(/^error: /, 'securechat: ')), { multiline: true })),
    })
    .showHelpAfterError(
      'Run "securechat help" for the commands, "securechat help s" or "securechat help c" for their options.',
    )
    .addHelpText('before', examples(ALL_COMMANDS.slice(0, 2).map(({ name }) => `securechat ${name}`)))
    .addHelpText(
      'after',
      '\nIn a room, /help lists what can be typed. "securechat manual | man -l -" tells all.',
    );
}

/** @param name of a command, or an alias of one */
function showHelp(program: Command, name: string | undefined): void {
  const command = program.commands.find(
    (each) => name !== undefined && [each.name(), ...each.aliases()].includes(name),
  );
  (command ?? program).outputHelp();
}

function addCommand(program: Command, entry: CommandEntry): Command {
  const also = entry.aliases.map((alias) => `securechat ${alias}`).join(', ');
  const command = program
    .command(entry.name)
    .aliases(entry.aliases)
    .summary(entry.summary)
    .description(also === '' ? entry.description : `${entry.description} Also: ${also}.`)
    .addHelpText('before', examples(entry.examples))
    .showHelpAfterError(`Run "securechat help ${entry.name}" for what it takes.`);
  for (const { usage, summary, values } of entry.arguments) {
    const argument = new Argument(usage, summary);
    command.addArgument(
      typeof values === 'string' ? argument : argument.argParser((text) => chosenWord(text, values)),
    );
  }
  for (const { name, summary, argument } of entry.switches) {
    const option = new Option(`--${name}${argument === undefined ? '' : ` <${argument}>`}`, summary);
    command.addOption(argument === undefined ? option : option.argParser(all));
  }
  const given = new Set(entry.switches.map(({ name }) => name));
  for (const option of entry.settings.flatMap(optionsOf)) {
    // Two settings of two commands may have one option: the command that has both takes it once.
    if (given.has(option.name)) continue;
    given.add(option.name);
    command.addOption(commanderOption(option));
  }
  if (entry.settings.some(({ form }) => form.kind === 'flag')) {
    command.addHelpText(
      'after',
      '\nYes-or-no options have an opposite: --no-quiet, --chat. What you always want goes into a file: securechat config.',
    );
  }
  return command;
}

/** @throws InputError naming the choices, and the nearest of them */
function chosenWord(text: string, choices: readonly string[]): string {
  if (choices.includes(text)) return text;
  const nearest = nearestWord(text, choices);
  const hint = nearest === null ? '.' : `; did you mean ${nearest}?`;
  throw new InputError('usage', `"${hideInvitations(text)}" is none of ${choices.join(', ')}${hint}`);
}

function commanderOption({ name, argument, summary, hidden, isOptional, setting }: OptionEntry): Option {
  const value = argument === null ? '' : isOptional ? ` [${argument}]` : ` <${argument}>`;
  const option = new Option(`--${name}${value}`, summary);
  if (argument !== null) {
    // What they may be, and how many, is the setting's to say.
    option.argParser(all);
  }
  return option.hideHelp(hidden).helpGroup(HEADINGS[setting.section]);
}

/** Of an option that is given several times, all are kept. */
function all(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** @throws InputError when an option that is no setting is given twice */
function given(flags: Flags, name: string): string | null {
  const texts = flags[name];
  if (!Array.isArray(texts)) return null;
  const [text, ...more]: readonly string[] = texts;
  if (more.length > 0) throw new InputError('usage', `--${name} is given twice.`);
  return text ?? null;
}

/** @throws InputError when options were given that say two things. */
function optionLayer({ settings }: CommandEntry, flags: Flags): Layer {
  const layer = new Map<Setting, Given>();
  for (const setting of settings) {
    const used = optionsOf(setting).flatMap((entry) => {
      const value = flags[commanderOption(entry).attributeName()];
      // For `--name` and `--no-name`, commander keeps the last of them under one name.
      if (typeof value === 'boolean') {
        if (entry.isOptional) return [{ name: entry.name, texts: [''] }];
        const meant = setting.form.kind !== 'flag' || String(value) === entry.gives;
        return meant ? [{ name: entry.name, texts: [entry.gives] }] : [];
      }
      return value === undefined ? [] : [{ name: entry.name, texts: value }];
    });
    const [first, second] = used;
    if (first !== undefined && second !== undefined) {
      throw new InputError('conflict', `--${first.name} cannot be used with --${second.name}.`);
    }
    if (first !== undefined) {
      layer.set(setting, { texts: first.texts, origin: { kind: 'option', name: `--${first.name}` } });
    }
  }
  return layer;
}

/** An invitation in the wrong place must not come back on screen, where a log may pick it up. */
function hideInvitations(text: string): string {
  return text.replaceAll(/sc1\.[^\s']*/gi, 'sc1.…');
}

function examples(lines: readonly string[]): string {
  return ['Example:', ...lines.map((line) => `  ${line}`), ''].join('\n');
}
