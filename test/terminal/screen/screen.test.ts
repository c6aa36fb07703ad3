import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InputError } from '../../../src/protocol/errors.ts';
import { askLine } from '../../../src/terminal/screen/prompt.ts';
import { Screen } from '../../../src/terminal/screen/screen.ts';
import { FakeTerminal } from './fake-terminal.ts';

function open(columns: number, rows: number) {
  const fake = new FakeTerminal({ columns, rows });
  const screen = new Screen(...fake.streams);
  return { fake, screen };
}

const UP = '\u001b[A';
const DOWN = '\u001b[B';

const numbered = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `line ${String(index).padStart(3, '0')}`);

test('what is typed stands behind the prompt, and a line goes to the listener', async () => {
  const { fake, screen } = open(40, 10);
  const lines: string[] = [];
  screen.onLine((line) => lines.push(line));
  screen.setPrompt('room> ');
  await fake.type('hello');
  assert.deepEqual(fake.rows(), ['room> hello']);
  assert.deepEqual(fake.cursor(), { row: 0, column: 11 });
  await fake.type('\r');
  assert.deepEqual(lines, ['hello']);
  assert.deepEqual(fake.rows(), ['room>']);
  screen.close();
});

test('lines sent before a time do not come back, in the midst of a secret either', async (context) => {
  context.mock.timers.enable({ apis: ['Date'], now: 1_000 });
  const { fake, screen } = open(40, 10);
  screen.onLine(() => {});
  screen.setPrompt('> ');
  await fake.type('early\r');
  context.mock.timers.setTime(2_000);
  await fake.type('late\r');
  screen.forgetLines(1_000);
  await fake.type(`${UP}${UP}`);
  assert.deepEqual(fake.rows(), ['> early']);
  await fake.type(`${DOWN}${DOWN}`);
  screen.setMasked(true);
  screen.forgetLines(2_000);
  screen.setMasked(false);
  await fake.type(`${UP}${UP}`);
  assert.deepEqual(fake.rows(), ['> late']);
  screen.close();
});

test('typing while 200 lines arrive keeps every line and the input whole', async () => {
  const { fake, screen } = open(40, 12);
  const submitted: string[] = [];
  screen.onLine((line) => submitted.push(line));
  screen.setPrompt('> ');
  // Long enough for two rows, typed a letter at a time between the lines.
  const text = 'the quick brown fox jumps over the lazy dog, again and again';
  const lines = numbered(200);
  for (const [index, line] of lines.entries()) {
    screen.print(line);
    const letter = text[index];
    if (letter !== undefined) fake.input.write(letter);
    if (index % 7 === 0) await fake.settle();
  }
  await fake.settle();
  assert.deepEqual(fake.rows(), [...lines, `> ${text.slice(0, 38)}`, text.slice(38)]);
  assert.deepEqual(fake.cursor(), { row: 201, column: text.length - 38 });
  await fake.type('\r');
  assert.deepEqual(submitted, [text]);
  screen.close();
});

test('lines that arrive while the cursor is inside a text of several rows do not disturb it', async () => {
  const { fake, screen } = open(20, 10);
  screen.setPrompt('> ');
  await fake.type('a'.repeat(50));
  await fake.type('\u0001bc');
  screen.print('incoming');
  await fake.settle();
  const all = `> bc${'a'.repeat(50)}`;
  assert.deepEqual(fake.rows(), ['incoming', all.slice(0, 20), all.slice(20, 40), all.slice(40)]);
  assert.deepEqual(fake.cursor(), { row: 1, column: 4 });
  screen.close();
});

test('many prints in one turn are one write', async () => {
  const { fake, screen } = open(80, 24);
  await fake.settle();
  const before = fake.output.writes.length;
  for (const line of numbered(200)) screen.print(line);
  screen.setPrompt('> ');
  await fake.settle();
  assert.equal(fake.output.writes.length - before, 1);
  screen.close();
});

test('typing at the end writes the letter and not the line again', async () => {
  const { fake, screen } = open(80, 24);
  screen.setPrompt('> ');
  await fake.type('abc');
  await fake.type('d');
  assert.equal(fake.output.writes.at(-1), '\u001b[?7ld\u001b[?7h');
  await fake.type('e\u0301');
  assert.deepEqual(fake.rows(), ['> abcde\u0301']);
  const writes = fake.output.writes.length;
  await fake.type('\u001b[C');
  assert.equal(fake.output.writes.length, writes, 'a key that changes nothing writes nothing');
  screen.close();
});

test('a full last row puts the cursor on the next', async () => {
  const { fake, screen } = open(10, 6);
  screen.setPrompt('> ');
  await fake.type('12345678');
  assert.deepEqual(fake.cursor(), { row: 1, column: 0 });
  screen.print('x');
  await fake.type('9');
  assert.deepEqual(fake.rows(), ['x', '> 12345678', '9']);
  screen.close();
});

test('a terminal made narrower or wider mid-line keeps printed lines and draws the input afresh', async () => {
  const { fake, screen } = open(40, 12);
  screen.setPrompt('> ');
  const printed = numbered(5);
  for (const line of printed) screen.print(line);
  const text = 'abcdefghijklmnopqrstuvwxyz0123456789';
  await fake.type(text);
  await fake.resize(20, 12);
  assert.deepEqual(fake.rows(), [...printed, `> ${text.slice(0, 18)}`, text.slice(18)]);
  await fake.resize(60, 12);
  assert.deepEqual(fake.rows(), [...printed, `> ${text}`]);
  screen.print('after');
  await fake.type('!');
  assert.deepEqual(fake.rows(), [...printed, 'after', `> ${text}!`]);
  assert.deepEqual(fake.cursor(), { row: 6, column: text.length + 3 });
  screen.close();
});

test('rows above the cursor that a narrower terminal folds are erased too', async () => {
  const { fake, screen } = open(40, 12);
  screen.setPrompt('> ');
  screen.print('kept');
  await fake.type('x'.repeat(50));
  await fake.resize(30, 12);
  assert.deepEqual(fake.rows(), ['kept', `> ${'x'.repeat(28)}`, 'x'.repeat(22)]);
  screen.close();
});

test('wide characters wrap whole, and editing goes by grapheme', async () => {
  const { fake, screen } = open(10, 8);
  const lines: string[] = [];
  screen.onLine((line) => lines.push(line));
  screen.setPrompt('> ');
  await fake.type('你好世界a你好');
  screen.print('→');
  await fake.settle();
  assert.deepEqual(fake.rows(), ['→', '> 你好世界', 'a你好']);
  await fake.type('\u007f\u001b[D!');
  assert.deepEqual(fake.rows(), ['→', '> 你好世界', 'a!你']);
  assert.deepEqual(fake.cursor(), { row: 2, column: 2 });
  await fake.type('\r');
  assert.deepEqual(lines, ['你好世界a!你']);
  screen.close();
});

test('emoji whose width the terminal sees otherwise cost no row and no line', async () => {
  // Without its Unicode add-on, xterm gives each part of a family its own cells.
  const { fake, screen } = open(20, 8);
  screen.setPrompt('> ');
  await fake.type('👨‍👩‍👧'.repeat(9));
  for (const line of numbered(30)) screen.print(line);
  await fake.settle();
  await fake.type('\u0015ok');
  assert.deepEqual(fake.rows(), [...numbered(30), '> ok']);
  screen.close();
});

test('40 columns: a draft higher than the screen scrolls in its own rows', async () => {
  const { fake, screen } = open(40, 5);
  screen.setPrompt('> ');
  screen.print('kept');
  await fake.type(`\u001b[200~${numbered(30).join('\n')}\u001b[201~`);
  assert.deepEqual(fake.rows().slice(-4), ['30 lines: Enter sends, Esc drops', ...numbered(30).slice(-3)]);
  screen.print('arrived');
  await fake.settle();
  await fake.type('\u0015'.repeat(60));
  assert.deepEqual(fake.rows(), ['kept', 'arrived', '>']);
  screen.close();
});

test('a paste of several lines waits in the line being typed', async () => {
  const { fake, screen } = open(40, 10);
  const lines: string[] = [];
  screen.onLine((line) => lines.push(line));
  screen.setPrompt('> ');
  await fake.type('\u001b[200~one\r\ntwo\u001b[201~');
  assert.deepEqual(lines, []);
  assert.deepEqual(fake.rows(), ['2 lines: Enter sends, Esc drops', '> one', 'two']);
  assert.deepEqual(fake.cursor(), { row: 2, column: 3 });
  screen.print('arrives');
  await fake.type('\r');
  assert.deepEqual(lines, ['one\ntwo']);
  assert.deepEqual(fake.rows(), ['arrives', '>']);
  screen.close();
});

test('a secret pasted in several lines answers one question, on terminals that mark no paste too', async () => {
  const { fake, screen } = open(40, 10);
  for (const [before, after] of [
    ['', ''],
    ['\u001b[200~', '\u001b[201~'],
  ]) {
    const token = askLine(screen, { prompt: '> ', masked: true });
    await fake.type(`${before}Hi,\r> sc1.abc\r> def\rsee you\r${after}`);
    await fake.type('\r');
    assert.equal(await token, 'Hi, > sc1.abc > def see you');
  }
  screen.close();
});

test('a secret shows as dots, enters no history, and the draft comes back after it', async () => {
  const { fake, screen } = open(40, 10);
  screen.setPrompt('> ');
  await fake.type('half a sen');
  const answer = askLine(screen, { prompt: 'answer: ', masked: true });
  await fake.type('hunter2');
  assert.deepEqual(fake.rows(), ['answer: •••••••']);
  await fake.type('\r');
  assert.equal(await answer, 'hunter2');
  screen.setPrompt('> ');
  await fake.settle();
  assert.deepEqual(fake.rows(), ['> half a sen']);
  await fake.type('\u001b[A');
  assert.deepEqual(fake.rows(), ['> half a sen']);
  assert.ok(!fake.output.writes.join('').includes('hunter2'));
  screen.close();
});

test('lines typed before anybody asks wait for the question', async () => {
  const { fake, screen } = open(40, 10);
  await fake.type('first\rsecond\r');
  assert.equal(await askLine(screen, { prompt: '1> ', masked: false }), 'first');
  assert.equal(await askLine(screen, { prompt: '2> ', masked: false }), 'second');
  screen.close();
});

test('Ctrl-C, Ctrl-D, Ctrl-L', async () => {
  const { fake, screen } = open(40, 10);
  const seen: string[] = [];
  screen.onInterrupt(() => seen.push('interrupt'));
  screen.onEnd(() => seen.push('end'));
  screen.setPrompt('> ');
  await fake.type('ab\u0004\u0003');
  assert.deepEqual(seen, ['interrupt']);
  screen.print('gone from view');
  await fake.settle();
  await fake.type('\u000c');
  assert.deepEqual(fake.rows().slice(-1), ['> ab']);
  assert.deepEqual(fake.cursor().column, 4);
  await fake.type('\u007f\u007f\u0004');
  assert.deepEqual(seen, ['interrupt', 'end']);
  screen.close();
});

test('too much text is refused in words, and what fits stays', async () => {
  const { fake, screen } = open(80, 10);
  const refused: InputError[] = [];
  const lines: string[] = [];
  screen.onRefused((error) => refused.push(error));
  screen.onLine((line) => lines.push(line));
  await fake.type(`\u001b[200~${'x'.repeat(20_000)}\u001b[201~`);
  await fake.type('\r');
  assert.deepEqual(
    refused.map((error) => error.code),
    ['text-too-long'],
  );
  assert.equal(lines[0]?.length, 16_000);
  screen.close();
});

test('close prints what waits and leaves the terminal as found', async () => {
  const { fake, screen } = open(40, 10);
  screen.setPrompt('> ');
  await fake.type('unsent');
  assert.equal(fake.input.isRaw, true);
  assert.equal(fake.terminal.modes.bracketedPasteMode, true);
  screen.print('last words');
  screen.close();
  screen.close();
  screen.restore();
  screen.print('nobody hears');
  await fake.settle();
  assert.equal(fake.input.isRaw, false);
  assert.equal(fake.terminal.modes.bracketedPasteMode, false);
  assert.equal(fake.terminal.modes.wraparoundMode, true);
  assert.equal(fake.input.isPaused(), true);
  assert.deepEqual(fake.rows(), ['last words']);
  assert.deepEqual(fake.cursor(), { row: 1, column: 0 });
  assert.equal(fake.input.listenerCount('keypress'), 0);
});

test('restore, as after a crash, writes at once and below the input', async () => {
  const { fake, screen } = open(10, 10);
  screen.setPrompt('> ');
  await fake.type(`${'a'.repeat(20)}\u0001`);
  screen.restore();
  await fake.settle();
  assert.equal(fake.input.isRaw, false);
  assert.equal(fake.terminal.modes.bracketedPasteMode, false);
  assert.deepEqual(fake.rows(), ['> aaaaaaaa', 'aaaaaaaaaa', 'aa']);
  assert.deepEqual(fake.cursor(), { row: 3, column: 0 });
});

test('an output that is gone ends the session instead of the process', async () => {
  const { fake, screen } = open(40, 10);
  let ended = 0;
  screen.onEnd(() => {
    ended += 1;
  });
  fake.output.destroy(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
  await fake.settle();
  screen.print('into the void');
  await fake.settle();
  assert.equal(ended, 1);
  screen.close();
});

test('the terminal hanging up ends the session', async () => {
  const { fake, screen } = open(40, 10);
  let ended = 0;
  screen.onEnd(() => {
    ended += 1;
  });
  fake.input.end();
  await fake.settle();
  assert.equal(ended, 1);
  screen.close();
});
