/** What a person sees of what is done to messages: what was said cannot be drawn again, so each is a line of its own. */
import type { DeletedEvent, EditedEvent, MessageEvent, PersonView, ReactionEvent } from '../json-lines.ts';
import { clock, dayOf, shortDate } from './dates.ts';
import { cleanNick, entry, type RenderView, SIGN, stamp } from './entry.ts';
import type { Paint } from './palette.ts';

type Event = Pick<EditedEvent, 'from' | 'own' | 'at'>;

/** The sign, whoever did it, and what they did. */
function line(event: Event, text: string, view: RenderView, paint: Paint = (row) => row): readonly string[] {
  const who = event.own ? 'You' : view.palette.nick(cleanNick(event.from.nick));
  return entry(`${stamp(Date.parse(event.at), view)}${paint(SIGN.alert)} ${who} `, text, view, paint);
}

/** Both texts are the author's own: whoever cannot change the message is never shown like this. */
export function editedLines(event: EditedEvent, view: RenderView): readonly string[] {
  const { text, before, unknown } = event;
  const what = unknown ? 'an earlier message' : before === undefined ? 'a message' : `"${before}"`;
  return line(event, `changed ${what} to: ${text}`, view);
}

export function deletedLines(event: DeletedEvent, view: RenderView): readonly string[] {
  const whose = event.own ? 'you' : 'they';
  const said = event.saidAt === undefined ? null : saidWhen(event.saidAt, view);
  return line(
    event,
    said === null ? 'deleted an earlier message' : `deleted what ${whose} said ${said}`,
    view,
  );
}

function saidWhen(saidAt: string, { timeZone, preferences, nowMs }: RenderView): string {
  const atMs = Date.parse(saidAt);
  const style = preferences.timestamps === 'off' ? 'minutes' : preferences.timestamps;
  const isToday = dayOf(atMs, timeZone) === dayOf(nowMs, timeZone);
  return `${isToday ? '' : `on ${shortDate(atMs, timeZone)} `}at ${clock(atMs, style, timeZone)}`;
}

export function reactionLines(event: ReactionEvent, view: RenderView): readonly string[] {
  const { own, text, author, excerpt } = event;
  const whose = (): string => {
    if (author === undefined) return 'an earlier message';
    if (author.id === event.from.id) return `what ${own ? 'you' : 'they'} said`;
    return author.nick === view.self ? 'what you said' : `what ${cleanNick(author.nick)} said`;
  };
  const what = `${whose()}${excerpt === undefined ? '' : `: ${excerpt}`}`;
  const does = (verb: string): string => (own ? verb : `${verb}s`);
  const said = text === '' ? `${does('take')} back the reaction to` : `${does('react')} with ${text} to`;
  return line(event, `${said} ${what}`, view, view.palette.dim);
}

/** Stands before an answer. What is quoted comes last, so that nothing in it can pass for more than a quote. */
export function answeredLines(
  event: Pick<MessageEvent, 'from' | 'own' | 'at' | 'replyTo'>,
  view: RenderView,
): readonly string[] {
  const { replyTo, own } = event;
  if (replyTo === undefined) return [];
  const text = `${own ? 'answer' : 'answers'} ${whom(replyTo.from, event, view)}`;
  const quote = replyTo.excerpt === undefined ? '' : `: ${replyTo.excerpt}`;
  return line(event, text + quote, view, view.palette.dim);
}

function whom(
  asked: PersonView | undefined,
  { from, own }: Pick<MessageEvent, 'from' | 'own'>,
  view: RenderView,
): string {
  if (asked === undefined) return 'an earlier message';
  if (asked.id === from.id) return own ? 'yourself' : 'themselves';
  return asked.nick === view.self ? 'you' : cleanNick(asked.nick);
}
