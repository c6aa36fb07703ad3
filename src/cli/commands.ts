/** The program's commands as data: the command line, the completions and the manual are made from it. */
import type { IdentityOptions, RoomsAct } from '../app/options.ts';
import type { Setting } from './setting.ts';
import { ALL_SETTINGS, SETTINGS, settingsOf } from './settings.ts';

/** An option that is no setting: it says what one command should do. */
interface Switch {
  /** Without the dashes. */
  readonly name: string;
  readonly summary: string;
  /** What follows it, as help shows it; not given: nothing does. */
  readonly argument?: string;
}

interface ArgumentEntry {
  /** As usage shows it: `[invitation]`, `<shell>`. */
  readonly usage: string;
  readonly summary: string;
  /** Words to choose from, a file's name, or something that only the person knows. */
  readonly values: readonly string[] | 'file' | 'anything';
  /** Several of them: only the last one can be so. */
  readonly isRepeated?: boolean;
}

export interface CommandEntry {
  readonly name: string;
  readonly aliases: readonly string[];
  /** A few words, for lists. */
  readonly summary: string;
  readonly description: string;
  readonly examples: readonly string[];
  /** In their order. */
  readonly arguments: readonly ArgumentEntry[];
  readonly switches: readonly Switch[];
  readonly settings: readonly Setting[];
}

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

const ROOMS_ACTS: readonly RoomsAct['what'][] = ['list', 'rename', 'export', 'delete', 'backup', 'restore'];

const IDENTITY_ACTS: readonly IdentityOptions['what'][] = ['new', 'show', 'passwd'];

export const HOST: CommandEntry = {
  name: 's',
  aliases: ['host', 'serve'],
  summary: 'host a room',
  description: 'Host a room on this machine and chat in it.',
  examples: [
    'securechat s --room Kitchen --question "Where did we meet?"',
    'securechat s --address chat.example.org --uses 3 --expires 2h',
  ],
  arguments: [],
  switches: [],
  settings: settingsOf('host'),
};

export const JOIN: CommandEntry = {
  name: 'c',
  aliases: ['join', 'client'],
  summary: 'join a room',
  description: 'Join a room by invitation, or come back to a saved one; asks for what is not given.',
  examples: ['securechat c', 'securechat c --token-file invitation.txt --nick ann', 'securechat c @kitchen'],
  arguments: [
    {
      usage: '[invitation]',
      summary: 'the invitation; safer pasted when asked for, or read from a file; or @name of a saved room',
      values: 'anything',
    },
  ],
  switches: [],
  settings: settingsOf('join'),
};

export const SEND: CommandEntry = {
  name: 'send',
  aliases: [],
  summary: 'send files into a saved room',
  description:
    'Send files and folders into a room that is saved ("securechat c --save"), to one member, a conversation or everyone, and ' +
    'wait until they have them. It says and shows nothing else there, and what is said meanwhile is there when you come back. ' +
    'It exits with 0 once each is with somebody and all have decided, with 4 where it was declined, with 3 where nobody took it.',
  examples: [
    'securechat send report.pdf photos --to ann @kitchen',
    'securechat send backup.tar --to bob --wait 2h --passphrase-file passphrase.txt @kitchen',
  ],
  arguments: [
    {
      usage: '<path|@room...>',
      summary: 'files and folders, and @name of the saved room; a file called @name is ./@name',
      values: 'file',
      isRepeated: true,
    },
  ],
  switches: [
    {
      name: 'to',
      argument: 'nick|conversation',
      summary: 'whom it is for; everyone in the room when not given',
    },
    {
      name: 'wait',
      argument: 'duration',
      summary: 'give up when nothing has moved for so long, at most 7d (default: 10m)',
    },
  ],
  settings: [
    SETTINGS.identity,
    SETTINGS.passphraseFile,
    SETTINGS.takeover,
    SETTINGS.maxFile,
    SETTINGS.lastSeen,
    SETTINGS.receipts,
    SETTINGS.color,
    SETTINGS.plain,
    SETTINGS.json,
    SETTINGS.input,
    SETTINGS.config,
    SETTINGS.logFile,
    SETTINGS.logLevel,
  ],
};

export const IDENTITY: CommandEntry = {
  name: 'identity',
  aliases: [],
  summary: 'keep an identity in a file',
  description:
    'Make a file that keeps an identity, with which you are the same member again (--identity); show whose it is; ' +
    'change its passphrase. The file is PKCS#8 as PEM, which openssl opens.',
  examples: ['securechat identity new ann.pem', 'securechat c --identity ann.pem'],
  arguments: [
    {
      usage: '<what>',
      summary: IDENTITY_ACTS.join(', '),
      values: IDENTITY_ACTS,
    },
    { usage: '<file>', summary: 'the file', values: 'file' },
  ],
  switches: [],
  settings: [
    SETTINGS.sign,
    SETTINGS.passphraseFile,
    SETTINGS.color,
    SETTINGS.json,
    SETTINGS.input,
    SETTINGS.config,
  ],
};

export const ROOMS: CommandEntry = {
  name: 'rooms',
  aliases: [],
  summary: 'list kept rooms, back them up, rename or delete them',
  description:
    'List the rooms that are kept on this machine (securechat s --keep); rename NAME NEW, or delete NAME; export NAME FILE ' +
    'writes down what a room holds, as JSON without secrets; backup NAME FILE copies it, also while it is open; restore ' +
    'FILE [NAME] makes a room of such a copy. No passphrase is needed.',
  examples: ['securechat rooms', 'securechat rooms backup kitchen kitchen.backup'],
  arguments: [
    { usage: '[what]', summary: `${ROOMS_ACTS.join(', ')}; list when not given`, values: ROOMS_ACTS },
    { usage: '[name]', summary: 'the name a room is kept by; of restore, the file', values: 'anything' },
    {
      usage: '[file]',
      summary: 'a file, which must not be there; of rename and restore, a name',
      values: 'file',
    },
  ],
  switches: [{ name: 'yes', summary: 'delete without asking' }],
  settings: [SETTINGS.color, SETTINGS.json, SETTINGS.input, SETTINGS.config],
};

export const CHECK: CommandEntry = {
  name: 'check',
  aliases: [],
  summary: 'check a proof of what a member said',
  description:
    'Check a file that /proof wrote in a room: who signed which text, as a member under which name. Nothing but the file is ' +
    'needed, neither the room nor a network. It exits with 0 where all of it holds, and with 5 where a check fails.',
  examples: ['securechat check proof.txt', 'securechat check proof.txt --owner "3fa9 01c4 ..."'],
  arguments: [{ usage: '<file>', summary: 'the file', values: 'file' }],
  switches: [
    { name: 'owner', argument: 'fingerprint', summary: "the room's owner must have this fingerprint" },
    { name: 'signer', argument: 'fingerprint', summary: 'the signer must have this fingerprint' },
  ],
  settings: [SETTINGS.color, SETTINGS.json, SETTINGS.config],
};

export const CONFIG: CommandEntry = {
  name: 'config',
  aliases: [],
  summary: 'show the settings and where each comes from',
  description:
    'Show each setting, its value and where that comes from; options given with it count. ' +
    '"securechat config init" writes a sample file, with every line commented out, where there is none.',
  examples: ['securechat config', 'securechat config init'],
  arguments: [{ usage: '[init]', summary: 'write a sample configuration file', values: ['init'] }],
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
  arguments: [{ usage: '<shell>', summary: SHELLS.join(', '), values: SHELLS }],
  switches: [],
  settings: [],
};

export const MANUAL: CommandEntry = {
  name: 'manual',
  aliases: [],
  summary: 'print the manual page',
  description: 'Print the manual page, for man or a file.',
  examples: ['securechat manual | man -l -'],
  arguments: [],
  switches: [],
  settings: [],
};

const EXPLAINED: readonly CommandEntry[] = [
  HOST,
  JOIN,
  SEND,
  IDENTITY,
  ROOMS,
  CHECK,
  CONFIG,
  COMPLETION,
  MANUAL,
];

export const HELP: CommandEntry = {
  name: 'help',
  aliases: [],
  summary: "show a command's help",
  description: 'Show the help of the program, or of a command.',
  examples: ['securechat help s'],
  arguments: [
    {
      usage: '[command]',
      summary: 'one of the commands',
      values: EXPLAINED.flatMap(({ name, aliases }) => [name, ...aliases]),
    },
  ],
  switches: [],
  settings: [],
};

export const ALL_COMMANDS: readonly CommandEntry[] = [...EXPLAINED, HELP];
