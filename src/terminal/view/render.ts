/** What a person sees of each event by itself, as lines of text. What depends on the events before is `scroll.ts`. */
import { cleanText } from '../../protocol/clean-text.ts';
import { unreachable } from '../../protocol/errors.ts';
import type {
  DoorEvent,
  IdentityEvent,
  InvitationView,
  JsonEvent,
  MessageEvent,
  NoticeEvent,
  PersonView,
  PromptEvent,
} from '../json-lines.ts';
import { closedText } from './closed.ts';
import { columnsTable } from './columns-table.ts';
import { answeredLines, deletedLines, editedLines, reactionLines } from './content-lines.ts';
import { conversationLines } from './conversation-lines.ts';
import {
  alert,
  alertRows,
  barColumns,
  cleanNick,
  entry,
  type RenderView,
  SIGN,
  stamp,
  underBar,
} from './entry.ts';
import { offerText } from './file-lines.ts';
import { keptRoomLines } from './kept-room-lines.ts';
import { memberLines } from './member-lines.ts';
import { paintMentions } from './mention.ts';
import type { Paint } from './palette.ts';
import { proofLines } from './proof-lines.ts';
import { invitationUse, readyPanel, shownFingerprint } from './ready-panel.ts';
import { joinedLines, roomLines } from './room-lines.ts';
import { wrapLine } from './wrap.ts';

/** Before the author of a message that names oneself; no nickname begins with it. */
const NAMES_YOU = '!';
/** Behind the author whose key one has marked; in no nickname. */
const VERIFIED = '✓';
/** Characters of a conversation's name that are shown on the narrowest screen. */
const PLACE_LEAST = 8;

/**
 * @returns painted `<ann>`, or `* ann` of an emote; `<ann -> you>` of what is said to one alone, `[plans] <ann>` elsewhere,
 *   and `<ann✓>` of a key that one has marked
 */
export function author(
  event: Pick<MessageEvent, 'kind' | 'direct' | 'in' | 'verified'> & { readonly from: PersonView },
  view: RenderView,
): string {
  const { palette } = view;
  const nick = palette.nick(cleanNick(event.from.nick)) + (event.verified ? VERIFIED : '');
  const place = event.in === undefined ? '' : `${palette.dim(`[${placeLabel(event.in, view)}]`)} `;
  const to = event.direct === undefined ? '' : ` -> ${addressee(event.from, event.direct, view)}`;
  return place + (event.kind === 'emote' ? `* ${nick}${to}` : `<${nick}${to}>`);
}

/** On a narrow screen, as much of a name as leaves room for who says what. */
function placeLabel(label: string, { columns }: RenderView): string {
  return cleanText(label, { maxCodePoints: Math.max(PLACE_LEAST, Math.floor(columns / 4)) });
}

/** To whom a direct message is: the other one of the two. */
function addressee(from: PersonView, other: PersonView, { palette }: RenderView): string {
  return from.id === other.id ? 'you' : palette.nick(cleanNick(other.nick));
}

function message(event: MessageEvent, view: RenderView): readonly string[] {
  const { found, dim } = view.palette;
  const number = view.preferences.ids && view.number !== undefined ? `${dim(`#${view.number}`)} ` : '';
  const head = `${author(event, view)} `;
  const time = stamp(Date.parse(event.at), view) + number;
  const answered = answeredLines(event, view);
  const isForYou = event.mention || (event.direct !== undefined && !event.own);
  // The sign tells an offer from a text that reads like one.
  if (event.kind === 'file') {
    const sign = isForYou ? found(SIGN.alert) : SIGN.alert;
    return [...answered, ...entry(`${time}${sign} ${head}`, offerText(event), view)];
  }
  if (!isForYou) return [...answered, ...entry(time + head, event.text, view)];
  const said = entry(`${time}${found(NAMES_YOU)} ${head}`, event.text, view, (row) =>
    paintMentions(row, view.self ?? '', found),
  );
  return [...answered, ...said];
}

/** Of a line in a list: what stands in its first column, with its padding, and what explains it. */
const LISTED = /^( *\S+(?: \S+)* *) {2}(\S.*)$/;

/** A notice that begins with two spaces is a line of the list that the one before has begun. */
function listed(text: string, view: RenderView): readonly string[] {
  const [, label, rest] = LISTED.exec(text) ?? [];
  const cells = label === undefined || rest === undefined ? [text] : [label, rest];
  return underBar(columnsTable([cells], barColumns(view)), view);
}

/** What may have several lines. */
const IN_ROWS: ReadonlySet<string> = new Set(['motd', 'digits', 'check']);

function notice(event: NoticeEvent, view: RenderView): readonly string[] {
  switch (event.level) {
    case 'info':
      if (IN_ROWS.has(event.code)) return alertRows(event.text, view);
      return event.text.startsWith('  ') && Number.isFinite(view.columns)
        ? listed(event.text, view)
        : alert(event.text, view);
    case 'warning':
      return alert(`Warning: ${event.text}`, view, view.palette.warning);
    case 'alarm':
      return alert(`ALARM: ${event.text}`, view, view.palette.alarm);
    default:
      return unreachable(event.level);
  }
}

/**
 * Someone who waits for the host stands out: without the host nothing goes on. Whoever is let in is told of as a member
 * in the same moment.
 */
function door(event: DoorEvent, view: RenderView): readonly string[] {
  if (event.stage === 'admitted') return [];
  return alert(event.text, view, event.stage === 'waiting' ? view.palette.bold : undefined);
}

/** Under the question mark, so that the question stands out. */
const HINT = '  ';

/** What is asked folds under itself: there is no time at its left. */
function folded(head: string, text: string, view: RenderView, paint: Paint): readonly string[] {
  const rows = wrapLine(cleanText(text), view.columns - head.length);
  return rows.map((row, index) => (index === 0 ? head : HINT) + paint(row));
}

function prompt(event: PromptEvent, view: RenderView): readonly string[] {
  const tries = event.triesLeft;
  const left = tries === undefined ? '' : ` (${tries} ${tries === 1 ? 'try' : 'tries'} left)`;
  const usual = event.default === undefined ? '' : ` [${event.default}]`;
  const hints = (event.hints ?? []).flatMap((hint) =>
    wrapLine(cleanText(hint), view.columns - HINT.length).map((row) => HINT + row),
  );
  const problem = event.problem === undefined ? [] : folded('! ', event.problem, view, view.palette.warning);
  return [...problem, ...hints, ...folded('? ', event.message + left + usual, view, view.palette.bold)];
}

function invitation(event: InvitationView, view: RenderView): readonly string[] {
  const label = event.label === undefined ? '' : ` for ${event.label}`;
  return [
    ...alert(`Invitation ${event.id}${label}, ${invitationUse(event, view.nowMs)}:`, view),
    cleanText(event.token),
  ];
}

function identity(event: IdentityEvent, { columns }: RenderView): readonly string[] {
  const rows = [
    ['file', event.file],
    ['algorithm', event.algorithm],
    ['fingerprint', shownFingerprint(event.fingerprint)],
    ['member', event.member],
  ];
  return columnsTable(rows, columns);
}

/** @returns lines for the screen, colours included, none of them holding a line feed */
export function renderEvent(event: JsonEvent, view: RenderView): readonly string[] {
  switch (event.type) {
    case 'message':
      return message(event, view);
    case 'conversation':
      return conversationLines(event, view);
    case 'member':
      return memberLines(event, view);
    case 'room':
      return roomLines(event, view);
    case 'door':
      return door(event, view);
    case 'notice':
      return notice(event, view);
    case 'error':
      return alert(`Error: ${event.message}`, view, view.palette.alarm);
    case 'joined':
      return joinedLines(event, view);
    case 'ready':
      return readyPanel(event, view);
    case 'invitation':
      return invitation(event, view);
    case 'code':
      return alert(`The room code is now ${event.value}`, view);
    case 'prompt':
      return prompt(event, view);
    case 'identity':
      return identity(event, view);
    case 'edited':
      return editedLines(event, view);
    case 'deleted':
      return deletedLines(event, view);
    case 'reaction':
      return reactionLines(event, view);
    case 'receipt':
    case 'read':
    case 'file':
      // Told together, by `scroll.ts`.
      return [];
    case 'room-kept':
      return keptRoomLines(event, view);
    case 'proof':
      return proofLines(event, view);
    case 'closed':
      return alert(closedText(event), view);
    default:
      return unreachable(event);
  }
}
