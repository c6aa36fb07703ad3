/** Copies of kept rooms in one file each, and rooms made of them. What has not been checked never has the name. */
import { randomBytes } from 'node:crypto';
import { chmod, constants, copyFile, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bytesEqual, toHex } from '../../protocol/bytes.ts';
import { StorageError } from '../../storage/errors.ts';
import { copyRoom, reviveRoom } from '../../storage/room-copy.ts';
import { FILE_MODE } from '../../storage/room-database.ts';
import { lookAt, type RoomSummary } from '../../storage/room-look.ts';
import { syncFolder } from '../atomic-file.ts';
import { systemMoment } from '../moment.ts';
import { checkAbsent, fileError } from '../private-file.ts';
import { lockRoom } from './kept-room.ts';
import { nameFor, type RoomFolder, type RoomPlace } from './room-folder.ts';

/** @returns what has been done @throws InputError `no-such-room` or `file`; StorageError; nothing is left then */
export async function backupRoom(folder: RoomFolder, name: string, file: string): Promise<string> {
  const place = await folder.find(name);
  const { file: room } = place;
  await checkAbsent(file);
  await takingShape(dirname(file), async (beside) => {
    await copyRoom(room, beside);
    await checkAbsent(file);
    await rename(beside, file);
  }).catch((error: unknown) => {
    throw error instanceof StorageError ? error : fileError('write', file, error);
  });
  await syncFolder(dirname(file));
  return (
    `The room ${name} as it is now is in ${file}, checked. Keep it as you keep the room: it holds the same, ` +
    `messages that wait for members included.${await withoutFiles(place)} securechat rooms restore makes a room of it.`
  );
}

/**
 * @param name `null`: by what the room is called
 * @returns what has been done, and what that means
 * @throws InputError `room-taken`, `room-open` or `file`; StorageError when it is no good backup
 */
export async function restoreRoom(
  folder: RoomFolder,
  file: string,
  name: string | null,
): Promise<readonly string[]> {
  const summary = await ofBackup(file, async () => lookAt(file));
  await folder.make();
  const place = folder.place(name ?? nameFor(summary.roomName));
  await folder.checkFree(place.name);
  const lock = lockRoom(place);
  try {
    // Someone may have made it since.
    await folder.checkFree(place.name);
    const openInvitations = await takingShape(folder.path, (beside) =>
      ofBackup(file, async () => {
        await copyFile(file, beside, constants.COPYFILE_EXCL);
        await chmod(beside, FILE_MODE);
        const revived = reviveRoom(beside, systemMoment().nowMs);
        // Whatever a room of this name has left behind is not this one's.
        for (const path of await folder.filesOf(place.name))
          if (path !== place.lock) await rm(path, { force: true, recursive: path === place.files });
        await rename(beside, place.file);
        return revived;
      }),
    );
    await syncFolder(folder.path);
    return consequences(place, openInvitations, await twinsOf(folder, place, summary));
  } finally {
    lock.release();
  }
}

/** What a person may miss one day. */
async function withoutFiles({ files }: RoomPlace): Promise<string> {
  const there = await readdir(files).catch(() => []);
  return there.length === 0 ? '' : ' Files that wait for members are not in it.';
}

function consequences(
  { name }: RoomPlace,
  openInvitations: number,
  twins: readonly string[],
): readonly string[] {
  return [
    `The room is kept as ${name}, as it was when the backup was made. securechat s --keep ${name} opens it.`,
    'What was said since then is lost to it, and who joined since then is no member of it.',
    'No file waits in it: whoever offers one has to be there for it to be taken.',
    'Who was removed or banned since then is a member again, and passwords are those of then: once it is open, look at /names and /banned first.',
    ...(openInvitations === 0
      ? []
      : [
          `Invitations that were open then (${openInvitations}) may have been used since, and are suspended: /invite resume opens one again.`,
        ]),
    ...twins.map(
      (twin) =>
        `The same room is kept as ${twin} too. Open only one of them: members would see two histories.`,
    ),
  ];
}

/** Does what makes a file under a name that nobody knows; nothing is left under it. */
async function takingShape<Result>(folder: string, make: (path: string) => Promise<Result>): Promise<Result> {
  const path = join(folder, `.${toHex(randomBytes(8))}.new`);
  try {
    return await make(path);
  } finally {
    for (const end of ['', '-wal', '-shm', '-journal']) await rm(`${path}${end}`, { force: true });
  }
}

/** What is wrong with a copy is wrong with the backup. */
async function ofBackup<Result>(file: string, step: () => Promise<Result>): Promise<Result> {
  try {
    return await step();
  } catch (error) {
    if (!(error instanceof StorageError)) throw fileError('read', file, error);
    if (error.code !== 'room-damaged') throw error;
    const text = `${file} is damaged, or no backup of a room: nothing has been restored. Take another backup.`;
    throw new StorageError('room-damaged', text, { cause: error });
  }
}

/** Other kept rooms that are the same room. */
async function twinsOf(
  folder: RoomFolder,
  { name }: RoomPlace,
  { id }: RoomSummary,
): Promise<readonly string[]> {
  const others = (await folder.all()).filter((other) => other.name !== name);
  return others.filter(({ file }) => isRoom(file, id)).map((other) => other.name);
}

function isRoom(file: string, id: Uint8Array): boolean {
  try {
    return bytesEqual(lookAt(file).id, id);
  } catch (error) {
    if (error instanceof StorageError) return false;
    throw error;
  }
}
