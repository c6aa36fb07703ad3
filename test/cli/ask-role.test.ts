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

/** A terminal's two ends: readline puts the input into raw mode and reads keys. */
function terminal() {
  const modes: boolean[] = [];
  const input = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: (raw: boolean) => modes.push(raw),
  });
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
  output.resume();
  return { input, output, modes };
}

test('takes a number, a letter or a word', async () => {
  for (const typed of ['1\n', 'h\n', ' Host \n', 's\n']) assert.equal((await askWith(typed)).role, 's');
  for (const typed of ['2\n', 'j\n', ' Join \n', 'c\n']) assert.equal((await askWith(typed)).role, 'c');
});

test('Enter joins', async () => {
  assert.equal((await askWith('\n')).role, 'c');
});

test('asks again until it understands, and says what it would', async () => {
  const { role, shown } = await askWith('what\n3\nc\n');
  assert.equal(role, 'c');
  assert.equal(shown.split('Host a room or join one?').length - 1, 3);
  assert.equal(shown.split('Esc leaves.').length - 1, 2);
});

test('the end of input is giving up', async () => {
  assert.equal((await askWith('')).role, null);
});

for (const [name, key] of [
  ['Ctrl-C', '\u0003'],
  ['Ctrl-D', '\u0004'],
  ['Esc', '\u001b'],
] as const) {
  test(`${name} gives up and leaves the terminal as it was`, async () => {
    const { input, output, modes } = terminal();
    const asked = askRole(input, output);
    input.write(key);
    assert.equal(await asked, null);
    assert.deepEqual(modes, [true, false]);
    assert.equal(input.isPaused(), true);
  });
}

test('what was typed ahead is there for the next question', async () => {
  const { input, output } = terminal();
  const asked = askRole(input, output);
  input.write('j\rsc1.abc\r');
  assert.equal(await asked, 'c');
  assert.equal(String(input.read()), 'sc1.abc\r');
});
