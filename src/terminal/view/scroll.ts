/**
 * What a person sees of the events one after the other: day changes, what is new since they looked away, comings and
 * goings folded, who is ignored, and what can be searched. Time comes with the view; nothing here has a clock.
 */

import type {
  DeletedEvent,
  EditedEvent,
  FileEvent,
  JsonEvent,
  MessageEvent,
  ReactionEvent,
} from '../json-lines.ts';
import { type ComingEvent, Comings, isComing } from './comings.ts';
import { clock, dayOf } from './dates.ts';
import type { RenderView } from './entry.ts';
import { type FileChange, FileFold, fileLines } from './file-lines.ts';
import { foldedLines } from './member-lines.ts';
import { ReadFold, readLines } from './read-lines.ts';
import { ReceiptFold, type ReceiptNews, receiptLines } from './receipt-lines.ts';
import { renderEvent } from './render.ts';
import { SearchBook } from './search.ts';
import { ShownMessages } from './shown-messages.ts';

/** Members ignored at a time; a room that has more of them is the wrong room. */
const IGNORED_MOST = 200;

export class Scroll {
  readonly #comings = new Comings();
  readonly #receipts = new ReceiptFold();
  readonly #reads = new ReadFold();
  readonly #files = new FileFold();
  readonly #shown = new ShownMessages();
  readonly #book = new SearchBook();
  /** Member id by nickname, of those in the room now. */
  readonly #ids = new Map<string, string>();
  /** Nickname by member id: whoever is ignored stays so under another name, and under another key. */
  readonly #ignored = new Map<string, string>();
  #day: string | null = null;
  #lastMs = 0;
  /** Since when nobody looks; null while somebody does, or once the marker is shown. */
  #awaySinceMs: number | null = null;
  #looking = true;
  #hasShown = false;
  /** What is said now was sent while one had no line: the marker stands before the first of it. */
  #readsLate = false;

  /** @returns what the event adds to the screen: nothing for one that is hidden or waits for `tick`. */
  lines(event: JsonEvent, view: RenderView): readonly string[] {
    this.#lastMs = view.nowMs;
    this.#follow(event);
    const due = this.tick(view);
    if (event.type === 'receipt') {
      this.#receipts.take(event, view.nowMs);
      return due;
    }
    if (event.type === 'file') return [...due, ...this.#fileLines(event, view)];
    if (this.#hides(event, view)) return due;
    this.#reads.follow(event, view.nowMs);
    if (event.type === 'read') return due;
    if (isOthersComing(event, view) && !this.#comings.take(event, view.nowMs)) return due;
    const number = this.#remember(event, view.nowMs);
    const waited = this.#comings.flush().flatMap((folded) => foldedLines(folded, view));
    const rendered = renderEvent(this.#withoutIgnored(event), {
      ...view,
      ...(number !== undefined && { number }),
    });
    // A panel and a question stand for themselves, without a time.
    const isNews = event.type !== 'ready' && event.type !== 'prompt';
    const said = isAboutMessages(event) ? event : null;
    const atMs = said === null ? view.nowMs : Date.parse(said.at);
    const own = said?.own === true;
    const late = event.type === 'message' && !own ? this.#lateMark(event.away === true, view) : [];
    return [
      ...due,
      ...this.#marked(waited, view.nowMs, view),
      ...(isNews ? this.#marked(rendered, atMs, view, own, late) : rendered),
    ];
  }

  /** What somebody ignored takes back was never shown. */
  #fileLines(event: FileEvent, view: RenderView): readonly string[] {
    const isShown = (news: FileChange): boolean =>
      news.kind === 'taker'
        ? !this.isIgnored(news.taker.member.id)
        : event.state !== 'withdrawn' || !this.isIgnored(event.from.id);
    const lines = this.#files
      .take(event)
      .filter(isShown)
      .flatMap((news) => fileLines(news, view));
    return this.#marked(lines, view.nowMs, view);
  }

  /** @returns the number of a message on this screen */
  #remember(event: JsonEvent, nowMs: number): number | undefined {
    if (event.type === 'edited') this.#book.change(event, nowMs);
    if (event.type === 'deleted') {
      this.#book.forget(event);
      if (event.unknown === undefined) this.#shown.forget(event.id);
    }
    if (event.type !== 'message') return undefined;
    this.#book.keep(event, nowMs);
    return this.#shown.take(event);
  }

  /** @returns the id of the message with this number; `null` where there is none any more */
  idOf(number: number): string | null {
    return this.#shown.idOf(number);
  }

  get latestOfOthers(): string | null {
    return this.#shown.latestOfOthers;
  }

  /** @returns what has waited long enough; call it every second. */
  tick(view: RenderView): readonly string[] {
    this.#lastMs = view.nowMs;
    this.#book.expire(view.nowMs);
    const waited = this.#comings.due(view.nowMs).flatMap((folded) => foldedLines(folded, view));
    const isShown = ({ kind }: ReceiptNews): boolean => kind === 'dropped' || !view.preferences.quiet;
    const receipts = this.#receipts.due(view.nowMs).filter(isShown);
    const readers = this.#reads.due(view.nowMs);
    const lines = [
      ...waited,
      ...receipts.flatMap((news) => receiptLines(news, view)),
      ...(view.preferences.quiet ? [] : readLines(readers, view)),
    ];
    return this.#marked(lines, view.nowMs, view);
  }

  /** Whether somebody looks at the screen. Looking again takes the marker's place away. */
  look(looking: boolean): void {
    if (looking === this.#looking) return;
    this.#looking = looking;
    this.#awaySinceMs = looking ? null : this.#lastMs;
  }

  /** @param words all of them are in the nickname or the text of what is found */
  search(words: string, view: RenderView): readonly string[] {
    return this.#book.search(words, view);
  }

  /** Forgets what can be searched. Who is ignored stays ignored. */
  clear(): void {
    this.#book.clear();
    this.#hasShown = false;
  }

  /** @returns `nobody` when no one of that name is in the room. */
  ignore(nick: string): 'ignored' | 'nobody' | 'too-many' {
    const id = this.#ids.get(nick);
    if (id === undefined) return 'nobody';
    if (!this.#ignored.has(id) && this.#ignored.size >= IGNORED_MOST) return 'too-many';
    this.#ignored.set(id, nick);
    return 'ignored';
  }

  /** @param nick as `ignored` names them now. @returns false when they were not ignored. */
  unignore(nick: string): boolean {
    for (const [id, name] of this.#ignored) if (name === nick) return this.#ignored.delete(id);
    return false;
  }

  /** @param id of a member, as messages name it */
  isIgnored(id: string): boolean {
    return this.#ignored.has(id);
  }

  /** Their nicknames now. */
  get ignored(): readonly string[] {
    return [...this.#ignored.values()];
  }

  #follow(event: JsonEvent): void {
    if (event.type === 'joined') {
      this.#ids.clear();
      for (const { id, nick } of event.members) this.#name(id, nick);
    }
    if (event.type === 'room') this.#book.shorten(event.room.staySeconds);
    if (event.type !== 'member') return;
    this.#receipts.follow(event);
    const { id, nick } = event.member;
    if (event.formerNick !== undefined && this.#ids.get(event.formerNick) === id)
      this.#ids.delete(event.formerNick);
    if (event.change === 'left' || event.change === 'gone' || event.change === 'removed')
      this.#ids.delete(nick);
    else {
      const before = event.change === 'key-changed' ? this.#ids.get(nick) : undefined;
      if (before !== undefined && this.#ignored.delete(before)) this.#ignored.set(id, nick);
      this.#name(id, nick);
    }
  }

  #name(id: string, nick: string): void {
    this.#ids.set(nick, id);
    if (this.#ignored.has(id)) this.#ignored.set(id, nick);
  }

  /** What somebody ignored has said is not quoted either. */
  #withoutIgnored(event: JsonEvent): JsonEvent {
    if (
      event.type === 'message' &&
      event.replyTo?.from !== undefined &&
      this.isIgnored(event.replyTo.from.id)
    ) {
      const { id, from } = event.replyTo;
      return { ...event, replyTo: { id, from } };
    }
    if (event.type === 'reaction' && event.author !== undefined && this.isIgnored(event.author.id)) {
      const { excerpt: _, ...rest } = event;
      return rest;
    }
    return event;
  }

  /** Only what is said and who comes and goes can be hidden; what is done to someone never. */
  #hides(event: JsonEvent, view: RenderView): boolean {
    if (isAboutMessages(event) || event.type === 'read') return this.isIgnored(event.from.id);
    // Whoever is gone may have been removed.
    return view.preferences.quiet && isOthersComing(event, view) && event.change !== 'gone';
  }

  #marked(
    lines: readonly string[],
    atMs: number,
    view: RenderView,
    own = false,
    late: readonly string[] = [],
  ): readonly string[] {
    if (lines.length === 0) return lines;
    const news = own ? [] : this.#newMark(view);
    // One of the two says it all.
    const marks = [...this.#dayMark(atMs, view), ...(late.length > 0 ? late : news)];
    this.#hasShown = true;
    return [...marks, ...lines];
  }

  #dayMark(atMs: number, { palette, timeZone, nowMs }: RenderView): readonly string[] {
    this.#day ??= dayOf(nowMs, timeZone);
    const day = dayOf(atMs, timeZone);
    if (day === null || day === this.#day) return [];
    this.#day = day;
    return [palette.dim(`--- ${day} ---`)];
  }

  #lateMark(late: boolean, { palette }: RenderView): readonly string[] {
    const isFirst = late && !this.#readsLate;
    this.#readsLate = late;
    return isFirst ? [palette.bold('--- sent while you were away ---')] : [];
  }

  #newMark({ palette, timeZone, preferences }: RenderView): readonly string[] {
    const sinceMs = this.#awaySinceMs;
    this.#awaySinceMs = null;
    if (sinceMs === null || !this.#hasShown) return [];
    const style = preferences.timestamps === 'off' ? 'minutes' : preferences.timestamps;
    const since = clock(sinceMs, style, timeZone);
    return [palette.bold(`--- new since ${since} ---`)];
  }
}

/** What is said, and what is done to it. */
function isAboutMessages(
  event: JsonEvent,
): event is MessageEvent | EditedEvent | DeletedEvent | ReactionEvent {
  return (
    event.type === 'message' ||
    event.type === 'edited' ||
    event.type === 'deleted' ||
    event.type === 'reaction'
  );
}

/** What one does oneself is answered, and never folded. */
function isOthersComing(event: JsonEvent, { self }: RenderView): event is ComingEvent {
  return event.type === 'member' && isComing(event) && event.member.nick !== self;
}
