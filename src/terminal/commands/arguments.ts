/** How the arguments of slash commands are read. */
import { parseDuration } from '../../protocol/duration.ts';
import { InputError } from '../../protocol/errors.ts';
import { LIMITS } from '../../protocol/limits.ts';
import { parseStay } from '../../protocol/room-settings.ts';
import type { Preferences } from '../view/preferences.ts';
import type { CommandCall, InviteCall } from './calls.ts';

/** @returns null where the arguments do not fit, and the person is shown the usage. */
export type Parse = (words: readonly string[], args: string) => CommandCall | null;

/** How a message is named: `#7`, or by the id that programs know. */
const MESSAGE = /^#[\w-]+$/;
const NUMBERED = /^#?\d+$/;

function messageOf(word: string): string {
  return word.replace(/^#/, '');
}

/** What follows the first word, as it was typed. */
function afterFirst(args: string): string {
  return args.replace(/^\S+\s*/u, '');
}

export function reply([id]: readonly string[], args: string): CommandCall | null {
  const text = afterFirst(args);
  return id === undefined || text === '' ? null : { name: 're', id: messageOf(id), text };
}

/** Only what begins with `#` names a message: a text may begin with a number. */
export function fix([first]: readonly string[], args: string): CommandCall | null {
  if (first === undefined) return null;
  if (!MESSAGE.test(first)) return { name: 'fix', id: null, text: args };
  const text = afterFirst(args);
  return text === '' ? null : { name: 'fix', id: messageOf(first), text };
}

export function remove([id, ...rest]: readonly string[]): CommandCall | null {
  return rest.length > 0 ? null : { name: 'delete', id: id === undefined ? null : messageOf(id) };
}

/** For keyboards without emoji. */
const SIGNS: Readonly<Record<string, string>> = {
  '+1': '👍',
  '-1': '👎',
  '<3': '❤️',
  ':)': '🙂',
  ':(': '🙁',
  off: '',
};

export function react([first, second, ...rest]: readonly string[]): CommandCall | null {
  const sign = (word: string): string => (Object.hasOwn(SIGNS, word) ? (SIGNS[word] ?? word) : word);
  if (first === undefined || rest.length > 0) return null;
  if (second !== undefined) return { name: 'react', id: messageOf(first), text: sign(second) };
  // Who gives a number alone has forgotten the sign.
  return NUMBERED.test(first) ? null : { name: 'react', id: null, text: sign(first) };
}

/** Nicknames are lower case; people type `@Ann` or `ann:` all the same. */
export function nickOf(word: string): string {
  return word.replace(/^@/, '').replace(/:$/, '').toLowerCase();
}

export function nothing(call: CommandCall): Parse {
  return (words) => (words.length === 0 ? call : null);
}

export function oneNick(make: (nick: string) => CommandCall): Parse {
  return ([nick, ...rest]) => (nick === undefined || rest.length > 0 ? null : make(nickOf(nick)));
}

/** A nickname, then a text that may hold spaces. */
export function message(words: readonly string[], args: string): CommandCall | null {
  const [nick] = words;
  const text = args.replace(/^\S+\s*/u, '');
  return nick === undefined || text === '' ? null : { name: 'msg', nick: nickOf(nick), text };
}

/** Where one and the same person may be named more than once. */
function nicksOf(words: readonly string[]): readonly string[] {
  return [...new Set(words.map(nickOf))];
}

export function makeConversation([conversation, ...nicks]: readonly string[]): CommandCall | null {
  return conversation === undefined ? null : { name: 'new', conversation, nicks: nicksOf(nicks) };
}

export function inviteTo([conversation, ...nicks]: readonly string[]): CommandCall | null {
  if (conversation === undefined || nicks.length === 0) return null;
  return { name: 'invite-to', conversation, nicks: nicksOf(nicks) };
}

export function maybeConversation(name: 'join' | 'part'): Parse {
  return ([conversation, ...rest]) => (rest.length > 0 ? null : { name, conversation: conversation ?? null });
}

export function seatOf(name: 'remove-from' | 'op-in' | 'deop-in' | 'hand-over'): Parse {
  return ([conversation, nick, ...rest]) =>
    conversation === undefined || nick === undefined || rest.length > 0
      ? null
      : { name, conversation, nick: nickOf(nick) };
}

export function renameConversation([conversation, to, ...rest]: readonly string[]): CommandCall | null {
  return conversation === undefined || to === undefined || rest.length > 0
    ? null
    : { name: 'rename', conversation, to };
}

export function verify([nick, answer, ...rest]: readonly string[]): CommandCall | null {
  if (nick === undefined) return { name: 'verify', nick: null, answer: null };
  const said = answer?.toLowerCase() ?? null;
  if (rest.length > 0 || (said !== null && said !== 'yes' && said !== 'no')) return null;
  return { name: 'verify', nick: nickOf(nick), answer: said };
}

export function proof([id]: readonly string[], args: string): CommandCall | null {
  if (id === undefined) return null;
  // A path may hold spaces.
  const path = args.slice(id.length).trim();
  return { name: 'proof', id, path: path === '' ? null : path };
}

export function kick([nick, ...rest]: readonly string[]): CommandCall | null {
  if (nick === undefined) return null;
  if (rest.length > 0) throw reasonsAreNotSent('/kick NICK');
  return { name: 'kick', nick: nickOf(nick) };
}

/** Elsewhere such commands take a reason. */
function reasonsAreNotSent(usage: string): InputError {
  return new InputError('usage', `Usage: ${usage}. Reasons are not sent: say why in the room.`);
}

export function nickAndDuration(name: 'ban' | 'mute'): Parse {
  return ([nick, duration, ...rest]) => {
    if (nick === undefined) return null;
    if (rest.length > 0) throw reasonsAreNotSent(`/${name} NICK [DURATION]`);
    const forMs = duration === undefined ? null : parseDuration(duration, LIMITS.sanctionMsMost);
    return { name, nick: nickOf(nick), forMs };
  };
}

/** A word out of a few, or none, which asks what is set. */
export function choice<Value>(
  values: Readonly<Record<string, Value>>,
  make: (value: Value | null) => CommandCall,
): Parse {
  return ([word, ...rest]) => {
    if (rest.length > 0) return null;
    if (word === undefined) return make(null);
    const wanted = word.toLowerCase();
    const value = Object.hasOwn(values, wanted) ? values[wanted] : undefined;
    return value === undefined ? null : make(value);
  };
}

export const ON_OFF: Readonly<Record<string, boolean>> = { on: true, off: false };
export const BELLS: Readonly<Record<string, Preferences['bell']>> = { on: 'on', off: 'off', all: 'all' };
export const TIMESTAMPS: Readonly<Record<string, Preferences['timestamps']>> = {
  on: 'minutes',
  off: 'off',
  minutes: 'minutes',
  seconds: 'seconds',
};
export const THEMES: Readonly<Record<string, Preferences['theme']>> = {
  auto: 'auto',
  dark: 'dark',
  light: 'light',
};
/** As other commands are switched off, and as some programs clear a topic. */
const CLEARED: ReadonlySet<string> = new Set(['-', 'off']);

export function shownOrSet(name: 'topic' | 'motd'): Parse {
  return (_, text) => ({ name, text: text === '' ? null : CLEARED.has(text) ? '' : text });
}

/** `new [USES] [DURATION] [LABEL]`: a number is how often, a duration how long, the rest for whom. */
function newInvitation(words: readonly string[]): InviteCall {
  const rest = [...words];
  const uses = /^\d+$/.test(rest[0] ?? '') ? Number(rest.shift()) : null;
  const forMs = LIKE_DURATION.test(rest[0] ?? '')
    ? parseDuration(rest.shift() ?? '', LIMITS.invitationMsMost)
    : null;
  if (uses !== null && (uses < 1 || uses > LIMITS.invitationUsesMost)) {
    throw new InputError('usage', `An invitation can be used 1 to ${LIMITS.invitationUsesMost} times.`);
  }
  checkLabel(words, rest);
  return { name: 'invite', act: 'new', uses, forMs, label: rest.join(' ') };
}

const NUMBER = /^\d+$/;
const DURATION = /^(?:\d+[dhms])+$/i;
/** Meant as one, and refused where it is none: `2hours`, `2h30`. Not `3musketeers`. */
const LIKE_DURATION = /^\d+(?:d|days?|h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?)(?:\d|$)/i;

/**
 * Who writes `new Ann 2h` means two hours, and must not get an invitation that lasts a day.
 * @throws InputError `usage` when the label begins or ends with what should stand before it
 */
function checkLabel(words: readonly string[], label: readonly string[]): void {
  const ends = [label.at(0) ?? '', label.at(-1) ?? ''];
  if (!ends.some((word) => NUMBER.test(word) || DURATION.test(word))) return;
  const name = words.filter((word) => !NUMBER.test(word) && !DURATION.test(word));
  const uses = words.findLast((word) => NUMBER.test(word));
  const lasts = words.findLast((word) => DURATION.test(word));
  const right = [uses, lasts, ...name].filter((word) => word !== undefined).join(' ');
  throw new InputError(
    'usage',
    `How often and how long come before the name: /invite new ${right}. Nothing was made.`,
  );
}

export function invite([act = 'list', ...rest]: readonly string[], args: string): InviteCall | null {
  const [id, ...more] = rest;
  switch (act) {
    case 'new':
      return newInvitation(rest);
    case 'list':
    case 'raw':
      return id === undefined ? { name: 'invite', act } : null;
    case 'qr':
      return more.length === 0 ? { name: 'invite', act, id: id ?? null } : null;
    case 'revoke':
    case 'resume':
    case 'show':
      return id === undefined || more.length > 0 ? null : { name: 'invite', act, id };
    case 'save': {
      // A path may hold spaces.
      const path = args.replace(/^\S+\s+\S+\s*/u, '');
      return id === undefined || path === '' ? null : { name: 'invite', act, id, path };
    }
    default:
      return null;
  }
}

export function slow([word, ...rest]: readonly string[]): CommandCall | null {
  if (word === undefined || rest.length > 0) return null;
  if (word.toLowerCase() === 'off') return { name: 'slow', seconds: 0 };
  const seconds = /^\d+$/.test(word)
    ? Number(word)
    : parseDuration(word, LIMITS.slowSecondsMost * 1_000) / 1_000;
  return seconds > LIMITS.slowSecondsMost ? null : { name: 'slow', seconds };
}

/** `stay 7d|off`, `edits on|off`, `receipts on|off`, or nothing, which shows what is set. */
export function policy([part, value, ...rest]: readonly string[]): CommandCall | null {
  if (part === undefined) return { name: 'policy', part: null };
  if (value === undefined || rest.length > 0) return null;
  const name = part.toLowerCase();
  if (name === 'stay') return { name: 'policy', part: { staySeconds: parseStay(value) } };
  const wanted = value.toLowerCase();
  const isOn = Object.hasOwn(ON_OFF, wanted) ? ON_OFF[wanted] : undefined;
  if (isOn === undefined) return null;
  if (name === 'edits') return { name: 'policy', part: { edits: isOn } };
  return name === 'receipts' ? { name: 'policy', part: { readReceipts: isOn } } : null;
}
