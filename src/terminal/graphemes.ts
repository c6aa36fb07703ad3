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
