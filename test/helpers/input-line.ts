/** The line being typed, as a person sees it at the bottom of the screen. */
import type { TerminalProgram } from './terminal.ts';

interface InputLine {
  /** Prompt and draft, however many rows they take; a draft without spaces is whole here. */
  readonly text: string;
  /** The part before the cursor. */
  readonly beforeCursor: string;
}

/**
 * @param prompt what the line begins with
 * @returns null while the last prompt that was drawn is not followed by the cursor
 */
function inputLine(terminal: TerminalProgram, prompt: string): InputLine | null {
  const rows = terminal.rows();
  const cursor = terminal.cursor();
  const first = rows.findLastIndex((row) => row.startsWith(prompt.trimEnd()));
  if (first < 0 || first > cursor.row) return null;
  return {
    text: rows.slice(first).join(''),
    beforeCursor: [...rows.slice(first, cursor.row), cursor.before].join(''),
  };
}

/** Waits until exactly this is being typed, with the cursor after `before`, or at its end. */
export async function typed(
  terminal: TerminalProgram,
  prompt: string,
  draft: string,
  before: string = draft,
): Promise<void> {
  await terminal.waitUntil(`the draft ${JSON.stringify(draft)}`, () => {
    const line = inputLine(terminal, prompt);
    return line?.text.trimEnd() === (prompt + draft).trimEnd() && line.beforeCursor === prompt + before;
  });
}
