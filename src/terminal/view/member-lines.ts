/** News of members: who comes, goes, is renamed, muted or removed. */
import { cleanText } from '../../protocol/clean-text.ts';
import { unreachable } from '../../protocol/errors.ts';
import type { MemberEvent } from '../json-lines.ts';
import type { ComingChange, Folded } from './comings.ts';
import { alert, cleanNick, entry, type RenderView, SIGN, stamp } from './entry.ts';
import { shownFingerprint } from './ready-panel.ts';

const COMING_SIGN: Readonly<Record<ComingChange, string>> = {
  joined: SIGN.arrived,
  online: SIGN.arrived,
  left: SIGN.left,
  gone: SIGN.left,
  offline: SIGN.left,
  away: SIGN.alert,
  back: SIGN.alert,
};

const MANY: Readonly<Record<ComingChange, string>> = {
  joined: 'have joined',
  online: 'are back online',
  left: 'have left',
  gone: 'are no longer in the room',
  offline: 'are offline',
  away: 'are away',
  back: 'are back',
};

export function memberLines(event: MemberEvent, view: RenderView): readonly string[] {
  const nick = cleanNick(event.member.nick);
  const isSelf = event.member.nick === view.self;
  const by = event.by === undefined ? '' : ` by ${cleanNick(event.by.nick)}`;
  const reason = event.reason === undefined ? '' : ` (${cleanText(event.reason)})`;
  const line = (sign: string, text: string): readonly string[] =>
    entry(`${stamp(view.nowMs, view)}${sign} ${view.palette.nick(nick)} `, text, view);
  /** The same of oneself and of others: `You are…`, `ann is…`. */
  const news = (
    rest: string,
    verbs: { you: string; they: string } = { you: 'are', they: 'is' },
  ): readonly string[] =>
    isSelf
      ? alert(`You ${verbs.you} ${rest}`, view, view.palette.bold)
      : line(SIGN.alert, `${verbs.they} ${rest}`);
  switch (event.change) {
    case 'joined':
      return line(SIGN.arrived, `has joined${reason}`);
    case 'online':
      return line(SIGN.arrived, 'is back online');
    case 'left':
      return line(SIGN.left, `has left${reason}`);
    case 'gone':
      return line(SIGN.left, 'is no longer in the room');
    case 'offline':
      return line(SIGN.left, 'is offline');
    case 'away':
      return news(isSelf ? 'away until you say something, or /back' : 'away');
    case 'back':
      return news('back');
    case 'removed':
      return line(SIGN.left, `was removed${by}${reason}`);
    case 'renamed':
      return isSelf
        ? alert(`You are now called ${nick}`, view, view.palette.bold)
        : line(SIGN.alert, `is the new nickname of ${cleanNick(event.formerNick ?? 'a member')}`);
    case 'key-changed':
      return alert(
        keyChangedText(isSelf ? null : nick, event.member.fingerprint),
        view,
        view.palette.warning,
      );
    case 'role':
      return event.member.role === 'member'
        ? news('no longer a moderator')
        : news(`now ${event.member.role === 'moderator' ? 'a moderator' : cleanText(event.member.role)}`);
    case 'muted':
      return news(`muted${by}${reason}`, { you: 'were', they: 'was' });
    case 'unmuted':
      return news(`unmuted${by}`, { you: 'were', they: 'was' });
    default:
      return unreachable(event.change);
  }
}

/** @param nick `null`: one's own account, seen where it was used before */
function keyChangedText(nick: string | null, fingerprint: string): string {
  const key = shownFingerprint(fingerprint);
  if (nick === null)
    return `Your account goes on elsewhere, under the key ${key}. If that is not you, tell the host at once`;
  return `${nick} goes on under another key, ${key}. The host says that they gave their password: compare the key with them another way`;
}

/** Several who came or went, in one line: `--> ann, bob and 14 more have joined`. */
export function foldedLines({ first, nicks, count }: Folded, view: RenderView): readonly string[] {
  if (count === 1) return memberLines(first, view);
  const names = nicks.map(cleanNick);
  const last = count > names.length ? `${count - names.length} more` : names.pop();
  const head = `${stamp(view.nowMs, view)}${COMING_SIGN[first.change]} `;
  return entry(head, `${names.join(', ')} and ${last} ${MANY[first.change]}`, view);
}
