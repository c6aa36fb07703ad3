/** Pastes on terminals that do not mark them. */

const LINE_END = /\r\n?|\n/g;

/**
 * People press one key at a time: two finished lines in one read were pasted. The end of a long paste comes in a read of its
 * own, so while one is held back, a single line is enough.
 *
 * @param chunk what one read brought
 * @param holding whether pasted lines wait to be sent or dropped
 */
export function looksPasted(chunk: string, holding: boolean): boolean {
  // Escape sequences are keys, and a marked paste needs no guess. Return held down is no paste.
  if (chunk.includes('\u001b') || chunk.trim() === '') return false;
  const lineEnds = chunk.match(LINE_END)?.length ?? 0;
  return lineEnds >= (holding ? 1 : 2);
}
