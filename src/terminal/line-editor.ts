/**
 * The line being typed, as a pure machine: a state and a key give the next state. It knows graphemes, readline's
 * keys, history, several lines, bracketed paste and secrets; it knows no stream and no screen.
 */
import { LIMITS } from '../protocol/limits.ts';
import { graphemes, nextBoundary, previousBoundary } from './graphemes.ts';

/** A key press as `readline.emitKeypressEvents` reports it; `text` is its first argument. */
export type Key = {
  readonly text?: string | undefined;
  readonly name?: string | undefined;
  readonly sequence?: string | undefined;
  readonly ctrl?: boolean | undefined;
  readonly meta?: boolean | undefined;
};

export type EditorState = {
  readonly text: string;
  /** UTF-16 offset into `text`, between graphemes. */
  readonly cursor: number;
  /** Shown as dots, on one line, remembered nowhere. */
  readonly masked: boolean;
  /** What the last kill took, for yank. */
  readonly killed: string;
  /** Submitted lines, oldest first. */
  readonly history: readonly string[];
  /** Place in `history`; its length while the draft is being edited. */
  readonly historyIndex: number;
  /** The unsent line, kept while history is looked through. */
  readonly draft: string;
  /** What has come of a bracketed paste that has not ended, else null. */
  readonly pasted: string | null;
};

export type EditorSignal =
  /** Ctrl-C. */
  | 'interrupt'
  /** Ctrl-D on an empty line. */
  | 'end'
  /** Ctrl-L. */
  | 'clear-screen'
  /** Part of what was typed or pasted did not fit and was left out. */
  | 'full';

export type EditResult = {
  readonly state: EditorState;
  /** The finished line, its line feeds kept. */
  readonly submitted?: string;
  readonly signal?: EditorSignal;
};

const HISTORY_LINES = 500;
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
    pasted: null,
  };
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

function insert(state: EditorState, text: string): EditResult {
  const room = LIMITS.textBytes - Buffer.byteLength(state.text);
  const taken = fitting(text, room);
  const next: EditorState = {
    ...state,
    text: state.text.slice(0, state.cursor) + taken + state.text.slice(state.cursor),
    cursor: state.cursor + taken.length,
  };
  return taken === text ? { state: next } : { state: next, signal: 'full' };
}

function moveTo(state: EditorState, cursor: number): EditResult {
  return { state: { ...state, cursor } };
}

/** Takes out what lies between the cursor and `offset`. */
function erase(state: EditorState, offset: number): EditResult {
  const [start, end] = offset < state.cursor ? [offset, state.cursor] : [state.cursor, offset];
  return { state: { ...state, text: state.text.slice(0, start) + state.text.slice(end), cursor: start } };
}

/** As `erase`, for yank to bring back; a secret is not kept. */
function kill(state: EditorState, offset: number): EditResult {
  const [start, end] = offset < state.cursor ? [offset, state.cursor] : [state.cursor, offset];
  const killed = state.masked || start === end ? state.killed : state.text.slice(start, end);
  return erase({ ...state, killed }, offset);
}

function lineEnd(state: EditorState): number {
  const end = state.text.indexOf('\n', state.cursor);
  return end === -1 ? state.text.length : end;
}

function lineStart({ text, cursor }: EditorState): number {
  return text.slice(0, cursor).lastIndexOf('\n') + 1;
}

function wordLeft({ text, cursor, masked }: EditorState, isWord: (unit: string) => boolean): number {
  // Word by word would tell an onlooker where the words of a secret end.
  if (masked) return 0;
  let offset = cursor;
  const before = (): string => text.slice(previousBoundary(text, offset), offset);
  while (offset > 0 && !isWord(before())) offset = previousBoundary(text, offset);
  while (offset > 0 && isWord(before())) offset = previousBoundary(text, offset);
  return offset;
}

function wordRight({ text, cursor, masked }: EditorState): number {
  if (masked) return text.length;
  let offset = cursor;
  const after = (): string => text.slice(offset, nextBoundary(text, offset));
  while (offset < text.length && !WORD.test(after())) offset = nextBoundary(text, offset);
  while (offset < text.length && WORD.test(after())) offset = nextBoundary(text, offset);
  return offset;
}

const isWord = (grapheme: string): boolean => WORD.test(grapheme);
const isNotSpace = (grapheme: string): boolean => !/\s/u.test(grapheme);

function transpose(state: EditorState): EditResult {
  const { text } = state;
  // At the end of the line the last two change places, as in readline.
  const middle = state.cursor === text.length ? previousBoundary(text, state.cursor) : state.cursor;
  const start = previousBoundary(text, middle);
  const end = nextBoundary(text, middle);
  if (start === middle || middle === end) return { state };
  const swapped = text.slice(middle, end) + text.slice(start, middle);
  return { state: { ...state, text: text.slice(0, start) + swapped + text.slice(end), cursor: end } };
}

function recall(state: EditorState, index: number): EditResult {
  if (state.masked || index < 0 || index > state.history.length) return { state };
  const draft = state.historyIndex === state.history.length ? state.text : state.draft;
  const text = state.history[index] ?? draft;
  return { state: { ...state, text, cursor: text.length, historyIndex: index, draft } };
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

function submit(state: EditorState): EditResult {
  const { text } = state;
  const remembered = !state.masked && text.trim() !== '' && text !== state.history.at(-1);
  const history = remembered ? [...state.history, text].slice(-HISTORY_LINES) : state.history;
  const cleared = { ...state, text: '', cursor: 0, history, historyIndex: history.length, draft: '' };
  return { state: cleared, submitted: text };
}

/** Keeps the text of a paste and nothing else: it submits nothing and steers nothing. */
function endPaste(state: EditorState, pasted: string): EditResult {
  const lines = pasted.toWellFormed().replaceAll(/\r\n?/g, '\n');
  // A secret copied with its line feed is still one line.
  const kept = state.masked ? lines.replaceAll('\n', '') : lines;
  const printable = kept.replaceAll('\t', '    ').replaceAll(/(?!\n)\p{Cc}/gu, '');
  return insert({ ...state, pasted: null }, printable);
}

function paste(state: EditorState, pasted: string, key: Key): EditResult {
  if (key.name === 'paste-end') return endPaste(state, pasted);
  // A paste whose end was lost must not lock the person in.
  if (key.ctrl && key.name === 'c') return { state: { ...state, pasted: null }, signal: 'interrupt' };
  // Twice the limit: line ends may shrink, and a flood costs no more than this.
  if (pasted.length > 2 * LIMITS.textBytes) return { state };
  return { state: { ...state, pasted: pasted + (key.sequence ?? key.text ?? '') } };
}

type Action = (state: EditorState) => EditResult;

const left: Action = (state) => moveTo(state, previousBoundary(state.text, state.cursor));
const right: Action = (state) => moveTo(state, nextBoundary(state.text, state.cursor));
const home: Action = (state) => moveTo(state, lineStart(state));
const end: Action = (state) => moveTo(state, lineEnd(state));
const wordBack: Action = (state) => moveTo(state, wordLeft(state, isWord));
const wordForward: Action = (state) => moveTo(state, wordRight(state));
const backspace: Action = (state) => erase(state, previousBoundary(state.text, state.cursor));
const remove: Action = (state) => erase(state, nextBoundary(state.text, state.cursor));
const killWordBack: Action = (state) => kill(state, wordLeft(state, isWord));
const newline: Action = (state) => (state.masked ? { state } : insert(state, '\n'));

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
  'paste-start': (state) => ({ state: { ...state, pasted: '' } }),
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
  t: (state) => transpose(state),
  l: (state) => ({ state, signal: 'clear-screen' }),
  c: (state) => ({ state, signal: 'interrupt' }),
  left: wordBack,
  right: wordForward,
};

const META_KEYS: Readonly<Record<string, Action>> = {
  b: wordBack,
  f: wordForward,
  left: wordBack,
  right: wordForward,
  d: (state) => kill(state, wordRight(state)),
  backspace: killWordBack,
  return: newline,
  enter: newline,
};

/** A key that is bound to nothing changes nothing; a printable one is inserted. */
export function edit(state: EditorState, key: Key): EditResult {
  if (state.pasted !== null) return paste(state, state.pasted, key);
  const bindings = key.meta ? META_KEYS : key.ctrl ? CTRL_KEYS : PLAIN_KEYS;
  const name = key.name ?? '';
  const action = Object.hasOwn(bindings, name) ? bindings[name] : undefined;
  if (action !== undefined) return action(state);
  const { text } = key;
  const printable = text !== undefined && text !== '' && !key.ctrl && !key.meta && !/\p{Cc}/u.test(text);
  return printable ? insert(state, text.toWellFormed()) : { state };
}
