/**
 * The one function that makes somebody else's text safe to show: on a terminal, in a log, on a page.
 * @see docs/security.md#display
 */

/**
 * What a screen obeys or hides instead of showing: controls, bidi and other format characters, zero-width and
 * tag characters, variation selectors, fillers, line and paragraph separators, non-characters. The few format
 * characters taken out again are visible signs of Arabic, Syriac and Kaithi.
 */
const HIDDEN =
  '[[\\p{Cc}\\p{Cf}\\p{Default_Ignorable_Code_Point}\\p{Zl}\\p{Zp}\\p{Noncharacter_Code_Point}]' +
  '--[\\u0600-\\u0605\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u{110bd}\\u{110cd}]]';

/**
 * An emoji with what it may carry: skin tone, presentation selector, and joined emoji. No emoji joins more than
 * four parts; the bound keeps a chain of thousands from being drawn as one character.
 */
const EMOJI =
  '\\p{Extended_Pictographic}(?:\\p{Emoji_Modifier}|[\\ufe0e\\ufe0f])?' +
  '(?:\\u200d\\p{Extended_Pictographic}(?:\\p{Emoji_Modifier}|\\ufe0f)?){0,4}' +
  '|[0-9#*]\\ufe0f(?=\\u20e3)';

const MARKS = '[\\p{M}--\\p{Default_Ignorable_Code_Point}]+';

/**
 * What Persian and its neighbours write between letters that must not join. A space is what their writers fall back on,
 * and hides nothing.
 */
const NON_JOINER = '(?<=\\p{Script=Arabic})\\u200c';

/**
 * What writers of Indic scripts put behind a virama to choose the shape of a conjunct. Without it the letters are the
 * same and the shape is the usual one. Not before marks, of which more than four would meet.
 */
const CONJUNCT_JOINER =
  '(?<=[\\u094d\\u09cd\\u0a4d\\u0acd\\u0b4d\\u0bcd\\u0c4d\\u0ccd\\u0d4d\\u0dca])[\\u200c\\u200d](?!\\p{M})';

const PARTS = new RegExp(`(${EMOJI})|(${MARKS})|(${NON_JOINER})|(${CONJUNCT_JOINER})|${HIDDEN}`, 'gv');

/** Every character of the hidden kind, for writers that escape instead of replacing. */
export const HIDDEN_CHARACTERS: RegExp = new RegExp(HIDDEN, 'gv');

const MARKS_IN_A_ROW = 4;
const REPLACEMENT = '\ufffd';
const TAB = '    ';
/** Carries marks that would otherwise land on the text shown before ours. */
const DOTTED_CIRCLE = '\u25cc';
const ELLIPSIS = '…';

let segmenter: Intl.Segmenter | null = null;

/** Made at first use: its tables cost several milliseconds, which `--version` need not wait for. */
export function graphemes(): Intl.Segmenter {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return segmenter;
}

function visible(character: string): string {
  const code = character.charCodeAt(0);
  if (code === 0x09) return TAB;
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  if (code === 0x7f) return '\u2421';
  return REPLACEMENT;
}

/** Cut between graphemes, so that no emoji sequence is torn open. */
function shorten(text: string, maxCodePoints: number): string {
  // Code points are never more than UTF-16 units: most texts are done here.
  if (text.length <= maxCodePoints) return text;
  let count = 0;
  let keptUnits = 0;
  for (const { segment, index } of graphemes().segment(text)) {
    count += [...segment].length;
    if (count > maxCodePoints) return maxCodePoints > 0 ? text.slice(0, keptUnits) + ELLIPSIS : '';
    if (count < maxCodePoints) keptUnits = index + segment.length;
  }
  return text;
}

/**
 * Makes untrusted text safe to show. C0 and DEL become their visible pictures (a tab four spaces), every other
 * hidden character U+FFFD; marks beyond four in a row are left out; joiners stay inside emoji only. What Arabic and Indic
 * scripts need joiners for stays readable without them.
 * Cleaning twice changes nothing more.
 *
 * @param untrusted any string, lone surrogates included
 * @param options `multiline` keeps line feeds (and reads CR LF as one); `maxCodePoints` shortens the result to
 *   that many code points, the last of them an ellipsis
 * @see docs/security.md#display
 */
export function cleanText(
  untrusted: string,
  options: { readonly multiline?: boolean; readonly maxCodePoints?: number } = {},
): string {
  const { multiline = false, maxCodePoints = Number.POSITIVE_INFINITY } = options;
  const wellFormed = untrusted.toWellFormed();
  const source = multiline ? wellFormed.replaceAll('\r\n', '\n') : wellFormed;
  const cleaned = source.replace(
    PARTS,
    (
      part: string,
      emoji: string | undefined,
      marks: string | undefined,
      nonJoiner: string | undefined,
      conjunctJoiner: string | undefined,
      offset: number,
    ) => {
      if (emoji !== undefined) return emoji;
      if (nonJoiner !== undefined) return ' ';
      if (conjunctJoiner !== undefined) return '';
      if (marks !== undefined) {
        const base = offset === 0 || source[offset - 1] === '\n' ? DOTTED_CIRCLE : '';
        return base + [...marks].slice(0, MARKS_IN_A_ROW).join('');
      }
      return multiline && part === '\n' ? part : visible(part);
    },
  );
  return shorten(cleaned, maxCodePoints);
}
