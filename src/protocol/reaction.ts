/**
 * What may stand under a message as a reaction: one sign, so that no reaction is a message beside the others.
 * @see docs/protocol.md#content
 */
import { utf8 } from './bytes.ts';
import { cleanText } from './clean-text.ts';

/** In UTF-8: the longest emoji in common use, a couple or family with skin tones left out, fits. */
const REACTION_BYTES_MOST = 32;

/** Letters, numbers, signs: something that is seen. A blank braille cell is a sign by its category only. */
const SEEN = /[[\p{L}\p{N}\p{P}\p{S}]--\u2800]/v;

let segmenter: Intl.Segmenter | null = null;

/** @returns whether it is one character as people see it, and one that can be seen and shown as it is */
export function isReaction(text: string): boolean {
  if (utf8.encode(text).length > REACTION_BYTES_MOST || cleanText(text) !== text || !SEEN.test(text))
    return false;
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return [...segmenter.segment(text)].length === 1;
}
