/** Why a file cannot be read or written, in words: the system's own are for programmers. */

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EISDIR: 'it is a folder, not a file',
  EACCES: 'you are not allowed to',
  EPERM: 'you are not allowed to',
  EEXIST: 'it is there already',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'the name is too long',
  ENOSPC: 'the disk is full',
  EDQUOT: 'your share of the disk is full',
  EROFS: 'that disk can only be read',
  EIO: 'the disk has a fault',
  ENXIO: 'nobody is at its other end',
  EAGAIN: 'it takes nothing more at the moment',
  EMFILE: 'too many files are open',
  ENFILE: 'too many files are open',
};

/** @returns the end of a sentence, without its full stop: `there is no such file or folder` */
export function fileProblem(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return (Object.hasOwn(WORDS, code) ? WORDS[code] : undefined) ?? error.message;
}
