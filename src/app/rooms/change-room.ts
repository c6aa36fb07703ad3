/** Other names for kept rooms, and their end. Neither is done to a room that is open. */
import { rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InputError } from '../../protocol/errors.ts';
import { settleRoom } from '../../storage/room-copy.ts';
import type { Front } from '../front/front.ts';
import { fileError } from '../private-file.ts';
import { lockRoom } from './kept-room.ts';
import type { RoomFolder } from './room-folder.ts';

/** @returns what has been done @throws InputError `no-such-room`, `room-name`, `room-taken` or `room-open`; StorageError */
export async function renameRoom(folder: RoomFolder, name: string, to: string): Promise<string> {
  const place = await folder.find(name);
  await folder.checkFree(to);
  const lock = lockRoom(place);
  const newLock = lockRoom(folder.place(to));
  try {
    // Someone may have made it since.
    await folder.checkFree(to);
    // What a crash has left beside the file goes into it: a file of another name would be opened without.
    settleRoom(place.file);
    const others = (await folder.filesOf(name)).filter((path) => path !== place.file && path !== place.lock);
    // The room's own file is the last: until then it can be done again.
    for (const path of [...others, place.file])
      await inWords(path, rename(path, join(folder.path, `${to}${basename(path).slice(name.length)}`)));
  } catch (error) {
    lock.release();
    throw error;
  } finally {
    newLock.release();
  }
  lock.remove();
  return `The room ${name} is kept as ${to} from now on. securechat s --keep ${to} opens it.`;
}

/**
 * @param front asks the person, who types the name; `null`: nobody is there to ask
 * @returns what has been done
 * @throws InputError `no-such-room`, `room-open`, or `not-confirmed`: then it is all there; `file` where a file stays
 */
export async function deleteRoom(
  folder: RoomFolder,
  name: string,
  isSure: boolean,
  front: Pick<Front, 'ask'> | null,
): Promise<string> {
  const place = await folder.find(name);
  const lock = lockRoom(place);
  try {
    if (!isSure) await confirm(name, front);
    // The journal first: a later room of this name would take it for its own.
    const files = await folder.filesOf(name);
    const isJournal = (path: string): boolean => path === `${place.file}-wal`;
    const ordered = [...files.filter(isJournal), ...files.filter((path) => !isJournal(path))];
    for (const path of ordered)
      if (path !== place.lock)
        await inWords(path, rm(path, { force: true, recursive: path === place.files }));
  } catch (error) {
    lock.release();
    throw error;
  }
  lock.remove();
  return `The room ${name} is deleted. Its members have lost their places for good: whoever should be in a new room needs a new invitation.`;
}

async function inWords(path: string, step: Promise<void>): Promise<void> {
  await step.catch((error: unknown) => {
    throw fileError('write', path, error);
  });
}

async function confirm(name: string, front: Pick<Front, 'ask'> | null): Promise<void> {
  const end = 'Its members lose their places for good, and what waits for them is lost';
  if (front === null)
    throw new InputError('not-confirmed', `This would delete the room ${name}. ${end}. To do it, say --yes.`);
  const message = `Delete the room ${name}? ${end}. Type its name to delete it:`;
  const answer = await front.ask({ name: 'delete', message, secret: false });
  if (answer.trim() !== name)
    throw new InputError('not-confirmed', `That is not its name: the room ${name} is left as it is.`);
}
