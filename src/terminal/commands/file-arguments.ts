/** How the arguments of `/send`, `/accept`, `/decline` and `/cancel` are read. */
import type { FileCall, FileNumbers } from './calls.ts';
import { closedWords, type QuotedWord } from './quoted-words.ts';

type FileParse = (words: readonly string[], args: string) => FileCall | null;

/** What stands between the things that are sent and where they go. A file of that name is `./to`. */
const TO = 'to';

export function isTo({ text, isBare }: Pick<QuotedWord, 'text' | 'isBare'>): boolean {
  return isBare && text === TO;
}

/** What stands before a `to` at the last place but one, and what after it. */
function split(words: readonly QuotedWord[]): {
  readonly before: readonly QuotedWord[];
  readonly to: string | null;
} {
  const at = words.length - 2;
  const mark = words[at];
  return mark !== undefined && isTo(mark)
    ? { before: words.slice(0, at), to: words.at(-1)?.text ?? '' }
    : { before: words, to: null };
}

export function send(_: readonly string[], args: string): FileCall | null {
  const { before, to } = split(closedWords(args));
  // A `to` elsewhere is a slip: what was meant for one person must not go where one happens to be.
  if (before.length === 0 || before.some((word) => isTo(word) || word.text === '') || to === '') return null;
  return { name: 'send', paths: before.map(({ text }) => text), to };
}

const NUMBER = /^#?(\d{1,9})$/;

/** Numbers as `/files` shows them, with spaces or commas between. @returns undefined for what is none */
function numbersOf(words: readonly string[]): FileNumbers | undefined {
  const parts = words.flatMap((word) => word.split(',')).filter((part) => part !== '');
  if (parts.length === 0) return words.length === 0 ? null : undefined;
  if (parts.length === 1 && parts[0]?.toLowerCase() === 'all') return 'all';
  const numbers = parts.map((part) => Number(NUMBER.exec(part)?.[1] ?? 0));
  return numbers.includes(0) ? undefined : [...new Set(numbers)];
}

export function accept(_: readonly string[], args: string): FileCall | null {
  const { before, to: folder } = split(closedWords(args));
  const numbers = numbersOf(before.map(({ text }) => text));
  return numbers === undefined || folder === '' ? null : { name: 'accept', numbers, folder };
}

export function ofNumbers(name: 'decline' | 'cancel'): FileParse {
  return (words) => {
    const numbers = numbersOf(words);
    return numbers === undefined ? null : { name, numbers };
  };
}
