/** `securechat rooms`: what is done to kept rooms from outside, none of which needs their passphrase. */
import { unreachable } from '../../protocol/errors.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { finish, outcomeOfError } from '../finish.ts';
import type { Front } from '../front/front.ts';
import { openFront } from '../front/open-front.ts';
import type { RoomsOptions } from '../options.ts';
import { backupRoom, restoreRoom } from './backup-room.ts';
import { deleteRoom, renameRoom } from './change-room.ts';
import { exportRoom } from './export-room.ts';
import { listRooms } from './list-rooms.ts';
import { RoomFolder } from './room-folder.ts';

/** @returns the exit code; everything there is to say about it has been said. */
export async function runRooms(options: RoomsOptions): Promise<ExitCode> {
  // A list and a question need no screen.
  const display = options.display === 'json' ? 'json' : 'plain';
  const front: Front = openFront({ ...options, display });
  try {
    await perform(options, front);
    return finish(front, display, { exitCode: EXIT.done, problem: null });
  } catch (error) {
    return finish(front, display, outcomeOfError(error));
  }
}

async function perform({ act, folder: path, isSure, canConfirm }: RoomsOptions, front: Front): Promise<void> {
  const folder = new RoomFolder(path);
  const tell = (text: string): void => front.emit({ type: 'notice', level: 'info', code: 'rooms', text });
  switch (act.what) {
    case 'list': {
      const rooms = await listRooms(folder);
      for (const room of rooms) front.emit(room);
      if (rooms.length === 0) tell('No room is kept here. securechat s --keep keeps one.');
      return;
    }
    case 'rename':
      return tell(await renameRoom(folder, act.name, act.to));
    case 'export':
      return tell(await exportRoom(folder, act.name, act.file));
    case 'delete':
      return tell(await deleteRoom(folder, act.name, isSure, canConfirm ? front : null));
    case 'backup':
      return tell(await backupRoom(folder, act.name, act.file));
    case 'restore':
      for (const text of await restoreRoom(folder, act.file, act.name)) tell(text);
      return;
    default:
      return unreachable(act);
  }
}
