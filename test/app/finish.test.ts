import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerThread } from '../../src/app/answer-thread.ts';
import { EXIT } from '../../src/app/exit-codes.ts';
import { outcomeOfError } from '../../src/app/finish.ts';
import { ProtocolError } from '../../src/protocol/errors.ts';

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
