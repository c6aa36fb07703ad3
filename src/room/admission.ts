/**
 * One candidate's run at the door, as the host sees it.
 *
 *   awaitHello ─ join ─▶ awaitAnswer ─▶ awaitProof ─▶ awaitJoin ─▶ judged ─▶ (WAIT and WELCOME by the room)
 *        ├────── login ─▶ awaitLogin ─────────────────────────────▶ judged
 *        └────── transfer ─▶ closed here: a line for a file, no session
 *
 *   awaitJoin ─ password ─▶ awaitPassword ─▶ awaitJoin, where the nickname is an account's
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
  PasswordChallenge,
  PasswordFields,
  PasswordProof,
  Proof,
  Proved,
  Question,
  Refused,
  Welcome,
} from '../protocol/admission-frames.ts';
import type { Bytes } from '../protocol/bytes.ts';
import { ProtocolError, SecurityError } from '../protocol/errors.ts';
import { encodeFrame, frameBody, frameType } from '../protocol/framing.ts';
import { type IdKey, idKey, NO_SESSION, type RoomId, type SessionId } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import { RETRYABLE_REFUSALS, type Refusal } from '../protocol/reasons.ts';
import type { Policy } from '../protocol/room-settings.ts';
import { Empty } from '../protocol/session-frames.ts';
import type { Role } from '../protocol/signed-objects.ts';
import { agreedFeatures, type Dialect, FEATURE, SUITE } from '../protocol/version.ts';
import type { Purpose } from './door-gate.ts';
import type { HolderId, InvitationBook } from './invitations.ts';
import type { Account } from './store.ts';

/** A member who may come back without an invitation, as long as the roster lists them. */
interface Member {
  readonly accountKey: Bytes;
  readonly verifyKey: VerifyKey;
}

/** A member whose nickname is behind a password. */
interface AccountHolder {
  readonly member: { readonly key: IdKey };
  readonly account: Account | null;
}

/** What the run asks of the room it leads to. */
export interface Door {
  readonly roomId: RoomId;
  readonly roomName: string;
  readonly question: string;
  readonly keeps: keyof typeof KEEPS;
  /** As it is now. */
  policy(): Policy;
  readonly limits: Limits;
  readonly dialect: Dialect;
  readonly invitations: InvitationBook;
  startAnswer(ke1: Bytes): { readonly state: string; readonly ke2: Bytes };
  finishAnswer(state: string, ke3: Bytes): Bytes | null;
  /** @param record `null` where nobody of that nickname has an account */
  startPassword(
    credential: string,
    record: string | null,
    ke1: Bytes,
  ): { readonly state: string; readonly ke2: Bytes };
  finishPassword(state: string, ke3: Bytes): boolean;
  /** Whose nickname reads like this one, if it is behind a password. */
  accountCalled(nick: string): AccountHolder | null;
  /** Whether anyone here has an account: then who stands at the door may be on the list under another key. */
  hasAccounts(): boolean;
  /** Whether someone is about to take this member's place. */
  isReplacing(key: IdKey): boolean;
  judgeCode(code: string, moment: Moment): 'right' | 'wrong' | 'old';
  /** Why this nickname cannot be had by someone who becomes `role`, or `null`. */
  nickRefusal(nick: string, role: Role): Refusal | null;
  /** Why nobody new gets in now who becomes `role`, or `null`. */
  shut(role: Role): 'locked' | 'room-full' | null;
  isBanned(member: IdKey, nick: string, moment: Moment): boolean;
  account(key: IdKey): Member | undefined;
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
  /** Whose account they have shown to be theirs: they take that member's place. */
  readonly replaces: IdKey | null;
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
  | { readonly kind: 'returns'; readonly returner: Returner }
  /** A member opens a line beside their session. */
  | { readonly kind: 'transfers'; readonly member: IdKey };

/** Where someone stands at the door, for the host to see. */
export type DoorStage =
  | 'question'
  | 'answer-tested'
  | 'answer-proved'
  | 'wrong-code'
  | 'nick-refused'
  | 'password-tested'
  | 'password-proved'
  /** All is right, and the host has to say yes. */
  | 'waiting';

interface AwaitJoin {
  readonly kind: 'awaitJoin';
  readonly invitation: IdKey;
  readonly sessionKey: Bytes;
  readonly codeAccepted: boolean;
  /** In line for a try. */
  readonly waiting: CheckedJoin | PasswordFields | null;
}

interface PasswordRun {
  readonly opaqueState: string;
  /** As it was when the run began; `null`: nobody's. */
  readonly account: Account | null;
}

type State =
  | { readonly kind: 'awaitHello' }
  | { readonly kind: 'awaitAnswer'; readonly invitation: IdKey; readonly waiting: Bytes | null }
  | { readonly kind: 'awaitProof'; readonly invitation: IdKey; readonly answerState: string }
  | AwaitJoin
  | { readonly kind: 'awaitPassword'; readonly run: PasswordRun; readonly join: AwaitJoin }
  | { readonly kind: 'awaitLogin'; readonly member: IdKey; readonly account: Member }
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
  #passwords = 0;
  /** Whose password was proved in this run. One that is registered meanwhile is another. */
  #provedAccount: Account | null = null;

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
        if (state.waiting !== null) break;
        if (type === ADMISSION_FRAME.join) return this.#join(state, frame, body, moment);
        if (type === ADMISSION_FRAME.password && state.codeAccepted)
          return this.#password(state, frame, body, moment);
        if (type === ADMISSION_FRAME.passwordProof && this.#passwords > 0)
          return [this.#refusal('timed-out', state.invitation)];
        break;
      case 'awaitPassword':
        if (type === ADMISSION_FRAME.passwordProof) {
          this.#transcript.add(frame);
          return this.#passwordProof(state, PasswordProof.decode(body).ke3);
        }
        // Their own side has seen that it does not fit.
        if (type === ADMISSION_FRAME.password || type === ADMISSION_FRAME.join) {
          this.#door.invitations.fail(this.#holder);
          this.#state = state.join;
          return this.onFrame(frame, moment);
        }
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
      return 'ke1' in state.waiting
        ? this.#testPassword(state, state.waiting, moment)
        : this.#judge(state, state.waiting, moment);
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
    } else if (this.#state.kind === 'awaitPassword') this.#state = this.#state.join;
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
    const account = hello.mode === 'join' ? undefined : this.#door.account(subject);
    const key = invitation?.admissionKey ?? account?.accountKey ?? NOBODYS_KEY;
    const fields = body.subarray(0, body.length - HELLO_PROOF_BYTES);
    const proved = secretsEqual(helloProof(key, this.#channelBinding, fields), hello.proof);
    if (!proved || key === NOBODYS_KEY || idKey(hello.roomId) !== idKey(this.#door.roomId)) {
      this.#door.unrecognised(this.#holder, moment);
      return [this.#refusal('not-recognised')];
    }
    const kind = hello.mode === 'join' ? 'join' : 'login';
    if (!this.#door.recognised(this.#holder, { kind, key: subject })) return [this.#refusal('busy')];
    if (hello.mode === 'transfer') {
      this.#state = { kind: 'closed' };
      return [{ kind: 'transfers', member: subject }];
    }
    this.#features = agreedFeatures(this.#door.dialect.features, hello.features);
    const nonce = moment.randomBytes(32);
    if (account !== undefined) {
      this.#state = { kind: 'awaitLogin', member: subject, account };
      return [this.#send(ADMISSION_FRAME.nonce, Nonce.encode({ nonce }))];
    }
    const closed = this.#closedToAll(subject, moment);
    if (closed !== null) return [this.#refusal(closed, subject)];
    this.#state = { kind: 'awaitAnswer', invitation: subject, waiting: null };
    const question = Question.encode({
      nonce,
      roomName: this.#door.roomName,
      question: this.#door.question,
      keeps: this.#door.keeps,
      triesLeft: this.#triesLeft(subject),
      ...this.#door.policy(),
    });
    return [
      this.#send(ADMISSION_FRAME.question, question),
      { kind: 'stage', stage: 'question', invitation: subject },
    ];
  }

  #answer(invitation: IdKey, ke1: Bytes, moment: Moment): AdmissionEffect[] {
    if (this.#answers === this.#door.limits.answersPerRun)
      return [this.#refusal('too-many-answers', invitation)];
    const closed = this.#closedToAll(invitation, moment);
    if (closed !== null) return [this.#refusal(closed, invitation)];
    const taken = this.#door.invitations.take(invitation, this.#holder, moment.nowMs);
    if (taken === 'waits') {
      this.#state = { kind: 'awaitAnswer', invitation, waiting: ke1 };
      return [];
    }
    if (taken === 'suspended') return [this.#refusal('suspended', invitation)];
    this.#answers += 1;
    const { state, ke2 } = this.#startRun(() => this.#door.startAnswer(ke1));
    this.#state = { kind: 'awaitProof', invitation, answerState: state };
    const challenge = Challenge.encode({ ke2, triesLeft: this.#triesLeft(invitation) });
    return [
      this.#send(ADMISSION_FRAME.challenge, challenge),
      { kind: 'stage', stage: 'answer-tested', invitation },
    ];
  }

  /** Bytes that are no point of the curve are answered by no CHALLENGE, so no guess can be tested: no try is lost. */
  #startRun(start: () => ReturnType<Door['startAnswer']>): ReturnType<Door['startAnswer']> {
    try {
      return start();
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

  #join(state: AwaitJoin, frame: Bytes, body: Bytes, moment: Moment): AdmissionEffect[] {
    if (!this.#countJoin()) return [this.#refusal('timed-out', state.invitation)];
    const transcript = this.#transcript.value();
    const plaintext = this.#open(state.sessionKey, ADMISSION_FRAME.join, frame, body);
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

  /** Who asks for a nickname that is behind a password proves that; the proof is for a JOIN with that nickname. */
  #password(state: AwaitJoin, frame: Bytes, body: Bytes, moment: Moment): AdmissionEffect[] {
    if (!this.#countJoin()) return [this.#refusal('timed-out', state.invitation)];
    const plaintext = this.#open(state.sessionKey, ADMISSION_FRAME.password, frame, body);
    const { nick, ke1 } = PasswordFields.decode(plaintext);
    return this.#testPassword(state, { nick, ke1: ke1.slice() }, moment);
  }

  #testPassword(state: AwaitJoin, { nick, ke1 }: PasswordFields, moment: Moment): AdmissionEffect[] {
    const { invitations } = this.#door;
    const { invitation } = state;
    const closed = this.#closedToAll(invitation, moment);
    if (closed !== null) return [this.#refusal(closed, invitation)];
    const taken = invitations.take(invitation, this.#holder, moment.nowMs);
    if (taken === 'suspended') return [this.#refusal('suspended', invitation)];
    if (taken === 'waits') {
      this.#state = { ...state, waiting: { nick, ke1 } };
      return [];
    }
    this.#passwords += 1;
    const account = this.#door.accountCalled(nick)?.account ?? null;
    const { state: opaqueState, ke2 } = this.#startRun(() =>
      this.#door.startPassword(account?.credential ?? `nickname:${nick}`, account?.record ?? null, ke1),
    );
    this.#state = { kind: 'awaitPassword', run: { opaqueState, account }, join: { ...state, waiting: null } };
    const challenge = PasswordChallenge.encode({ ke2, triesLeft: this.#triesLeft(invitation) });
    return [
      this.#send(ADMISSION_FRAME.passwordChallenge, challenge),
      { kind: 'stage', stage: 'password-tested', invitation },
    ];
  }

  #passwordProof({ run, join }: State & { readonly kind: 'awaitPassword' }, ke3: Bytes): AdmissionEffect[] {
    const { invitations } = this.#door;
    const { invitation } = join;
    this.#state = join;
    const isProved = this.#door.finishPassword(run.opaqueState, ke3);
    if (!isProved || run.account === null) {
      invitations.fail(this.#holder);
      return [this.#refusal('wrong-password', invitation)];
    }
    invitations.giveBack(this.#holder);
    this.#provedAccount = run.account;
    return [
      this.#send(ADMISSION_FRAME.proved, Proved.encode({ triesLeft: this.#triesLeft(invitation) })),
      { kind: 'stage', stage: 'password-proved', invitation },
    ];
  }

  /** @returns false when the run has had as many as it may */
  #countJoin(): boolean {
    if (this.#joins === this.#door.limits.joinsPerRun) return false;
    this.#joins += 1;
    return true;
  }

  /** @throws ProtocolError `bad-box` */
  #open(sessionKey: Bytes, type: number, frame: Bytes, body: Bytes): Bytes {
    const plaintext = openBox(this.#box(sessionKey, type, 'to-host'), body);
    this.#transcript.add(frame);
    if (plaintext === null) throw new ProtocolError('bad-box', 'a box that was not sealed in this run');
    return plaintext;
  }

  #judge(state: AwaitJoin, join: CheckedJoin, moment: Moment): AdmissionEffect[] {
    const { invitations } = this.#door;
    const { invitation } = state;
    const { nick, verifyKey, statement } = join;
    const member = idKey(verifyKey.memberId);
    const isBack = this.#door.account(member) !== undefined;
    // Who is on the list already takes no place, and is no newcomer to a locked room.
    const closed = isBack
      ? invitations.refusal(invitation, moment.nowMs)
      : this.#closedToAll(invitation, moment);
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
    const holder = this.#door.accountCalled(nick);
    const replaces = this.#maySucceed(holder, invitation) ? holder.member.key : null;
    if (replaces !== null && this.#door.isReplacing(replaces))
      return [this.#refusal('already-online', invitation)];
    const shut = holder === null ? this.#door.shut(this.#role(invitation)) : null;
    if (shut !== null) return [this.#refusal(shut, invitation)];
    const nickRefusal = replaces === null ? this.#nickRefusal(nick, holder, invitation) : null;
    if (nickRefusal !== null) {
      this.#state = { ...state, codeAccepted, waiting: null };
      return [this.#refusal(nickRefusal, invitation), { kind: 'stage', stage: 'nick-refused', invitation }];
    }
    invitations.spend(invitation);
    this.#state = { kind: 'judged', secret: state.sessionKey };
    const candidate = { holder: this.#holder, invitation, nick, replaces, verifyKey, statement };
    return [{ kind: 'joins', candidate }];
  }

  /** Whether this run has proved that account, as it is now. The owner takes nobody's place. */
  #maySucceed(holder: AccountHolder | null, invitation: IdKey): holder is AccountHolder {
    const account = holder?.account ?? null;
    return account !== null && account === this.#provedAccount && this.#role(invitation) !== 'owner';
  }

  #nickRefusal(nick: string, holder: AccountHolder | null, invitation: IdKey): Refusal | null {
    const role = this.#role(invitation);
    return holder !== null && role !== 'owner' ? 'nick-registered' : this.#door.nickRefusal(nick, role);
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

  /**
   * Why nobody with this invitation can go on, or `null`. Where there are accounts, whoever stands here may be on the list
   * under another key: then only the nickname tells whether a locked or full room is shut to them.
   */
  #closedToAll(invitation: IdKey, { nowMs }: Moment): Refusal | null {
    const refusal = this.#door.invitations.refusal(invitation, nowMs);
    if (refusal !== null || this.#door.hasAccounts()) return refusal;
    return this.#door.shut(this.#role(invitation));
  }

  #role(invitation: IdKey): Role {
    return this.#door.invitations.find(invitation)?.role ?? 'member';
  }

  #triesLeft(invitation: IdKey): number {
    return this.#door.invitations.find(invitation)?.triesLeft ?? 0;
  }
}
