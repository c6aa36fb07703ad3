/**
 * The word at the end of a line. It is looked for from the end: an expression that ends with `$` would begin at each
 * character in turn, which takes seconds in a long line.
 */

/** @returns where it begins, in UTF-16 units; the text's length where it ends with a space */
export function lastWordStart(text: string): number {
  let start = text.length;
  while (start > 0 && !/\s/u.test(text.charAt(start - 1))) start -= 1;
  return start;
}

/** @returns the last word, whatever spaces follow it; empty where there is none */
export function lastWord(text: string): string {
  const trimmed = text.trimEnd();
  return trimmed.slice(lastWordStart(trimmed));
}
