/** A room with everyone in charge: its owner, two moderators and two plain members. */
import { dsaIdentity, wrapKeys } from './keys.ts';
import type { TestMember } from './member.ts';
import { openRoom, type TestRoom, type TestRoomOptions } from './room.ts';

export interface Company {
  readonly room: TestRoom;
  readonly olga: TestMember;
  readonly mona: TestMember;
  readonly mike: TestMember;
  readonly ann: TestMember;
  readonly ben: TestMember;
  readonly all: readonly TestMember[];
}

/** `olga` owns the room, `mona` and `mike` are moderators, `ann` and `ben` plain members. */
export async function company(options: TestRoomOptions = {}): Promise<Company> {
  const room = await openRoom(options);
  const all: TestMember[] = [];
  for (const [place, nick] of ['olga', 'mona', 'mike', 'ann', 'ben'].entries()) {
    const parts = { identity: await dsaIdentity(place), wrapPair: await wrapKeys(place % 3) };
    const owner = nick === 'olga' ? { invitation: room.invite({ role: 'owner' }) } : {};
    all.push(await room.join(nick, { ...parts, ...owner }));
  }
  const [olga, mona, mike, ann, ben] = all as [TestMember, TestMember, TestMember, TestMember, TestMember];
  for (const { key } of [mona, mike]) room.perform(room.room.setRole(key, 'moderator', room.clock.moment));
  room.advance(1_000);
  return { room, olga, mona, mike, ann, ben, all };
}
