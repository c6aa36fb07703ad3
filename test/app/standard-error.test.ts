/** The last word of the program is folded between words. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wrapped } from '../../src/app/standard-error.ts';

const TEXT = 'securechat: This invitation has expired. Ask the host for a new one.\n  second';

test('at a terminal no word is cut, elsewhere lines stay whole', () => {
  assert.equal(
    wrapped(TEXT, 40),
    'securechat: This invitation has expired.\nAsk the host for a new one.\n  second',
  );
  assert.equal(wrapped(TEXT, undefined), TEXT);
});
