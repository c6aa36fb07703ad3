/**
 * The slash commands: one open table, from which help, completion and the manual are made too. A command is known by
 * its row in the file of its section; what it does is `app/`'s business.
 */
import type { Command } from './command.ts';
import { CONVERSATIONS } from './sections/conversations.ts';
import { DOOR } from './sections/door.ts';
import { FILES } from './sections/files.ts';
import { ORDER } from './sections/order.ts';
import { ROOM } from './sections/room.ts';
import { SCREEN } from './sections/screen.ts';
import { TALKING } from './sections/talking.ts';

export const COMMANDS: readonly Command[] = [
  ...TALKING,
  ...CONVERSATIONS,
  ...FILES,
  ...ROOM,
  ...SCREEN,
  ...ORDER,
  ...DOOR,
];

/** @param name without its slash; an alias will do */
export function findCommand(name: string): Command | undefined {
  const wanted = name.toLowerCase();
  return COMMANDS.find((entry) => entry.name === wanted || entry.aliases.includes(wanted));
}
