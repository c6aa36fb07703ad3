import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cleanText, HIDDEN_CHARACTERS } from '../../src/protocol/clean-text.ts';
import { vectors } from '../helpers/vectors.ts';

/** Written out from the code charts, independent of the Unicode properties the cleaner goes by. */
const FORBIDDEN: readonly (readonly [first: number, last: number])[] = [
  [0x00, 0x1f],
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x034f, 0x034f],
  [0x061c, 0x061c],
  [0x180b, 0x180f],
  [0x200b, 0x200c],
  [0x200e, 0x200f],
  [0x2028, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xfdd0, 0xfdef],
  [0xfeff, 0xfeff],
  [0xfff0, 0xfffb],
  [0xfffe, 0xffff],
  [0x1d173, 0x1d17a],
  [0x1fffe, 0x1ffff],
  [0xe0000, 0xe0fff],
];
const LINE_FEED = 0x0a;

function isForbidden(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return FORBIDDEN.some(([first, last]) => first <= code && code <= last);
}

function assertSafe(cleaned: string): void {
  assert.ok(cleaned.isWellFormed());
  let marks = 0;
  let previous = '\n';
  for (const character of cleaned) {
    assert.ok(character.codePointAt(0) === LINE_FEED || !isForbidden(character), cleaned);
    const isMark = /\p{M}/u.test(character) && !/[\ufe0e\ufe0f]/u.test(character);
    if (isMark) assert.notEqual(previous, '\n', 'a mark has no base');
    marks = isMark ? marks + 1 : 0;
    assert.ok(marks <= 4, 'too many marks in a row');
    if (character === '\u200d') assert.match(previous, /\p{Emoji}|\ufe0f/u);
    if (previous === '\u200d') assert.match(character, /\p{Extended_Pictographic}/u);
    previous = character;
  }
  assert.notEqual(previous, '\u200d');
}

/** Strings made of what hurts, so that properties meet combinations and not only single characters. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\u200d',
        '\u200c',
        'ی',
        '\u094d',
        '\ufe0f',
        '\ufe0e',
        '\u20e3',
        '\u0301',
        '\u0489',
        '\u{1f3fd}',
        '👩',
        '👨',
        '❤',
        '🏴',
        '1',
        '#',
      ),
      fc.constantFrom(
        '\n',
        '\r',
        '\r\n',
        '\t',
        '\u001b[2J',
        '\u009b',
        '\u202e',
        '\u2028',
        '\ud800',
        '\udc00',
        'a',
        ' ',
      ),
      fc.constantFrom(
        '\u{e0067}',
        '\u{e007f}',
        '\u{1f1e9}',
        '\u{1f1ea}',
        '\u1100',
        '\u1160',
        '\u0e33',
        '\u094d',
        'क',
      ),
      fc.string({ unit: 'binary', maxLength: 3 }),
    ),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''));

test('ordinary text of any script is left as it is', () => {
  for (const text of [
    'plain ASCII ~!@#$%^&*()',
    'Grüße, naïve café',
    'e\u0301 with a mark of its own',
    'Привет, мир',
    'שלום',
    'مرحبا ١٢٣',
    'สวัสดีครับ',
    'नमस्ते',
    '你好，世界',
    '안녕하세요',
    '٠\u0600', // an Arabic sign that counts as a format character and yet is visible
  ]) {
    assert.equal(cleanText(text), text);
  }
});

test('emoji survive: families, skin tones, selectors, flags, keycaps', () => {
  for (const text of [
    '👨‍👩‍👧',
    '👩🏽‍🚀',
    '👍🏿',
    '❤️',
    '❤️‍🔥',
    '🏳️‍🌈',
    '🇩🇪',
    '1️⃣',
    '#️⃣',
    '☎︎',
    '👩‍❤️‍💋‍👨',
    'a🙂b',
  ]) {
    assert.equal(cleanText(text), text);
  }
});

test('what a terminal would obey or hide becomes visible', () => {
  assert.equal(cleanText('\u001b[31mred\u0007'), '␛[31mred␇');
  assert.equal(cleanText('a\u009b2Jb\u007f'), 'a\ufffd2Jb␡');
  assert.equal(cleanText('a\tb'), 'a    b');
  assert.equal(cleanText('evil\u202etxt.exe'), 'evil\ufffdtxt.exe');
  assert.equal(cleanText('pay\u200bpal'), 'pay\ufffdpal');
  assert.equal(cleanText('a\u200db'), 'a\ufffdb');
  assert.equal(cleanText('x\u{e0041}\u{e0042}'), 'x\ufffd\ufffd');
  assert.equal(cleanText('a\ufe0f\u{e0100}'), 'a\ufffd\ufffd');
  assert.equal(cleanText('\ufff9a\ufffa\ufffb\ufffe'), '\ufffda\ufffd\ufffd\ufffd');
  assert.equal(cleanText('\ud83d!'), '\ufffd!');
  assert.equal(cleanText('a\u2028b\u2029c\u0085d'), 'a\ufffdb\ufffdc\ufffdd');
});

test('line feeds are kept only where several lines are wanted', () => {
  assert.equal(cleanText('a\r\nb\nc\rd'), 'a␍␊b␊c␍d');
  assert.equal(cleanText('a\r\nb\nc\rd', { multiline: true }), 'a\nb\nc␍d');
});

test('marks: four in a row, and none reaches the text before ours', () => {
  assert.equal(cleanText(`z${'\u0301'.repeat(200)}!`), `z${'\u0301'.repeat(4)}!`);
  assert.equal(cleanText('\u0301a'), '◌\u0301a');
  assert.equal(cleanText('a\n\u0301b', { multiline: true }), 'a\n◌\u0301b');
});

test('a chain of joined emoji is bounded', () => {
  const chain = cleanText(Array.from({ length: 1_000 }, () => '👩').join('\u200d'));
  assert.ok(!/(?:👩\u200d){5}/u.test(chain));
});

test('shortening counts code points and never tears a grapheme', () => {
  assert.equal(cleanText('abcdef', { maxCodePoints: 6 }), 'abcdef');
  assert.equal(cleanText('abcdefg', { maxCodePoints: 6 }), 'abcde…');
  assert.equal(cleanText('🙂🙂🙂', { maxCodePoints: 3 }), '🙂🙂🙂');
  assert.equal(cleanText('ab👨‍👩‍👧', { maxCodePoints: 5 }), 'ab…');
  assert.equal(cleanText('abc', { maxCodePoints: 0 }), '');
});

test('property: any string comes out safe, and cleaning again changes nothing', () => {
  fc.assert(
    fc.property(hostile, fc.boolean(), fc.option(fc.nat(20), { nil: undefined }), (text, multiline, most) => {
      const options = most === undefined ? { multiline } : { multiline, maxCodePoints: most };
      const once = cleanText(text, options);
      assertSafe(once);
      if (!multiline) assert.ok(!once.includes('\n'));
      if (most !== undefined) assert.ok([...once].length <= most);
      assert.equal(cleanText(once, options), once);
    }),
    { numRuns: 3_000 },
  );
});

test('every code point alone comes out safe', () => {
  for (let code = 0; code <= 0x10ffff; code += 1) {
    const cleaned = cleanText(`a${String.fromCodePoint(code)}b`);
    if ([...cleaned].some(isForbidden) || cleaned === 'ab') assert.fail(`U+${code.toString(16)}`);
  }
});

test('the hidden class knows joiners and selectors too', () => {
  assert.equal('👩\u200d❤\ufe0f\u202e'.replaceAll(HIDDEN_CHARACTERS, '?'), '👩?❤??');
});

test('scripts that are written with joiners stay readable, and carry nothing invisible', () => {
  for (const [said, shown] of [
    // Persian "I want": the prefix does not join.
    ['می\u200cخواهم', 'می خواهم'],
    ['می\u200c\u200cخواهم', 'می \ufffdخواهم'],
    ['a\u200cb', 'a\ufffdb'],
    ['\u200cمی', '\ufffdمی'],
    ['می\u200dخ', 'می\ufffdخ'],
    // Devanagari half form, Sinhala "Sri".
    ['क्\u200dष', 'क्ष'],
    ['ශ්\u200dරී', 'ශ්රී'],
    ['क्\u200cष', 'क्ष'],
    ['क्\u200d\u200dष', 'क्\ufffdष'],
    ['क\u200dष', 'क\ufffdष'],
    ['क\u0301\u0301\u0301\u094d\u200d\u0301\u0301', 'क\u0301\u0301\u0301\u094d\ufffd\u0301\u0301'],
  ] as const) {
    assert.equal(cleanText(said), shown);
    assert.equal(cleanText(shown), shown);
    assertSafe(cleanText(said));
  }
});

test('P42: every string of the naughty list comes out safe', () => {
  const naughty = vectors('blns/blns.json');
  if (naughty === null) return;
  assert.ok(Array.isArray(naughty) && naughty.length > 500);
  for (const text of naughty) {
    assert.ok(typeof text === 'string');
    for (const multiline of [false, true]) {
      const once = cleanText(text, { multiline });
      assertSafe(once);
      assert.equal(cleanText(once, { multiline }), once);
    }
  }
});
