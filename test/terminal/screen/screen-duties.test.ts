/** What a screen does beside lines: focus, bell, clipboard, giving the terminal away, terminals that are slow. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mock, test } from 'node:test';
import type { JobControl } from '../../../src/terminal/screen/job-control.ts';
import { Looking } from '../../../src/terminal/screen/looking.ts';
import { Screen } from '../../../src/terminal/screen/screen.ts';
import { FakeTerminal } from './fake-terminal.ts';

const IDLE_MS = 5 * 60_000;
const FOCUS_IN = '\u001b[I';
const FOCUS_OUT = '\u001b[O';

class FakeJobs implements JobControl {
  stops = 0;
  #goOn: () => void = () => {};

  stop(): void {
    this.stops += 1;
  }

  onContinue(listener: () => void): () => void {
    this.#goOn = listener;
    return () => {
      this.#goOn = () => {};
    };
  }

  goOn(): void {
    this.#goOn();
  }
}

function open(env: NodeJS.ProcessEnv = { TERM: 'xterm-256color' }, columns = 40, rows = 10) {
  const fake = new FakeTerminal({ columns, rows });
  const jobs = new FakeJobs();
  const screen = new Screen(...fake.streams, { env, jobs });
  return { fake, screen, jobs };
}

/** Everything sent with this OSC number. */
function commands(fake: FakeTerminal, number: number): readonly string[] {
  const seen: string[] = [];
  fake.terminal.parser.registerOscHandler(number, (text) => {
    seen.push(text);
    return true;
  });
  return seen;
}

test('focus reports tell whether the person is looking, and are never typed', async () => {
  const { fake, screen } = open();
  const looks: boolean[] = [];
  screen.onLook((looking) => looks.push(looking));
  screen.setPrompt('> ');
  await fake.settle();
  assert.equal(fake.terminal.modes.sendFocusMode, true);
  await fake.type(`a${FOCUS_OUT}${FOCUS_OUT}`);
  await fake.type(FOCUS_IN);
  await fake.type(`${FOCUS_OUT}b`);
  assert.deepEqual(looks, [false, true, false, true], 'whoever types is there');
  assert.deepEqual(fake.rows(), ['> ab']);
  screen.close();
  await fake.settle();
  assert.equal(fake.terminal.modes.sendFocusMode, false);
});

test('nobody is looking after five minutes without a key, until the next', () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  try {
    const looks: boolean[] = [];
    const looking = new Looking();
    looking.onChange((isLooking) => looks.push(isLooking));
    mock.timers.tick(IDLE_MS - 1);
    looking.keyPressed();
    mock.timers.tick(IDLE_MS - 1);
    assert.deepEqual(looks, []);
    mock.timers.tick(1);
    assert.deepEqual(looks, [false]);
    looking.focus(false);
    looking.keyPressed();
    assert.deepEqual(looks, [false, true]);
    looking.end();
    mock.timers.tick(2 * IDLE_MS);
    assert.deepEqual(looks, [false, true]);
  } finally {
    mock.timers.reset();
  }
});

test('bell and notification, cleaned, and none of it on the console of Linux but the bell', async () => {
  const { fake, screen } = open();
  let rung = 0;
  fake.terminal.onBell(() => {
    rung += 1;
  });
  const notified = commands(fake, 9);
  screen.ring();
  screen.notify('ann: \u001b]52;c;eA==\u0007\u202e');
  screen.notify('4;1 is no command of ours');
  await fake.settle();
  assert.equal(rung, 1);
  assert.deepEqual(notified, ['ann: ␛]52;c;eA==␇\ufffd', ' 4;1 is no command of ours']);
  screen.close();

  const console = open({ TERM: 'linux' });
  console.screen.ring();
  console.screen.notify('x');
  assert.equal(console.screen.copy('x'), false);
  console.screen.close();
  await console.fake.settle();
  assert.ok(!console.fake.output.writes.join('').includes('\u001b]'));
});

test('copying: OSC 52, through tmux too, without controls, and not more than terminals take', async () => {
  const { fake, screen } = open();
  const copied = commands(fake, 52);
  assert.equal(screen.copy('sc1.\u001bx\nü'), true);
  assert.equal(screen.copy('x'.repeat(74_994)), true);
  assert.equal(screen.copy('x'.repeat(74_995)), false);
  await fake.settle();
  assert.equal(copied.length, 2);
  assert.equal(copied[0], `c;${Buffer.from('sc1.␛x\nü').toString('base64')}`);
  screen.close();

  const tmux = open({ TERM: 'tmux-256color', TMUX: '/tmp/tmux-0/default,1,0' });
  assert.equal(tmux.screen.copy('hi'), true);
  await tmux.fake.settle();
  const set = '\u001b]52;c;aGk=\u0007';
  assert.equal(tmux.fake.output.writes.at(-1), `${set}\u001bPtmux;\u001b${set}\u001b\\`);
  tmux.screen.close();
  assert.equal(tmux.screen.copy('hi'), false);
});

test('clear takes the scrollback too and keeps the draft', async () => {
  const { fake, screen } = open();
  screen.setPrompt('> ');
  for (let line = 0; line < 50; line += 1) screen.print(`said ${line}`);
  await fake.type('draft');
  screen.print('never shown');
  screen.clear();
  await fake.settle();
  assert.deepEqual(fake.rows(), ['> draft']);
  screen.close();
});

test('the draft can be read and set, but not while it is a secret', async () => {
  const { fake, screen } = open();
  screen.setPrompt('> ');
  await fake.type('half');
  assert.equal(screen.draft, 'half');
  screen.setMasked(true);
  await fake.type('hunter2');
  assert.equal(screen.draft, 'half');
  screen.setDraft('from an\r\neditor\u001b[2J');
  screen.setMasked(false);
  await fake.settle();
  assert.equal(screen.draft, 'from an\neditor[2J');
  await fake.type('\u001f');
  assert.deepEqual(fake.rows(), ['> half'], 'setting it can be undone');
  screen.close();
});

test('while an editor has the terminal it is as found, lines wait, and the draft comes back', async () => {
  const { fake, screen } = open();
  const looks: boolean[] = [];
  screen.onLook((looking) => looks.push(looking));
  screen.setPrompt('> ');
  screen.print('before');
  await fake.type('draft');
  const run = Promise.withResolvers<string>();
  const edited = screen.suspend(() => run.promise);
  await fake.settle();
  assert.equal(fake.input.isRaw, false);
  assert.equal(fake.input.isPaused(), true);
  assert.equal(fake.terminal.modes.bracketedPasteMode, false);
  assert.equal(fake.terminal.modes.sendFocusMode, false);
  assert.deepEqual(fake.rows(), ['before']);
  const writes = fake.output.writes.length;
  screen.print('meanwhile');
  screen.setPrompt('room> ');
  screen.ring();
  screen.notify('x');
  screen.clear();
  assert.equal(screen.copy('x'), false);
  await fake.resize(30, 10);
  assert.equal(fake.output.writes.length, writes, 'nothing is written into the editor');
  run.resolve('text');
  assert.equal(await edited, 'text');
  await fake.settle();
  assert.equal(fake.input.isRaw, true);
  assert.equal(fake.terminal.modes.bracketedPasteMode, true);
  assert.deepEqual(fake.rows(), ['before', 'meanwhile', 'room> draft']);
  assert.deepEqual(looks, [false, true]);
  await fake.type('!');
  assert.deepEqual(fake.rows(), ['before', 'meanwhile', 'room> draft!']);
  screen.close();
});

test('an editor that fails gives the terminal back as well; one that outlives the chat finds it as it was', async () => {
  const { fake, screen } = open();
  const failing = screen.suspend(() => Promise.reject(new Error('no editor')));
  await assert.rejects(failing, /no editor/);
  assert.equal(fake.input.isRaw, true);
  const run = Promise.withResolvers<void>();
  const edited = screen.suspend(() => run.promise);
  screen.print('the host closed the room');
  screen.close();
  run.resolve();
  await edited;
  await fake.settle();
  assert.equal(fake.input.isRaw, false);
  assert.deepEqual(fake.rows(), ['the host closed the room']);
});

test('Ctrl-Z leaves the terminal as found, and going on draws anew', async () => {
  const { fake, screen, jobs } = open();
  screen.setPrompt('> ');
  let whileStopped: boolean | null = null;
  mock.method(jobs, 'stop', () => {
    whileStopped = fake.input.isRaw;
    jobs.stops += 1;
  });
  await fake.type('draft');
  fake.input.write('\u001a');
  await fake.settle();
  assert.equal(jobs.stops, 1);
  assert.equal(whileStopped, false);
  assert.equal(fake.input.isRaw, true);
  assert.deepEqual(fake.rows(), ['> draft']);
  jobs.goOn();
  await fake.settle();
  screen.close();
  jobs.goOn();
  await fake.settle();
  assert.equal(fake.input.isRaw, false);
});

test('who was stopped from outside draws on the row where the shell left the cursor', async () => {
  const { fake, screen, jobs } = open();
  screen.setPrompt('> ');
  await fake.type('draft');
  fake.output.write('\r\n$ fg\r\n');
  fake.input.setRawMode(false);
  jobs.goOn();
  await fake.settle();
  assert.equal(fake.input.isRaw, true);
  assert.deepEqual(fake.rows(), ['> draft', '$ fg', '> draft']);
  await fake.type('!');
  assert.deepEqual(fake.rows(), ['> draft', '$ fg', '> draft!']);
  screen.close();
});

test('where nothing can be stopped, Ctrl-Z does nothing', async () => {
  const fake = new FakeTerminal({ columns: 40, rows: 10 });
  const screen = new Screen(...fake.streams, { env: {}, jobs: null });
  await fake.type('a\u001ab');
  assert.deepEqual(fake.rows(), ['ab']);
  screen.close();
});

test('several lines in one read were pasted, on a terminal that does not mark pastes', async () => {
  const { fake, screen } = open();
  const lines: string[] = [];
  screen.onLine((line) => lines.push(line));
  screen.setPrompt('> ');
  await fake.type('/quit\rtwo\rthr');
  assert.deepEqual(lines, []);
  await fake.type('ee\r');
  assert.deepEqual(lines, [], 'the end of a long paste sends nothing either');
  assert.deepEqual(fake.rows(), ['3 lines: Enter sends, Esc drops', '> //quit', 'two', 'three']);
  await fake.type('\r');
  assert.deepEqual(lines, ['//quit\ntwo\nthree']);
  await fake.type('typed\r');
  await fake.type('\r\r');
  assert.deepEqual(lines.slice(1), ['typed', '', '']);
  screen.close();
});

test('Escape alone drops a paste', async () => {
  const { fake, screen } = open();
  screen.setPrompt('> ');
  await fake.type('x\u001b[200~a\nb\u001b[201~');
  assert.equal(screen.draft, 'xa\nb');
  const drawn = once(fake.output, 'wrote');
  fake.input.write('\u001b');
  await drawn;
  await fake.settle();
  assert.deepEqual(fake.rows(), ['> x']);
  screen.close();
});

test('a terminal that takes nothing holds up nobody: the newest lines wait, and what gave way is counted', async () => {
  const { fake, screen } = open();
  screen.setPrompt('> ');
  await fake.settle();
  fake.output.hold();
  const line = 'x'.repeat(10_000);
  for (let index = 0; index < 1_000; index += 1) screen.print(`${index} ${line}`);
  await fake.settle();
  await fake.type('typed meanwhile');
  screen.print('the newest');
  for (let index = 0; index < 10_000; index += 1) screen.notify('x'.repeat(100));
  assert.ok(fake.output.writableLength < 200_000, `${fake.output.writableLength} bytes wait in the stream`);
  fake.output.release();
  await fake.settle();
  await fake.settle();
  assert.deepEqual(fake.rows().slice(-2), ['the newest', '> typed meanwhile']);
  const written = fake.output.writes.join('');
  const shown = written.split(line).length - 1;
  assert.ok(written.includes(`-!- ${1_000 - shown} lines were left out: they came faster than`));
  screen.close();
});

test('a burst that the terminal does take loses nothing, however long', async () => {
  const { fake, screen } = open();
  screen.setPrompt('> ');
  for (let index = 0; index < 15_000; index += 1) screen.print(`line ${index}`);
  await fake.settle();
  await fake.settle();
  const rows = fake.rows();
  assert.equal(rows.length, 15_001);
  assert.equal(rows[14_999], 'line 14999');
  screen.close();
});
