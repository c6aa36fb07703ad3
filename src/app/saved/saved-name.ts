/** What saved rooms are called on the command line: short words, and files of the same names. */
import { InputError } from '../../protocol/errors.ts';
import { canNameFile, shortNameOf } from '../short-name.ts';

const CHARACTERS_MOST = 32;
const SHAPE = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

/** @throws InputError `saved-name` */
export function checkSavedName(text: string): string {
  const name = text.replace(/^@/, '').toLowerCase();
  if (SHAPE.test(name) && canNameFile(name)) return name;
  throw new InputError('saved-name', `Name a saved room with 1 to ${CHARACTERS_MOST} of a-z, 0-9 and -.`);
}

/** @returns `the-kitchen` for "The Kitchen!", with room for a number where another room has that name */
export function savedNameOf(roomName: string): string {
  return shortNameOf(roomName, CHARACTERS_MOST - 4);
}
