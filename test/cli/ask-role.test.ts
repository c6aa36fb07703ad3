import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import { test } from 'node:test';
import { askRole } from '../../src/cli/ask-role.ts';

async function askWith(typed: string): Promise<{ role: string | null; shown: string }> {
  const input = new PassThrough();
  let shown = '';
  const output = new PassThrough().on('data', (chunk) => {
    shown += chunk;
  });
  input.end(typed);
  const role = await askRole(input, output);
  output.end();
  await finished(output);
  return { role, shown };
}

test('takes a letter or a word', async () => {
  assert.equal((await askWith('h\n')).role, 's');
  assert.equal((await askWith(' Join \n')).role, 'c');
});

test('asks again until it understands', async () => {
  const { role, shown } = await askWith('what\n\nc\n');
  assert.equal(role, 'c');
  assert.equal(shown.split('[h/j]').length - 1, 3);
});

test('the end of input is giving up', async () => {
  assert.equal((await askWith('')).role, null);
});
