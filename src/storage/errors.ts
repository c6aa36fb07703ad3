/** What goes wrong with a room's file, in words for the person who hosts it. */

export type StorageCode =
  | 'room-busy'
  | 'room-damaged'
  | 'room-file'
  | 'room-newer'
  | 'disk-full'
  | 'read-only';

/** The message says what happened and what to do next. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: StorageCode;

  constructor(code: StorageCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** SQLite's result codes, without what extends them. */
const RESULT = { busy: 5, readOnly: 8, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 } as const;

/** The system's codes for what this account may not change, and for a disk without room. */
const UNWRITABLE: readonly unknown[] = ['EROFS', 'EACCES', 'EPERM'];
const FULL: readonly unknown[] = ['ENOSPC', 'EDQUOT'];

/** @param path of the room's file @returns `error` itself where it is none of SQLite's */
export function storageError(path: string, error: unknown): unknown {
  const result = resultCode(error);
  if (result === null) return error;
  const cause = { cause: error };
  switch (result) {
    case RESULT.busy:
      return new StorageError(
        'room-busy',
        `Another program is using ${path}. End it, or wait, and try again.`,
        cause,
      );
    case RESULT.readOnly:
    // The file is there: it is what SQLite puts beside it that cannot be made.
    case RESULT.cannotOpen:
      return unwritable(path, cause);
    case RESULT.corrupt:
    case RESULT.notADatabase:
      return damaged(path, cause);
    case RESULT.full:
      return new StorageError(
        'disk-full',
        `The disk is full: ${path} cannot grow. Nothing that was acknowledged is lost. Free some space, and open the room again.`,
        cause,
      );
    default: {
      const why = error instanceof Error ? error.message : String(error);
      return new StorageError('room-file', `${path} cannot be used: ${why}.`, cause);
    }
  }
}

export function damaged(path: string, options?: ErrorOptions): StorageError {
  const text = `${path} is damaged. Restore a backup of it (securechat rooms restore), or move it away and begin anew.`;
  return new StorageError('room-damaged', text, options);
}

/** What keeps a file or folder from being made. */
export function cannotMake(path: string, error: unknown): StorageError {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  const cause = { cause: error };
  if (UNWRITABLE.includes(code)) return unwritable(path, cause);
  if (FULL.includes(code)) {
    const text = `The disk is full: ${path} cannot be made. Free some space, and try again.`;
    return new StorageError('disk-full', text, cause);
  }
  const why = error instanceof Error ? error.message : String(error);
  return new StorageError('room-file', `${path} cannot be made: ${why}.`, cause);
}

function unwritable(path: string, options: ErrorOptions): StorageError {
  const text = `${path} cannot be written to. Make it and its folder writable for yourself, and try again.`;
  return new StorageError('read-only', text, options);
}

/** @returns the primary result code, or `null` for an error that is not SQLite's. */
function resultCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode & 0xff;
}
