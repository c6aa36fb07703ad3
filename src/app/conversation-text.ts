/** What a person is told of their conversations: facts in, sentences out. */
import type { ConversationView } from '../member/events.ts';
import { type IdKey, idKey, ROOM_CONVERSATION } from '../protocol/identifiers.ts';

const SEAT_NAMES = { owner: 'creator', moderator: 'moderator', member: null } as const;

/** What stands for one whose name nobody has told yet. */
const UNNAMED = 'unnamed';

/**
 * By which it is shown and called: its name, and its creator's where others have that name too.
 * @param among all of this person's
 */
export function labelOf(view: ConversationView, among: readonly ConversationView[]): string {
  if (view.isDirect) return `@${view.partner?.nick ?? 'gone'}`;
  const name = view.name ?? UNNAMED;
  const others = among.filter(
    (each) =>
      !each.isDirect && each !== view && idKey(each.id) !== idKey(view.id) && (each.name ?? UNNAMED) === name,
  );
  if (others.length === 0) return name;
  const creator =
    view.members.find(({ role }) => role === 'owner')?.member.nick ?? idKey(view.id).slice(0, 6);
  const isToldApart = others.every(
    (each) => each.members.find(({ role }) => role === 'owner')?.member.nick !== creator,
  );
  return isToldApart ? `${name}/${creator}` : `${name}/${creator}/${idKey(view.id).slice(0, 6)}`;
}

/** e.g. `ann (creator), ben` */
export function namesOf({ members }: ConversationView): string {
  return members
    .map(({ member, role }) =>
      SEAT_NAMES[role] === null ? member.nick : `${member.nick} (${SEAT_NAMES[role]})`,
    )
    .join(', ');
}

/** One line for each, and the room's own. */
export function conversationText(
  views: readonly ConversationView[],
  unread: ReadonlyMap<IdKey, number>,
): readonly string[] {
  const unreadText = (key: IdKey): string => {
    const count = unread.get(key) ?? 0;
    return count === 0 ? '' : `; ${count} unread`;
  };
  const lines = views.map((view) => {
    const count = unreadText(idKey(view.id));
    const topic = view.topic === '' ? '' : `; ${view.topic}`;
    const label = labelOf(view, views);
    return view.isDirect
      ? `  ${label}  you and ${view.partner?.nick ?? 'someone who is gone'}${count}`
      : `  ${label}  ${namesOf(view)}${count}${topic}`;
  });
  return [
    'Your conversations; /join NAME goes to one:',
    `  room  everyone${unreadText(idKey(ROOM_CONVERSATION))}`,
    ...lines,
  ];
}
