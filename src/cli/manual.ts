/** The manual page, made from the same tables as everything else. */
import { EXIT } from '../app/exit-codes.ts';
import { SECTIONS as ROOM_SECTIONS } from '../terminal/commands/command.ts';
import { COMMANDS } from '../terminal/commands/table.ts';
import { VERSION } from '../version.ts';
import { ALL_COMMANDS, type CommandEntry, HOST, JOIN } from './commands.ts';
import { type OptionEntry, optionsOf } from './option-entries.ts';
import { type Block, roff, type Span } from './roff.ts';
import { SECTIONS, type Section, type Setting } from './setting.ts';
import { ALL_SETTINGS, variableOf } from './settings.ts';

/** When the texts in this file last changed. */
const REVISED = '2026-11-28';

export function manualPage(): string {
  return roff({ name: 'securechat', version: VERSION, date: REVISED }, [
    section('Name'),
    paragraph('securechat - a private chatroom hosted on your own machine'),
    section('Synopsis'),
    ...ALL_COMMANDS.map(synopsis),
    ...DESCRIPTION,
    section('Commands'),
    ...ALL_COMMANDS.flatMap(commandBlocks),
    section('Options'),
    paragraph(
      'Yes-or-no options have an opposite, and the last of them counts: --no-quiet takes back --quiet, --chat takes back --no-chat.',
    ),
    ...SECTIONS.flatMap(optionBlocks),
    item([{ bold: '-h' }, ', ', { bold: '--help' }], 'Show the help of the program or of a command.'),
    item([{ bold: '-V' }, ', ', { bold: '--version' }], 'Print the version.'),
    section('In the room'),
    paragraph(
      'What does not begin with a slash is said. // sends a text that begins with one. A command that does not exist is never sent.',
    ),
    ...ROOM_SECTIONS.flatMap(roomBlocks),
    section('Files'),
    ...FILES,
    section('Environment'),
    ...ENVIRONMENT,
    section('Exit status'),
    ...Object.entries(EXIT_TEXTS).map(([name, text]) =>
      item([{ bold: String(EXIT[name as keyof typeof EXIT]) }], text),
    ),
    section('Examples'),
    ...[HOST, JOIN].flatMap(({ summary, examples }) => [
      paragraph(`To ${summary}:`),
      { kind: 'lines', lines: examples } as const,
    ]),
    section('Security'),
    paragraph(
      'This program has not been independently audited. Do not rely on it where a mistake could cost someone their freedom or their life.',
    ),
  ]);
}

const DESCRIPTION: readonly Block[] = [
  section('Description'),
  paragraph(
    'One person hosts a room from their own machine, others join it by invitation. What is said is encrypted from member to member; the machine that relays it cannot read it.',
  ),
  paragraph(
    'The host gives a question and its answer, and sees an invitation and a code. Who joins pastes the invitation, gives the answer, and asks the host for the code, best by voice: it changes every 30 seconds.',
  ),
  paragraph('Without a command, securechat asks at a terminal whether to host or to join.'),
];

const FILES: readonly Block[] = [
  item(
    [{ italic: 'identity files' }],
    'What "securechat identity new" makes and --identity reads: a private key under a passphrase, as PKCS#8 in PEM, mode 0600. One that others on the machine may read is refused. Keep a copy: nobody can make the same key again.',
  ),
  item(
    [{ italic: '~/.local/share/securechat/rooms' }],
    'The kept rooms on Linux, a .room file each, mode 0600; "securechat rooms" names them on this machine. One that is open has files beside it, so copy it with "securechat rooms backup" and never by hand.',
  ),
  item(
    [{ italic: 'proofs' }],
    'What /proof writes and "securechat check" reads: one message with its signature, and the signed member list that it quotes; mode 0600. The text, the topic and all members of then are in it, in clear.',
  ),
  item(
    [{ italic: '~/.config/securechat/securechat.toml' }],
    'The configuration file on Linux, where there is one. "securechat config --path" says where it lies on this machine; "securechat config init" writes a sample. Relative file names in it are from its folder. It holds no secrets, and one that stands there is refused.',
  ),
  {
    kind: 'lines',
    lines: [
      'nick = "ann"',
      '',
      '[host]',
      'room = "Kitchen"',
      'uses = 3',
      '',
      '[terminal]',
      'timestamps = "seconds"',
    ],
  },
];

const ENVIRONMENT: readonly Block[] = [
  paragraph(
    'Options are stronger than variables, variables than the file, and the file than defaults. Lists are separated by commas; yes-or-no is true or false.',
  ),
  paragraph(`${variables().join(', ')}.`),
  item(
    [{ bold: 'NO_COLOR' }, ', ', { bold: 'FORCE_COLOR' }],
    'When not empty: no colour, or colour even where standard output is no terminal. NO_COLOR is the stronger.',
  ),
  item([{ bold: 'TERM' }], 'When it is "dumb", nothing is drawn again and there is no colour.'),
  item([{ bold: 'VISUAL' }, ', ', { bold: 'EDITOR' }], 'What /edit opens.'),
];

const EXIT_TEXTS: Readonly<Record<keyof typeof EXIT, string>> = {
  done: 'Done.',
  unexpected: "Unexpected failure, or a kept room's file that cannot be used.",
  usage: 'Wrong usage or input.',
  network: 'Could not reach the host, or could not listen; nobody took what was sent.',
  notAdmitted: 'Not admitted, or no longer; what was sent was declined.',
  security: 'A security check failed: pin, signature, history, protocol or proof.',
  interrupted: 'Interrupted.',
};

function section(title: string): Block {
  return { kind: 'section', title };
}

function paragraph(...text: readonly Span[]): Block {
  return { kind: 'paragraph', text };
}

function item(term: readonly Span[], ...text: readonly Span[]): Block {
  return { kind: 'item', term, text };
}

function synopsis({ name, arguments: words, settings }: CommandEntry, index: number): Block {
  const options: readonly Span[] = settings.length === 0 ? [] : [' [', { italic: 'option' }, ' ...]'];
  const usage = words.flatMap((word): readonly Span[] => [' ', { italic: word.usage }]);
  return {
    kind: index === 0 ? 'paragraph' : 'break',
    text: [{ bold: `securechat ${name}` }, ...options, ...usage],
  };
}

function commandBlocks({
  name,
  aliases,
  description,
  arguments: words,
  switches,
}: CommandEntry): readonly Block[] {
  const also = aliases.flatMap((alias): readonly Span[] => [', ', { bold: alias }]);
  const about = words.flatMap(({ usage, summary }): readonly Span[] => [
    ' ',
    { italic: usage },
    `: ${summary}.`,
  ]);
  return [
    item([{ bold: name }, ...also], description, ...about),
    ...switches.map(({ name: option, argument, summary }) => {
      const value: readonly Span[] = argument === undefined ? [] : [' ', { italic: argument }];
      return item([{ bold: `${name} --${option}` }, ...value], sentence(summary));
    }),
  ];
}

const TITLES: Readonly<Record<Section, string>> = {
  general: 'For both',
  host: 'Hosting',
  join: 'Joining',
  terminal: 'The screen',
  log: 'The log',
};

function optionBlocks(name: Section): readonly Block[] {
  const settings = ALL_SETTINGS.filter((setting) => setting.section === name);
  return [
    { kind: 'subsection', title: TITLES[name] },
    ...settings.flatMap(optionsOf).flatMap((option) => (option.hidden ? [] : [optionItem(option)])),
  ];
}

function optionItem({ name, argument, summary }: OptionEntry): Block {
  const value: readonly Span[] = argument === null ? [] : [' ', { italic: argument }];
  return item([{ bold: `--${name}` }, ...value], sentence(summary));
}

function roomBlocks(name: (typeof ROOM_SECTIONS)[number]): readonly Block[] {
  const commands = COMMANDS.filter((command) => command.section === name);
  return [
    { kind: 'subsection', title: name },
    ...commands.map((command) => {
      const usage: readonly Span[] = command.usage === '' ? [] : [' ', { italic: command.usage }];
      const also = command.aliases.map((alias) => `/${alias}`).join(', ');
      const whom = { everyone: '', moderators: ' For moderators and the host.', host: ' For the host.' };
      const text = `${sentence(command.summary)} ${command.details}`.trim();
      return item(
        [{ bold: `/${command.name}` }, ...usage],
        `${text}${also === '' ? '' : ` Also: ${also}.`}${whom[command.for]}`,
      );
    }),
  ];
}

function variables(): readonly string[] {
  const named = ALL_SETTINGS.map((setting: Setting) => variableOf(setting)).filter((name) => name !== null);
  return [...new Set(named)];
}

/** `host a room` becomes `Host a room.` */
function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;
}
