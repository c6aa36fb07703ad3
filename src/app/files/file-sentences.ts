/** What people read when a file cannot be sent or taken. */
import { cleanText } from '../../protocol/clean-text.ts';
import { InputError } from '../../protocol/errors.ts';
import { LIMITS } from '../../protocol/limits.ts';
import { sizeText } from '../../terminal/view/amounts.ts';
import { fileProblem } from '../file-problem.ts';

const NAME_CHARACTERS_MOST = 120;

/** A name in a sentence: it may have been chosen by anybody. */
export function shownName(name: string): string {
  return `"${cleanText(name, { maxCodePoints: NAME_CHARACTERS_MOST })}"`;
}

/** @returns e.g. `10,000` */
export function counted(count: number): string {
  return count.toLocaleString('en-US');
}

/** @returns what to throw: said in words, where it is not already */
export function cannotSend(name: string, error: unknown): unknown {
  if (!isErrno(error)) return error;
  // What is no text comes to us with this sign in it. Something may be called that, and then not be there.
  if (error.code === 'ENOENT' && name.includes('\ufffd'))
    return new InputError(
      'file-name',
      `Cannot send ${shownName(name)}: it is not there, or its name is not valid UTF-8. Rename it, and send it again.`,
    );
  return new InputError(
    'file',
    `Cannot send ${shownName(name)}: ${fileProblem(error)}. Send it again once that is put right.`,
  );
}

/** @param bytesMost what the setting allows */
export function tooLarge(name: string, bytes: number, bytesMost: number): InputError {
  const most = Math.min(bytesMost, LIMITS.fileBytesMost);
  const rounded = [sizeText(bytes), sizeText(most)];
  const [size, limit] =
    rounded[0] === rounded[1] ? [`${counted(bytes)} bytes`, `${counted(most)} bytes`] : rounded;
  const next =
    bytes > LIMITS.fileBytesMost
      ? 'Nothing larger can be sent: send it in parts.'
      : `To send more, begin with a larger --max-file, up to ${sizeText(LIMITS.fileBytesMost)}.`;
  return new InputError('too-large', `${shownName(name)} has ${size}, and ${limit} may be sent. ${next}`);
}

export function isErrno(error: unknown): error is Error & { readonly code: string } {
  return (
    error instanceof Error &&
    !(error instanceof InputError) &&
    'code' in error &&
    typeof error.code === 'string' &&
    'syscall' in error
  );
}

export function notAsOffered(name: string): InputError {
  return new InputError(
    'hash-mismatch',
    `${shownName(name)} came whole, and is not what was offered. It was removed. Accept it again, or ask for it to be sent anew.`,
  );
}

export interface Taking {
  readonly name: string;
  readonly folder: string;
  /** Still to come. */
  readonly leftBytes: number;
}

export function diskFull({ name, folder, leftBytes }: Taking): InputError {
  return new InputError(
    'disk-full',
    `There is no room for ${shownName(name)} in ${shownName(folder)}. What is there of it stays. Free ${sizeText(leftBytes)}, and accept it again.`,
  );
}

/** @returns what to throw: said in words, where it is not already */
export function cannotTake(taking: Taking, error: unknown): unknown {
  if (!isErrno(error)) return error;
  const [name, folder] = [shownName(taking.name), shownName(taking.folder)];
  switch (error.code) {
    case 'ENOSPC':
      return diskFull(taking);
    case 'EDQUOT':
      return new InputError(
        'quota',
        `Your share of the disk is full: ${name} does not fit in ${folder}. What is there of it stays. Free ${sizeText(taking.leftBytes)}, and accept it again.`,
      );
    case 'EFBIG':
      return new InputError(
        'file-too-large',
        `The disk of ${folder} takes no file as large as ${name}. Accept it into a folder on another disk.`,
      );
    case 'EACCES':
    case 'EPERM':
      return new InputError(
        'not-allowed',
        `You are not allowed to write to ${folder}. Accept ${name} into another folder, or make this one writable for yourself.`,
      );
    case 'EROFS':
      return new InputError(
        'read-only',
        `The disk of ${folder} can only be read. Accept ${name} into a folder on another disk.`,
      );
    case 'ENAMETOOLONG':
      return new InputError(
        'name-too-long',
        `The path to ${name} in ${folder} is too long for that disk. Accept it into a folder with a shorter path.`,
      );
    case 'ENOTDIR':
    case 'EEXIST':
      return new InputError('not-a-folder', `${folder} is not a folder. Accept ${name} into another one.`);
    default:
      return new InputError(
        'file',
        `Cannot write ${name} to ${folder}: ${fileProblem(error)}. Accept it again once that is put right.`,
      );
  }
}
