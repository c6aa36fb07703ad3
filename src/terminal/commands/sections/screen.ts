/** What concerns this screen alone: finding and hiding, looks and sounds. */
import { BELLS, choice, nickOf, nothing, ON_OFF, oneNick, THEMES, TIMESTAMPS } from '../arguments.ts';
import { type Command, commands } from '../command.ts';

export const SCREEN: readonly Command[] = commands('This screen', 'everyone', [
  {
    name: 'search',
    usage: 'WORDS',
    summary: 'find earlier lines that hold all the words, or "a phrase"',
    details: 'Looks through what this screen has shown, held in memory only.',
    completes: ['text'],
    parse: (_, words) => (words === '' ? null : { name: 'search', words }),
  },
  {
    name: 'clear',
    summary: 'clear the screen, and forget what /search and /proof could find',
    parse: nothing({ name: 'clear' }),
  },
  {
    name: 'ignore',
    usage: '[NICK]',
    summary: 'hide what someone says, here only; alone it shows whom',
    completes: ['nick'],
    parse: ([nick, ...rest]) =>
      rest.length > 0 ? null : { name: 'ignore', nick: nick === undefined ? null : nickOf(nick) },
  },
  {
    name: 'unignore',
    usage: 'NICK',
    summary: 'show again what someone says',
    completes: ['nick'],
    parse: oneNick((nick) => ({ name: 'unignore', nick })),
  },
  {
    name: 'ids',
    usage: '[on|off]',
    summary: 'show a number before each message, for /re, /fix, /delete and /react',
    details: 'The numbers are those of this screen: others see other ones.',
    completes: [Object.keys(ON_OFF)],
    parse: choice(ON_OFF, (value) => ({ name: 'ids', value })),
  },
  {
    name: 'timestamp',
    usage: '[minutes|seconds|off]',
    summary: 'how times are shown',
    completes: [Object.keys(TIMESTAMPS)],
    parse: choice(TIMESTAMPS, (value) => ({ name: 'timestamp', value })),
  },
  {
    name: 'quiet',
    usage: '[on|off]',
    summary: 'leave out who comes and goes, and what waits for whom',
    completes: [Object.keys(ON_OFF)],
    parse: choice(ON_OFF, (value) => ({ name: 'quiet', value })),
  },
  {
    name: 'bell',
    usage: '[on|off|all]',
    summary: 'ring when you are mentioned, never, or at every message',
    completes: [Object.keys(BELLS)],
    parse: choice(BELLS, (value) => ({ name: 'bell', value })),
  },
  {
    name: 'notify',
    usage: '[on|off]',
    summary: 'desktop notifications, without the text, where the terminal can',
    completes: [Object.keys(ON_OFF)],
    parse: choice(ON_OFF, (value) => ({ name: 'notify', value })),
  },
  {
    name: 'theme',
    usage: '[auto|dark|light]',
    summary: 'colours for a dark or a light background',
    completes: [Object.keys(THEMES)],
    parse: choice(THEMES, (value) => ({ name: 'theme', value })),
  },
]);
