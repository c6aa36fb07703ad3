/** News of conversations beside the room: who is in them, and what they are called. */
import { cleanText } from '../../protocol/clean-text.ts';
import { unreachable } from '../../protocol/errors.ts';
import type { ConversationEvent, ConversationView, PersonView } from '../json-lines.ts';
import { alert, cleanNick, type RenderView } from './entry.ts';

/** What stands for one whose name nobody has told yet. */
const UNNAMED = 'a conversation without a name yet';

function conversationLabel({ name }: Pick<ConversationView, 'name'>): string {
  return name === undefined ? UNNAMED : cleanText(name);
}

function people(persons: readonly PersonView[], view: RenderView): string {
  return persons.map(({ nick }) => (nick === view.self ? 'you' : cleanNick(nick))).join(', ');
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Nothing of the conversation of two: the first message in it says it all. */
export function conversationLines(event: ConversationEvent, view: RenderView): readonly string[] {
  const { conversation, by, added = [], removed = [], changed = [] } = event;
  if (conversation.kind === 'direct') return [];
  const label = conversationLabel(conversation);
  const who = by === undefined ? 'the room' : people([by], view);
  switch (event.change) {
    case 'opened': {
      const others = conversation.members.filter(({ nick }) => nick !== view.self);
      const company = others.length === 0 ? 'nobody else yet' : people(others, view);
      // Whoever made it talks there already.
      const text =
        who === 'you'
          ? `you made ${label}: ${company}.`
          : `${by === undefined ? 'you are in' : `${who} added you to`} ${label}: ${company}. /join ${label} talks there.`;
      return alert(sentence(text), view, view.palette.bold);
    }
    case 'named': {
      const topic = conversation.topic === '' ? '' : `; its topic: ${cleanText(conversation.topic)}`;
      return alert(`A conversation is called ${label} now${topic}`, view);
    }
    case 'members':
      return [
        ...(added.length === 0
          ? []
          : alert(sentence(`${who} added ${people(added, view)} to ${label}`), view)),
        ...removed.flatMap((person) => {
          const isSelf = by?.id === person.id;
          const text = isSelf
            ? `${people([person], view)} left ${label}`
            : `${who} removed ${people([person], view)} from ${label}`;
          return alert(
            sentence(by === undefined ? `${people([person], view)} is no longer in ${label}` : text),
            view,
          );
        }),
        ...changed.flatMap((person) => {
          const role = conversation.members.find(({ id }) => id === person.id)?.role ?? 'member';
          return alert(
            sentence(`${who} made ${people([person], view)} ${ROLE_TEXT[role]} of ${label}`),
            view,
          );
        }),
      ];
    case 'closed': {
      const isOwnDoing = by?.nick === view.self;
      if (isOwnDoing) return alert(`You left ${label}`, view, view.palette.bold);
      const text = by === undefined ? `you are no longer in ${label}` : `${who} removed you from ${label}`;
      return alert(sentence(text), view, view.palette.bold);
    }
    default:
      return unreachable(event.change);
  }
}

const ROLE_TEXT: Readonly<Record<ConversationView['members'][number]['role'], string>> = {
  creator: 'the owner',
  moderator: 'a moderator',
  member: 'a plain member',
};
