/** The line being typed: its state, and the few steps that all editing is made of. */
import { LIMITS } from '../../protocol/limits.ts';
import { graphemes, nextBoundary, previousBoundary } from '../graphemes.ts';
import type { Walk } from './walk.ts';

/** What undoing, or dropping a paste, goes back to. */
export type Snapshot = {
  readonly text: string;
  readonly cursor: number;
  readonly historyIndex: number;
  readonly draft: string;
};

/** What the next key means, where it is not plain editing. */
export type EditorMode =
  | { readonly kind: 'typing' }
  /** Ctrl-X came, and waits for the key it belongs to. */
  | { readonly kind: 'prefix' }
  /** Inside a bracketed paste: what has come of it. */
  | { readonly kind: 'pasting'; readonly text: string; readonly before: Snapshot }
  /** Several lines were pasted: Enter sends, Esc goes back to `before`, anything else goes on editing. */
  | { readonly kind: 'pasted'; readonly lines: number; readonly before: Snapshot }
  | { readonly kind: 'walking'; readonly walk: Walk }
  /** Ctrl-R. `found` is false where no line holds the words; what was found last is still shown. */
  | {
      readonly kind: 'searching';
      readonly words: string;
      readonly found: boolean;
      readonly before: Snapshot;
    };

type EditorRun = 'typed' | 'killed';

export type EditorState = {
  readonly text: string;
  /** UTF-16 offset into `text`, between graphemes. */
  readonly cursor: number;
  /** Shown as dots, on one line, remembered nowhere. */
  readonly masked: boolean;
  /** What the last kills took, for yank. */
  readonly killed: string;
  /** Submitted lines, oldest first. */
  readonly history: readonly string[];
  /** Place in `history`; its length while the draft is being edited. */
  readonly historyIndex: number;
  /** The unsent line, kept while history is looked through. */
  readonly draft: string;
  readonly mode: EditorMode;
  /** What undo goes back to, newest last. */
  readonly undo: readonly Snapshot[];
  /** What the last key did, where the next of its kind joins it: letters undo together, kills add up. */
  readonly run: EditorRun | null;
  /** The same of the key before it. */
  readonly previousRun: EditorRun | null;
};

export type EditorSignal =
  /** Ctrl-C. */
  | 'interrupt'
  /** Ctrl-D on an empty line. */
  | 'end'
  /** Ctrl-L. */
  | 'clear-screen'
  /** Ctrl-Z. */
  | 'suspend'
  /** Ctrl-X Ctrl-E. */
  | 'edit'
  /** Part of what was typed or pasted did not fit and was left out. */
  | 'full';

export type EditResult = {
  readonly state: EditorState;
  /** The finished line, its line feeds kept. */
  readonly submitted?: string;
  readonly signal?: EditorSignal;
};

export const TYPING: EditorMode = { kind: 'typing' };
const WORD = /[\p{L}\p{N}\p{M}_]/u;

export function newEditor(options: { readonly masked?: boolean } = {}): EditorState {
  return {
    text: '',
    cursor: 0,
    masked: options.masked ?? false,
    killed: '',
    history: [],
    historyIndex: 0,
    draft: '',
    mode: TYPING,
    undo: [],
    run: null,
    previousRun: null,
  };
}

export function snapshotOf({ text, cursor, historyIndex, draft }: EditorState): Snapshot {
  return { text, cursor, historyIndex, draft };
}

/** The longest beginning of `text`, in whole graphemes, that takes at most `maxBytes` of UTF-8. */
function fitting(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  let bytes = 0;
  let kept = 0;
  for (const grapheme of graphemes(text)) {
    bytes += Buffer.byteLength(grapheme);
    if (bytes > maxBytes) break;
    kept += grapheme.length;
  }
  return text.slice(0, kept);
}

/** Puts `text` in the place of what lies between `start` and `end`, the cursor behind it. */
export function replace(state: EditorState, start: number, end: number, text: string): EditResult {
  const before = state.text.slice(0, start);
  const after = state.text.slice(end);
  const taken = fitting(text, LIMITS.textBytes - Buffer.byteLength(before) - Buffer.byteLength(after));
  const next = { ...state, text: before + taken + after, cursor: start + taken.length };
  return taken === text ? { state: next } : { state: next, signal: 'full' };
}

export function insert(state: EditorState, text: string): EditResult {
  return replace(state, state.cursor, state.cursor, text);
}

export function moveTo(state: EditorState, cursor: number): EditResult {
  return { state: { ...state, cursor } };
}

/** Takes out what lies between the cursor and `offset`. */
export function erase(state: EditorState, offset: number): EditResult {
  return replace(state, Math.min(offset, state.cursor), Math.max(offset, state.cursor), '');
}

/** As `erase`, for yank to bring back; a secret is not kept. */
export function kill(state: EditorState, offset: number): EditResult {
  if (state.masked || offset === state.cursor) return erase(state, offset);
  const backwards = offset < state.cursor;
  const taken = backwards ? state.text.slice(offset, state.cursor) : state.text.slice(state.cursor, offset);
  const kept = state.previousRun === 'killed' ? state.killed : '';
  return erase({ ...state, killed: backwards ? taken + kept : kept + taken, run: 'killed' }, offset);
}

export function lineEnd({ text, cursor }: Pick<EditorState, 'text' | 'cursor'>): number {
  const end = text.indexOf('\n', cursor);
  return end === -1 ? text.length : end;
}

export function lineStart({ text, cursor }: Pick<EditorState, 'text' | 'cursor'>): number {
  return text.slice(0, cursor).lastIndexOf('\n') + 1;
}

export const isWord = (grapheme: string): boolean => WORD.test(grapheme);
export const isNotSpace = (grapheme: string): boolean => !/\s/u.test(grapheme);

/** @returns where the word before the cursor begins */
export function wordLeft(
  { text, cursor, masked }: EditorState,
  belongs: (grapheme: string) => boolean,
): number {
  // Word by word would tell an onlooker where the words of a secret end.
  if (masked) return 0;
  let offset = cursor;
  const before = (): string => text.slice(previousBoundary(text, offset), offset);
  while (offset > 0 && !belongs(before())) offset = previousBoundary(text, offset);
  while (offset > 0 && belongs(before())) offset = previousBoundary(text, offset);
  return offset;
}

/** @returns where the word after the cursor ends */
export function wordRight({ text, cursor, masked }: EditorState): number {
  if (masked) return text.length;
  let offset = cursor;
  const after = (): string => text.slice(offset, nextBoundary(text, offset));
  while (offset < text.length && !isWord(after())) offset = nextBoundary(text, offset);
  while (offset < text.length && isWord(after())) offset = nextBoundary(text, offset);
  return offset;
}
