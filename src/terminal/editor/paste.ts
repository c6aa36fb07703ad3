/** What is pasted is text: it submits nothing, steers nothing, and asks before several lines are sent. */
import { LIMITS } from '../../protocol/limits.ts';
import { type EditorMode, type EditorState, type EditResult, insert, snapshotOf, TYPING } from './state.ts';

type Pasted = Extract<EditorMode, { readonly kind: 'pasted' }>;
type Pasting = Extract<EditorMode, { readonly kind: 'pasting' }>;

/** A paste that follows on another, as a long one does in pieces, is dropped together with it. */
export function beginPaste(state: EditorState): EditResult {
  const before = state.mode.kind === 'pasted' ? state.mode.before : snapshotOf(state);
  return { state: { ...state, mode: { kind: 'pasting', text: '', before } } };
}

export function takePasted(state: EditorState, mode: Pasting, sequence: string): EditResult {
  // Twice the limit: line ends may shrink, and a flood costs no more than this.
  if (mode.text.length > 2 * LIMITS.textBytes) return { state };
  return { state: { ...state, mode: { ...mode, text: mode.text + sequence } } };
}

/** A paste whose end was lost must not lock the person in. */
export function leavePaste(state: EditorState): EditResult {
  return { state: { ...state, mode: TYPING }, signal: 'interrupt' };
}

export function endPaste(state: EditorState, { text, before }: Pasting): EditResult {
  const lines = printableText(text);
  // A line copied with its line feed is still one line. So is a secret, whose own lines are parted by spaces: what stood
  // around an invitation must not touch it.
  const kept = state.masked
    ? lines
        .split('\n')
        .filter((line) => line !== '')
        .join(' ')
    : lines.replace(/\n$/, '');
  const result = insert({ ...state, mode: TYPING }, state.text === '' ? linesAsText(kept) : kept);
  const lineCount = lineFeedsIn(result.state.text) - lineFeedsIn(before.text) + 1;
  if (lineCount < 2) return result;
  return { ...result, state: { ...result.state, mode: { kind: 'pasted', lines: lineCount, before } } };
}

/** Line ends as line feeds, tabs as spaces, other controls left out. */
export function printableText(text: string): string {
  const lines = text.toWellFormed().replaceAll(/\r\n?/g, '\n');
  return lines.replaceAll('\t', '    ').replaceAll(/(?!\n)\p{Cc}/gu, '');
}

function lineFeedsIn(text: string): number {
  return text.split('\n').length - 1;
}

/**
 * Several lines that were pasted, or written in an editor, are something to say: a slash that begins them is doubled, so
 * that it begins no command.
 */
export function linesAsText(lines: string): string {
  return lines.includes('\n') && /^\/(?!\/)/.test(lines) ? `/${lines}` : lines;
}

export function dropPaste(state: EditorState, { before }: Pasted): EditResult {
  return { state: { ...state, ...before, mode: TYPING } };
}
