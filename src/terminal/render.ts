/**
 * What a person sees of each event, as lines of text. House rule: every string that came from somebody else passes
 * `cleanText` here; a caller's word that it is clean counts for nothing.
 */
import { cleanText } from '../protocol/clean-text.ts';
import { unreachable } from '../protocol/errors.ts';
import { LIMITS } from '../protocol/limits.ts';
import { columnsOf } from './graphemes.ts';
import type {
  InvitationView,
  JoinedEvent,
  JsonEvent,
  MemberEvent,
  MessageEvent,
  NoticeEvent,
  PromptEvent,
} from './json-lines.ts';
import type { Palette } from './palette.ts';
import { invitationUse, readyPanel } from './ready-panel.ts';
import { wrapLine } from './wrap.ts';

export type RenderView = {
  readonly palette: Palette;
  /** Of the screen. Infinite: one line an event, whatever it holds. */
  readonly columns: number;
  readonly nowMs: number;
  /** IANA name; the machine's own when left out. */
  readonly timeZone?: string;
};

const NAMES_SHOWN = 20;
/** Under `HH:MM `: what follows a line feed or a fold can never stand where a time and a nickname stand. */
const GUTTER = '      | ';
const ALERT = '-!-';
const ARRIVED = '-->';
const LEFT = '<--';

const clocks = new Map<string | undefined, Intl.DateTimeFormat>();

/** HH:MM */
function clock(timeMs: number, timeZone: string | undefined): string {
  if (Number.isNaN(timeMs)) return '--:--';
  let format = clocks.get(timeZone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', {
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
      timeZone,
    });
    clocks.set(timeZone, format);
  }
  return format.format(timeMs);
}

function cleanNick(nick: string): string {
  return cleanText(nick, { maxCodePoints: LIMITS.nicknameCharactersMost });
}

/** A painted head, then text that may have several lines and be wider than the screen. */
function entry(
  head: string,
  text: string,
  view: RenderView,
  paint = (row: string): string => row,
): readonly string[] {
  if (view.columns === Number.POSITIVE_INFINITY) return [head + paint(cleanText(text))];
  const columns = view.columns - GUTTER.length;
  const [first = '', ...others] = cleanText(text, { multiline: true }).split('\n');
  const rows = wrapLine(first, columns, Math.max(0, view.columns - columnsOf(head)));
  const [opening = '', ...folded] = [...rows, ...others.flatMap((line) => wrapLine(line, columns))];
  const gutter = view.palette.dim(GUTTER);
  return [head + paint(opening), ...folded.map((row) => gutter + paint(row))];
}

function stamp(timeMs: number, view: RenderView): string {
  return view.palette.dim(clock(timeMs, view.timeZone));
}

function alert(text: string, view: RenderView, paint?: (row: string) => string): readonly string[] {
  const sign = paint === undefined ? ALERT : paint(ALERT);
  return entry(`${stamp(view.nowMs, view)} ${sign} `, text, view, paint);
}

function message(event: MessageEvent, view: RenderView): readonly string[] {
  const nick = view.palette.nick(cleanNick(event.from.nick));
  const author = event.kind === 'emote' ? `* ${nick}` : `<${nick}>`;
  return entry(`${stamp(Date.parse(event.at), view)} ${author} `, event.text, view);
}

function member(event: MemberEvent, view: RenderView): readonly string[] {
  const nick = cleanNick(event.member.nick);
  const by = event.by === undefined ? '' : ` by ${cleanNick(event.by.nick)}`;
  const reason = event.reason === undefined ? '' : ` (${cleanText(event.reason)})`;
  const line = (sign: string, text: string): readonly string[] =>
    entry(`${stamp(view.nowMs, view)} ${sign} ${view.palette.nick(nick)} `, text, view);
  switch (event.change) {
    case 'joined':
      return line(ARRIVED, `has joined${reason}`);
    case 'online':
      return line(ARRIVED, 'is back online');
    case 'left':
      return line(LEFT, `has left${reason}`);
    case 'offline':
      return line(LEFT, 'is offline');
    case 'removed':
      return line(LEFT, `was removed${by}${reason}`);
    case 'renamed':
      return line(ALERT, `is the new nickname of ${cleanNick(event.formerNick ?? 'a member')}`);
    case 'key-changed':
      return alert(
        `Warning: ${nick} has a new key and may be someone else. Ask them some other way; /whois ${nick} shows the key.`,
        view,
        view.palette.warning,
      );
    default:
      return unreachable(event.change);
  }
}

function notice(event: NoticeEvent, view: RenderView): readonly string[] {
  switch (event.level) {
    case 'info':
      return alert(event.text, view);
    case 'warning':
      return alert(`Warning: ${event.text}`, view, view.palette.warning);
    case 'alarm':
      return alert(`ALARM: ${event.text}`, view, view.palette.alarm);
    default:
      return unreachable(event.level);
  }
}

function joined(event: JoinedEvent, view: RenderView): readonly string[] {
  const online = event.members.filter((person) => person.online).map((person) => cleanNick(person.nick));
  const more = online.length > NAMES_SHOWN ? ` and ${online.length - NAMES_SHOWN} more` : '';
  const names = online.slice(0, NAMES_SHOWN).join(', ') + more;
  const self = cleanNick(event.self.nick);
  return alert(`You are ${self} in ${cleanText(event.room.name)}. Online (${online.length}): ${names}`, view);
}

function prompt(event: PromptEvent, view: RenderView): readonly string[] {
  const tries = event.triesLeft;
  const left = tries === undefined ? '' : ` (${tries} ${tries === 1 ? 'try' : 'tries'} left)`;
  return entry('? ', event.message + left, view, view.palette.bold);
}

function invitation(event: InvitationView, view: RenderView): readonly string[] {
  return [
    ...alert(`Invitation ${event.id}, ${invitationUse(event, view.nowMs)}:`, view),
    cleanText(event.token),
  ];
}

/** @returns lines for the screen, colours included, none of them holding a line feed */
export function renderEvent(event: JsonEvent, view: RenderView): readonly string[] {
  switch (event.type) {
    case 'message':
      return message(event, view);
    case 'member':
      return member(event, view);
    case 'notice':
      return notice(event, view);
    case 'error':
      return alert(`Error: ${event.message}`, view, view.palette.alarm);
    case 'joined':
      return joined(event, view);
    case 'ready':
      return readyPanel(event, view);
    case 'invitation':
      return invitation(event, view);
    case 'code':
      return alert(`The room code is now ${event.value}`, view);
    case 'prompt':
      return prompt(event, view);
    case 'closed':
      return alert(`Closed: ${event.reason}`, view);
    default:
      return unreachable(event);
  }
}
