/** Words of a line that may hold spaces: between quotation marks, or each with a backslash before it, as shells have it. */
import { InputError } from '../../protocol/errors.ts';

export interface QuotedWord {
  readonly text: string;
  /** Where it begins in the line, its quotation mark included, in UTF-16 units. */
  readonly start: number;
  /** Behind its last character. */
  readonly end: number;
  /** The mark that it begins with. */
  readonly quote: '"' | "'" | '';
  /** It stands in the line as it is: nothing in it was quoted or escaped. */
  readonly isBare: boolean;
  /** A quotation mark of it is not closed. */
  readonly isOpen: boolean;
}

const SPACE = /\s/u;

/**
 * A backslash takes away what the next character means, where that is a space, a quotation mark or a backslash. On Windows
 * it stands for itself, because it is what paths are written with there.
 */
export function quotedWords(
  line: string,
  platform: NodeJS.Platform = process.platform,
): readonly QuotedWord[] {
  const words: QuotedWord[] = [];
  let at = 0;
  for (;;) {
    while (at < line.length && SPACE.test(line.charAt(at))) at += 1;
    if (at >= line.length) return words;
    const word = readWord(line, at, platform !== 'win32');
    words.push(word);
    at = word.end;
  }
}

function readWord(line: string, start: number, escapes: boolean): QuotedWord {
  const first = line.charAt(start);
  let text = '';
  let open = '';
  let isBare = true;
  let at = start;
  for (; at < line.length; at += 1) {
    const character = line.charAt(at);
    const next = line.charAt(at + 1);
    if (escapes && open !== "'" && character === '\\' && isSpecial(next)) {
      text += next;
      isBare = false;
      at += 1;
    } else if (character === open) open = '';
    else if (open === '' && isQuote(character) && text === '') {
      open = character;
      isBare = false;
    } else if (open === '' && SPACE.test(character)) break;
    else text += character;
  }
  const quote = isQuote(first) ? first : '';
  return { text, start, end: at, quote, isBare, isOpen: open !== '' };
}

/** A mark within a word is a letter of it, as in `ann's.txt`. */
function isQuote(character: string): character is '"' | "'" {
  return character === '"' || character === "'";
}

function isSpecial(character: string): boolean {
  return character !== '' && (isQuote(character) || character === '\\' || SPACE.test(character));
}

/** @throws InputError `usage` for a quotation mark that nothing closes */
export function closedWords(line: string): readonly QuotedWord[] {
  const words = quotedWords(line);
  if (words.some(({ isOpen }) => isOpen))
    throw new InputError('usage', 'A quotation mark is not closed: nothing was done.');
  return words;
}

/**
 * A text as it has to be typed to be one word.
 * @param quote how the word was begun: the mark is closed, where the text is all of it
 */
export function quoteWord(
  text: string,
  { quote, isWhole, platform = process.platform }: Quoting & { readonly platform?: NodeJS.Platform },
): string {
  if (platform === 'win32') return quote === '' && !SPACE.test(text) ? text : inMarks(text, '"', isWhole);
  if (quote === "'" && !text.includes("'")) return inMarks(text, quote, isWhole);
  if (quote !== '') return inMarks(text.replaceAll(/["\\]/g, '\\$&'), '"', isWhole);
  return text.replaceAll(/[\s"'\\]/gu, '\\$&');
}

interface Quoting {
  readonly quote: QuotedWord['quote'];
  /** Nothing of it is still to come, as behind a folder. */
  readonly isWhole: boolean;
}

function inMarks(text: string, mark: string, isWhole: boolean): string {
  return `${mark}${text}${isWhole ? mark : ''}`;
}
