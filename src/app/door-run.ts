/**
 * One run at the door over a real connection: what `member/joining.ts` wants is carried out here, by asking the person
 * and the thread of the answer, until the host welcomes them or the run is over.
 */
import { answerIdentifiers } from '../crypto/answer.ts';
import type { SigningKey } from '../crypto/signature.ts';
import { Joining, type JoiningEffect, type Purpose, type Wanted } from '../member/joining.ts';
import { ADMISSION_FRAME, type Question, type Welcome } from '../protocol/admission-frames.ts';
import type { Bytes } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { InputError } from '../protocol/errors.ts';
import { frameType } from '../protocol/framing.ts';
import type { Hash, RoomId } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { Refusal } from '../protocol/reasons.ts';
import type { CloseReason, Connection } from '../transport/connection.ts';
import type { AnswerThread } from './answer-thread.ts';
import { systemMoment } from './moment.ts';

export type Ask = (
  what: Wanted,
  about: {
    readonly triesLeft: number;
    readonly problem: Refusal | 'wrong-answer' | 'unusable' | null;
    readonly hint?: string;
    /** Whose password is asked for. */
    readonly nick?: string;
  },
) => Promise<string>;

/** What every run to one room has in common. */
export interface DoorRunOptions {
  readonly roomId: RoomId;
  readonly ownerFingerprint: Hash;
  readonly tlsPin: Hash;
  readonly answers: AnswerThread;
  readonly ask: Ask;
  readonly onQuestion: (question: Question) => void;
  /** The account of the nickname asked for is this person's. */
  readonly onAccount?: () => void;
  /** Everything is right; the host is asked whether to let this person in. */
  readonly onWaiting: () => void;
}

export interface DoorRunStart {
  readonly connection: Connection;
  readonly purpose: Purpose;
  /** Of someone new, while they may still be being made; `null` for whoever comes back. */
  readonly keys: Promise<{ readonly identity: SigningKey; readonly statement: Signed }> | null;
  /** Frames that follow WELCOME belong to the session. */
  readonly onFrame: (frame: Bytes) => void;
  readonly onClose: () => void;
  readonly signal: AbortSignal;
}

/** What a run at the door is answered by WELCOME for. */
const LAST_FRAMES: ReadonlySet<number> = new Set([ADMISSION_FRAME.join, ADMISSION_FRAME.login]);
const SILENT_HOST = 'The host does not answer. Try again; if it stays like this, ask them another way.';

export class DoorRun {
  readonly #options: DoorRunOptions;
  readonly #start: DoorRunStart;
  readonly #joining: Joining;
  readonly #outcome = Promise.withResolvers<Welcome>();
  #isWelcomed = false;
  #silent: NodeJS.Timeout | undefined;

  constructor(options: DoorRunOptions, start: DoorRunStart) {
    this.#options = options;
    this.#start = start;
    const { roomId, ownerFingerprint } = options;
    const { purpose, connection } = start;
    const { channelBinding } = connection;
    this.#joining = new Joining({ roomId, ownerFingerprint, purpose, channelBinding });
  }

  /** To be called once. @throws whatever made it fail; the connection is then closed. */
  async run(): Promise<Welcome> {
    const { connection, keys, signal } = this.#start;
    keys?.then((made) => this.#step(() => this.#joining.keysReady(made)), this.#outcome.reject);
    connection.start({
      onFrame: (frame) => this.#onFrame(frame),
      onClose: (reason) => this.#onClose(reason),
    });
    this.#waitFor(LIMITS.strangerMs);
    const stop = (): void => this.#outcome.reject(signal.reason ?? new Error('stopped'));
    signal.addEventListener('abort', stop);
    this.#step(() => this.#joining.hello(systemMoment()));
    try {
      return await this.#outcome.promise;
    } catch (error) {
      connection.close();
      throw error;
    } finally {
      clearTimeout(this.#silent);
      signal.removeEventListener('abort', stop);
    }
  }

  /**
   * A host that never answers is left after a while: at once a stranger's time, then as long as a person may take. One
   * that was asked to let someone in has its own time for that.
   */
  #waitFor(forMs: number): void {
    clearTimeout(this.#silent);
    this.#silent = setTimeout(() => this.#outcome.reject(new LostError(SILENT_HOST)), forMs);
  }

  #onFrame(frame: Bytes): void {
    if (this.#isWelcomed) return this.#start.onFrame(frame);
    // Longer than the host waits for the person: its own word on that must come first.
    this.#waitFor(LIMITS.candidateMs + LIMITS.strangerMs);
    this.#step(() => {
      const effects = this.#joining.onFrame(frame);
      // Frames that follow in the same read are the session's already.
      if (effects.some(({ kind }) => kind === 'welcomed')) this.#isWelcomed = true;
      return effects;
    });
  }

  #onClose(reason: CloseReason): void {
    const text = reason.kind === 'lost' || reason.kind === 'protocol' ? `: ${reason.message}` : '';
    this.#outcome.reject(new LostError(`The host closed the connection${text}.`));
    this.#start.onClose();
  }

  #step(step: () => readonly JoiningEffect[]): void {
    try {
      for (const effect of step()) this.#perform(effect);
    } catch (error) {
      this.#outcome.reject(error);
    }
  }

  #perform(effect: JoiningEffect): void {
    const { connection } = this.#start;
    const { answers, roomId, tlsPin } = this.#options;
    const { reject } = this.#outcome;
    switch (effect.kind) {
      case 'send':
        connection.send(effect.frame);
        // WELCOME is next, and it is as large as the latest roster operation.
        if (LAST_FRAMES.has(frameType(effect.frame)))
          connection.setFrameLimit(LIMITS.frameBytesAfterAdmission);
        break;
      case 'question':
        this.#options.onQuestion(effect.question);
        break;
      case 'ask':
        this.#ask(effect.what, effect);
        break;
      case 'start-answer':
        answers
          .run({ op: 'start', answer: effect.answer })
          .then((outcome) => this.#step(() => this.#joining.answerStarted(outcome)), reject);
        break;
      case 'finish-answer': {
        const { state, ke2, answer } = effect;
        const identifiers = answerIdentifiers(roomId, tlsPin);
        answers
          .run({ op: 'finish', identifiers, state, ke2, answer })
          .then((outcome) => this.#step(() => this.#joining.answerFinished(outcome.result)), reject);
        break;
      }
      case 'start-password':
        answers
          .run({ op: 'start', answer: effect.password })
          .then((outcome) => this.#step(() => this.#joining.passwordStarted(outcome)), reject);
        break;
      case 'finish-password': {
        const { state, ke2, password: answer } = effect;
        const identifiers = answerIdentifiers(roomId, tlsPin);
        answers
          .run({ op: 'finish', identifiers, state, ke2, answer })
          .then((outcome) => this.#step(() => this.#joining.passwordFinished(outcome.result)), reject);
        break;
      }
      case 'account-proved':
        this.#options.onAccount?.();
        break;
      case 'waiting':
        this.#waitFor(LIMITS.waitingMs + LIMITS.strangerMs);
        this.#options.onWaiting();
        break;
      case 'welcomed':
        this.#outcome.resolve(effect.welcome);
        break;
      case 'closed':
        reject(new LostError(`The host ended the run at the door: ${effect.text}.`));
        break;
      case 'refused':
        reject(new RefusedError(effect));
        break;
    }
  }

  #ask(what: Wanted, about: Parameters<Ask>[1]): void {
    this.#options.ask(what, about).then((text) => {
      try {
        for (const effect of this.#joining[what](text)) this.#perform(effect);
      } catch (error) {
        if (!(error instanceof InputError)) return this.#outcome.reject(error);
        this.#ask(what, { ...about, problem: 'unusable', hint: error.message });
      }
    }, this.#outcome.reject);
  }
}

/** The host said no. */
export class RefusedError extends Error {
  readonly refusal: Extract<JoiningEffect, { readonly kind: 'refused' }>;

  constructor(refusal: Extract<JoiningEffect, { readonly kind: 'refused' }>) {
    super(`refused: ${refusal.reason}`);
    this.refusal = refusal;
  }
}

/** The line to the host is gone. */
export class LostError extends Error {
  override readonly name = 'LostError';
}
