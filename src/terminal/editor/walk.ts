/** Completing what stands before the cursor: what a completer answers, and walking through its candidates. */
import { columnsOf } from '../graphemes.ts';

/** Each candidate replaces the line from `from` up to the cursor. */
export type Completion = { readonly from: number; readonly candidates: readonly string[] };

/**
 * @param line all of the draft
 * @param cursor UTF-16 offset into it
 * @returns null, or no candidates, where nothing fits
 */
export type Completer = (line: string, cursor: number) => Completion | null;

/** Candidates being walked through. They lie in a ring, with what the person had typed as the last. */
export type Walk = {
  /** Which key goes on: Tab, or Alt-. for the last words of earlier lines. */
  readonly by: 'tab' | 'last-word';
  readonly from: number;
  readonly ring: readonly string[];
  readonly at: number;
};

/** More could not be told apart by pressing Tab. */
const MAX_CANDIDATES = 200;

/** @returns null where there is nothing to put in. Names that a terminal would obey are left out. */
export function beginWalk(by: Walk['by'], completion: Completion, typed: string): Walk | null {
  const usable = completion.candidates.filter((candidate) => !/\p{Cc}/u.test(candidate));
  const candidates = [...new Set(usable)].slice(0, MAX_CANDIDATES);
  if (candidates.length === 0) return null;
  return { by, from: completion.from, ring: [...candidates, typed], at: 0 };
}

/** Whether there is a choice, and so a next one to go to. */
export function hasChoice({ ring }: Walk): boolean {
  return ring.length > 2;
}

export function step(walk: Walk, by: 1 | -1): Walk {
  return { ...walk, at: (walk.at + by + walk.ring.length) % walk.ring.length };
}

/** The candidates in one row, the chosen one in brackets; where they do not fit, beginning at the chosen one. */
export function describeWalk({ ring, at }: Walk, columns: number): string {
  const candidates = ring.slice(0, -1);
  const names = candidates.map((name, index) => (index === at ? `[${name.trim()}]` : name.trim()));
  const all = names.join('  ');
  if (columnsOf(all) <= columns) return all;
  const first = at < names.length ? at : 0;
  return names.slice(first).join('  ');
}
