import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnsOf } from '../../../src/terminal/graphemes.ts';
import { fileName, shortenMiddle } from '../../../src/terminal/view/file-name.ts';

const HIDDEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}\u200b\u2060-\u206f\ufeff]/u;

test('a plain name stands as it is, any other in quotation marks', () => {
  assert.equal(fileName('report.pdf'), 'report.pdf');
  assert.equal(fileName('Übersicht-2026_(2).tar.gz'), 'Übersicht-2026_(2).tar.gz');
  assert.equal(fileName('my photo.jpg'), '"my photo.jpg"');
  assert.equal(fileName('a.pdf is here: /etc'), '"a.pdf is here: /etc"');
  assert.equal(fileName('a" is here: "b'), `"a' is here: 'b"`);
  assert.equal(fileName('a”b'), `"a'b"`);
  assert.equal(fileName('.hidden'), '".hidden"');
  assert.equal(fileName(''), '""');
  assert.equal(fileName('a\u202efdp.exe\n'), '"a\ufffdfdp.exe␊"');
});

test('a long name keeps its beginning and its ending', () => {
  assert.equal(shortenMiddle('a-report-of-everything.pdf', 16), 'a-report-o…g.pdf');
  assert.equal(shortenMiddle('short.pdf', 9), 'short.pdf');
  assert.equal(shortenMiddle('no-ending-at-all-here', 10), 'no-end…ere');
  assert.equal(shortenMiddle('a.longest', 4), 'a.…t');
  assert.equal(shortenMiddle('报告报告报告报告.pdf', 12), '报告报….pdf');
  assert.equal(shortenMiddle('abc', 1), '…');
  assert.equal(shortenMiddle('abc', 0), '');
});

test('property: whatever the name, it is clean, not too wide, and no word of the program', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.integer({ min: 4, max: 60 }),
      (name, columns) => {
        const shown = fileName(name, columns);
        assert.doesNotMatch(shown, HIDDEN);
        assert.ok(columnsOf(shown) <= columns, shown);
        if (/\s/u.test(shown)) assert.match(shown, /^"[^"]*"$/);
      },
    ),
  );
});
