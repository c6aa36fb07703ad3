/** Words with spaces in them: what is typed for a name is read as that name again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { quotedWords, quoteWord } from '../../../src/terminal/commands/quoted-words.ts';

const texts = (line: string, platform?: NodeJS.Platform) =>
  quotedWords(line, platform).map(({ text }) => text);

test('words, quoted words, escaped spaces', () => {
  assert.deepEqual(texts('  a  b ', 'linux'), ['a', 'b']);
  assert.deepEqual(texts('"a b" \'c "d"\' e\\ f', 'linux'), ['a b', 'c "d"', 'e f']);
  assert.deepEqual(texts('"a\\"b" x\\\\y', 'linux'), ['a"b', 'x\\y']);
  assert.deepEqual(texts('""', 'linux'), ['']);
});

test('on Windows a backslash is part of a path', () => {
  assert.deepEqual(texts('C:\\my\\ "C:\\a b\\c.txt"', 'win32'), ['C:\\my\\', 'C:\\a b\\c.txt']);
});

test('a mark that is not closed is told, with where its word begins and ends', () => {
  const [first, last] = quotedWords('a "b c', 'linux');
  assert.deepEqual([first?.isOpen, first?.start, first?.end], [false, 0, 1]);
  assert.deepEqual([last?.text, last?.isOpen, last?.quote, last?.start, last?.end], ['b c', true, '"', 2, 6]);
});

test('property: what is offered for a name, however it was begun, is read as that name', () => {
  const name = fc.string({ unit: fc.constantFrom('a', ' ', '"', "'", '\\', '.', 'ü'), minLength: 1 });
  fc.assert(
    fc.property(name, fc.constantFrom('"' as const, "'" as const, '' as const), (text, quote) => {
      const typed = quoteWord(text, { quote, isWhole: true, platform: 'linux' });
      assert.deepEqual(texts(`x ${typed} y`, 'linux'), ['x', text, 'y']);
    }),
  );
});
