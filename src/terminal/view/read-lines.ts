/**
 * Who has read what one said, told together and not while they talk: whoever answers has read it, and needs no line for it.
 * Pure: it is told the time.
 */
import type { JsonEvent } from '../json-lines.ts';
import { cleanNick, entry, type RenderView, SIGN, stamp } from './entry.ts';

/** Whoever says nothing within this time after reading is told of. */
const WINDOW_MS = 10_000;
/** Named in a line: nicknames of usual length then fit on a row of 80 columns. */
const NAMES_SHOWN = 3;

export class ReadFold {
  /** Nicknames by member id, in the order in which they read. */
  readonly #readers = new Map<string, string>();
  #sinceMs: number | null = null;

  follow(event: JsonEvent, nowMs: number): void {
    if (event.type === 'read' && event.ofOwn) {
      this.#readers.set(event.from.id, event.from.nick);
      this.#sinceMs ??= nowMs;
    } else if (event.type === 'message') this.#readers.delete(event.from.id);
    else if (event.type === 'member') this.#readers.delete(event.member.id);
  }

  /** Who has read it and said nothing for long enough. */
  due(nowMs: number): readonly string[] {
    // A clock set back must not make a window that never ends.
    const sinceMs = this.#sinceMs ?? Number.POSITIVE_INFINITY;
    if (sinceMs === Number.POSITIVE_INFINITY || (nowMs >= sinceMs && nowMs - sinceMs < WINDOW_MS)) return [];
    this.#sinceMs = null;
    const nicks = [...this.#readers.values()];
    this.#readers.clear();
    return nicks;
  }
}

export function readLines(nicks: readonly string[], view: RenderView): readonly string[] {
  if (nicks.length === 0) return [];
  const names = nicks.slice(0, NAMES_SHOWN).map(cleanNick);
  const more = nicks.length - names.length;
  const last = more > 0 ? `${more} more` : names.pop();
  const who = names.length === 0 ? `${last} has` : `${names.join(', ')} and ${last} have`;
  const { dim } = view.palette;
  return entry(`${stamp(view.nowMs, view)}${dim(SIGN.alert)} `, `${who} read what you said`, view, dim);
}
