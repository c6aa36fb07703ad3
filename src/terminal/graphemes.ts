/** What a person sees as one character, and how many columns it takes. The one file that knows string-width. */
import stringWidth from 'string-width';

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

export function graphemes(text: string): readonly string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** Terminal columns; colour sequences count nothing. */
export function columnsOf(text: string): number {
  return stringWidth(text);
}

/** Of single code points; a room uses few different ones. */
const widths = new Map<string, number>();
const MAX_WIDTHS = 2_000;
/** What makes the sign before it an emoji, wider by a column where a terminal knows that. */
const EMOJI_SELECTOR = '\ufe0f';

function codePointColumns(character: string): number {
  const known = widths.get(character);
  if (known !== undefined) return known;
  const columns = character === EMOJI_SELECTOR ? 1 : stringWidth(character);
  if (widths.size >= MAX_WIDTHS) widths.clear();
  widths.set(character, columns);
  return columns;
}

const PRINTABLE_ASCII = /^[ -~]*$/;

/**
 * Terminal columns at most: many terminals know nothing of graphemes and draw a joined emoji or a pile of Hangul jamo
 * part by part, which takes several times as many columns.
 *
 * @param text clean, without colours
 */
export function mostColumnsOf(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length;
  let columns = 0;
  for (const character of text) columns += codePointColumns(character);
  return columns;
}

/** Start of the grapheme before `offset`, in UTF-16 units. */
export function previousBoundary(text: string, offset: number): number {
  if (offset <= 0) return 0;
  return segmenter.segment(text).containing(offset - 1)?.index ?? 0;
}

/** End of the grapheme at `offset`, in UTF-16 units. */
export function nextBoundary(text: string, offset: number): number {
  const segment = segmenter.segment(text).containing(offset);
  return segment === undefined ? text.length : segment.index + segment.segment.length;
}
