import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerHint } from '../../../src/app/setup/answer-hint.ts';

test('says how hard an answer is to guess, and never what it is', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      'teapot',
      /^That is weak: 1 word, 6 letters and numbers, found in about 20 thousand guesses\. At the door nobody has more than 5, /,
    ],
    ['abc', /^That is weak: .* found in less than a thousand guesses\./],
    ['blue cup', /^That is fair: 2 words, 7 letters and numbers, found in about 4 million guesses\.$/],
    [
      'the blue teapot',
      /^That is strong: 3 words, 13 letters and numbers, found in about 80 billion guesses\.$/,
    ],
    ['sommer in husum am strand', /^That is strong: .* more than a thousand billion guesses\.$/],
  ];
  for (const [answer, expected] of cases) {
    const { text } = answerHint(answer);
    assert.match(text, expected);
    for (const word of answer.split(' ').filter((part) => part.length > 3))
      assert.ok(!text.includes(word), text);
  }
});
