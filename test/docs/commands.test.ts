/** Every command can be found by someone who reads the README. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { COMMANDS, findCommand } from '../../src/terminal/commands/table.ts';

const README = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8');
const NAMED = [...README.matchAll(/`\/([a-z]+(?:-[a-z]+)*)/g)].flatMap(([, name]) =>
  name === undefined ? [] : [name],
);

test('the README names every command', () => {
  const missing = COMMANDS.filter(({ name }) => !NAMED.includes(name)).map(({ name }) => name);
  assert.deepEqual(missing, []);
});

test('the README names no command that is not there', () => {
  assert.deepEqual(
    NAMED.filter((name) => findCommand(name) === undefined),
    [],
  );
});
