/**
 * One candidate's run at the door, as the host sees it.
 *
 *   awaitHello ─ join ─▶ awaitAnswer ─▶ awaitProof ─▶ awaitJoin ─▶ judged ─▶ (WAIT and WELCOME by the room)
 *        └────── login ─▶ awaitLogin ─────────────────────────────▶ judged
 *
 * `awaitAnswer` and `awaitJoin` may wait in line for a try. Any other frame in a state is a ProtocolError, which closes
 * the connection.
 * @see docs/protocol.md#admission
 */
import { type BoxContext, openBox, sealBox } from '../crypto/box.ts';
import { secretsEqual } from '../crypto/constant-time.ts';
import { sha256 } from '../crypto/hash.ts';
import { HELLO_PROOF_BYTES, helloProof } from '../crypto/hello-proof.ts';
import { importVerifyKey, type VerifyKey } from '../crypto/signature.ts';
import { type CheckedStatement, checkStatement } from '../crypto/statement.ts';
import { Transcript } from '../crypto/transcript.ts';
import {
  ADMISSION_FRAME,
  Answer,
  Challenge,
  Hello,
  Join,
  type KEEPS,
  Login,
  type LogPosition,
  Nonce,
  Proof,
  Proved,
  Question,
  Refused,
  Welcome,
} from '../protocol/admission-frames.ts';
import type { Bytes } from '../protocol/bytes.ts';
import { ProtocolError, SecurityError } from '../protocol/errors.ts';
import { encodeFrame, frameBody, frameType } from '../protocol/framing.ts';
import {
  type IdKey,
  idKey,
  NO_SESSION,
  type RoomId,
  type SessionId,
} from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import { RETRYABLE_REFUSALS, type Refusal } from '../protocol/reasons.ts';
import { Empty } from '../protocol/session-frames.ts';
import type { Role } from '../protocol/signed-objects.ts';
import { agreedFeatures, type Dialect, FEATURE, SUITE } from '../protocol/version.ts';
import type { Purpose } from './door-gate.ts';
import type { HolderId, InvitationBook } from './invitations.ts';

/** A member who may come back without an invitation, as long as the roster lists them. */
interface Account {
  readonly accountKey: Bytes;
  readonly verifyKey: VerifyKey;
}

/** What the run asks of the room it leads to. */
export interface Door {
  readonly roomId: RoomId;
  readonly roomName: string;
  readonly question: string;
  readonly keeps: keyof typeof KEEPS;
  readonly limits: Limits;
  readonly dialect: Dialect;
  readonly invitations: InvitationBook;
  startAnswer(ke1: Bytes): { readonly state: string; readonly ke2: Bytes };
  finishAnswer(state: string, ke3: Bytes): Bytes | null;
  judgeCode(code: string, moment: Moment): 'right' | 'wrong' | 'old';
  /** Why this nickname cannot be had by someone who becomes `role`, or `null`. */
  nickRefusal(nick: string, role: Role): Refusal | null;
  /** Why nobody new gets in now who becomes `role`, or `null`. */
  shut(role: Role): 'locked' | 'room-full' | null;
  isBanned(member: IdKey, nick: string, moment: Moment): boolean;
  account(key: IdKey): Account | undefined;
  /** Whether someone with this identity waits for the owner's signature already. */
  isJoining(key: IdKey): boolean;
  /** A valid HELLO: the connection leaves the strangers. @returns false when too many people stand at the door. */
  recognised(holder: HolderId, purpose: Purpose): boolean;
  unrecognised(holder: HolderId, moment: Moment): void;
  /** The answer is proved. */
  proved(holder: HolderId): void;
}

/** Someone with all four layers right: only the owner's signature is missing, or the host's yes before it. */
export interface Candidate {
  readonly holder: HolderId;
  readonly invitation: IdKey;
  readonly nick: string;
  readonly verifyKey: VerifyKey;
  readonly statement: CheckedStatement;
}

export interface Returner {
  readonly holder: HolderId;
  readonly member: IdKey;
  readonly statement: CheckedStatement;
  readonly positions: readonly LogPosition[];
  readonly replaces: SessionId;
  /** Shown by a member who came by the whole way again. */
  readonly invitation: IdKey | null;
}

export type AdmissionEffect =
  | { readonly kind: 'send'; readonly frame: Bytes }
  | { readonly kind: 'close'; readonly frame: Bytes; readonly reason: Refusal }
  | { readonly kind: 'stage'; readonly stage: DoorStage; readonly invitation: IdKey }
  | { readonly kind: 'joins'; readonly candidate: Candidate }
  | { readonly kind: 'returns'; readonly returner: Returner };

/** Where someone stands at the door, for the host to see. */
export type DoorStage =
  | 'question'
  | 'answer-tested'
  | 'answer-proved'
  | 'wrong-code'
  | 'nick-refused'
  /** All is right, and the host has to say yes. */
  | 'waiting';

type State =
  | { readonly kind: 'awaitHello' }
  | { readonly kind: 'awaitAnswer'; readonly invitation: IdKey; readonly waiting: Bytes | null }
  | { readonly kind: 'awaitProof'; readonly invitation: IdKey; readonly answerState: string }
  | {
      readonly kind: 'awaitJoin';
      readonly invitation: IdKey;
      readonly sessionKey: Bytes;
      readonly codeAccepted: boolean;
      readonly waiting: CheckedJoin | null;
    }
  | { readonly kind: 'awaitLogin'; readonly member: IdKey; readonly account: Account }
  | { readonly kind: 'judged'; readonly secret: Bytes }
  | { readonly kind: 'closed' };

/** A JOIN whose signatures hold; code and nickname are still to be judged. */
interface CheckedJoin {
  readonly code: string;
  readonly nick: string;
  readonly verifyKey: VerifyKey;
  readonly statement: CheckedStatement;
}

/** An unknown subject costs the same HMAC as a known one, so timing tells neither from a bad proof. */
const NOBODYS_KEY = new Uint8Array(32);

export class Admission {
  readonly #door: Door;
  readonly #holder: HolderId;
  readonly #channelBinding: Bytes;
  readonly #transcript: Transcript;
  #state: State = { kind: 'awaitHello' };
  /** What both sides know. */
  #features: ReadonlySet<number> = new Set();
  #answers = 0;
  #joins = 0;

  constructor(door: Door, holder: HolderId, channelBinding: Bytes) {
    this.#door = door;
    this.#holder = holder;
    this.#channelBinding = channelBinding;
    this.#transcript = new Transcript(channelBinding);
  }

  /** @throws ProtocolError when the frame does not belong here or is malformed. */
  onFrame(frame: Bytes, moment: Moment): AdmissionEffect[] {
    const type = frameType(frame);
    const body = frameBody(frame);
    const state = this.#state;
    switch (state.kind) {
      case 'awaitHello':
        return this.#first(frame, moment);
      case 'awaitAnswer':
        if (type === ADMISSION_FRAME.answer && state.waiting === null) {
          this.#transcript.add(frame);
          return this.#answer(state.invitation, Answer.decode(body).ke1.slice(), moment);
        }
        if (type === ADMISSION_FRAME.proof && this.#answers > 0)
          return [this.#refusal('timed-out', state.invitation)];
        break;
      case 'awaitProof':
        this.#transcript.add(frame);
        if (type === ADMISSION_FRAME.proof) return this.#proof(state, Proof.decode(body).ke3);
        if (type === ADMISSION_FRAME.answer) {
          this.#door.invitations.fail(this.#holder);
          return this.#answer(state.invitation, Answer.decode(body).ke1.slice(), moment);
        }
        break;
      case 'awaitJoin':
        if (type === ADMISSION_FRAME.join && state.waiting === null)
          return this.#join(state, frame, body, moment);
        break;
      case 'awaitLogin':
        if (type === ADMISSION_FRAME.login) return this.#login(state, frame, body);
        break;
      case 'judged':
      case 'closed':
        break;
    }
    throw new ProtocolError('unexpected-frame', `frame ${type} in state ${state.kind}`);
  }

  /** A place in line came up: there is a try now, or a refusal. */
  onReleased(moment: Moment): AdmissionEffect[] {
    const state = this.#state;
    if (state.kind === 'awaitAnswer' && state.waiting !== null) {
      return this.#answer(state.invitation, state.waiting, moment);
    }
    if (state.kind === 'awaitJoin' && state.waiting !== null) {
      return this.#judge(state, state.waiting, moment);
    }
    return [];
  }

  /**
   * A tested guess was left undecided for too long: it counts as wrong. The person may still be typing another answer;
   * what would prove the old one comes too late.
   */
  onTryExpired(): void {
    if (this.#state.kind === 'awaitProof') {
      this.#state = { kind: 'awaitAnswer', invitation: this.#state.invitation, waiting: null };
    }
  }

  /** An end that the room decides on: a time-out, a full room, closing. */
  refuse(reason: Refusal): AdmissionEffect[] {
    return [this.#refusal(reason)];
  }

  /** All is right, and the host wants to be asked: tells those who know what WAIT is. */
  wait(): AdmissionEffect[] {
    if (this.#state.kind !== 'judged') throw new Error(`wait in state ${this.#state.kind}`);
    return this.#features.has(FEATURE.waiting) ? [this.#send(ADMISSION_FRAME.wait, Empty.encode({}))] : [];
  }

  /** The owner has signed: seals the last frame of the run. */
  welcome(fields: Welcome): Bytes {
    if (this.#state.kind !== 'judged') throw new Error(`welcome in state ${this.#state.kind}`);
    const box = this.#box(this.#state.secret, ADMISSION_FRAME.welcome, 'to-member');
    this.#state = { kind: 'closed' };
    return encodeFrame(ADMISSION_FRAME.welcome, sealBox(box, Welcome.encode(fields)));
  }

  /** Whatever comes first and is no HELLO of this version has failed like one that proves nothing. */
  #first(frame: Bytes, moment: Moment): AdmissionEffect[] {
    const body = frameBody(frame);
    try {
      if (frameType(frame) !== ADMISSION_FRAME.hello) {
        throw new ProtocolError('unexpected-frame', `frame ${frameType(frame)} before HELLO`);
      }
      if (body[0] === this.#door.dialect.version && body[1] === SUITE)
        return this.#hello(frame, body, Hello.decode(body), moment);
    } catch (error) {
      if (error instanceof ProtocolError) this.#door.unrecognised(this.#holder, moment);
      throw error;
    }
    this.#door.unrecognised(this.#holder, moment);
    return [this.#refusal('version')];
  }

  #hello(frame: Bytes, body: Bytes, hello: Hello, moment: Moment): AdmissionEffect[] {
    this.#transcript.add(frame);
    const subject = idKey(hello.subject);
    const invitation = hello.mode === 'join' ? this.#door.invitations.find(subject) : undefined;
    const account = hello.mode === 'login' ? this.#door.account(subject) : undefined;
    const key = invitation?.admissionKey ?? account?.accountKey ?? NOBODYS_KEY;
    const fields = body.subarray(0, body.length - HELLO_PROOF_BYTES);
    const proved = secretsEqual(helloProof(key, this.#channelBinding, fields), hello.proof);
    if (!proved || key === NOBODYS_KEY || idKey(hello.roomId) !== idKey(this.#door.roomId)) {
      this.#door.unrecognised(this.#holder, moment);
      return [this.#refusal('not-recognised')];
    }
    if (!this.#door.recognised(this.#holder, { kind: hello.mode, key: subject }))
      return [this.#refusal('busy')];
    this.#features = agreedFeatures(this.#door.dialect.features, hello.features);
    const nonce = moment.randomBytes(32);
    if (account !== undefined) {
      this.#state = { kind: 'awaitLogin', member: subject, account };
      return [this.#send(ADMISSION_FRAME.nonce, Nonce.encode({ nonce }))];
    }
    const closed = this.#closed(subject, moment);
    if (closed !== null) return [this.#refusal(closed, subject)];
    this.#state = { kind: 'awaitAnswer', invitation: subject, waiting: null };
    const question = Question.encode({
      nonce,
      roomName: this.#door.roomName,
      question: this.#door.question,
      keeps: this.#door.keeps,
      triesLeft: this.#triesLeft(subject),
    });
    return [
      this.#send(ADMISSION_FRAME.question, question),
      { kind: 'stage', stage: 'question', invitation: subject },
    ];
  }

  #answer(invitation: IdKey, ke1: Bytes, moment: Moment): AdmissionEffect[] {
    if (this.#answers === this.#door.limits.answersPerRun)
      return [this.#refusal('too-many-answers', invitation)];
    const closed = this.#closed(invitation, moment);
    if (closed !== null) return [this.#refusal(closed, invitation)];
    const taken = this.#door.invitations.take(invitation, this.#holder, moment.nowMs);
    if (taken === 'waits') {
      this.#state = { kind: 'awaitAnswer', invitation, waiting: ke1 };
      return [];
    }
    if (taken === 'suspended') return [this.#refusal('suspended', invitation)];
    this.#answers += 1;
    const { state, ke2 } = this.#startAnswer(ke1);
    this.#state = { kind: 'awaitProof', invitation, answerState: state };
    const challenge = Challenge.encode({ ke2, triesLeft: this.#triesLeft(invitation) });
    return [
      this.#send(ADMISSION_FRAME.challenge, challenge),
      { kind: 'stage', stage: 'answer-tested', invitation },
    ];
  }

  /** Bytes that are no point of the curve are answered by no CHALLENGE, so no guess can be tested: no try is lost. */
  #startAnswer(ke1: Bytes): ReturnType<Door['startAnswer']> {
    try {
      return this.#door.startAnswer(ke1);
    } catch (error) {
      this.#door.invitations.giveBack(this.#holder);
      throw error;
    }
  }

  #proof(state: State & { readonly kind: 'awaitProof' }, ke3: Bytes): AdmissionEffect[] {
    const { invitation } = state;
    const sessionKey = this.#door.finishAnswer(state.answerState, ke3);
    if (sessionKey === null) {
      this.#door.invitations.fail(this.#holder);
      return [this.#refusal('answer-unproved', invitation)];
    }
    this.#door.invitations.giveBack(this.#holder);
    this.#door.proved(this.#holder);
    this.#state = { kind: 'awaitJoin', invitation, sessionKey, codeAccepted: false, waiting: null };
    return [
      this.#send(ADMISSION_FRAME.proved, Proved.encode({ triesLeft: this.#triesLeft(invitation) })),
      { kind: 'stage', stage: 'answer-proved', invitation },
    ];
  }

  #join(
    state: State & { readonly kind: 'awaitJoin' },
    frame: Bytes,
    body: Bytes,
    moment: Moment,
  ): AdmissionEffect[] {
    if (this.#joins === this.#door.limits.joinsPerRun) return [this.#refusal('timed-out', state.invitation)];
    this.#joins += 1;
    const transcript = this.#transcript.value();
    const plaintext = openBox(this.#box(state.sessionKey, ADMISSION_FRAME.join, 'to-host'), body);
    this.#transcript.add(frame);
    if (plaintext === null) throw new ProtocolError('bad-box', 'JOIN was not sealed in this run');
    const join = Join.decode(plaintext);
    let checked: CheckedJoin;
    try {
      const verifyKey = importVerifyKey(join.identityKey, join.algorithm);
      const fields = plaintext.subarray(0, plaintext.length - 2 - join.signature.length);
      if (!verifyKey.verify('sc1/join', [transcript, sha256(fields)], join.signature)) {
        throw new SecurityError('key-policy', 'JOIN is not signed by the key it brings');
      }
      const statement = checkStatement(join.statement, {
        roomId: this.#door.roomId,
        identity: verifyKey.idFingerprint,
        algorithm: join.algorithm,
        verifyKey,
      });
      checked = { code: join.code, nick: join.nick, verifyKey, statement };
    } catch (error) {
      if (error instanceof SecurityError) return [this.#refusal('key-refused', state.invitation)];
      throw error;
    }
    return this.#judge(state, checked, moment);
  }

  #judge(
    state: State & { readonly kind: 'awaitJoin' },
    join: CheckedJoin,
    moment: Moment,
  ): AdmissionEffect[] {
    const { invitations } = this.#door;
    const { invitation } = state;
    const { nick, verifyKey, statement } = join;
    const member = idKey(verifyKey.memberId);
    const isBack = this.#door.account(member) !== undefined;
    // Who is on the list already takes no place, and is no newcomer to a locked room.
    const closed = isBack ? invitations.refusal(invitation, moment.nowMs) : this.#closed(invitation, moment);
    if (closed !== null) return [this.#refusal(closed, invitation)];
    let { codeAccepted } = state;
    if (!codeAccepted) {
      const taken = invitations.take(invitation, this.#holder, moment.nowMs);
      if (taken === 'suspended') return [this.#refusal('suspended', invitation)];
      if (taken === 'waits') {
        this.#state = { ...state, waiting: join };
        return [];
      }
      const verdict = this.#door.judgeCode(join.code, moment);
      if (verdict !== 'right') {
        invitations.fail(this.#holder);
        this.#state = { ...state, waiting: null };
        const spent = invitations.refusal(invitation, moment.nowMs);
        if (spent !== null) return [this.#refusal(spent, invitation)];
        return [
          this.#refusal(verdict === 'old' ? 'old-code' : 'wrong-code', invitation),
          { kind: 'stage', stage: 'wrong-code', invitation },
        ];
      }
      invitations.giveBack(this.#holder);
      codeAccepted = true;
    }
    if (this.#door.isJoining(member)) return [this.#refusal('already-online', invitation)];
    if (isBack) {
      this.#state = { kind: 'judged', secret: state.sessionKey };
      const returner = {
        holder: this.#holder,
        member,
        statement,
        positions: [],
        replaces: NO_SESSION,
        invitation,
      };
      return [{ kind: 'returns', returner }];
    }
    if (this.#door.isBanned(member, nick, moment)) return [this.#refusal('banned', invitation)];
    const nickRefusal = this.#door.nickRefusal(nick, this.#role(invitation));
    if (nickRefusal !== null) {
      this.#state = { ...state, codeAccepted, waiting: null };
      return [this.#refusal(nickRefusal, invitation), { kind: 'stage', stage: 'nick-refused', invitation }];
    }
    invitations.spend(invitation);
    this.#state = { kind: 'judged', secret: state.sessionKey };
    return [{ kind: 'joins', candidate: { holder: this.#holder, invitation, nick, verifyKey, statement } }];
  }

  #login(state: State & { readonly kind: 'awaitLogin' }, frame: Bytes, body: Bytes): AdmissionEffect[] {
    const transcript = this.#transcript.value();
    const { accountKey, verifyKey } = state.account;
    const plaintext = openBox(this.#box(accountKey, ADMISSION_FRAME.login, 'to-host'), body);
    this.#transcript.add(frame);
    if (plaintext === null) throw new ProtocolError('bad-box', 'LOGIN was not sealed in this run');
    const login = Login.decode(plaintext);
    const fields = plaintext.subarray(0, plaintext.length - 2 - login.signature.length);
    if (!verifyKey.verify('sc1/login', [transcript, sha256(fields)], login.signature)) {
      return [this.#refusal('not-recognised')];
    }
    const statement = checkStatement(login.statement, {
      roomId: this.#door.roomId,
      identity: verifyKey.idFingerprint,
      algorithm: verifyKey.algorithm,
      verifyKey,
    });
    this.#state = { kind: 'judged', secret: accountKey };
    const { positions, replaces } = login;
    return [
      {
        kind: 'returns',
        returner: {
          holder: this.#holder,
          member: state.member,
          statement,
          positions,
          replaces,
          invitation: null,
        },
      },
    ];
  }

  #box(secret: Bytes, type: number, direction: BoxContext['direction']): BoxContext {
    return { secret, transcript: this.#transcript.value(), frameType: type, direction };
  }

  #send(type: number, body: Bytes): AdmissionEffect {
    const frame = encodeFrame(type, body);
    this.#transcript.add(frame);
    return { kind: 'send', frame };
  }

  #refusal(reason: Refusal, invitation?: IdKey): AdmissionEffect {
    const triesLeft = invitation === undefined ? 0 : this.#triesLeft(invitation);
    const body = Refused.encode({ reason, triesLeft, version: this.#door.dialect.version });
    if (RETRYABLE_REFUSALS.has(reason)) return this.#send(ADMISSION_FRAME.refused, body);
    this.#state = { kind: 'closed' };
    return { kind: 'close', frame: encodeFrame(ADMISSION_FRAME.refused, body), reason };
  }

  /** Why someone new with this invitation cannot go on, or `null`. */
  #closed(invitation: IdKey, { nowMs }: Moment): Refusal | null {
    return this.#door.invitations.refusal(invitation, nowMs) ?? this.#door.shut(this.#role(invitation));
  }

  #role(invitation: IdKey): Role {
    return this.#door.invitations.find(invitation)?.role ?? 'member';
  }

  #triesLeft(invitation: IdKey): number {
    return this.#door.invitations.find(invitation)?.triesLeft ?? 0;
  }
}
