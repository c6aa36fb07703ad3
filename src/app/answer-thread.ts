/**
 * OPAQUE's slow steps on a thread of their own: a sixth of a second each, during which the main thread types, draws and
 * relays.
 */
import { Worker } from 'node:worker_threads';
import {
  ANSWER_FAILED,
  type AnswerJob,
  type AnswerOutcome,
  type AnswerReply,
  type AnswerRequest,
} from '../crypto/answer-jobs.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { loadAsset } from './assets.ts';

type OutcomeOf<Op extends AnswerJob['op']> = Extract<AnswerOutcome, { readonly op: Op }>;

interface Waiting {
  readonly resolve: (outcome: AnswerOutcome) => void;
  readonly reject: (error: Error) => void;
}

export class AnswerThread {
  #worker: Worker | null = null;
  #lastId = 0;
  readonly #waiting = new Map<number, Waiting>();

  /** @throws ProtocolError when the peer's part of the run is unusable. */
  async run<Op extends AnswerJob['op']>(job: AnswerJob & { readonly op: Op }): Promise<OutcomeOf<Op>> {
    this.#worker ??= this.#start();
    const id = ++this.#lastId;
    const request: AnswerRequest = { id, job };
    const outcome = await new Promise<AnswerOutcome>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      // Only a thread that is awaited keeps the program alive.
      this.#worker?.ref();
      this.#worker?.postMessage(request);
    });
    if (outcome.op === 'failed') {
      if (outcome.code === ANSWER_FAILED) throw new Error(outcome.message);
      throw new ProtocolError(outcome.code, outcome.message);
    }
    return outcome as OutcomeOf<Op>;
  }

  /** No more answers: the thread's memory, 64 MiB of it for the key stretching, goes back. */
  async end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    this.#fail(new Error('the answer thread has ended'));
    await worker?.terminate();
  }

  #start(): Worker {
    const code = loadAsset('answer-worker.js');
    const worker =
      code === null
        ? new Worker(new URL('../crypto/answer-worker.ts', import.meta.url))
        : new Worker(code, { eval: true });
    worker.on('message', ({ id, outcome }: AnswerReply) => {
      this.#waiting.get(id)?.resolve(outcome);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) worker.unref();
    });
    worker.on('error', (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    worker.unref();
    return worker;
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
