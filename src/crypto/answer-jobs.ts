/**
 * What the main thread and `answer-worker.ts` say to each other. A worker answers each request once, under its id.
 */
import type { Bytes } from '../protocol/bytes.ts';
import type { AnswerIdentifiers } from './answer.ts';

/** The code of a failure that is not the peer's. */
export const ANSWER_FAILED = 'answer-failed';

export type AnswerJob =
  | { readonly op: 'start'; readonly answer: string }
  | {
      readonly op: 'finish';
      readonly state: string;
      readonly ke2: Bytes;
      readonly answer: string;
      readonly identifiers: AnswerIdentifiers;
    }
  | {
      readonly op: 'finish-registration';
      readonly state: string;
      readonly response: Bytes;
      readonly answer: string;
      readonly identifiers: AnswerIdentifiers;
    }
  | { readonly op: 'start-registration'; readonly answer: string }
  | {
      readonly op: 'register';
      readonly setup: string;
      readonly credential: string;
      readonly answer: string;
      readonly identifiers: AnswerIdentifiers;
    };

export type AnswerOutcome =
  | { readonly op: 'start'; readonly state: string; readonly ke1: Bytes }
  | { readonly op: 'finish'; readonly result: { readonly sessionKey: Bytes; readonly ke3: Bytes } | null }
  | { readonly op: 'start-registration'; readonly state: string; readonly request: Bytes }
  | { readonly op: 'finish-registration'; readonly record: Bytes }
  /** Both halves at once: the host's own answer. */
  | { readonly op: 'register'; readonly record: string }
  /** The peer's bytes were bad (a ProtocolError's code), or something here is (`ANSWER_FAILED`). */
  | { readonly op: 'failed'; readonly code: string; readonly message: string };

export interface AnswerRequest {
  readonly id: number;
  readonly job: AnswerJob;
}

export interface AnswerReply {
  readonly id: number;
  readonly outcome: AnswerOutcome;
}
