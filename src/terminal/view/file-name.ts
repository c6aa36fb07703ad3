/** The name of a file that somebody else chose, as a word of a sentence. */
import { cleanText } from '../../protocol/clean-text.ts';
import { columnsOf, graphemes } from '../graphemes.ts';

/** In a sentence; longer ones tell nothing more. */
const NAME_COLUMNS = 48;
const ELLIPSIS = '…';
/** What is taken for the ending of a name, its dot included. */
const EXTENSION = /\.[\p{L}\p{N}]{1,8}$/u;
/** What cannot be taken for anything but a name. */
const PLAIN_NAME = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._+()-]*$/u;
/** Whatever somebody may read as the end of a quote. */
const QUOTES = /["“”„‟«»″＂]/gu;

/** Cut in the middle, because both ends tell what it is: `a-report-of-…-2026.pdf`. @param text clean */
export function shortenMiddle(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  const room = Math.max(0, columns - 1);
  const extension = EXTENSION.exec(text)?.[0] ?? '';
  const wish = Math.max(columnsOf(extension) + 1, Math.floor(room / 3));
  const tail = columnsOf(extension) < room ? Math.min(wish, room - 1) : Math.floor(room / 2);
  const letters = graphemes(text);
  const end = upTo(letters.toReversed(), tail).toReversed().join('');
  const start = upTo(letters, room - columnsOf(end)).join('');
  return columns < 1 ? '' : start + ELLIPSIS + end;
}

/** As many of them as fit. */
function upTo(letters: readonly string[], columns: number): readonly string[] {
  let width = 0;
  const end = letters.findIndex((letter) => {
    width += columnsOf(letter);
    return width > columns;
  });
  return end < 0 ? letters : letters.slice(0, end);
}

/**
 * Clean and short. What could be read on as words of the program, `a.pdf is here`, stands in quotation marks, and holds
 * none.
 */
export function fileName(name: string, columns: number = NAME_COLUMNS): string {
  const clean = cleanText(name);
  if (PLAIN_NAME.test(clean)) return shortenMiddle(clean, columns);
  return `"${shortenMiddle(clean.replaceAll(QUOTES, "'"), columns - 2)}"`;
}
