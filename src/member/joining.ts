/**
 * A run at the door as the person's side sees it: to join with an invitation, or to come back as a member.
 *
 *   join:  helloSent ─▶ answering ─▶ starting ─▶ challenged ─▶ finishing ─▶ proving ─▶ presenting ─▶ joinSent
 *          joinSent ─▶ over, or joinSent ─▶ waiting ─▶ over where the host wants to be asked
 *          presenting ─▶ passwordStarting ─▶ passwordSent ─▶ passwordFinishing ─▶ passwordProving ─▶ presenting
 *          where the nickname is an account's
 *   login: helloSent ─▶ joinSent ─▶ over
 *
 * OPAQUE's long computation happens elsewhere: the machine asks for it and goes on when the result comes in.
 * @see docs/protocol.md#admission
 */
import { normaliseAnswer } from '../crypto/answer.ts';
import { type BoxContext, openBox, sealBox } from '../crypto/box.ts';
import { sha256 } from '../crypto/hash.ts';
import { helloProof } from '../crypto/hello-proof.ts';
import { normalisePassphrase } from '../crypto/identity-file.ts';
import { ownerFingerprint, type SigningKey } from '../crypto/signature.ts';
import { Transcript } from '../crypto/transcript.ts';
import {
  ADMISSION_FRAME,
  Answer,
  Challenge,
  Hello,
  HelloFields,
  Join,
  JoinFields,
  Login,
  LoginFields,
  type LogPosition,
  type Mode,
  Nonce,
  PasswordChallenge,
  PasswordFields,
  PasswordProof,
  Proof,
  Proved,
  Question,
  Refused,
  Welcome,
} from '../protocol/admission-frames.ts';
import { type Bytes, bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { InputError, ProtocolError, SecurityError } from '../protocol/errors.ts';
import { encodeFrame, frameBody, frameType } from '../protocol/framing.ts';
import type { Hash, InvitationId, MemberId, RoomId, SessionId } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import { RETRYABLE_REFUSALS, type Refusal } from '../protocol/reasons.ts';
import { Close, Empty, SESSION_FRAME } from '../protocol/session-frames.ts';
import { DIALECT, type Dialect, FEATURE, SUITE } from '../protocol/version.ts';

/** The keys a person brings: made while they were still typing. */
export interface OwnKeys {
  readonly identity: SigningKey;
  /** Signed by `identity`, for this room. */
  readonly statement: Signed;
}

export type Purpose =
  | { readonly kind: 'join'; readonly invitationId: InvitationId; readonly admissionKey: Bytes }
  | {
      readonly kind: 'login';
      readonly memberId: MemberId;
      readonly accountKey: Bytes;
      readonly keys: OwnKeys;
      readonly positions: readonly LogPosition[];
      readonly replaces: SessionId;
    };

/** `password`: of the account that has the nickname asked for; an empty one asks for another nickname. */
export type Wanted = 'answer' | 'code' | 'nick' | 'password';

export type JoiningEffect =
  | { readonly kind: 'send'; readonly frame: Bytes }
  | { readonly kind: 'question'; readonly question: Question }
  /** `problem`: why what was given before did not do. */
  | {
      readonly kind: 'ask';
      readonly what: Wanted;
      readonly triesLeft: number;
      readonly problem: Refusal | 'wrong-answer' | null;
      /** Whose password is asked for. */
      readonly nick?: string;
    }
  | { readonly kind: 'start-answer'; readonly answer: string }
  | { readonly kind: 'finish-answer'; readonly state: string; readonly ke2: Bytes; readonly answer: string }
  | { readonly kind: 'start-password'; readonly password: string }
  | {
      readonly kind: 'finish-password';
      readonly state: string;
      readonly ke2: Bytes;
      readonly password: string;
    }
  /** The account is this person's, and goes on under their key once they are in. */
  | { readonly kind: 'account-proved' }
  /** Everything is right, and the host has to say yes: nothing to do but wait, for as long as `waitingMs`. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'welcomed'; readonly welcome: Welcome }
  /** The host ended the run in its own words. */
  | { readonly kind: 'closed'; readonly text: string }
  | {
      readonly kind: 'refused';
      readonly reason: Refusal | 'wrong-answer';
      readonly triesLeft: number;
      readonly version: number;
    };

type State =
  | { readonly kind: 'helloSent' }
  | { readonly kind: 'answering' }
  | { readonly kind: 'starting'; readonly answer: string }
  | { readonly kind: 'challenged'; readonly answer: string; readonly opaqueState: string }
  | { readonly kind: 'finishing'; readonly triesLeft: number }
  | { readonly kind: 'proving'; readonly sessionKey: Bytes }
  | { readonly kind: 'presenting'; readonly secret: Bytes; readonly triesLeft: number }
  | { readonly kind: 'passwordStarting'; readonly secret: Bytes; readonly password: string }
  | {
      readonly kind: 'passwordSent';
      readonly secret: Bytes;
      readonly password: string;
      readonly opaqueState: string;
    }
  | { readonly kind: 'passwordFinishing'; readonly secret: Bytes; readonly triesLeft: number }
  | { readonly kind: 'passwordProving'; readonly secret: Bytes }
  | { readonly kind: 'joinSent'; readonly secret: Bytes }
  | { readonly kind: 'waiting'; readonly secret: Bytes }
  | { readonly kind: 'over' };

export interface JoiningStart {
  readonly roomId: RoomId;
  /** From the invitation: the owner key that WELCOME brings must have it. */
  readonly ownerFingerprint: Hash;
  readonly purpose: Purpose;
  readonly channelBinding: Bytes;
  /** Not given: what this build speaks. */
  readonly dialect?: Dialect;
}

export class Joining {
  readonly #start: JoiningStart;
  readonly #dialect: Dialect;
  readonly #transcript: Transcript;
  #state: State = { kind: 'helloSent' };
  #answers = 0;
  #code: string | null = null;
  #nick: string | null = null;
  #keys: OwnKeys | null = null;

  constructor(start: JoiningStart) {
    this.#start = start;
    this.#dialect = start.dialect ?? DIALECT;
    this.#transcript = new Transcript(start.channelBinding);
  }

  /** The first frame of the run. */
  hello(moment: Moment): JoiningEffect[] {
    const { purpose, ...start } = this.#start;
    const [subject, key] =
      purpose.kind === 'join'
        ? [purpose.invitationId, purpose.admissionKey]
        : [purpose.memberId, purpose.accountKey];
    const body = helloBody({ ...start, mode: purpose.kind, subject, key, dialect: this.#dialect }, moment);
    return [this.#send(ADMISSION_FRAME.hello, body)];
  }

  /** @throws ProtocolError or SecurityError when the host breaks the protocol or is not who the invitation names. */
  onFrame(frame: Bytes): JoiningEffect[] {
    const type = frameType(frame);
    const body = frameBody(frame);
    const state = this.#state;
    if (type === SESSION_FRAME.close) {
      this.#state = { kind: 'over' };
      return [{ kind: 'closed', text: Close.decode(body).text }];
    }
    if (type === ADMISSION_FRAME.refused) return this.#refused(frame, Refused.decode(body));
    if (
      state.kind === 'helloSent' &&
      type === ADMISSION_FRAME.question &&
      this.#start.purpose.kind === 'join'
    ) {
      this.#transcript.add(frame);
      const question = Question.decode(body);
      this.#state = { kind: 'answering' };
      return [
        { kind: 'question', question },
        { kind: 'ask', what: 'answer', triesLeft: question.triesLeft, problem: null },
      ];
    }
    if (
      state.kind === 'helloSent' &&
      type === ADMISSION_FRAME.nonce &&
      this.#start.purpose.kind === 'login'
    ) {
      this.#transcript.add(frame);
      Nonce.decode(body);
      return [this.#login(this.#start.purpose)];
    }
    if (state.kind === 'challenged' && type === ADMISSION_FRAME.challenge) {
      this.#transcript.add(frame);
      const { ke2, triesLeft } = Challenge.decode(body);
      this.#state = { kind: 'finishing', triesLeft };
      return [{ kind: 'finish-answer', state: state.opaqueState, ke2: ke2.slice(), answer: state.answer }];
    }
    if (state.kind === 'proving' && type === ADMISSION_FRAME.proved) {
      this.#transcript.add(frame);
      const { triesLeft } = Proved.decode(body);
      this.#state = { kind: 'presenting', secret: state.sessionKey, triesLeft };
      return this.#askOrJoin(null);
    }
    if (state.kind === 'passwordSent' && type === ADMISSION_FRAME.passwordChallenge) {
      this.#transcript.add(frame);
      const { ke2, triesLeft } = PasswordChallenge.decode(body);
      const { secret, opaqueState, password } = state;
      this.#state = { kind: 'passwordFinishing', secret, triesLeft };
      return [{ kind: 'finish-password', state: opaqueState, ke2: ke2.slice(), password }];
    }
    if (state.kind === 'passwordProving' && type === ADMISSION_FRAME.proved) {
      this.#transcript.add(frame);
      const { triesLeft } = Proved.decode(body);
      this.#state = { kind: 'presenting', secret: state.secret, triesLeft };
      return [{ kind: 'account-proved' }, ...this.#askOrJoin(null)];
    }
    if ((state.kind === 'joinSent' || state.kind === 'waiting') && type === ADMISSION_FRAME.welcome)
      return this.#welcome(state.secret, body);
    if (state.kind === 'joinSent' && type === ADMISSION_FRAME.wait && this.#mayWait) {
      this.#transcript.add(frame);
      Empty.decode(body);
      this.#state = { kind: 'waiting', secret: state.secret };
      return [{ kind: 'waiting' }];
    }
    throw new ProtocolError('unexpected-frame', `frame ${type} in state ${state.kind}`);
  }

  /** A member who comes back is let in already, and who does not name the feature is not to be told. */
  get #mayWait(): boolean {
    return this.#start.purpose.kind === 'join' && this.#dialect.features.includes(FEATURE.waiting);
  }

  /** @throws InputError when this can be nobody's answer; the question stands. */
  answer(text: string): JoiningEffect[] {
    if (this.#state.kind !== 'answering') return [];
    const answer = normaliseAnswer(text);
    this.#state = { kind: 'starting', answer };
    return [{ kind: 'start-answer', answer }];
  }

  answerStarted(result: { readonly state: string; readonly ke1: Bytes }): JoiningEffect[] {
    if (this.#state.kind !== 'starting') return [];
    this.#answers += 1;
    this.#state = { kind: 'challenged', answer: this.#state.answer, opaqueState: result.state };
    return [this.#send(ADMISSION_FRAME.answer, Answer.encode({ ke1: result.ke1 }))];
  }

  /** `null`: the answer is wrong, or this is not the host. The two cannot be told apart. */
  answerFinished(result: { readonly sessionKey: Bytes; readonly ke3: Bytes } | null): JoiningEffect[] {
    if (this.#state.kind !== 'finishing') return [];
    const { triesLeft } = this.#state;
    if (result !== null) {
      this.#state = { kind: 'proving', sessionKey: result.sessionKey };
      return [this.#send(ADMISSION_FRAME.proof, Proof.encode({ ke3: result.ke3 }))];
    }
    if (this.#answers < LIMITS.answersPerRun && triesLeft > 0) {
      this.#state = { kind: 'answering' };
      return [{ kind: 'ask', what: 'answer', triesLeft, problem: 'wrong-answer' }];
    }
    this.#state = { kind: 'over' };
    return [{ kind: 'refused', reason: 'wrong-answer', triesLeft, version: this.#dialect.version }];
  }

  /** @throws InputError when this can be nobody's code; the question stands, and no try is spent. */
  code(text: string): JoiningEffect[] {
    const digits = text.replaceAll(/\s/g, '');
    if (!/^\d{6}$/.test(digits)) throw new InputError('code-shape', 'The code is six digits.');
    this.#code = digits;
    return this.#askOrJoin(null);
  }

  nick(text: string): JoiningEffect[] {
    this.#nick = text;
    return this.#askOrJoin(null);
  }

  /**
   * Whitespace alone asks for another nickname instead.
   * @throws InputError when this can be nobody's password; the question stands, and no try is spent.
   */
  password(text: string): JoiningEffect[] {
    if (this.#state.kind !== 'presenting') return [];
    const { secret, triesLeft } = this.#state;
    const password = normalisePassphrase(text);
    if (password === '') {
      this.#nick = null;
      return [{ kind: 'ask', what: 'nick', triesLeft, problem: 'nick-registered' }];
    }
    this.#state = { kind: 'passwordStarting', secret, password };
    return [{ kind: 'start-password', password }];
  }

  passwordStarted(result: { readonly state: string; readonly ke1: Bytes }): JoiningEffect[] {
    if (this.#state.kind !== 'passwordStarting' || this.#nick === null) return [];
    const { secret, password } = this.#state;
    const context = this.#box(secret, ADMISSION_FRAME.password, 'to-host');
    const box = sealBox(context, PasswordFields.encode({ nick: this.#nick, ke1: result.ke1 }));
    this.#state = { kind: 'passwordSent', secret, password, opaqueState: result.state };
    return [this.#send(ADMISSION_FRAME.password, box)];
  }

  /** `null`: the password is wrong, or nobody's account has this nickname any more. */
  passwordFinished(result: { readonly ke3: Bytes } | null): JoiningEffect[] {
    if (this.#state.kind !== 'passwordFinishing') return [];
    const { secret, triesLeft } = this.#state;
    if (result === null && triesLeft === 0) {
      this.#state = { kind: 'over' };
      return [{ kind: 'refused', reason: 'wrong-password', triesLeft, version: this.#dialect.version }];
    }
    if (result === null) {
      this.#state = { kind: 'presenting', secret, triesLeft };
      return [this.#askPassword('wrong-password')];
    }
    this.#state = { kind: 'passwordProving', secret };
    return [this.#send(ADMISSION_FRAME.passwordProof, PasswordProof.encode({ ke3: result.ke3 }))];
  }

  #askPassword(problem: Refusal | null): JoiningEffect {
    const triesLeft = this.#state.kind === 'presenting' ? this.#state.triesLeft : 0;
    return { kind: 'ask', what: 'password', triesLeft, problem, nick: this.#nick ?? '' };
  }

  keysReady(keys: OwnKeys): JoiningEffect[] {
    this.#keys = keys;
    return this.#join();
  }

  /** One question at a time: the code last, because it ages, and what is wrong with it is told at once. */
  #askOrJoin(problem: Refusal | null): JoiningEffect[] {
    if (this.#state.kind !== 'presenting') return [];
    const { triesLeft } = this.#state;
    if (this.#nick === null) return [{ kind: 'ask', what: 'nick', triesLeft, problem }];
    if (this.#code === null) return [{ kind: 'ask', what: 'code', triesLeft, problem }];
    return this.#join();
  }

  #join(): JoiningEffect[] {
    const keys = this.#keys;
    if (this.#state.kind !== 'presenting' || this.#code === null || this.#nick === null || keys === null)
      return [];
    const { secret } = this.#state;
    const fields = {
      code: this.#code,
      nick: this.#nick,
      algorithm: keys.identity.algorithm,
      identityKey: keys.identity.spki,
      statement: keys.statement,
    };
    const signed = [this.#transcript.value(), sha256(JoinFields.encode(fields))];
    const signature = keys.identity.sign('sc1/join', signed);
    const box = sealBox(
      this.#box(secret, ADMISSION_FRAME.join, 'to-host'),
      Join.encode({ ...fields, signature }),
    );
    this.#state = { kind: 'joinSent', secret };
    return [this.#send(ADMISSION_FRAME.join, box)];
  }

  #login(purpose: Purpose & { readonly kind: 'login' }): JoiningEffect {
    const { accountKey, keys, positions, replaces } = purpose;
    const fields = { statement: keys.statement, positions: [...positions], replaces };
    const signed = [this.#transcript.value(), sha256(LoginFields.encode(fields))];
    const signature = keys.identity.sign('sc1/login', signed);
    const context = this.#box(accountKey, ADMISSION_FRAME.login, 'to-host');
    this.#state = { kind: 'joinSent', secret: accountKey };
    return this.#send(ADMISSION_FRAME.login, sealBox(context, Login.encode({ ...fields, signature })));
  }

  #refused(frame: Bytes, refused: Refused): JoiningEffect[] {
    const { reason, triesLeft, version } = refused;
    const state = this.#state;
    const isOpen =
      (state.kind === 'joinSent' && reason !== 'wrong-password') ||
      (state.kind === 'passwordProving' && reason === 'wrong-password');
    if (isOpen && this.#start.purpose.kind === 'join' && RETRYABLE_REFUSALS.has(reason)) {
      this.#transcript.add(frame);
      this.#state = { kind: 'presenting', secret: state.secret, triesLeft };
      if (reason === 'nick-registered') return [this.#askPassword(null)];
      if (reason === 'wrong-password') return [this.#askPassword(reason)];
      if (reason === 'wrong-code' || reason === 'old-code') this.#code = null;
      else this.#nick = null;
      return this.#askOrJoin(reason);
    }
    this.#state = { kind: 'over' };
    return [{ kind: 'refused', reason, triesLeft, version }];
  }

  #welcome(secret: Bytes, body: Bytes): JoiningEffect[] {
    const plaintext = openBox(this.#box(secret, ADMISSION_FRAME.welcome, 'to-member'), body);
    if (plaintext === null) throw new SecurityError('bad-box', 'WELCOME was not sealed in this run');
    const welcome = Welcome.decode(plaintext);
    if (!bytesEqual(ownerFingerprint(welcome.ownerKey), this.#start.ownerFingerprint)) {
      throw new SecurityError('foreign-owner', 'this room has another owner than the invitation names');
    }
    this.#state = { kind: 'over' };
    return [{ kind: 'welcomed', welcome }];
  }

  #box(secret: Bytes, type: number, direction: BoxContext['direction']): BoxContext {
    return { secret, transcript: this.#transcript.value(), frameType: type, direction };
  }

  #send(type: number, body: Bytes): JoiningEffect & { readonly kind: 'send' } {
    const frame = encodeFrame(type, body);
    this.#transcript.add(frame);
    return { kind: 'send', frame };
  }
}

interface HelloStart {
  readonly roomId: RoomId;
  readonly channelBinding: Bytes;
  readonly mode: Mode;
  readonly subject: Bytes;
  /** That the proof is made with. */
  readonly key: Bytes;
  readonly dialect: Dialect;
}

function helloBody(
  { roomId, channelBinding, mode, subject, key, dialect }: HelloStart,
  moment: Moment,
): Bytes {
  const { version, features } = dialect;
  const nonce = moment.randomBytes(32);
  const fields = { version, suite: SUITE, features: [...features], mode, roomId, subject, nonce };
  const proof = helloProof(key, channelBinding, HelloFields.encode(fields));
  return Hello.encode({ ...fields, proof });
}

/** The first frame of a line for a file, by a member who is in: nothing else has to be shown. */
export function transferHello(
  start: Omit<HelloStart, 'mode' | 'dialect'> & { readonly dialect?: Dialect },
  moment: Moment,
): Bytes {
  const { dialect = DIALECT } = start;
  return encodeFrame(ADMISSION_FRAME.hello, helloBody({ ...start, mode: 'transfer', dialect }, moment));
}
