/** `securechat c` alone: which of the saved rooms, or an invitation as ever. */
import { cleanText } from '../../protocol/clean-text.ts';
import { InputError } from '../../protocol/errors.ts';
import { askPasted, type HeldInvitation } from '../ask-invitation.ts';
import type { Front } from '../front/front.ts';
import type { SavedEntry } from './saved-rooms.ts';

const MINUTE_MS = 60_000;
const UNITS = [
  { name: 'day', ms: 24 * 60 * MINUTE_MS },
  { name: 'h', ms: 60 * MINUTE_MS },
  { name: 'min', ms: MINUTE_MS },
] as const;

export type ChosenRoom =
  | { readonly kind: 'saved'; readonly name: string }
  | { readonly kind: 'invitation'; readonly held: HeldInvitation };

/** @throws GaveUpError when nobody is there to answer any more */
export async function chooseRoom(
  rooms: readonly SavedEntry[],
  front: Pick<Front, 'ask'>,
  nowMs: number,
): Promise<ChosenRoom> {
  const asked = {
    name: 'token',
    message: 'Which room? A number or a @name comes back to it; or paste an invitation.',
    secret: true,
    hints: roomLines(rooms, nowMs),
  };
  const chosen = await askPasted(front, asked, (text) => pick(text.trim(), rooms));
  return typeof chosen === 'string' ? { kind: 'saved', name: chosen } : { kind: 'invitation', held: chosen };
}

/** @returns a line each, as `1  @kitchen  The Kitchen, as ann, 2 h ago` */
export function roomLines(rooms: readonly SavedEntry[], nowMs: number): readonly string[] {
  const widest = Math.max(...rooms.map(({ name }) => name.length));
  return rooms.map(({ name, head: { roomName, nick, lastSeenMs } }, place) => {
    const who = `${cleanText(roomName)}, as ${cleanText(nick)}`;
    return `${place + 1}  @${name.padEnd(widest)}  ${who}, ${ago(nowMs - lastSeenMs)}`;
  });
}

/** @returns `null` when it is none of the rooms: an invitation, then. @throws InputError when it means to be one */
function pick(text: string, rooms: readonly SavedEntry[]): string | null {
  const byNumber = /^\d{1,4}$/.test(text) ? rooms[Number(text) - 1] : undefined;
  const byName = rooms.find(({ name }) => text === name || text === `@${name}`);
  const found = byNumber ?? byName;
  if (found !== undefined) return found.name;
  if (/^(@.*|\d{1,4})$/.test(text)) throw new InputError('no-such-room', 'That is none of them.');
  return null;
}

/** @returns `just now`, `5 min ago`, `2 h ago`, `1 day ago` */
export function ago(sinceMs: number): string {
  const unit = UNITS.find(({ ms }) => sinceMs >= ms);
  if (unit === undefined) return 'just now';
  const count = Math.floor(sinceMs / unit.ms);
  return `${count} ${unit.name}${unit.name === 'day' && count > 1 ? 's' : ''} ago`;
}
