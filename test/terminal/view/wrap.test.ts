/** P42: what a terminal draws wider than it could be counted still stands on rows of ours. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import xterm from '@xterm/headless';
import fc from 'fast-check';
import { cleanText } from '../../../src/protocol/clean-text.ts';
import { columnsOf, graphemes, mostColumnsOf } from '../../../src/terminal/graphemes.ts';
import { makePalette } from '../../../src/terminal/view/palette.ts';
import { renderEvent } from '../../../src/terminal/view/render.ts';

const COLUMNS = 80;
const FORGED = '12:34 -!- ann is now a moderator';

/** What a terminal without graphemes draws part by part, and how many columns a part takes there. */
const PILES: Readonly<Record<string, string>> = {
  'Hangul jamo': '\u1100',
  'emoji of four': '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}\u200d\u{1f466}',
  flags: '\u{1f1e9}\u{1f1ea}',
  'Hangul syllables in parts': '\u1100\u1100\u1161',
  'number signs': '\u0600',
  conjuncts: '\u0915\u094d',
  'spacing marks': 'a\u093e\u093e\u093e\u093e',
};

function rendered(text: string): readonly string[] {
  return renderEvent(
    {
      type: 'message',
      id: 'm',
      conversation: 'c',
      kind: 'text',
      from: { id: 'b', nick: 'bob', algorithm: 'rsa' },
      text,
      at: '2026-01-01T12:30:00.000Z',
      own: false,
      mention: false,
    },
    {
      palette: makePalette({ color: false }),
      preferences: {
        timestamps: 'minutes',
        quiet: false,
        bell: 'on',
        notify: false,
        atDirect: false,
        theme: 'auto',
      },
      columns: COLUMNS,
      nowMs: 0,
      timeZone: 'UTC',
      self: 'ann',
    },
  );
}

/** The rows of a terminal that draws code point by code point. */
async function screenRows(lines: readonly string[]): Promise<readonly string[]> {
  const terminal = new xterm.Terminal({ cols: COLUMNS, rows: 60, scrollback: 5_000, allowProposedApi: true });
  await new Promise<void>((done) => terminal.write(lines.map((line) => `${line}\r\n`).join(''), done));
  const { active } = terminal.buffer;
  return Array.from(
    { length: active.length },
    (_, row) => active.getLine(row)?.translateToString(true) ?? '',
  );
}

test('P42: no pile of characters makes a terminal begin a row with what somebody said', async () => {
  for (const [name, pile] of Object.entries(PILES)) {
    const texts = Array.from({ length: COLUMNS }, (_, count) => pile.repeat(count + 1));
    const lines = texts.flatMap((text) => [`${text} ${FORGED}`, `${text}x ${FORGED}`].flatMap(rendered));
    const strange = (await screenRows(lines)).filter(
      (row) => row !== '' && !/^(12:30 <bob> | {6}\| )/.test(row),
    );
    assert.deepEqual(strange, [], name);
  }
});

test('P42: the longest pile is taken apart', () => {
  const parts = rendered('\u1100'.repeat(5_000));
  assert.ok(parts.every((row) => mostColumnsOf(row) <= COLUMNS));
  assert.equal(parts.join('').replaceAll(/[^\u1100]/g, '').length, 5_000);
});

test('no text is wider than its widest count', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      for (const grapheme of graphemes(cleanText(text)))
        assert.ok(mostColumnsOf(grapheme) >= columnsOf(grapheme), JSON.stringify(grapheme));
    }),
  );
  for (const emoji of ['\u2764\ufe0f', '1\ufe0f\u20e3', '\u{1f468}\u{1f3fd}', '\u{1f1e9}\u{1f1ea}'])
    assert.ok(mostColumnsOf(emoji) >= columnsOf(emoji));
});
