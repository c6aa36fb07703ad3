/** A run that only sends files, where nothing comes of it. What it sends is shown by the journeys. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Sending } from '../../../src/app/files/sending.ts';
import type { Outcome } from '../../../src/app/finish.ts';
import { roomId } from '../../../src/protocol/identifiers.ts';
import type { JsonEvent } from '../../../src/terminal/json-lines.ts';

const WAIT_MS = 60_000;

/** Nobody has reached the room yet. */
function begin(context: TestContext) {
  context.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  const told: JsonEvent[] = [];
  const outcomes: Outcome[] = [];
  const none = (): never => assert.fail('nothing goes out');
  const sending = new Sending({
    ...{ roomId: roomId(new Uint8Array(16)), roomName: 'Kitchen' },
    front: { emit: (event) => told.push(event), setFiles() {} },
    membership: {
      session: null,
      say: none,
      sayIn: none,
      sayTo: none,
      openLine: none,
      tellOfFile: none,
      keep: none,
    },
    options: {
      ...{ paths: ['a.txt'], to: 'bob', waitMs: WAIT_MS, saved: 'kitchen' },
      files: { downloads: null, maxBytes: 1, autoAccept: [] },
    },
    onOver: (outcome) => outcomes.push(outcome),
  });
  const ends = () => outcomes.map(({ exitCode, problem, closed }) => [exitCode, (problem ?? closed)?.code]);
  return { sending, told, ends, tick: (ms: number) => context.mock.timers.tick(ms) };
}

test('an alarm ends it, is told, and says where to decide about it', (context) => {
  const { sending, told, ends } = begin(context);
  sending.follow({ kind: 'alarm', code: 'fork', text: 'Two logs.', evidence: null });
  assert.deepEqual(told, [{ type: 'notice', level: 'alarm', code: 'fork', text: 'Two logs.' }]);
  assert.deepEqual(ends(), [[5, 'held-back']]);
  sending.interrupt();
  assert.equal(ends().length, 1);
});

test('what waits for a decision about a changed key is not waited for', (context) => {
  const { sending, ends } = begin(context);
  sending.follow({ kind: 'notice', level: 'warning', code: 'held-for-trust', text: 'Decide.' });
  assert.deepEqual(ends(), [[5, 'held-back']]);
});

test('what the room does not take is not sent', (context) => {
  const { sending, ends } = begin(context);
  sending.follow({
    kind: 'notice',
    level: 'warning',
    code: 'muted',
    text: 'You are muted.',
    refs: ['a.txt'],
  });
  assert.deepEqual(ends(), [[4, 'muted']]);
});

test('a room that is not reached is given up after the time to wait', (context) => {
  const { ends, tick } = begin(context);
  tick(WAIT_MS - 1_000);
  assert.deepEqual(ends(), []);
  tick(1_000);
  assert.deepEqual(ends(), [[3, 'lost']]);
});

test('Ctrl-C ends it before anything was sent', (context) => {
  const { sending, ends } = begin(context);
  sending.interrupt();
  assert.deepEqual(ends(), [[130, 'interrupted']]);
});
