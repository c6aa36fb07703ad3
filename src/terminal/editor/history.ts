/** Lines sent before: going through them, looking for one by its words, and taking their last words. */

import { lastWord } from './last-word.ts';
import { type EditorMode, type EditorState, type EditResult, snapshotOf, TYPING } from './state.ts';
import { beginWalk, type Walk } from './walk.ts';

type Searching = Extract<EditorMode, { readonly kind: 'searching' }>;

const HISTORY_LINES = 500;
/** Longer words could not be seen at the prompt. */
const MAX_SEARCH_UNITS = 100;

/** Ends the line: remembered unless it is blank, a secret, or the same as the last. */
export function submit(state: EditorState): EditResult {
  const { text } = state;
  const remembered = !state.masked && text.trim() !== '' && text !== state.history.at(-1);
  const history = remembered ? [...state.history, text].slice(-HISTORY_LINES) : state.history;
  const cleared = {
    ...state,
    text: '',
    cursor: 0,
    history,
    historyIndex: history.length,
    draft: '',
    mode: TYPING,
  };
  return { state: { ...cleared, undo: [], run: null }, submitted: text };
}

/** The oldest lines are forgotten. What is being typed or looked at stays. */
export function forgetLines(state: EditorState, count: number): EditorState {
  if (count === 0) return state;
  const back = <Place extends { readonly historyIndex: number }>(place: Place): Place => ({
    ...place,
    historyIndex: Math.max(0, place.historyIndex - count),
  });
  const { mode } = state;
  return {
    ...back(state),
    history: state.history.slice(count),
    undo: state.undo.map(back),
    mode: 'before' in mode ? { ...mode, before: back(mode.before) } : mode,
  };
}

/** @param index into the history; its length brings the draft back */
export function recall(state: EditorState, index: number): EditResult {
  if (state.masked || index < 0 || index > state.history.length) return { state };
  const draft = state.historyIndex === state.history.length ? state.text : state.draft;
  const text = state.history[index] ?? draft;
  return { state: { ...state, text, cursor: text.length, historyIndex: index, draft } };
}

export function beginSearch(state: EditorState): EditResult {
  if (state.masked) return { state };
  const before = snapshotOf(state);
  return { state: { ...state, mode: { kind: 'searching', words: '', found: true, before } } };
}

export function endSearch(state: EditorState, mode: Searching, how: 'keep' | 'drop'): EditResult {
  return { state: { ...state, ...(how === 'drop' && mode.before), mode: TYPING } };
}

/** The next line that holds the words, going towards older lines (-1) or newer ones (1). */
export function searchOn(state: EditorState, mode: Searching, direction: 1 | -1): EditResult {
  return find(state, mode, state.historyIndex + direction, direction);
}

export function searchFor(state: EditorState, mode: Searching, words: string): EditResult {
  const changed = { ...mode, words: words.slice(0, MAX_SEARCH_UNITS) };
  // Fewer letters may fit a newer line again.
  const start = words.length < mode.words.length ? state.history.length - 1 : state.historyIndex;
  return find(state, changed, Math.min(start, state.history.length - 1), -1);
}

function find(state: EditorState, mode: Searching, start: number, direction: 1 | -1): EditResult {
  if (mode.words === '') return { state: { ...state, ...mode.before, mode: { ...mode, found: true } } };
  const wanted = mode.words.toLowerCase();
  for (let index = start; index >= 0 && index < state.history.length; index += direction) {
    const at = state.history[index]?.toLowerCase().indexOf(wanted) ?? -1;
    if (at < 0) continue;
    const { state: recalled } = recall(state, index);
    return { state: { ...recalled, mode: { ...mode, found: true } } };
  }
  return { state: { ...state, mode: { ...mode, found: false } } };
}

/** The last words of earlier lines, the newest first. */
export function lastWords(state: EditorState): Walk | null {
  if (state.masked) return null;
  const words = state.history
    .map(lastWord)
    .filter((word) => word !== '')
    .reverse();
  return beginWalk('last-word', { from: state.cursor, candidates: words }, '');
}
