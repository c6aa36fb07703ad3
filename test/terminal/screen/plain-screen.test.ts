import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InputError } from '../../../src/protocol/errors.ts';
import { PlainScreen } from '../../../src/terminal/screen/plain-screen.ts';
import { askLine, openScreen } from '../../../src/terminal/screen/prompt.ts';
import { Screen } from '../../../src/terminal/screen/screen.ts';
import { FakeTerminal } from './fake-terminal.ts';

const SIZE = { columns: 40, rows: 10 };

function open(isTTY: boolean) {
  const fake = new FakeTerminal(SIZE, isTTY);
  return { fake, screen: new PlainScreen(...fake.streams) };
}

test('the screen draws only where both ends are a terminal and --plain is not given', () => {
  for (const [isTTY, plain, draws] of [
    [true, false, true],
    [true, true, false],
    [false, false, false],
  ] as const) {
    const screen = openScreen(...new FakeTerminal(SIZE, isTTY).streams, { plain });
    assert.equal(screen instanceof Screen, draws);
    screen.close();
  }
});

test('a line out for each print, nothing for prompts, and no control sequence at all', async () => {
  const { fake, screen } = open(false);
  screen.setPrompt();
  screen.print('one');
  screen.print('two');
  await fake.settle();
  assert.equal(fake.output.writes.join(''), 'one\ntwo\n');
  screen.close();
  await fake.settle();
  assert.equal(fake.output.writes.join(''), 'one\ntwo\n');
});

test('the bell rings where a terminal hears it', () => {
  for (const [isTTY, written] of [
    [true, '\u0007'],
    [false, ''],
  ] as const) {
    const { fake, screen } = open(isTTY);
    screen.ring();
    assert.equal(fake.output.writes.join(''), written);
    screen.close();
  }
});

test('answers piped in ahead wait for their questions; the end comes after the last', async () => {
  const { fake, screen } = open(false);
  const seen: string[] = [];
  screen.onEnd(() => seen.push('end'));
  fake.input.end('ann\nsecret\nrest');
  await fake.settle();
  assert.equal(await askLine(screen, { prompt: '', masked: false }), 'ann');
  await fake.settle();
  assert.equal(await askLine(screen, { prompt: '', masked: true }), 'secret');
  screen.onLine((line) => seen.push(line));
  await fake.settle();
  assert.deepEqual(seen, ['rest', 'end']);
  assert.deepEqual(fake.output.writes, []);
  screen.close();
});

test('a piped line over 64 KiB is refused and the next one read', async () => {
  const { fake, screen } = open(false);
  const refused: InputError[] = [];
  const lines: string[] = [];
  screen.onRefused((error) => refused.push(error));
  screen.onLine((line) => lines.push(line));
  fake.input.write(`${'x'.repeat(70_000)}\nok\n`);
  await fake.settle();
  assert.deepEqual(
    refused.map((error) => error.code),
    ['line-too-long'],
  );
  assert.deepEqual(lines, ['ok']);
  screen.close();
});

test('a secret on a terminal: echo off while it is typed, and on again after', async () => {
  const { fake, screen } = open(true);
  const answer = askLine(screen, { prompt: '', masked: true });
  assert.equal(fake.input.isRaw, true);
  await fake.type('hunter3\u007f2\u001b[A\r');
  assert.equal(await answer, 'hunter2');
  assert.equal(fake.input.isRaw, false);
  assert.equal(fake.output.writes.join(''), '\n');
  const next = askLine(screen, { prompt: '', masked: false });
  await fake.type('ann\n');
  assert.equal(await next, 'ann');
  screen.close();
});

test('a secret on a terminal: pasted in several lines it is one, and answers one question', async () => {
  const { fake, screen } = open(true);
  const token = askLine(screen, { prompt: '', masked: true });
  await fake.type('Hi,\r> sc1.abc\r> def\rsee you\r');
  await fake.type('\r');
  assert.equal(await token, 'Hi, > sc1.abc > def see you');
  const answer = askLine(screen, { prompt: '', masked: true });
  await fake.type('teapot\r');
  assert.equal(await answer, 'teapot');
  screen.close();
});

test('a secret on a terminal: Ctrl-C and Ctrl-D are told, and restore turns echo on again', async () => {
  const { fake, screen } = open(true);
  const seen: string[] = [];
  screen.onInterrupt(() => seen.push('interrupt'));
  screen.onEnd(() => seen.push('end'));
  screen.setMasked(true);
  await fake.type('\u0003\u0004');
  assert.deepEqual(seen, ['interrupt', 'end']);
  screen.restore();
  assert.equal(fake.input.isRaw, false);
  assert.equal(fake.input.isPaused(), true);
});

test('an output that is gone ends the session instead of the process', async () => {
  const { fake, screen } = open(false);
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

test('a terminal that takes nothing: the newest lines wait where a person reads, all of them where a program does', async () => {
  const line = 'x'.repeat(10_000);
  for (const mayDrop of [true, false]) {
    const fake = new FakeTerminal(SIZE, mayDrop);
    const screen = new PlainScreen(...fake.streams, { mayDrop });
    fake.output.hold();
    for (let index = 0; index < 1_000; index += 1) screen.print(line);
    screen.print('the newest');
    assert.equal(fake.output.writableLength < 200_000, mayDrop);
    fake.output.release();
    while (fake.output.writableLength > 0) await fake.settle();
    await fake.settle();
    const written = fake.output.writes.join('').split('\n');
    const shown = written.filter((one) => one === line).length;
    assert.ok(written.at(-2) === 'the newest');
    if (mayDrop)
      assert.ok(
        written.includes(
          `-!- ${1_000 - shown} lines were left out: they came faster than this terminal took them.`,
        ),
      );
    else assert.equal(shown, 1_000);
    screen.close();
  }
});
