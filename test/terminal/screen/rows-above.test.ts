/** Rows above the line being typed, such as progress: drawn in place, and typing is never disturbed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Screen } from '../../../src/terminal/screen/screen.ts';
import { FakeTerminal } from './fake-terminal.ts';

function open(columns: number, rows: number) {
  const fake = new FakeTerminal({ columns, rows });
  const screen = new Screen(...fake.streams, { env: {}, jobs: null });
  screen.onLine(() => {});
  screen.setPrompt('> ');
  return { fake, screen };
}

/** Like a real row it fits the screen. */
const progress =
  (percent: number) =>
  (columns: number): readonly string[] => [`report.pdf ${percent} % ${'#'.repeat(80)}`.slice(0, columns)];

test('a row stands above what is typed, changes in place, and goes when it is done', async () => {
  const { fake, screen } = open(20, 10);
  screen.print('before');
  screen.setAbove(() => ['report.pdf 10 %']);
  await fake.type('hello');
  assert.deepEqual(fake.rows(), ['before', 'report.pdf 10 %', '> hello']);
  assert.deepEqual(fake.cursor(), { row: 2, column: 7 });
  screen.setAbove(() => ['report.pdf 20 %']);
  screen.print('between');
  await fake.type('!');
  assert.deepEqual(fake.rows(), ['before', 'between', 'report.pdf 20 %', '> hello!']);
  screen.setAbove(() => []);
  await fake.settle();
  assert.deepEqual(fake.rows(), ['before', 'between', '> hello!']);
  assert.deepEqual(fake.cursor(), { row: 2, column: 8 });
  screen.close();
});

test('where only the row changes, the line being typed is not written again', async () => {
  const { fake, screen } = open(20, 10);
  screen.setAbove(() => ['a 10 %', 'b 10 %']);
  await fake.type('hello');
  screen.setAbove(() => ['a 10 %', 'b 9 %']);
  await fake.settle();
  assert.equal(fake.output.writes.at(-1), '\u001b[?7l\u001b[1A\r\u001b[Kb 9 %\u001b[1B\r> hello\u001b[?7h');
  assert.deepEqual(fake.rows(), ['a 10 %', 'b 9 %', '> hello']);
  assert.deepEqual(fake.cursor(), { row: 2, column: 7 });
  // The letter alone, as without rows above.
  await fake.type('x');
  assert.equal(fake.output.writes.at(-1), '\u001b[?7lx\u001b[?7h');
  const { length } = fake.output.writes;
  screen.setAbove(() => ['a 10 %', 'b 9 %']);
  await fake.settle();
  assert.equal(fake.output.writes.length, length, 'rows that are the same are not written');
  screen.close();
});

// A terminal once took the last letter of a full row away: it was cleared behind it.
test('a row as wide as the screen keeps its last letter when it changes, and a shorter one leaves nothing', async () => {
  const { fake, screen } = open(20, 10);
  for (const row of ['a'.repeat(20), `${'b'.repeat(19)}!`, 'c']) {
    screen.setAbove(() => [row]);
    await fake.settle();
    assert.deepEqual(fake.rows(), [row, '>']);
  }
  screen.close();
});

test('a draft of several rows with the cursor inside it stays as it is while progress goes on', async () => {
  const { fake, screen } = open(20, 12);
  screen.setAbove(progress(0));
  await fake.type('a'.repeat(50));
  await fake.type('\u0001b');
  for (let percent = 1; percent <= 100; percent += 1) {
    screen.setAbove(progress(percent));
    if (percent % 10 === 0) screen.print(`line ${percent}`);
    await fake.settle();
  }
  const text = `> b${'a'.repeat(50)}`;
  const printed = Array.from({ length: 10 }, (_, index) => `line ${(index + 1) * 10}`);
  assert.deepEqual(fake.rows(), [
    ...[...printed, progress(100)(20)[0]],
    ...[text.slice(0, 20), text.slice(20, 40), text.slice(40)],
  ]);
  assert.deepEqual(fake.cursor(), { row: 11, column: 3 });
  screen.close();
  await fake.settle();
  assert.deepEqual(fake.rows(), printed, 'nothing of it is left behind');
});

test('made narrower to 40 columns and 12 rows, and wider again, mid-line', async () => {
  const { fake, screen } = open(80, 24);
  const printed = ['one', 'two', 'three'];
  for (const line of printed) screen.print(line);
  screen.setAbove(progress(62));
  await fake.type('what is being typed');
  await fake.resize(40, 12);
  assert.deepEqual(fake.rows(), [...printed, progress(62)(40)[0], '> what is being typed']);
  screen.setAbove(progress(63));
  await fake.type('!');
  assert.deepEqual(fake.rows(), [...printed, progress(63)(40)[0], '> what is being typed!']);
  await fake.resize(80, 24);
  assert.deepEqual(fake.rows(), [...printed, progress(63)(80)[0], '> what is being typed!']);
  assert.deepEqual(fake.cursor(), { row: 4, column: 22 });
  screen.close();
});

test('on a low screen the rows give way to what is typed', async () => {
  const { fake, screen } = open(20, 4);
  screen.setAbove(() => ['one', 'two', 'three', 'four']);
  await fake.type('a');
  assert.deepEqual(fake.rows(), ['one', 'two', '> a']);
  await fake.type('b'.repeat(20));
  assert.deepEqual(fake.rows(), ['one', `> a${'b'.repeat(17)}`, 'bbb']);
  await fake.resize(20, 2);
  await fake.type('c');
  assert.equal(fake.rows().at(-1), 'bbbc');
  screen.close();
});

test('a secret is asked for, and a line is sent, with progress above', async () => {
  const { fake, screen } = open(40, 10);
  const lines: string[] = [];
  screen.onLine((line) => lines.push(line));
  screen.setAbove(() => ['report.pdf 10 %']);
  await fake.type('draft');
  screen.setMasked(true);
  await fake.type('ab');
  assert.deepEqual(fake.rows(), ['report.pdf 10 %', '> ••']);
  screen.setMasked(false);
  await fake.type('\r');
  assert.deepEqual(lines, ['draft']);
  assert.deepEqual(fake.rows(), ['report.pdf 10 %', '>']);
  screen.close();
});
