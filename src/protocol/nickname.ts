/**
 * Nicknames: what one may be, and which two are too alike to share a room.
 * @see docs/security.md#limits
 */
import { InputError } from './errors.ts';
import { LIMITS } from './limits.ts';

declare const brand: unique symbol;
export type Nickname = string & { readonly [brand]: 'Nickname' };

const SHAPE = new RegExp(`^[a-z0-9_-]{${LIMITS.nicknameCharactersLeast},${LIMITS.nicknameCharactersMost}}$`);

/** Names a reader would take for the program, for someone in charge, or for a way to address people. */
const RESERVED: readonly string[] = [
  ...[
    'host',
    'server',
    'system',
    'securechat',
    'security',
    'room',
    'root',
    'console',
    'notice',
    'error',
    'warning',
  ],
  ...[
    'admin',
    'administrator',
    'owner',
    'moderator',
    'mod',
    'operator',
    'op',
    'staff',
    'support',
    'help',
    'service',
  ],
  ...[
    'everyone',
    'everybody',
    'all',
    'anyone',
    'here',
    'channel',
    'nobody',
    'someone',
    'anonymous',
    'unknown',
  ],
  ...['you', 'me', 'myself', 'self', 'null', 'undefined', 'none'],
];

/**
 * Two nicknames with the same fold look alike: 0/o, 1/l/i, rn/m, vv/w, and `_`/`-` however many in a row.
 * Wide letters are taken apart rather than pairs joined, so that `vw`, `wv` and `vvv` meet.
 */
export function foldNickname(nick: string): string {
  return nick
    .toLowerCase()
    .replaceAll('0', 'o')
    .replaceAll(/[1i]/g, 'l')
    .replaceAll('m', 'rn')
    .replaceAll('w', 'vv')
    .replaceAll(/[-_]+/g, '_');
}

function bare(nick: string): string {
  return foldNickname(nick).replaceAll('_', '');
}

const RESERVED_BARE: ReadonlySet<string> = new Set(RESERVED.map(bare));

/**
 * @param text what a person chose
 * @param isOwner the owner may well be called "host"
 * @returns the same text, as a nickname
 * @throws InputError `nick-shape` when it has other characters or another length; `nick-reserved` when it reads
 *   like a reserved word
 */
export function checkNickname(text: string, isOwner = false): Nickname {
  if (!SHAPE.test(text)) {
    throw new InputError(
      'nick-shape',
      `A nickname is ${LIMITS.nicknameCharactersLeast} to ${LIMITS.nicknameCharactersMost} characters: ` +
        'a-z, 0-9, _ and -.',
    );
  }
  const core = bare(text);
  if (core === '' || (!isOwner && RESERVED_BARE.has(core))) {
    throw new InputError(
      'nick-reserved',
      `"${text}" could be mistaken for the room itself. Choose another nickname.`,
    );
  }
  return text as Nickname;
}
