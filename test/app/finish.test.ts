import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerThread } from '../../src/app/answer-thread.ts';
import { EXIT } from '../../src/app/exit-codes.ts';
import { finish, outcomeOf, outcomeOfError } from '../../src/app/finish.ts';
import { ProtocolError } from '../../src/protocol/errors.ts';
import type { JsonEvent } from '../../src/terminal/json-lines.ts';

// Once such a host made the program end as if it had a fault of its own, with a stack.
test('a host that breaks the protocol at the door is a failed security check', () => {
  assert.deepEqual(outcomeOfError(new ProtocolError('malformed', 'malformed QUESTION')), {
    exitCode: EXIT.security,
    problem: { code: 'malformed', text: 'The host broke the protocol: malformed QUESTION.' },
  });
});

test('what fails in our own answer thread is not blamed on the host', async () => {
  const answers = new AnswerThread();
  const identifiers = { client: 'room', server: 'pin' };
  const job = {
    op: 'register',
    setup: 'no setup',
    credential: 'answer',
    answer: 'in the library',
    identifiers,
  } as const;
  const error: unknown = await answers.run(job).catch((reason: unknown) => reason);
  await answers.end();
  assert.equal(outcomeOfError(error).exitCode, EXIT.unexpected);
});

// Once a program that was refused at the door got an error and then nothing: it had to guess that this was the end.
test('the last event of a program is that it closed, whatever it ended with', () => {
  const told: JsonEvent[] = [];
  const front = { emit: (event: JsonEvent) => told.push(event), close: () => {} };
  const refused = { kind: 'refused', reason: 'room-full', triesLeft: 0, version: 1 } as const;
  assert.equal(finish(front, 'json', outcomeOf(refused, 'quit')), EXIT.notAdmitted);
  const text = 'The room is full. Ask the host to make room (--max-members).';
  assert.deepEqual(told, [
    { type: 'error', code: 'room-full', message: text },
    { type: 'closed', code: 'room-full', reason: text },
  ]);
  told.length = 0;
  finish(front, 'json', outcomeOf({ kind: 'left' }, 'quit'));
  assert.deepEqual(told, [{ type: 'closed', code: 'left', reason: 'you left the room' }]);
});
