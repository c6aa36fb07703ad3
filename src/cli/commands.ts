/** The program's commands as data: the command line, the completions and the manual are made from it. */
import type { Setting } from './setting.ts';
import { ALL_SETTINGS, settingsOf } from './settings.ts';

/** An option that is no setting: it says what one command should do. */
interface Switch {
  /** Without the dashes. */
  readonly name: string;
  readonly summary: string;
}

export interface CommandEntry {
  readonly name: string;
  readonly aliases: readonly string[];
  /** A few words, for lists. */
  readonly summary: string;
  readonly description: string;
  readonly examples: readonly string[];
  readonly argument: {
    /** As usage shows it: `[invitation]`, `<shell>`. */
    readonly usage: string;
    readonly summary: string;
    /** Empty: anything. */
    readonly choices: readonly string[];
  } | null;
  readonly switches: readonly Switch[];
  readonly settings: readonly Setting[];
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export const HOST: CommandEntry = {
  name: 's',
  aliases: ['host', 'serve'],
  summary: 'host a room',
  description: 'Host a room on this machine and chat in it.',
  examples: [
    'securechat s --room Kitchen --question "Where did we meet?"',
    'securechat s --address chat.example.org --uses 3 --expires 2h',
  ],
  argument: null,
  switches: [],
  settings: settingsOf('host'),
};

export const JOIN: CommandEntry = {
  name: 'c',
  aliases: ['join', 'client'],
  summary: 'join a room',
  description: 'Join a room by invitation; asks for what is not given.',
  examples: ['securechat c', 'securechat c --token-file invitation.txt --nick ann'],
  argument: {
    usage: '[invitation]',
    summary: 'the invitation; safer pasted when asked for, or read from a file',
    choices: [],
  },
  switches: [],
  settings: settingsOf('join'),
};

export const CONFIG: CommandEntry = {
  name: 'config',
  aliases: [],
  summary: 'show the settings and where each comes from',
  description:
    'Show each setting, its value and where that comes from; options given with it count. ' +
    '"securechat config init" writes a sample file, with every line commented out, where there is none.',
  examples: ['securechat config', 'securechat config init'],
  argument: { usage: '[init]', summary: 'write a sample configuration file', choices: ['init'] },
  switches: [
    { name: 'path', summary: 'print where the configuration file lies, and nothing else' },
    { name: 'json', summary: 'print one JSON object' },
  ],
  settings: ALL_SETTINGS.filter(({ place }) => place !== 'option'),
};

export const COMPLETION: CommandEntry = {
  name: 'completion',
  aliases: [],
  summary: 'print a completion script for a shell',
  description: 'Print the script by which a shell completes commands, options and file names.',
  examples: [
    'securechat completion bash > ~/.local/share/bash-completion/completions/securechat',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's.
    'securechat completion zsh > "${fpath[1]}/_securechat"',
    'securechat completion fish > ~/.config/fish/completions/securechat.fish',
  ],
  argument: { usage: '<shell>', summary: SHELLS.join(', '), choices: SHELLS },
  switches: [],
  settings: [],
};

export const MANUAL: CommandEntry = {
  name: 'manual',
  aliases: [],
  summary: 'print the manual page',
  description: 'Print the manual page, for man or a file.',
  examples: ['securechat manual | man -l -'],
  argument: null,
  switches: [],
  settings: [],
};

const EXPLAINED: readonly CommandEntry[] = [HOST, JOIN, CONFIG, COMPLETION, MANUAL];

export const HELP: CommandEntry = {
  name: 'help',
  aliases: [],
  summary: "show a command's help",
  description: 'Show the help of the program, or of a command.',
  examples: ['securechat help s'],
  argument: {
    usage: '[command]',
    summary: 'one of the commands',
    choices: EXPLAINED.flatMap(({ name, aliases }) => [name, ...aliases]),
  },
  switches: [],
  settings: [],
};

export const ALL_COMMANDS: readonly CommandEntry[] = [...EXPLAINED, HELP];
