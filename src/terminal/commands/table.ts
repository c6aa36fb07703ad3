/**
 * The slash commands: one open table, from which help, completion and the manual are made too. A command is known by
 * its row here; what it does is `app/`'s business.
 */
import { InputError } from '../../protocol/errors.ts';
import { LIMITS } from '../../protocol/limits.ts';
import {
  BELLS,
  choice,
  fix,
  invite,
  inviteTo,
  kick,
  makeConversation,
  maybeConversation,
  message,
  nickAndDuration,
  nickOf,
  nothing,
  ON_OFF,
  oneNick,
  type Parse,
  policy,
  proof,
  react,
  remove,
  renameConversation,
  reply,
  seatOf,
  shownOrSet,
  slow,
  THEMES,
  TIMESTAMPS,
  verify,
} from './arguments.ts';
import type { CommandCall } from './calls.ts';
import { accept, ofNumbers, send } from './file-arguments.ts';

/** Who may give a command, each kind including those before it. */
const AUDIENCES = ['everyone', 'moderators', 'host'] as const;
export type Audience = (typeof AUDIENCES)[number];

/**
 * What may stand at a place of the arguments, for completion. `path` and `text` are all that is left of the line; a
 * text names people. So are `paths`, where each is a word and the last may be whom they are for, and the numbers of
 * `offers`, which may end with a folder, and of `transfers`.
 */
export type Argument =
  | 'nick'
  | 'command'
  | 'path'
  | 'text'
  | 'visitor'
  | 'waiting'
  | 'banned'
  | 'conversation'
  | 'invitation'
  | 'paths'
  | 'offers'
  | 'transfers'
  | readonly string[];

/** An argument of some of a command's acts only. */
type ArgumentOf = { readonly kind: Argument; readonly acts: readonly string[] };

export type CommandName = CommandCall['name'] | 'qr';

export interface Command {
  readonly name: CommandName;
  readonly aliases: readonly string[];
  /** What follows the name, e.g. `NICK [DURATION]`; empty when nothing does. */
  readonly usage: string;
  readonly summary: string;
  /** What more there is to know, a sentence or two; empty where the summary says it all. */
  readonly details: string;
  readonly section: Section;
  readonly for: Audience;
  /** By place. Places beyond it complete nothing. */
  readonly completes: readonly (Argument | ArgumentOf | null)[];
  /** @throws InputError `usage` when the arguments do not fit. */
  parse(args: string): CommandCall;
}

/** In the order in which help lists them. */
export const SECTIONS = [
  'Talking',
  'Conversations',
  'Files',
  'The room',
  'This screen',
  'Keeping order',
  'The door',
] as const;
type Section = (typeof SECTIONS)[number];

type Row = Pick<Command, 'name' | 'summary'> &
  Partial<Omit<Command, 'name' | 'summary' | 'parse' | 'section' | 'for'>>;

export function usageLine({ name, usage = '' }: Pick<Row, 'name' | 'usage'>): string {
  return usage === '' ? `/${name}` : `/${name} ${usage}`;
}

function command(section: Section, audience: Audience, row: Row, parse: Parse): Command {
  return {
    aliases: [],
    usage: '',
    details: '',
    completes: [],
    ...row,
    section,
    for: audience,
    parse(args) {
      const trimmed = args.trim();
      const call = parse(trimmed === '' ? [] : trimmed.split(/\s+/u), trimmed);
      if (call === null) throw new InputError('usage', `Usage: ${usageLine(row)}`);
      return call;
    },
  };
}

export const COMMANDS: readonly Command[] = [
  command(
    'Talking',
    'everyone',
    {
      name: 'help',
      usage: '[COMMAND]',
      summary: 'list the commands, or explain one',
      completes: ['command'],
    },
    ([topic, ...rest]) =>
      rest.length > 0 ? null : { name: 'help', topic: topic?.replace(/^\//, '').toLowerCase() ?? null },
  ),
  command(
    'Talking',
    'everyone',
    {
      name: 'quit',
      aliases: ['exit'],
      summary: 'leave the room',
      details:
        'For the host it ends the room for everyone. With --plain so does Ctrl-D, which ends the input. ' +
        'In a saved room your place is kept: /leave gives it up.',
    },
    nothing({ name: 'quit' }),
  ),
  command(
    'Talking',
    'everyone',
    {
      name: 'leave',
      summary: 'leave the room for good',
      details:
        'Everyone is shown it, and a saved room is saved no more. Where nothing is saved, /quit does the same.',
    },
    nothing({ name: 'leave' }),
  ),
  command(
    'Talking',
    'everyone',
    { name: 'me', usage: 'ACTION', summary: 'say what you do: "* ann waves"', completes: ['text'] },
    (_, text) => (text === '' ? null : { name: 'me', text }),
  ),
  command(
    'Talking',
    'everyone',
    {
      name: 're',
      usage: 'ID TEXT',
      summary: 'answer an earlier message',
      details: '/ids on shows the numbers of messages. With --json ID is the id of the message.',
      completes: [[], 'text'],
    },
    reply,
  ),
  command(
    'Talking',
    'everyone',
    {
      name: 'fix',
      usage: '[#ID] TEXT',
      summary: 'change what you have said: the latest, or the message of that number',
      details:
        'Everyone is shown that it was changed; screens that have shown the old text keep it. /ids on shows the numbers of messages.',
      completes: ['text'],
    },
    fix,
  ),
  command(
    'Talking',
    'everyone',
    {
      name: 'delete',
      usage: '[ID]',
      summary: 'take back what you have said: the latest, or the message of that number',
      details:
        'Everyone is shown it. What others have read, their screens and programs may keep. /ids on shows the numbers of messages.',
    },
    remove,
  ),
  command(
    'Talking',
    'everyone',
    {
      name: 'react',
      usage: '[ID] EMOJI',
      summary: 'put a sign under the latest message of someone else, or the one of that number',
      details:
        'One emoji or one letter; +1, -1, <3, :) and :( stand for theirs, and off takes yours back. /ids on shows the numbers of messages.',
    },
    react,
  ),
  command(
    'Talking',
    'everyone',
    {
      name: 'nick',
      usage: 'NEW',
      summary: 'take another nickname',
      details: 'Everyone is shown the change, and your key stays the same.',
    },
    oneNick((nick) => ({ name: 'nick', nick })),
  ),
  command(
    'Talking',
    'everyone',
    {
      name: 'away',
      summary: 'let others see that you are not at the keyboard',
      details:
        'It takes no text, because the machine that relays could read one. Saying something ends it, as /back does.',
    },
    nothing({ name: 'away' }),
  ),
  command(
    'Talking',
    'everyone',
    { name: 'back', summary: 'let others see that you are there again' },
    nothing({ name: 'back' }),
  ),
  command(
    'Talking',
    'everyone',
    {
      name: 'register',
      summary: 'keep your nickname behind a password',
      details:
        'In a room that is kept. The password makes you the same member on another device, with a fresh invitation; everyone is shown that your key has changed. Given again, it changes the password.',
    },
    nothing({ name: 'register' }),
  ),
  command(
    'Talking',
    'everyone',
    {
      name: 'edit',
      usage: '[TEXT]',
      summary: 'write the message in your editor',
      details:
        'Opens $VISUAL or $EDITOR; what you save there is sent when you press Enter. Ctrl-X Ctrl-E takes along what you have typed.',
      completes: ['text'],
    },
    (_, text) => ({ name: 'edit', text }),
  ),
  command(
    'Conversations',
    'everyone',
    {
      name: 'msg',
      usage: 'NICK TEXT',
      summary: 'say something to one member alone',
      details: 'Sealed for the two of you. In a kept room it waits for someone who is away.',
      completes: ['nick', 'text'],
    },
    message,
  ),
  command(
    'Conversations',
    'everyone',
    {
      name: 'reply',
      aliases: ['r'],
      usage: 'TEXT',
      summary: 'answer whoever wrote to you alone last',
      completes: ['text'],
    },
    (_, text) => (text === '' ? null : { name: 'reply', text }),
  ),
  command(
    'Conversations',
    'everyone',
    {
      name: 'new',
      usage: 'NAME [NICK...]',
      summary: 'make a conversation, and talk in it',
      details:
        'Those named are in it at once, and told; nobody else in the room learns its name or what is said. The machine that relays knows who is in it.',
      completes: [null, 'text'],
    },
    makeConversation,
  ),
  command(
    'Conversations',
    'everyone',
    {
      name: 'join',
      usage: '[NAME|@NICK|room]',
      summary: 'let what you type go to a conversation, to one member, or to the room again',
      completes: ['conversation'],
    },
    maybeConversation('join'),
  ),
  command(
    'Conversations',
    'everyone',
    {
      name: 'conversations',
      aliases: ['convs'],
      summary: 'show your conversations, who is in them, and what is unread',
    },
    nothing({ name: 'conversations' }),
  ),
  command(
    'Conversations',
    'everyone',
    {
      name: 'invite-to',
      usage: 'NAME NICK...',
      summary: 'add members of the room to a conversation',
      details:
        'For its creator and its moderators. They read from there on; someone who is away is told on return.',
      completes: ['conversation', 'text'],
    },
    inviteTo,
  ),
  command(
    'Conversations',
    'everyone',
    {
      name: 'part',
      usage: '[NAME]',
      summary: 'leave a conversation for good',
      details:
        'What is said from then on is sealed without you. If its creator leaves, its moderators go on.',
      completes: ['conversation'],
    },
    maybeConversation('part'),
  ),
  command(
    'Conversations',
    'everyone',
    {
      name: 'remove-from',
      usage: 'NAME NICK',
      summary: 'remove someone from a conversation',
      details: 'For its creator and its moderators.',
      completes: ['conversation', 'nick'],
    },
    seatOf('remove-from'),
  ),
  command(
    'Conversations',
    'everyone',
    {
      name: 'op-in',
      usage: 'NAME NICK',
      summary: 'make someone a moderator of your conversation',
      completes: ['conversation', 'nick'],
    },
    seatOf('op-in'),
  ),
  command(
    'Conversations',
    'everyone',
    {
      name: 'deop-in',
      usage: 'NAME NICK',
      summary: 'make a moderator of your conversation a plain member',
      completes: ['conversation', 'nick'],
    },
    seatOf('deop-in'),
  ),
  command(
    'Conversations',
    'everyone',
    {
      name: 'hand-over',
      usage: 'NAME NICK',
      summary: 'give a conversation that you made to someone else; you stay its moderator',
      completes: ['conversation', 'nick'],
    },
    seatOf('hand-over'),
  ),
  command(
    'Conversations',
    'everyone',
    {
      name: 'rename',
      usage: 'NAME NEW',
      summary: 'give a conversation another name',
      details: 'For its creator and its moderators. In it, /topic TEXT sets its topic.',
      completes: ['conversation'],
    },
    renameConversation,
  ),
  command(
    'Files',
    'everyone',
    {
      name: 'send',
      usage: 'PATH... [to NICK|NAME]',
      summary: 'offer files or folders to those who read what you type, or to one member or conversation',
      details:
        'Nothing travels before somebody accepts. A name with spaces stands in quotation marks, or with a backslash before each space; a file called "to" is ./to.',
      completes: ['paths'],
    },
    send,
  ),
  command(
    'Files',
    'everyone',
    {
      name: 'accept',
      usage: '[N...|all] [to FOLDER]',
      summary: 'take a file that is offered: the latest, or those of these numbers',
      details:
        'It goes into the folder of --downloads, and takes its name only when all of it is there and is what was offered. Nothing that is there already is written over.',
      completes: ['offers'],
    },
    accept,
  ),
  command(
    'Files',
    'everyone',
    {
      name: 'decline',
      usage: '[N...|all]',
      summary: 'say that you do not want a file: the latest, or those of these numbers',
      completes: ['offers'],
    },
    ofNumbers('decline'),
  ),
  command(
    'Files',
    'everyone',
    {
      name: 'cancel',
      usage: '[N...|all]',
      summary: 'stop taking a file, or take your own offer back',
      details: 'Without a number the latest. What others have of your file already stays theirs.',
      completes: ['transfers'],
    },
    ofNumbers('cancel'),
  ),
  command(
    'Files',
    'everyone',
    {
      name: 'files',
      summary: 'show what is offered and under way, with the numbers for /accept, /decline and /cancel',
    },
    nothing({ name: 'files' }),
  ),
  command(
    'The room',
    'everyone',
    {
      name: 'names',
      aliases: ['who'],
      summary: 'show who is here, away or offline',
    },
    nothing({ name: 'names' }),
  ),
  command(
    'The room',
    'everyone',
    {
      name: 'whois',
      usage: 'NICK',
      summary: "show a member's role, where they are, and their key: what it signs with, its fingerprint",
      completes: ['nick'],
    },
    oneNick((nick) => ({ name: 'whois', nick })),
  ),
  command(
    'The room',
    'everyone',
    {
      name: 'verify',
      usage: '[NICK [yes|no]]',
      summary: 'show digits to compare with someone, then mark their key; alone it shows who is marked',
      details:
        'Both of you see the same sixty digits if nobody stands between you. Compare them by voice or in person, then give yes; no takes the mark back. If a marked member has another key, nothing you say where they read it is sent until you have decided about it.',
      completes: ['nick', ['yes', 'no']],
    },
    verify,
  ),
  command(
    'The room',
    'everyone',
    {
      name: 'trust',
      usage: 'NICK',
      summary: 'accept a changed key without comparing, and send what waited for it',
      completes: ['nick'],
    },
    oneNick((nick) => ({ name: 'trust', nick })),
  ),
  command(
    'The room',
    'everyone',
    {
      name: 'topic',
      usage: '[TEXT|off]',
      summary: 'show the topic; moderators set it, off takes it away',
      details: 'The machine that relays can read the topic, as it can the name of the room.',
      completes: ['text'],
    },
    shownOrSet('topic'),
  ),
  command(
    'The room',
    'everyone',
    {
      name: 'motd',
      usage: '[TEXT|off]',
      summary: 'show the message of the day; the host sets it, off takes it away',
      details: 'Everyone sees it on joining. The machine that relays can read it.',
      completes: ['text'],
    },
    shownOrSet('motd'),
  ),
  command(
    'The room',
    'everyone',
    {
      name: 'policy',
      usage: '[stay DURATION|off | edits on|off | receipts on|off]',
      summary: 'show what becomes of messages; the host sets it',
      details:
        '/policy stay 7d lets messages disappear after a week (30s to 30d), edits off lets nobody change what was said, receipts off tells nobody what was read. What a terminal has shown stays in its scrollback, and what somebody copied is theirs.',
      completes: [
        ['stay', 'edits', 'receipts'],
        { kind: ['off', '1h', '1d', '7d'], acts: ['stay'] },
        { kind: Object.keys(ON_OFF), acts: ['edits', 'receipts'] },
      ],
    },
    policy,
  ),
  command(
    'The room',
    'everyone',
    {
      name: 'room',
      summary: "show the room's name, rules, and what to compare by voice",
      details:
        'The twelve digits are of all that you have seen: two people who read the same entries have the same. The sixteen words, or the forty digits, are of the list of members and its owner: all compare them at once.',
    },
    nothing({ name: 'room' }),
  ),
  command(
    'The room',
    'everyone',
    { name: 'security', summary: 'show what protects this room, and what does not' },
    nothing({ name: 'security' }),
  ),
  command(
    'The room',
    'everyone',
    {
      name: 'proof',
      usage: 'ID [FILE]',
      summary: 'write a file that proves to others who said a message',
      details: `ID is the beginning of the message's id, at least four characters; the latest ${LIMITS.provableMessages} messages shown can be proved. "securechat check FILE" reads it on any machine. Besides the text it holds the member list of then, with fingerprints.`,
      completes: [[], 'path'],
    },
    proof,
  ),
  command(
    'The room',
    'everyone',
    {
      name: 'fork',
      usage: 'ack',
      summary: 'accept, after an alarm, that members were shown different histories',
      completes: [['ack']],
    },
    ([act, ...rest]) => (act === 'ack' && rest.length === 0 ? { name: 'fork', act } : null),
  ),
  command(
    'This screen',
    'everyone',
    {
      name: 'search',
      usage: 'WORDS',
      summary: 'find earlier lines that hold all the words, or "a phrase"',
      details: 'Looks through what this screen has shown, held in memory only.',
      completes: ['text'],
    },
    (_, words) => (words === '' ? null : { name: 'search', words }),
  ),
  command(
    'This screen',
    'everyone',
    { name: 'clear', summary: 'clear the screen, and forget what /search and /proof could find' },
    nothing({ name: 'clear' }),
  ),
  command(
    'This screen',
    'everyone',
    {
      name: 'ignore',
      usage: '[NICK]',
      summary: 'hide what someone says, here only; alone it shows whom',
      completes: ['nick'],
    },
    ([nick, ...rest]) =>
      rest.length > 0 ? null : { name: 'ignore', nick: nick === undefined ? null : nickOf(nick) },
  ),
  command(
    'This screen',
    'everyone',
    { name: 'unignore', usage: 'NICK', summary: 'show again what someone says', completes: ['nick'] },
    oneNick((nick) => ({ name: 'unignore', nick })),
  ),
  command(
    'This screen',
    'everyone',
    {
      name: 'ids',
      usage: '[on|off]',
      summary: 'show a number before each message, for /re, /fix, /delete and /react',
      details: 'The numbers are those of this screen: others see other ones.',
      completes: [Object.keys(ON_OFF)],
    },
    choice(ON_OFF, (value) => ({ name: 'ids', value })),
  ),
  command(
    'This screen',
    'everyone',
    {
      name: 'timestamp',
      usage: '[minutes|seconds|off]',
      summary: 'how times are shown',
      completes: [Object.keys(TIMESTAMPS)],
    },
    choice(TIMESTAMPS, (value) => ({ name: 'timestamp', value })),
  ),
  command(
    'This screen',
    'everyone',
    {
      name: 'quiet',
      usage: '[on|off]',
      summary: 'leave out who comes and goes, and what waits for whom',
      completes: [Object.keys(ON_OFF)],
    },
    choice(ON_OFF, (value) => ({ name: 'quiet', value })),
  ),
  command(
    'This screen',
    'everyone',
    {
      name: 'bell',
      usage: '[on|off|all]',
      summary: 'ring when you are mentioned, never, or at every message',
      completes: [Object.keys(BELLS)],
    },
    choice(BELLS, (value) => ({ name: 'bell', value })),
  ),
  command(
    'This screen',
    'everyone',
    {
      name: 'notify',
      usage: '[on|off]',
      summary: 'desktop notifications, without the text, where the terminal can',
      completes: [Object.keys(ON_OFF)],
    },
    choice(ON_OFF, (value) => ({ name: 'notify', value })),
  ),
  command(
    'This screen',
    'everyone',
    {
      name: 'theme',
      usage: '[auto|dark|light]',
      summary: 'colours for a dark or a light background',
      completes: [Object.keys(THEMES)],
    },
    choice(THEMES, (value) => ({ name: 'theme', value })),
  ),
  command(
    'Keeping order',
    'moderators',
    {
      name: 'kick',
      usage: 'NICK',
      summary: 'remove a member; everyone is shown it',
      details: 'The invitation they came by is suspended, because they still have it.',
      completes: ['nick'],
    },
    kick,
  ),
  command(
    'Keeping order',
    'moderators',
    {
      name: 'ban',
      usage: 'NICK [DURATION]',
      summary: 'remove a member and keep their key and nickname out',
      details:
        'Without a duration (90s, 15m, 24h, 7d) it lasts until /unban. Someone who holds another invitation can still come back under a new key and name: personal invitations and /approve on keep them out.',
      completes: ['nick'],
    },
    nickAndDuration('ban'),
  ),
  command(
    'Keeping order',
    'moderators',
    { name: 'unban', usage: 'NICK', summary: 'take a ban back', completes: ['banned'] },
    oneNick((nick) => ({ name: 'unban', nick })),
  ),
  command(
    'Keeping order',
    'moderators',
    {
      name: 'mute',
      usage: 'NICK [DURATION]',
      summary: 'let a member read but not speak',
      details: 'Without a duration (90s, 15m, 24h, 7d) it lasts until /unmute.',
      completes: ['nick'],
    },
    nickAndDuration('mute'),
  ),
  command(
    'Keeping order',
    'moderators',
    { name: 'unmute', usage: 'NICK', summary: 'let a member speak again', completes: ['nick'] },
    oneNick((nick) => ({ name: 'unmute', nick })),
  ),
  command(
    'Keeping order',
    'moderators',
    {
      name: 'slow',
      usage: 'SECONDS|off',
      summary: 'one message a member in so many seconds',
      details: 'Moderators and the host are exempt.',
      completes: [['off', '10', '30', '60']],
    },
    slow,
  ),
  command(
    'Keeping order',
    'moderators',
    {
      name: 'lock',
      summary: 'let nobody new in; members who lost their line come back',
      details: 'Whoever waited at the door for the host waits on, and only /admit lets them in.',
    },
    nothing({ name: 'lock' }),
  ),
  command(
    'Keeping order',
    'moderators',
    { name: 'unlock', summary: 'let people in again' },
    nothing({ name: 'unlock' }),
  ),
  command(
    'Keeping order',
    'host',
    { name: 'banned', summary: 'show who is banned, and how long' },
    nothing({ name: 'banned' }),
  ),
  command(
    'Keeping order',
    'host',
    {
      name: 'op',
      usage: 'NICK',
      summary: 'make a member a moderator',
      details:
        'Moderators kick, ban, mute, lock, slow down and set the topic; each act carries their signature, and everyone is shown it.',
      completes: ['nick'],
    },
    oneNick((nick) => ({ name: 'op', nick })),
  ),
  command(
    'Keeping order',
    'host',
    { name: 'deop', usage: 'NICK', summary: 'make a moderator a plain member', completes: ['nick'] },
    oneNick((nick) => ({ name: 'deop', nick })),
  ),
  command(
    'The door',
    'host',
    {
      name: 'invite',
      usage: '[new [USES] [DURATION] [LABEL]|list|show ID|qr [ID]|save ID FILE|revoke ID|resume ID|raw]',
      summary: 'make, list, show, withdraw or reopen invitations',
      details:
        '/invite new Ann makes one for one person; /invite new 5 2h team one for five within two hours. qr draws a QR code, save writes it to a file for --token-file, raw shows the bare Fernet token and key.',
      completes: [
        ['new', 'list', 'show', 'qr', 'save', 'revoke', 'resume', 'raw'],
        { kind: 'invitation', acts: ['show', 'qr', 'save', 'revoke', 'resume'] },
        { kind: 'path', acts: ['save'] },
      ],
    },
    invite,
  ),
  command(
    'The door',
    'host',
    {
      name: 'qr',
      usage: '[ID]',
      summary: 'draw the latest invitation, or another, as a QR code',
      completes: ['invitation'],
    },
    ([id, ...rest]) => (rest.length > 0 ? null : { name: 'invite', act: 'qr', id: id ?? null }),
  ),
  command(
    'The door',
    'host',
    { name: 'code', summary: 'show the room code and how long it lives' },
    nothing({ name: 'code' }),
  ),
  command(
    'The door',
    'host',
    { name: 'door', summary: 'show who stands at the door, and where' },
    nothing({ name: 'door' }),
  ),
  command(
    'The door',
    'host',
    {
      name: 'approve',
      usage: '[on|off]',
      summary: 'let people in by hand',
      details:
        'Whoever has everything right then waits until you /admit or /deny them. Off lets all who wait in.',
      completes: [Object.keys(ON_OFF)],
    },
    choice(ON_OFF, (value) => ({ name: 'approve', value })),
  ),
  command(
    'The door',
    'host',
    {
      name: 'admit',
      usage: 'NICK|NUMBER',
      summary: 'let someone in who waits at the door',
      completes: ['waiting'],
    },
    oneNick((who) => ({ name: 'admit', who })),
  ),
  command(
    'The door',
    'host',
    {
      name: 'deny',
      usage: 'NICK|NUMBER',
      summary: 'turn someone away who stands at the door',
      completes: ['visitor'],
    },
    oneNick((who) => ({ name: 'deny', who })),
  ),
];

/** Whether someone of this kind may give the command. */
export function mayGive(entry: Pick<Command, 'for'>, viewer: Audience): boolean {
  return AUDIENCES.indexOf(viewer) >= AUDIENCES.indexOf(entry.for);
}

/** @param name without its slash; an alias will do */
export function findCommand(name: string): Command | undefined {
  const wanted = name.toLowerCase();
  return COMMANDS.find((entry) => entry.name === wanted || entry.aliases.includes(wanted));
}
