/** A candidate who sends at the door whatever a test wants, in whatever order: the frames of the run by hand. */
import { answerIdentifiers } from '../../src/crypto/answer.ts';
import { sealBox } from '../../src/crypto/box.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { helloProof } from '../../src/crypto/hello-proof.ts';
import type { WrapPublicBytes } from '../../src/crypto/key-wrap.ts';
import type { SigningKey } from '../../src/crypto/signature.ts';
import { makeStatement } from '../../src/crypto/statement.ts';
import { Transcript } from '../../src/crypto/transcript.ts';
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
  type Mode,
  PasswordChallenge,
  PasswordFields,
  PasswordProof,
  Proof,
  Refused,
} from '../../src/protocol/admission-frames.ts';
import type { Bytes } from '../../src/protocol/bytes.ts';
import type { Signed } from '../../src/protocol/codec.ts';
import { encodeFrame, frameBody, frameType } from '../../src/protocol/framing.ts';
import { type RoomId, type SessionId, sessionId } from '../../src/protocol/identifiers.ts';
import { Close, SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { DIALECT, PROTOCOL_VERSION, SUITE } from '../../src/protocol/version.ts';
import { dsaIdentity, wrapKeys } from './keys.ts';
import { type Line, RIGHT_ANSWER, TEST_PIN, type TestInvitation } from './line.ts';
import type { TestRoom } from './room.ts';

export const NO_SESSION: SessionId = sessionId(new Uint8Array(16));

export interface JoinChanges {
  readonly code?: string;
  readonly nick?: string;
  readonly identity?: SigningKey;
  readonly identityKey?: Bytes;
  readonly algorithm?: 'rsa' | 'dsa';
  readonly statement?: Signed;
  /** Whose key signs, when not the identity's own. */
  readonly signer?: SigningKey;
  readonly signature?: Bytes;
  /** What seals the box, when not the run's session key. */
  readonly secret?: Bytes;
}

export class RawCandidate {
  readonly line: Line;
  readonly received: Bytes[] = [];
  closed = false;
  /** After a right answer. */
  sessionKey: Bytes | null = null;
  readonly #room: TestRoom;
  readonly #transcript: Transcript;
  readonly #identity: SigningKey;
  readonly #wrapKeys: WrapPublicBytes;
  #answerState = '';
  #passwordState = '';

  /** Cheap keys, unless a test is about them. */
  static async at(room: TestRoom, options: { place?: number; binding?: Bytes } = {}): Promise<RawCandidate> {
    const identity = await dsaIdentity(options.place ?? 0);
    const { publicKeys } = await wrapKeys(0);
    return new RawCandidate(room, identity, publicKeys, options.binding);
  }

  private constructor(room: TestRoom, identity: SigningKey, wrapKeys: WrapPublicBytes, binding?: Bytes) {
    this.#room = room;
    this.#identity = identity;
    this.#wrapKeys = wrapKeys;
    this.line = room.connect(
      {
        onFrame: (frame) => {
          this.received.push(frame);
          this.#transcript.add(frame);
        },
        onClosed: () => {
          this.closed = true;
        },
      },
      binding,
    );
    this.#transcript = new Transcript(this.line.channelBinding);
  }

  /** The type of the last frame the host sent, 0 before any. */
  get lastType(): number {
    const last = this.received.at(-1);
    return last === undefined ? 0 : frameType(last);
  }

  /** The last REFUSED's fields, when that is the last frame. */
  get refused(): Refused | null {
    const last = this.received.at(-1);
    return last !== undefined && frameType(last) === ADMISSION_FRAME.refused
      ? Refused.decode(frameBody(last))
      : null;
  }

  /** Why the host closed, when it did so for a broken protocol or afterwards. */
  get closeReason(): string | null {
    const last = this.received.at(-1);
    return last !== undefined && frameType(last) === SESSION_FRAME.close
      ? Close.decode(frameBody(last)).reason
      : null;
  }

  send(type: number, body: Bytes = new Uint8Array()): void {
    this.sendFrame(encodeFrame(type, body));
  }

  sendFrame(frame: Bytes): void {
    this.#transcript.add(frame);
    this.#room.toHost(this.line, frame);
    this.#room.pump();
  }

  hello(
    subject: Pick<TestInvitation, 'id' | 'admissionKey'>,
    changes: {
      mode?: Mode;
      roomId?: RoomId;
      version?: number;
      suite?: number;
      binding?: Bytes;
      features?: readonly number[];
    } = {},
  ): void {
    this.helloAs(subject.id, subject.admissionKey, changes);
  }

  helloAs(
    subject: Bytes,
    key: Bytes,
    changes: {
      mode?: Mode;
      roomId?: RoomId;
      version?: number;
      suite?: number;
      binding?: Bytes;
      features?: readonly number[];
    } = {},
  ): void {
    const fields = {
      version: changes.version ?? PROTOCOL_VERSION,
      suite: changes.suite ?? SUITE,
      features: [...(changes.features ?? DIALECT.features)],
      mode: changes.mode ?? 'join',
      roomId: changes.roomId ?? this.#room.id,
      subject,
      nonce: this.#room.clock.randomBytes(32),
    };
    const binding = changes.binding ?? this.line.channelBinding;
    const proof = helloProof(key, binding, HelloFields.encode(fields));
    this.send(ADMISSION_FRAME.hello, Hello.encode({ ...fields, proof }));
  }

  answer(answer: string = RIGHT_ANSWER): void {
    const { state, ke1 } = this.#room.answers.client.start(answer);
    this.#answerState = state;
    this.send(ADMISSION_FRAME.answer, Answer.encode({ ke1 }));
  }

  /** Goes on after CHALLENGE with what a right answer makes of it. @returns false when the answer was wrong. */
  prove(answer: string = RIGHT_ANSWER): boolean {
    const challenge = this.received.findLast((frame) => frameType(frame) === ADMISSION_FRAME.challenge);
    if (challenge === undefined) throw new Error('no CHALLENGE yet');
    const { ke2 } = Challenge.decode(frameBody(challenge));
    const identifiers = answerIdentifiers(this.#room.id, TEST_PIN);
    const { client } = this.#room.answers;
    const result = client.finish({ state: this.#answerState, ke2, answer, identifiers });
    if (result === null) return false;
    this.sessionKey = result.sessionKey;
    this.send(ADMISSION_FRAME.proof, Proof.encode({ ke3: result.ke3 }));
    return true;
  }

  /** A PROOF of nothing. */
  proveNothing(): void {
    this.send(ADMISSION_FRAME.proof, Proof.encode({ ke3: this.#room.clock.randomBytes(64) }));
  }

  /** HELLO, ANSWER and PROOF, all right: at the code. */
  toCode(invitation: Pick<TestInvitation, 'id' | 'admissionKey'>): void {
    this.hello(invitation);
    this.answer();
    this.prove();
  }

  join(changes: JoinChanges = {}): void {
    const identity = changes.identity ?? this.#identity;
    const fields = {
      code: changes.code ?? this.#room.room.code.value,
      nick: changes.nick ?? 'walter',
      algorithm: changes.algorithm ?? identity.algorithm,
      identityKey: changes.identityKey ?? identity.spki,
      statement: changes.statement ?? this.#statement(),
    };
    const transcript = this.#transcript.value();
    const signed = [transcript, sha256(JoinFields.encode(fields))];
    const signature = changes.signature ?? (changes.signer ?? identity).sign('sc1/join', signed);
    this.#box(
      ADMISSION_FRAME.join,
      changes.secret ?? this.sessionKey ?? new Uint8Array(64),
      Join.encode({ ...fields, signature }),
    );
  }

  /** Offers to prove the password of whoever has this nickname. */
  password(nick: string, password: string, changes: { readonly secret?: Bytes } = {}): void {
    const { state, ke1 } = this.#room.answers.client.start(password);
    this.#passwordState = state;
    const secret = changes.secret ?? this.sessionKey ?? new Uint8Array(64);
    this.#box(ADMISSION_FRAME.password, secret, PasswordFields.encode({ nick, ke1 }));
  }

  /** Goes on after PASSWORD_CHALLENGE. @returns false when the password was wrong */
  provePassword(password: string): boolean {
    const challenge = this.received.findLast(
      (frame) => frameType(frame) === ADMISSION_FRAME.passwordChallenge,
    );
    if (challenge === undefined) throw new Error('no PASSWORD_CHALLENGE yet');
    const { ke2 } = PasswordChallenge.decode(frameBody(challenge));
    const identifiers = answerIdentifiers(this.#room.id, TEST_PIN);
    const { client } = this.#room.answers;
    const result = client.finish({ state: this.#passwordState, ke2, answer: password, identifiers });
    if (result === null) return false;
    this.send(ADMISSION_FRAME.passwordProof, PasswordProof.encode({ ke3: result.ke3 }));
    return true;
  }

  /** A PASSWORD_PROOF of nothing. */
  provePasswordWithNothing(): void {
    this.send(ADMISSION_FRAME.passwordProof, PasswordProof.encode({ ke3: this.#room.clock.randomBytes(64) }));
  }

  login(account: {
    readonly accountKey: Bytes;
    readonly replaces?: SessionId;
    readonly signer?: SigningKey;
    readonly statement?: Signed;
  }): void {
    const fields = {
      statement: account.statement ?? this.#statement(),
      positions: [],
      replaces: account.replaces ?? NO_SESSION,
    };
    const signed = [this.#transcript.value(), sha256(LoginFields.encode(fields))];
    const signature = (account.signer ?? this.#identity).sign('sc1/login', signed);
    this.#box(ADMISSION_FRAME.login, account.accountKey, Login.encode({ ...fields, signature }));
  }

  #statement(): Signed {
    return makeStatement(this.#identity, this.#room.id, 1, this.#wrapKeys);
  }

  #box(frameType: number, secret: Bytes, plaintext: Bytes): void {
    const transcript = this.#transcript.value();
    this.send(frameType, sealBox({ secret, transcript, frameType, direction: 'to-host' }, plaintext));
  }
}
