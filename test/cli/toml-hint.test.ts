/** A line that is no TOML is answered with what would be. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseToml } from '../../src/cli/toml.ts';

function problem(text: string): string {
  try {
    parseToml(text, 'f');
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
  return 'none';
}

test('the usual slips are named', () => {
  for (const [text, hint] of [
    ['[terminal]\nbell = loud', 'Texts stand in quotes: bell = "on".'],
    ['listen = [::]:8888', 'Texts stand in quotes: listen = "[::]:8888".'],
    ['expires = 24h', 'Texts stand in quotes: expires = "24h".'],
    ['nick = “ann”', 'Texts stand in quotes: nick = "ann".'],
    ['quiet = True', 'Write it like this: quiet = true.'],
    ['uses = 3 4', 'Write it like this: uses = 16.'],
    ['address = [a.example]', 'Write it like this: address = ["chat.example.org"].'],
    ['nick ann', 'Every line is NAME = VALUE.'],
    ['nick: "ann"', 'Every line is NAME = VALUE.'],
    ['[terminal\nquiet = true', 'A section is written [NAME], on a line of its own.'],
    ['motd-file = "C:\\motd.txt"', 'Text with backslashes stands between single quotes.'],
    ['wibble = wobble', 'Texts stand in quotes: NAME = "VALUE".'],
  ] as const) {
    assert.equal(problem(text).split('. ').slice(1).join('. '), hint, text);
  }
});

test('what someone took for a secret is not repeated', () => {
  assert.doesNotMatch(problem('answer = in the library'), /library/);
});
