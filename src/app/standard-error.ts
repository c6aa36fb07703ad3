/** Sentences for a person on standard error: they go to a terminal, or into a file. */
import { wrapLine } from '../terminal/view/wrap.ts';

/**
 * A terminal cuts words in two at its edge.
 *
 * @param text made safe to show
 * @param columns of the terminal; `undefined` where there is none, and lines stay whole
 */
export function wrapped(text: string, columns: number | undefined): string {
  const lines = text.split('\n');
  return lines.flatMap((line) => wrapLine(line, columns ?? Number.POSITIVE_INFINITY)).join('\n');
}
