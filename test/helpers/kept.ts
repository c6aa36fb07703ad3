/** Test rooms on disk, whose host ends at any moment and opens them again while their members live on. */
import type { TestMember } from './member.ts';
import { openRoom, type TestRoom, type TestRoomOptions } from './room.ts';
import { createStore, newPath, openStore } from './room-file.ts';

export interface Kept {
  readonly room: TestRoom;
  readonly path: string;
}

export async function openKept(options: Omit<TestRoomOptions, 'store'> = {}): Promise<Kept> {
  const path = newPath();
  return { path, room: await openRoom({ ...options, store: createStore(path, options.limits) }) };
}

/**
 * The host is killed and opens the room again; who was in comes back.
 * @param from another file, such as a copy from before
 */
export function reopen({ room, path }: Kept, from: string = path): void {
  const wereIn = room.end();
  room.open(openStore(from, room.limits));
  for (const member of wereIn) comeBack(room, member);
}

/** As a program comes back: on another line where the first leads nowhere. */
export function comeBack(room: TestRoom, member: TestMember): void {
  member.comeBack();
  room.pump();
  if (!member.wantsReconnect) return;
  member.wantsReconnect = false;
  member.loseLine();
  member.comeBack();
  room.pump();
}
