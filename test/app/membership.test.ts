/** What a person is told when the run at the door ends in another way than by an answer. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerThread } from '../../src/app/answer-thread.ts';
import { type Ask, LostError } from '../../src/app/door-run.ts';
import { EXIT } from '../../src/app/exit-codes.ts';
import { outcomeOf } from '../../src/app/finish.ts';
import { Membership } from '../../src/app/membership.ts';
import { ADMISSION_FRAME, Question } from '../../src/protocol/admission-frames.ts';
import { encodeFrame } from '../../src/protocol/framing.ts';
import { hash, invitationId, roomId } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { PLAIN_ROOM, policyOf } from '../../src/protocol/room-settings.ts';
import { closeFrame } from '../../src/protocol/session-frames.ts';
import { memoryPair } from '../../src/transport/memory-pair.ts';

/** Knocks at a host that answers the first frame with these words. */
async function knock(
  answer: (close: (frame?: Uint8Array) => void, send: (frame: Uint8Array) => void) => void,
  ask: Ask = () => assert.fail('nothing is asked'),
) {
  const [near, far] = memoryPair();
  far.start({
    onFrame: () =>
      answer(
        (frame) => far.close(frame),
        (frame) => far.send(frame),
      ),
    onClose() {},
  });
  const membership = new Membership({
    roomId: roomId(new Uint8Array(16)),
    ownerFingerprint: hash(new Uint8Array(32)),
    tlsPin: hash(new Uint8Array(32)),
    invitationId: invitationId(new Uint8Array(8)),
    admissionKey: new Uint8Array(32),
    connect: () => Promise.resolve(near),
    // The run ends before any key is made.
    identity: Promise.withResolvers<never>().promise,
    wrapKeys: Promise.withResolvers<never>().promise,
    answers: new AnswerThread(),
    ask,
    onQuestion() {},
    onWaiting() {},
    onEvent() {},
    onLine() {},
  });
  await membership.join();
  const ending = await membership.ended;
  assert.ok(ending.kind === 'failed' && ending.error instanceof LostError);
  return outcomeOf(ending, 'quit');
}

test('a host that says nothing at all is left after a while, with a sentence', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const heard = Promise.withResolvers<void>();
  const ending = knock(() => heard.resolve());
  await heard.promise;
  let over = false;
  void ending.then(() => {
    over = true;
  });
  context.mock.timers.tick(LIMITS.strangerMs - 1);
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(over, false);
  context.mock.timers.tick(1);
  const { exitCode, problem } = await ending;
  assert.equal(exitCode, EXIT.network);
  assert.equal(
    problem?.text,
    'The host does not answer. Try again; if it stays like this, ask them another way.',
  );
});

// Someone slow to answer was told that the host does not answer: both sides waited for exactly as long.
test('a host that waits for the person has the first word when they take too long', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const asked = Promise.withResolvers<void>();
  const question = Question.encode({
    nonce: new Uint8Array(32),
    roomName: 'Kitchen',
    question: 'Where?',
    keeps: 'nothing',
    triesLeft: 5,
    ...policyOf(PLAIN_ROOM),
  });
  let hangUp = (): void => {};
  const ending = knock(
    (close, send) => {
      hangUp = () => close(closeFrame('protocol', 'too slow'));
      send(encodeFrame(ADMISSION_FRAME.question, question));
    },
    () => {
      asked.resolve();
      return new Promise(() => {});
    },
  );
  await asked.promise;
  context.mock.timers.tick(LIMITS.candidateMs);
  hangUp();
  const { problem } = await ending;
  assert.equal(problem?.text, 'The host ended the run at the door: too slow.');
});

test('a host that closes the run at the door is quoted in its own words', async () => {
  const { exitCode, problem } = await knock((close) => close(closeFrame('protocol', 'malformed HELLO')));
  assert.equal(exitCode, EXIT.network);
  assert.equal(problem?.text, 'The host ended the run at the door: malformed HELLO.');
});

test('a host that hangs up at the door without a word is told as a closed connection', async () => {
  const { exitCode, problem } = await knock((close) => close());
  assert.equal(exitCode, EXIT.network);
  assert.match(problem?.text ?? '', /^The host closed the connection/);
});
