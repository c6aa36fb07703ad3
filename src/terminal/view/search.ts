/** What was said, kept to be searched: in memory only, bounded, and gone with the program. */

import { graphemes } from '../graphemes.ts';
import type { DeletedEvent, EditedEvent, MessageEvent, PersonView } from '../json-lines.ts';
import { clock, shortDate } from './dates.ts';
import { alert, type RenderView, underHead, wrapText } from './entry.ts';
import { author } from './render.ts';

/** Messages kept: a day of a busy room, searched within 50 ms. */
const KEPT_MOST = 10_000;
/** Bytes of them, counted at two for each UTF-16 unit: 10,000 messages of usual length fit, few of the longest. */
const KEPT_BYTES_MOST = 8 * 1024 * 1024;
/** Beside its text: object, strings' heads, its place in the list. */
const ENTRY_BYTES = 200;
/** More would push what one was looking at off the screen. */
const RESULTS_MOST = 20;
/** Rows shown of one message: those that hold a word. */
const ROWS_MOST = 3;
/** Characters shown of a line, and how many of them come before the word; the longest messages are 16,000. */
const EXCERPT_CHARACTERS = 400;
const BEFORE_WORD_CHARACTERS = 100;

/** What is found of a message. */
type Searched = Pick<MessageEvent, 'kind' | 'text'> & { readonly from: PersonView };

type Kept = {
  readonly id: string;
  readonly event: Searched;
  readonly atMs: number;
  /** When it was said, by this machine's clock. */
  readonly sinceMs: number;
  /** When it is forgotten; infinite where messages stay. */
  goesAtMs: number;
  /** Nickname and text, folded; searching would otherwise fold everything every time. */
  readonly folded: string;
};

/** Case and width make no difference: `Café`, `CAFÉ` and `ｃａｆé` are found by each other. */
function fold(text: string): string {
  return text.normalize('NFKC').toLowerCase();
}

function bytesOf({ event, folded }: Kept): number {
  return ENTRY_BYTES + 2 * (event.text.length + folded.length);
}

/** @returns the row with each place that folds to one of the words painted. */
function paintWords(row: string, words: readonly string[], paint: (text: string) => string): string {
  const characters = graphemes(row);
  let folded = '';
  /** For each unit of `folded`, the character it came from. */
  const origin: number[] = [];
  for (const [index, character] of characters.entries()) {
    const part = fold(character);
    folded += part;
    for (let unit = 0; unit < part.length; unit += 1) origin.push(index);
  }
  const marked = new Set<number>();
  for (const word of words) {
    for (let at = folded.indexOf(word); at >= 0; at = folded.indexOf(word, at + word.length)) {
      for (let unit = at; unit < at + word.length; unit += 1) marked.add(origin[unit] ?? 0);
    }
  }
  let painted = '';
  let run = '';
  for (const [index, character] of characters.entries()) {
    if (marked.has(index)) {
      run += character;
      continue;
    }
    painted += (run === '' ? '' : paint(run)) + character;
    run = '';
  }
  return run === '' ? painted : painted + paint(run);
}

function holdsAny(row: string, words: readonly string[]): boolean {
  const folded = fold(row);
  return words.some((word) => folded.includes(word));
}

/** Of a long line, what stands around the first word; folding hardly ever moves it. */
function excerpt(line: string, words: readonly string[]): string {
  if (line.length <= EXCERPT_CHARACTERS) return line;
  const folded = fold(line);
  const places = words.map((word) => folded.indexOf(word)).filter((place) => place >= 0);
  const from = places.length === 0 ? 0 : Math.max(0, Math.min(...places) - BEFORE_WORD_CHARACTERS);
  const end = from + EXCERPT_CHARACTERS;
  return `${from > 0 ? '…' : ''}${line.slice(from, end)}${end < line.length ? '…' : ''}`;
}

function resultLines({ event, atMs }: Kept, words: readonly string[], view: RenderView): readonly string[] {
  const { palette, timeZone, preferences } = view;
  const style = preferences.timestamps === 'off' ? 'minutes' : preferences.timestamps;
  const when = palette.dim(`${shortDate(atMs, timeZone)} ${clock(atMs, style, timeZone)}`);
  const head = `${when} ${author(event, view)} `;
  const lines = event.text.split('\n');
  const holdingLines = lines.filter((line) => holdsAny(line, words)).slice(0, ROWS_MOST);
  const excerpts = (holdingLines.length > 0 ? holdingLines : lines.slice(0, 1)).map((line) =>
    excerpt(line, words),
  );
  const text = excerpts.join('\n');
  const rows = wrapText(head, text, view);
  const holding = rows.filter((row) => holdsAny(row, words)).slice(0, ROWS_MOST);
  const shown = holding.length > 0 ? holding : rows.slice(0, 1);
  return underHead(
    head,
    shown.map((row) => paintWords(row, words, palette.found)),
    view,
  );
}

export class SearchBook {
  /** Oldest first: a set is in order, and gives up its oldest at no cost. */
  readonly #kept = new Set<Kept>();
  #bytes = 0;
  /** When the first of them is forgotten. */
  #nextMs = Number.POSITIVE_INFINITY;

  keep(event: MessageEvent, nowMs: number): void {
    const { id, kind, from, text, disappearsAt } = event;
    const atMs = Date.parse(event.at);
    this.#add({
      ...{ id, event: { kind, from, text }, atMs },
      // The host's time counts only for what came late.
      sinceMs: event.away === true ? Math.min(atMs, nowMs) : nowMs,
      goesAtMs: disappearsAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(disappearsAt),
    });
  }

  /** The new text is found, the old one no more. One of a message that is not kept is found as it is. */
  change({ id, from, text, at }: EditedEvent, nowMs: number): void {
    const before = this.#of(id, from.id);
    if (before !== undefined) this.#drop(before);
    const unknown = { event: { kind: 'text' as const, from }, atMs: Date.parse(at), sinceMs: nowMs };
    const { event, ...times } = before ?? { ...unknown, goesAtMs: Number.POSITIVE_INFINITY };
    const { atMs, sinceMs, goesAtMs } = times;
    this.#add({ id, event: { ...event, text }, atMs, sinceMs, goesAtMs });
  }

  forget({ id, from }: DeletedEvent): void {
    const kept = this.#of(id, from.id);
    if (kept !== undefined) this.#drop(kept);
  }

  /** Of this author alone: what is remembered here may be longer ago than what the session knows to be somebody's. */
  #of(id: string, author: string): Kept | undefined {
    for (const kept of this.#kept) if (kept.id === id && kept.event.from.id === author) return kept;
    return undefined;
  }

  #add(said: Omit<Kept, 'folded'>): void {
    const kept = { ...said, folded: fold(`${said.event.from.nick} ${said.event.text}`) };
    this.#kept.add(kept);
    this.#bytes += bytesOf(kept);
    this.#nextMs = Math.min(this.#nextMs, kept.goesAtMs);
    for (const oldest of this.#kept) {
      if (this.#kept.size <= KEPT_MOST && this.#bytes <= KEPT_BYTES_MOST) break;
      this.#drop(oldest);
    }
  }

  /** Messages disappear after so long from now on. What was to go sooner still does. */
  shorten(staySeconds: number): void {
    if (staySeconds === 0) return;
    for (const kept of this.#kept) {
      kept.goesAtMs = Math.min(kept.goesAtMs, kept.sinceMs + staySeconds * 1_000);
      this.#nextMs = Math.min(this.#nextMs, kept.goesAtMs);
    }
  }

  /** Time passes: what has disappeared is found no more. */
  expire(nowMs: number): void {
    if (nowMs < this.#nextMs) return;
    this.#nextMs = Number.POSITIVE_INFINITY;
    for (const kept of this.#kept) {
      if (kept.goesAtMs <= nowMs) this.#drop(kept);
      else this.#nextMs = Math.min(this.#nextMs, kept.goesAtMs);
    }
  }

  #drop(kept: Kept): void {
    this.#kept.delete(kept);
    this.#bytes -= bytesOf(kept);
  }

  /**
   * @param query words that must all be in nickname or text, in any order; between quotes a phrase
   * @returns how many there were, and the newest of them, newest last
   */
  search(query: string, view: RenderView): readonly string[] {
    this.expire(view.nowMs);
    const words = wordsOf(query);
    if (words.length === 0) return alert('Which words? /search kettle tea, or /search "the kettle"', view);
    const found = [...this.#kept].filter(({ folded }) => words.every((word) => folded.includes(word)));
    const shown = found.slice(-RESULTS_MOST);
    return [
      ...alert(countText(found.length, shown.length), view),
      ...shown.flatMap((kept) => resultLines(kept, words, view)),
    ];
  }

  clear(): void {
    this.#kept.clear();
    this.#bytes = 0;
  }
}

/** A quote that is not closed is closed at the end. Writing programs make them curly. */
function wordsOf(query: string): readonly string[] {
  const parts = fold(query).split(/["“”„]/u);
  const words = parts.flatMap((part, index) => (index % 2 === 1 ? [part.trim()] : part.split(/\s+/u)));
  return [...new Set(words)].filter((word) => word !== '');
}

function countText(found: number, shown: number): string {
  if (found === 0) return 'Nothing was found. What was said while this program runs is searched.';
  const messages = found === 1 ? '1 message' : `${found} messages`;
  if (found === shown) return `Found in ${messages}:`;
  return `Found in ${messages}; add words to narrow it. The newest ${shown}:`;
}
