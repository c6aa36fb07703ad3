/** Whether a text names somebody, and where. */

const NICKNAME = /^[\w-]+$/;

/** A nickname as a word by itself: `ann` in `@ann, look` and in `Ann's`, not in `joanna` or `ann-marie`. */
function wordPattern(nick: string): RegExp | null {
  if (!NICKNAME.test(nick)) return null;
  return new RegExp(`(?<![\\p{L}\\p{N}_]|[\\p{L}\\p{N}_]-+)${nick}(?!-*[\\p{L}\\p{N}_])`, 'giu');
}

export function mentions(text: string, nick: string): boolean {
  return wordPattern(nick)?.test(text) ?? false;
}

/** @param row clean, not yet painted */
export function paintMentions(row: string, nick: string, paint: (word: string) => string): string {
  const pattern = wordPattern(nick);
  return pattern === null ? row : row.replaceAll(pattern, (word) => paint(word));
}
