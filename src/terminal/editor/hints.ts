/** What the line being typed says about itself: in the prompt's place, and in a row above it. */

import { columnsOf } from '../graphemes.ts';
import type { EditorState } from './state.ts';
import { describeWalk } from './walk.ts';

/** @returns what stands before the line: `prompt`, or what is being looked for in the history. */
export function promptOf({ mode }: Pick<EditorState, 'mode'>, prompt: string): string {
  if (mode.kind !== 'searching') return prompt;
  return `${mode.found ? '' : 'no '}(search)'${mode.words}': `;
}

/** @returns the row above the line, or null for none. It is redrawn with the line and leaves no trace. */
export function hintOf({ mode }: Pick<EditorState, 'mode'>, columns: number): string | null {
  if (mode.kind === 'pasted') {
    const long = `${mode.lines} lines pasted: Enter sends them as one message, Esc drops them`;
    return columnsOf(long) <= columns ? long : `${mode.lines} lines: Enter sends, Esc drops`;
  }
  if (mode.kind === 'walking' && mode.walk.by === 'tab') return describeWalk(mode.walk, columns);
  return null;
}
