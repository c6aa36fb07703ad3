/**
 * The line being typed, as a pure machine: a state and a key give the next state. It knows graphemes, readline's
 * keys, history, several lines, bracketed paste and secrets; it knows no stream and no screen.
 */
import { unreachable } from '../../protocol/errors.ts';
import { graphemes, nextBoundary, previousBoundary } from '../graphemes.ts';
import { beginSearch, endSearch, lastWords, recall, searchFor, searchOn, submit } from './history.ts';
import { beginPaste, dropPaste, endPaste, leavePaste, printableText, takePasted } from './paste.ts';
import {
  type EditorMode,
  type EditorState,
  type EditResult,
  erase,
  insert,
  isNotSpace,
  isWord,
  kill,
  lineEnd,
  lineStart,
  moveTo,
  replace,
  snapshotOf,
  TYPING,
  wordLeft,
  wordRight,
} from './state.ts';
import { beginWalk, type Completer, hasChoice, step, type Walk } from './walk.ts';

/** A key press as `readline.emitKeypressEvents` reports it; `text` is its first argument. */
export type Key = {
  readonly text?: string | undefined;
  readonly name?: string | undefined;
  readonly sequence?: string | undefined;
  readonly ctrl?: boolean | undefined;
  readonly meta?: boolean | undefined;
  readonly shift?: boolean | undefined;
};

type Searching = Extract<EditorMode, { readonly kind: 'searching' }>;
type Edit = (state: EditorState) => EditResult;
type Action = (state: EditorState, completer: Completer | null) => EditResult;

/** Further back nobody remembers what the line was; each may hold a whole message. */
const UNDO_STEPS = 100;

function transpose(state: EditorState): EditResult {
  const { text } = state;
  // At the end of the line the last two change places, as in readline.
  const middle = state.cursor === text.length ? previousBoundary(text, state.cursor) : state.cursor;
  const start = previousBoundary(text, middle);
  const end = nextBoundary(text, middle);
  if (start === middle || middle === end) return { state };
  return replace(state, start, end, text.slice(middle, end) + text.slice(start, middle));
}

/** From the cursor to the end of the word. */
function changeCase(state: EditorState, change: (word: string) => string): EditResult {
  if (state.masked) return { state };
  const end = wordRight(state);
  return replace(state, state.cursor, end, change(state.text.slice(state.cursor, end)));
}

function capitalized(word: string): string {
  return word.toLowerCase().replace(/\p{L}/u, (letter) => letter.toUpperCase());
}

/** Up in a text of several lines; from its first line on into history. */
function up(state: EditorState): EditResult {
  const start = lineStart(state);
  if (start === 0) return recall(state, state.historyIndex - 1);
  const column = graphemes(state.text.slice(start, state.cursor)).length;
  return toColumn(state, lineStart({ ...state, cursor: start - 1 }), column);
}

function down(state: EditorState): EditResult {
  const end = lineEnd(state);
  if (end === state.text.length) return recall(state, state.historyIndex + 1);
  const column = graphemes(state.text.slice(lineStart(state), state.cursor)).length;
  return toColumn(state, end + 1, column);
}

function toColumn(state: EditorState, start: number, column: number): EditResult {
  const line = state.text.slice(start, lineEnd({ ...state, cursor: start }));
  return moveTo(state, start + graphemes(line).slice(0, column).join('').length);
}

function complete(state: EditorState, completer: Completer | null): EditResult {
  const completion = state.masked ? null : (completer?.(state.text, state.cursor) ?? null);
  if (completion === null) return { state };
  return putIn(state, beginWalk('tab', completion, state.text.slice(completion.from, state.cursor)));
}

/** Shows the candidate that the walk has come to; the only one there is needs no walk. */
function putIn(state: EditorState, walk: Walk | null): EditResult {
  if (walk === null) return { state };
  const result = replace(state, walk.from, state.cursor, walk.ring[walk.at] ?? '');
  const mode: EditorMode = hasChoice(walk) ? { kind: 'walking', walk } : TYPING;
  return { ...result, state: { ...result.state, mode } };
}

function undo(state: EditorState): EditResult {
  const last = state.undo.at(-1);
  if (last === undefined) return { state };
  return { state: { ...state, ...last, undo: state.undo.slice(0, -1), mode: TYPING, run: null } };
}

const left: Edit = (state) => moveTo(state, previousBoundary(state.text, state.cursor));
const right: Edit = (state) => moveTo(state, nextBoundary(state.text, state.cursor));
const home: Edit = (state) => moveTo(state, lineStart(state));
const end: Edit = (state) => moveTo(state, lineEnd(state));
const wordBack: Edit = (state) => moveTo(state, wordLeft(state, isWord));
const wordForward: Edit = (state) => moveTo(state, wordRight(state));
const backspace: Edit = (state) => erase(state, previousBoundary(state.text, state.cursor));
const remove: Edit = (state) => erase(state, nextBoundary(state.text, state.cursor));
const killWordBack: Edit = (state) => kill(state, wordLeft(state, isWord));
const killWord: Edit = (state) => kill(state, wordRight(state));
const newline: Edit = (state) => (state.masked ? { state } : insert(state, '\n'));
const lastWord: Edit = (state) => putIn(state, lastWords(state));

const PLAIN_KEYS: Readonly<Record<string, Action>> = {
  return: submit,
  enter: submit,
  backspace,
  delete: remove,
  left,
  right,
  up,
  down,
  home,
  end,
  tab: complete,
  'paste-start': beginPaste,
};

const CTRL_KEYS: Readonly<Record<string, Action>> = {
  a: home,
  e: end,
  b: left,
  f: right,
  p: up,
  n: down,
  d: (state) => (state.text === '' ? { state, signal: 'end' } : remove(state)),
  // At the end (for u: the start) of a line its line feed goes, so that repeating goes on through the lines.
  k: (state) => kill(state, Math.max(lineEnd(state), nextBoundary(state.text, state.cursor))),
  u: (state) => kill(state, Math.min(lineStart(state), previousBoundary(state.text, state.cursor))),
  w: (state) => kill(state, wordLeft(state, isNotSpace)),
  y: (state) => insert(state, state.killed),
  t: transpose,
  r: beginSearch,
  s: beginSearch,
  l: (state) => ({ state, signal: 'clear-screen' }),
  c: (state) => ({ state, signal: 'interrupt' }),
  z: (state) => ({ state, signal: 'suspend' }),
  x: (state) => ({ state: { ...state, mode: { kind: 'prefix' } } }),
  left: wordBack,
  right: wordForward,
  delete: killWord,
};

const META_KEYS: Readonly<Record<string, Action>> = {
  b: wordBack,
  f: wordForward,
  left: wordBack,
  right: wordForward,
  d: killWord,
  delete: killWord,
  backspace: killWordBack,
  return: newline,
  enter: newline,
  u: (state) => changeCase(state, (word) => word.toUpperCase()),
  l: (state) => changeCase(state, (word) => word.toLowerCase()),
  c: (state) => changeCase(state, capitalized),
  '.': lastWord,
  _: lastWord,
  '<': (state) => recall(state, 0),
  '>': (state) => recall(state, state.history.length),
};

/** Node gives no name to keys that are not letters: they go by their character. */
function named(key: Key): Key & { readonly name: string } {
  if (key.sequence === '\u001f') return { ...key, name: '_', ctrl: true };
  return { ...key, name: key.name ?? key.sequence?.at(-1) ?? '' };
}

function printable({ text, ctrl, meta }: Key): string | null {
  const isText = text !== undefined && text !== '' && !ctrl && !meta && !/\p{Cc}/u.test(text);
  return isText ? text.toWellFormed() : null;
}

const isUndo = (key: Key, mode: EditorMode): boolean =>
  key.ctrl === true && (key.name === '_' || (mode.kind === 'prefix' && key.name === 'u'));
const isCtrl = (key: Key, ...names: readonly string[]): boolean =>
  key.ctrl === true && key.name !== undefined && names.includes(key.name);

/**
 * A key that is bound to nothing changes nothing; a printable one is inserted.
 *
 * @param completer asked at Tab
 */
export function edit(state: EditorState, pressed: Key, completer: Completer | null = null): EditResult {
  const key = named(pressed);
  if (isUndo(key, state.mode)) return undo(state);
  const result = press({ ...state, run: null, previousRun: state.run }, key, completer);
  return result.submitted === undefined ? { ...result, state: remembering(state, result.state) } : result;
}

function press(state: EditorState, key: Key, completer: Completer | null): EditResult {
  const { mode } = state;
  switch (mode.kind) {
    case 'pasting':
      if (key.name === 'paste-end') return endPaste(state, mode);
      if (isCtrl(key, 'c')) return leavePaste(state);
      return takePasted(state, mode, key.sequence ?? key.text ?? '');
    case 'pasted':
      if (key.name === 'escape' || isCtrl(key, 'c', 'g')) return dropPaste(state, mode);
      return key.name === 'paste-start' ? beginPaste(state) : pressPlain(state, key, completer);
    case 'walking':
      return goOn(state, mode.walk, key) ?? pressPlain(state, key, completer);
    case 'searching':
      return search(state, mode, key) ?? pressPlain(state, key, completer);
    case 'prefix':
      if (isCtrl(key, 'e') && !state.masked) return { state: { ...state, mode: TYPING }, signal: 'edit' };
      return pressPlain(state, key, completer);
    case 'typing':
      return pressPlain(state, key, completer);
    default:
      return unreachable(mode);
  }
}

function pressPlain(before: EditorState, key: Key, completer: Completer | null): EditResult {
  const state = { ...before, mode: TYPING };
  const bindings = key.meta ? META_KEYS : key.ctrl ? CTRL_KEYS : PLAIN_KEYS;
  const name = key.name ?? '';
  const action = Object.hasOwn(bindings, name) ? bindings[name] : undefined;
  // Back from the first candidate there is nothing to go back to.
  if (name === 'tab' && key.shift) return { state };
  if (action !== undefined) return action(state, completer);
  const text = printable(key);
  return text === null ? { state } : insert({ ...state, run: 'typed' }, text);
}

/** Escape gives back what was typed. @returns null for a key that ends the walk, and means what it always does. */
function goOn(state: EditorState, walk: Walk, key: Key): EditResult | null {
  if (walk.by === 'tab' && (key.name === 'escape' || isCtrl(key, 'g'))) {
    const { state: given } = replace(state, walk.from, state.cursor, walk.ring.at(-1) ?? '');
    return { state: { ...given, mode: TYPING } };
  }
  const goes = walk.by === 'tab' ? key.name === 'tab' : key.meta && (key.name === '.' || key.name === '_');
  return goes ? putIn(state, step(walk, key.shift ? -1 : 1)) : null;
}

function search(state: EditorState, mode: Searching, key: Key): EditResult | null {
  if (isCtrl(key, 'r')) return searchOn(state, mode, -1);
  if (isCtrl(key, 's')) return searchOn(state, mode, 1);
  if (isCtrl(key, 'c', 'g')) return endSearch(state, mode, 'drop');
  if (key.name === 'escape') return endSearch(state, mode, 'keep');
  const { words } = mode;
  if (key.name === 'backspace')
    return searchFor(state, mode, words.slice(0, previousBoundary(words, words.length)));
  const text = printable(key);
  return text === null ? null : searchFor(state, mode, words + text);
}

/** Keeps what undo goes back to: letters typed one after another are undone together, by the word. */
function remembering(before: EditorState, after: EditorState): EditorState {
  const joins = before.run === 'typed' && after.run === 'typed' && !/\s$/u.test(before.text);
  if (before.text === after.text || before.masked || joins) return after;
  return { ...after, undo: [...after.undo, snapshotOf(before)].slice(-UNDO_STEPS) };
}

/** Puts another text in the place of the draft, as something that can be undone. Controls are left out. */
export function withText(state: EditorState, text: string): EditResult {
  const result = replace({ ...state, mode: TYPING, run: null }, 0, state.text.length, printableText(text));
  return { ...result, state: remembering(state, result.state) };
}
