/**
 * Entry of a worker thread that does the joiner's half of OPAQUE, which would hold the main thread for a sixth of a
 * second at each answer.
 */
import { parentPort } from 'node:worker_threads';
import { ProtocolError, unreachable } from '../protocol/errors.ts';
import { loadAnswerClient, loadAnswerHost, registerAnswer } from './answer.ts';
import {
  ANSWER_FAILED,
  type AnswerJob,
  type AnswerOutcome,
  type AnswerReply,
  type AnswerRequest,
} from './answer-jobs.ts';

async function run(job: AnswerJob): Promise<AnswerOutcome> {
  switch (job.op) {
    case 'start':
      return { op: 'start', ...(await loadAnswerClient()).start(job.answer) };
    case 'finish':
      return { op: 'finish', result: (await loadAnswerClient()).finish(job) };
    case 'start-registration':
      return { op: job.op, ...(await loadAnswerClient()).startRegistration(job.answer) };
    case 'finish-registration':
      return { op: job.op, record: (await loadAnswerClient()).finishRegistration(job) };
    case 'register':
      return { op: 'register', record: await registerAnswer({ host: await loadAnswerHost(), ...job }) };
    default:
      return unreachable(job);
  }
}

/** Whoever registers with themselves has no peer to blame. */
function failure(op: AnswerJob['op'], error: unknown): AnswerOutcome {
  if (error instanceof ProtocolError && op !== 'register')
    return { op: 'failed', code: error.code, message: error.message };
  return { op: 'failed', code: ANSWER_FAILED, message: 'the answer could not be worked on' };
}

parentPort?.on('message', async ({ id, job }: AnswerRequest) => {
  const reply: AnswerReply = {
    id,
    outcome: await run(job).catch((error: unknown) => failure(job.op, error)),
  };
  parentPort?.postMessage(reply);
});
