/** What a person is told of the room itself: on entering it, and when something about it changes. */
import { cleanText } from '../../protocol/clean-text.ts';
import { unreachable } from '../../protocol/errors.ts';
import type { JoinedEvent, RoomEvent, RoomSetting, RoomView } from '../json-lines.ts';
import { alert, alertRows, cleanNick, type RenderView } from './entry.ts';
import { stayText } from './policy-lines.ts';

const NAMES_SHOWN = 20;
const ALL: readonly RoomSetting[] = [
  'topic',
  'motd',
  'slow',
  'locked',
  'approval',
  'stay',
  'edits',
  'receipts',
];

function seconds(count: number): string {
  return count === 1 ? 'second' : `${count} seconds`;
}

/** @returns null where the room is as rooms usually are. */
function inForce(setting: RoomSetting, room: RoomView): string | null {
  switch (setting) {
    case 'topic':
      return room.topic === '' ? null : `Topic: ${room.topic}`;
    case 'motd':
      return room.motd === '' ? null : `Message of the day:\n${room.motd}`;
    case 'slow':
      return room.slowSeconds > 0 ? `Slow mode: one message every ${seconds(room.slowSeconds)}.` : null;
    case 'locked':
      return room.locked ? 'The room is locked: nobody new is let in.' : null;
    case 'approval':
      return room.approval ? 'The host lets each new guest in by hand.' : null;
    case 'stay':
      return room.staySeconds > 0 ? `Messages disappear after ${stayText(room.staySeconds)}.` : null;
    case 'edits':
      return room.edits ? null : 'Nothing that was said may be changed or taken back.';
    case 'receipts':
      return room.readReceipts ? null : 'Nobody is told what has been read.';
    default:
      return unreachable(setting);
  }
}

const TAKEN_BACK: Readonly<Record<RoomSetting, string>> = {
  topic: 'The room has no topic any more.',
  motd: 'There is no message of the day any more.',
  slow: 'Slow mode is off.',
  locked: 'The room is unlocked: invitations let people in again.',
  approval: 'Guests no longer wait for the host to let them in.',
  stay: 'Messages no longer disappear: they stay as long as members keep them.',
  edits: 'What was said may be changed or taken back again.',
  receipts: 'Senders may be told again what has been read.',
};

/** One entry a change, and who made it. */
export function roomLines({ changes, room, by }: RoomEvent, view: RenderView): readonly string[] {
  const author = by === undefined ? '' : ` (set by ${cleanNick(by.nick)})`;
  return changes.flatMap((setting) =>
    alertRows((inForce(setting, room) ?? TAKEN_BACK[setting]) + author, view),
  );
}

export function joinedLines({ room, self, members }: JoinedEvent, view: RenderView): readonly string[] {
  const online = members.filter((person) => person.online).map((person) => cleanNick(person.nick));
  const more = online.length > NAMES_SHOWN ? ` and ${online.length - NAMES_SHOWN} more` : '';
  const names = online.slice(0, NAMES_SHOWN).join(', ') + more;
  const settings = ALL.map((setting) => inForce(setting, room)).filter((text) => text !== null);
  return [
    ...alert(
      `You are ${cleanNick(self.nick)} in ${cleanText(room.name)}. Online (${online.length}): ${names}`,
      view,
    ),
    ...settings.flatMap((text) => alertRows(text, view)),
  ];
}
