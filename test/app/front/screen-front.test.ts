/** The ways a person can go, and when they are told of. Signals reach the front alone: the test runner listens too. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { FrontListener, GaveUpError } from '../../../src/app/front/front.ts';
import { ScreenFront } from '../../../src/app/front/screen-front.ts';
import { Screen } from '../../../src/terminal/screen/screen.ts';
import { FakeTerminal } from '../../terminal/screen/fake-terminal.ts';

class TestFront extends ScreenFront {
  override emit(): void {}
  override ask(): Promise<string> {
    return this.waitFor(() => {});
  }
  override readLine(): Promise<string> {
    return this.ask();
  }
  override hear(): void {}
  override display(): void {}
  override messageCalled(): null {
    return null;
  }
  override get latestOfOthers(): null {
    return null;
  }
  override showQr(): void {}
}

type Signal = 'SIGINT' | 'SIGTERM';

function open(context: TestContext): {
  readonly front: TestFront;
  readonly screen: Screen;
  readonly signal: (name: Signal) => void;
} {
  const before = { SIGINT: process.listeners('SIGINT'), SIGTERM: process.listeners('SIGTERM') };
  const screen = new Screen(...new FakeTerminal({ columns: 40, rows: 10 }).streams, { jobs: null });
  const front = new TestFront(screen);
  context.after(() => front.close());
  const signal = (name: Signal): void => {
    for (const listener of process.listeners(name)) if (!before[name].includes(listener)) listener(name);
  };
  return { front, screen, signal };
}

describe('ScreenFront', () => {
  test('whoever goes while nobody wants to know is told of as soon as somebody does', async (context) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      const { front, signal } = open(context);
      signal(name);
      const told: GaveUpError[] = [];
      front.onGone = (error) => told.push(error);
      assert.deepEqual(
        told.map(({ how }) => how),
        ['interrupted'],
      );
      await assert.rejects(front.ask(), told[0]);
      front.close();
    }
  });

  test('Ctrl-C in a program that has the terminal is no word to this one; being ended is', async (context) => {
    const { front, screen, signal } = open(context);
    const told: string[] = [];
    const note = (what: string) => () => void told.push(what);
    front.listen({
      say: note('say'),
      seen: note('seen'),
      command: note('command'),
      quit: note('quit'),
      end: note('end'),
      leave: note('leave'),
      interrupt: note('interrupt'),
      known: { viewer: 'everyone', nicks: [] },
    } satisfies FrontListener);
    const run = Promise.withResolvers<void>();
    const lent = screen.suspend(() => run.promise);
    signal('SIGINT');
    signal('SIGINT');
    assert.deepEqual(told, []);
    signal('SIGTERM');
    assert.deepEqual(told, ['quit']);
    run.resolve();
    await lent;
    signal('SIGINT');
    assert.deepEqual(told, ['quit', 'interrupt']);
  });

  test('a question in the middle of the talk is given up by Ctrl-C alone, and lines are heard again after it', async (context) => {
    const { front, signal } = open(context);
    const told: string[] = [];
    const note = (what: string) => () => void told.push(what);
    front.hear = note('hear');
    front.listen({
      say: note('say'),
      seen: note('seen'),
      command: note('command'),
      quit: note('quit'),
      end: note('end'),
      leave: note('leave'),
      interrupt: note('interrupt'),
      known: { viewer: 'everyone', nicks: [] },
    } satisfies FrontListener);
    const asked = front.ask();
    signal('SIGINT');
    await assert.rejects(asked, { name: 'GaveUpError', how: 'interrupted' });
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(told, ['hear']);
    signal('SIGINT');
    assert.deepEqual(told, ['hear', 'interrupt']);
    // It is only the question: another one can be asked.
    const again = front.ask();
    signal('SIGTERM');
    assert.deepEqual(told, ['hear', 'interrupt', 'quit']);
    signal('SIGINT');
    await assert.rejects(again, { name: 'GaveUpError' });
  });
});
