/**
 * For whom one's messages wait, folded: no line for each message. It is told when who is waited for changes, when they
 * have all of it, and when something was not kept for them. Pure: it is told the time.
 */
import { unreachable } from '../../protocol/errors.ts';
import type { MemberEvent, ReceiptEvent } from '../json-lines.ts';
import { alert, cleanNick, entry, type RenderView, SIGN, stamp } from './entry.ts';

/** What comes within this time is told together. */
const WINDOW_MS = 1_000;
/** Named in a line: nicknames of usual length then fit on a row of 80 columns. */
const NAMES_SHOWN = 3;

export type ReceiptNews =
  | { readonly kind: 'waiting'; readonly nicks: readonly string[] }
  | { readonly kind: 'delivered'; readonly nick: string }
  | { readonly kind: 'dropped'; readonly nick: string; readonly count: number };

interface Person {
  nick: string;
  /** The latest message that waits for them: with it, all is settled. */
  lastId: string | null;
  isTold: boolean;
  delivered: number;
  dropped: number;
}

export class ReceiptFold {
  /** By member id. */
  readonly #people = new Map<string, Person>();
  #sinceMs: number | null = null;

  take({ id, state, member }: ReceiptEvent, nowMs: number): void {
    const fresh = { nick: member.nick, lastId: null, isTold: false, delivered: 0, dropped: 0 };
    const person: Person = this.#people.get(member.id) ?? fresh;
    this.#people.set(member.id, person);
    this.#sinceMs ??= nowMs;
    if (state === 'waiting') {
      person.lastId = id;
      return;
    }
    person[state] += 1;
    if (person.lastId === id) person.lastId = null;
  }

  /** Someone goes by another name, or is no longer here: then nothing waits for them. */
  follow({ change, member }: MemberEvent): void {
    const person = this.#people.get(member.id);
    if (person === undefined) return;
    person.nick = member.nick;
    if (change === 'left' || change === 'gone' || change === 'removed') this.#people.delete(member.id);
  }

  /** What has been gathered for long enough. */
  due(nowMs: number): readonly ReceiptNews[] {
    // A clock set back must not make a window that never ends.
    const sinceMs = this.#sinceMs ?? Number.POSITIVE_INFINITY;
    if (sinceMs === Number.POSITIVE_INFINITY || (nowMs >= sinceMs && nowMs - sinceMs < WINDOW_MS)) return [];
    this.#sinceMs = null;
    const news: ReceiptNews[] = [];
    for (const [id, { nick, lastId, isTold, delivered, dropped }] of this.#people) {
      if (lastId !== null) continue;
      this.#people.delete(id);
      if (dropped > 0) news.push({ kind: 'dropped', nick, count: dropped });
      // Whoever was back before anybody was told that they were gone is no news.
      if (delivered > 0 && isTold) news.push({ kind: 'delivered', nick });
    }
    const waiting = [...this.#people.values()];
    if (waiting.some(({ isTold }) => !isTold))
      news.push({ kind: 'waiting', nicks: waiting.map(({ nick }) => nick) });
    for (const person of waiting) person.isTold = true;
    return news;
  }
}

function named(nicks: readonly string[]): string {
  const names = nicks.slice(0, NAMES_SHOWN).map(cleanNick).join(', ');
  return nicks.length > NAMES_SHOWN ? `${names} and ${nicks.length - NAMES_SHOWN} more` : names;
}

export function receiptLines(news: ReceiptNews, view: RenderView): readonly string[] {
  const { dim, warning } = view.palette;
  const dimmed = (text: string): readonly string[] =>
    entry(`${stamp(view.nowMs, view)}${dim(SIGN.alert)} `, text, view, dim);
  switch (news.kind) {
    case 'waiting':
      return dimmed(`What you say waits for ${named(news.nicks)}`);
    case 'delivered':
      return dimmed(`${cleanNick(news.nick)} has received what you said while they were away`);
    case 'dropped': {
      const what = news.count === 1 ? '1 message of yours was' : `${news.count} messages of yours were`;
      const text = `Warning: ${cleanNick(news.nick)} was away too long: ${what} not kept for them`;
      return alert(text, view, warning);
    }
    default:
      return unreachable(news);
  }
}
