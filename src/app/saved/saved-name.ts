/** What saved rooms are called on the command line: short words, and files of the same names. */
import { InputError } from '../../protocol/errors.ts';

const CHARACTERS_MOST = 32;
const SHAPE = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

/** @throws InputError `saved-name` */
export function checkSavedName(text: string): string {
  const name = text.replace(/^@/, '').toLowerCase();
  if (SHAPE.test(name)) return name;
  const text_ = `Name a saved room with 1 to ${CHARACTERS_MOST} of a-z, 0-9 and -.`;
  throw new InputError('saved-name', text_);
}

/** @returns `kitchen` for "The Kitchen!": without what others chose to put into a room's name */
export function savedNameOf(roomName: string): string {
  const words = roomName
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, CHARACTERS_MOST - 4)
    .replaceAll(/^-+|-+$/g, '');
  return words === '' ? 'room' : words;
}
