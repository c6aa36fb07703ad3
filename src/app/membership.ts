/**
 * One person's membership over real connections: the run at the door, the session, and coming back after a lost line.
 * The host's own chatting is one of these as well, over a connection that stays inside the process.
 */

import { answerIdentifiers } from '../crypto/answer.ts';
import type { AnswerJob } from '../crypto/answer-jobs.ts';
import { generateWrapKeys, type WrapKeyPair } from '../crypto/key-wrap.ts';
import type { RosterMember } from '../crypto/roster.ts';
import type { SigningKey } from '../crypto/signature.ts';
import type { ConversationWish } from '../member/conversations.ts';
import type { SessionEffect, SessionEvent } from '../member/events.ts';
import type { FileNews } from '../member/file-view.ts';
import { type Purpose, transferHello } from '../member/joining.ts';
import type { SavedState } from '../member/saved-state.ts';
import { type SaveMark, Session, type SessionStart } from '../member/session.ts';
import type { Mark } from '../member/trust.ts';
import { OwnWrapKeys } from '../member/wrap-keys.ts';
import type { ActRequest } from '../protocol/acts.ts';
import type { Welcome } from '../protocol/admission-frames.ts';
import type { Bytes } from '../protocol/bytes.ts';
import type { Content } from '../protocol/content.ts';
import { formatDuration } from '../protocol/duration.ts';
import { InputError, ProtocolError, SecurityError } from '../protocol/errors.ts';
import { growingNumber } from '../protocol/growing.ts';
import {
  ANY_SESSION,
  type ConversationId,
  type InvitationId,
  type MemberId,
  NO_SESSION,
  type SessionId,
} from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import { type CloseReason as ClosingReason, PASSING_CLOSES, type Refusal } from '../protocol/reasons.ts';
import { closeFrame, type Prefer, USUAL_PREFER } from '../protocol/session-frames.ts';
import { FEATURE } from '../protocol/version.ts';
import type { Connection } from '../transport/connection.ts';
import { DoorRun, type DoorRunOptions, LostError, RefusedError } from './door-run.ts';
import { systemMoment } from './moment.ts';
import type { SavedPlace } from './saved/saved-place.ts';
import { StateKeeper } from './saved/state-keeper.ts';

export interface MembershipOptions extends DoorRunOptions {
  /** Of whoever joins; both are given, or neither. */
  readonly invitationId?: InvitationId;
  readonly admissionKey?: Bytes;
  /** By which a member comes back who has nothing else left; not given: they come in by the invitation. */
  readonly accountKey?: Bytes;
  readonly connect: (signal: AbortSignal) => Promise<Connection>;
  /** Begun while the person was still typing. */
  readonly identity: Promise<SigningKey>;
  /** It may have been in this room before, in a run of the program that is over. */
  readonly identityIsKept?: boolean;
  /** `null` for whoever comes back with those that were saved. */
  readonly wrapKeys: Promise<WrapKeyPair> | null;
  /** How this member wants to be treated while away; not given: as the host does. */
  readonly prefers?: Prefer;
  /** Where the membership is kept beyond the program's life, once the room is known; `null`: nowhere. */
  readonly keep?: () => Promise<SavedPlace | null>;
  /** It is on the disk for the first time: from here on the program may end in whatever way. */
  readonly onKept?: (place: SavedPlace) => void;
  readonly onEvent: (event: SessionEvent) => void;
  /** The line is lost, or is back. */
  readonly onLine: (
    state: { readonly kind: 'lost' } | { readonly kind: 'trying'; readonly inMs: number },
  ) => void;
}

/** A membership that an earlier run of the program has kept. */
export interface SavedMembership {
  readonly state: SavedState;
  readonly place: SavedPlace;
  /** Whatever program goes on as this member elsewhere ends there. */
  readonly takeover: boolean;
  /** Nothing of this run is saved: what is said meanwhile is there for the next one, and the place is as it was. */
  readonly isVisit?: boolean;
}

/** How a membership ended. */
export type Ending =
  | { readonly kind: 'left' }
  /** The program ends, and the place is kept under this name. */
  | { readonly kind: 'away'; readonly name: string }
  /** With the name under which the place is kept all the same, if it is. */
  | {
      readonly kind: 'closed';
      readonly reason: ClosingReason;
      readonly text: string;
      readonly name?: string;
    }
  | {
      readonly kind: 'refused';
      readonly reason: Refusal | 'wrong-answer';
      readonly triesLeft: number;
      readonly version: number;
      /** Of the saved room that this member comes back to. */
      readonly name?: string;
    }
  /** The host no longer knows this member, whose place was kept under this name, if it was. */
  | { readonly kind: 'forgotten'; readonly name?: string }
  | { readonly kind: 'failed'; readonly error: Error };

const TICK_MS = 250;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;
/** A program that only wanted to say something is not to hang for long when the host is gone. */
const UNATTENDED_MS = 60_000;
/** A run at the door without a person in it. */
const LOGIN_MS = 20_000;
/** Refusals of a login that pass by themselves. */
const PASSING: ReadonlySet<Refusal | 'wrong-answer'> = new Set<Refusal>(['busy', 'timed-out', 'closing']);
/** After LEAVE the host answers by closing; a host that does not is left all the same. */
const LEAVING_MS = 3_000;
/** Of logins after a lost line, for a reason that does not pass by itself. */
const REFUSALS_MOST = 3;

export class Membership {
  readonly #options: MembershipOptions;
  readonly #over = Promise.withResolvers<Ending>();
  readonly #stop = new AbortController();
  #session: Session | null = null;
  #connection: Connection | null = null;
  #timer: NodeJS.Timeout | null = null;
  #leaving = false;
  #ended = false;
  /** How long a lost line is tried again: as long as the host keeps the place, unless nobody is there to wait. */
  #patienceMs: number = LIMITS.guestOfflineMs;
  #wrapKeysMade: OwnWrapKeys | null = null;
  #place: SavedPlace | null = null;
  #keeper: StateKeeper | null = null;
  #isKept = false;
  /** The session that a login replaces, where it is not this one's own. */
  #replaces: SessionId | null = null;
  /** Frames between WELCOME and the session taking over. */
  #early: { readonly connection: Connection; readonly frame: Bytes }[] = [];

  constructor(options: MembershipOptions) {
    this.#options = options;
  }

  /** Settles once, whatever happens. */
  get ended(): Promise<Ending> {
    return this.#over.promise;
  }
  /** `null` until the first WELCOME. */
  get session(): Session | null {
    return this.#session;
  }

  /** Knocks. What comes of it is told by events and by `ended`. */
  async join(): Promise<void> {
    try {
      const purpose = await this.#purpose();
      const connection = await this.#options.connect(this.#stop.signal);
      const welcome = await this.#run(connection, purpose);
      const { identity, wrapKeys } = await this.#keys();
      this.#begin({ identity, wrapKeys }, (await this.#options.keep?.()) ?? null);
      this.#attend(connection, welcome);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Goes on where an earlier run stopped, as soon as the host can be reached. */
  async resume({ state, place, takeover, isVisit = false }: SavedMembership): Promise<void> {
    try {
      const identity = await this.#options.identity;
      const wrapKeys = OwnWrapKeys.restore(identity, state.roomId, state.wrapKeys);
      this.#begin({ identity, wrapKeys, saved: state }, place, isVisit);
      if (takeover) this.#replaces = ANY_SESSION;
    } catch (error) {
      return this.#fail(error);
    }
    await this.#comeBack(true);
  }

  #begin(
    start: Pick<SessionStart, 'identity' | 'wrapKeys' | 'saved'>,
    place: SavedPlace | null,
    isVisit = false,
  ): void {
    const { roomId, prefers = USUAL_PREFER } = this.#options;
    this.#place = place;
    if (place === null) this.#session = new Session({ roomId, ...start, prefers });
    else {
      this.#patienceMs = LIMITS.savedPatienceMs;
      // Whoever has what it takes to come back asks for their place to be kept.
      this.#session = new Session({
        roomId,
        ...start,
        keeps: 'when-saved',
        prefers: { ...prefers, stays: true },
      });
      // What is never saved is never acknowledged: the host goes on keeping it for this member.
      if (!isVisit)
        this.#keeper = new StateKeeper({
          place,
          onSaved: (mark) => this.#saved(mark),
          onProblem: (text) => this.#tell({ kind: 'notice', level: 'warning', code: 'not-saved', text }),
        });
    }
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  #saved(mark: SaveMark): void {
    if (!this.#isKept && this.#place !== null) this.#options.onKept?.(this.#place);
    this.#isKept = true;
    this.#guard(() => this.#session?.saved(mark, systemMoment()) ?? []);
  }

  /** @throws InputError when too many messages wait for their place. */
  say(content: Content, ref: string | null): void {
    this.#perform(this.#session?.say(content, ref, systemMoment()) ?? []);
  }

  /** To one member alone. @throws InputError as `say` */
  sayTo(member: RosterMember, content: Content, ref: string | null): void {
    this.#perform(this.#session?.sayTo(member, content, ref, systemMoment()) ?? []);
  }

  /** In a conversation beside the room. @throws InputError as `say`, or for one that this person is not in */
  sayIn(conversation: ConversationId, content: Content, ref: string | null): void {
    this.#perform(this.#session?.sayIn(conversation, content, ref, systemMoment()) ?? []);
  }

  /** @throws InputError for a name that cannot be one, or where there is no session */
  makeConversation(name: string, members: readonly RosterMember[]): ConversationId {
    if (this.#session === null) throw new InputError('not-joined', 'You are not in the room yet.');
    const { id, effects } = this.#session.makeConversation({ name, topic: '', members }, systemMoment());
    this.#perform(effects);
    return id;
  }

  /** @throws InputError where this person may not */
  changeConversation(conversation: ConversationId, wish: ConversationWish): void {
    this.#perform(this.#session?.changeConversation(conversation, wish) ?? []);
  }

  /** @throws InputError where this person may not, or for a text that cannot be one */
  renameConversation(
    conversation: ConversationId,
    to: { readonly name?: string; readonly topic?: string },
  ): void {
    this.#perform(this.#session?.renameConversation(conversation, to, systemMoment()) ?? []);
  }

  /** For good. @throws InputError where that cannot be */
  partConversation(conversation: ConversationId): void {
    this.#perform(this.#session?.partConversation(conversation) ?? []);
  }

  /** A password for one's account. @throws InputError when there can be none, or it is too short. */
  register(password: string): void {
    this.#perform(this.#session?.register(password) ?? []);
  }

  /** Asks the owner for a change. @throws InputError when it cannot be asked for; a refusal comes as a notice. */
  act(request: ActRequest): void {
    this.#perform(this.#session?.act(request) ?? []);
  }

  /**
   * A line beside the session, for a file. Nothing has been said on it but who opens it.
   * @throws whatever made it fail, `LostError` while there is no session to open it beside
   */
  async openLine(signal: AbortSignal): Promise<{ readonly connection: Connection; readonly hello: Bytes }> {
    const login = this.#session?.login ?? null;
    const isSupported = this.#session?.features.has(FEATURE.files) === true;
    if (login === null || this.#connection === null || !isSupported)
      throw new LostError('There is no line to the host.');
    const either = AbortSignal.any([signal, this.#stop.signal]);
    const connection = await this.#options.connect(either).catch((error: unknown) => {
      throw this.#stop.signal.aborted ? new LostError('The membership is over.') : error;
    });
    const { memberId: subject, accountKey: key } = login.welcome;
    const { channelBinding } = connection;
    const start = { roomId: this.#options.roomId, channelBinding, subject, key };
    return { connection, hello: transferHello(start, systemMoment()) };
  }

  /** What has changed until now is on the disk when this is done, where the membership is kept. */
  async keep(): Promise<void> {
    if (this.#session !== null) await this.#keeper?.now(this.#session);
  }

  /**
   * What the host is to know of a file.
   * @param keepFor for whom it is to wait there
   * @returns whether there is a line to tell it on
   */
  tellOfFile(what: FileNews, fileId: Bytes, bytes: number, keepFor?: readonly MemberId[]): boolean {
    const effects = this.#session?.tellOfFile(what, fileId, bytes, keepFor) ?? [];
    this.#perform(effects);
    return effects.length > 0;
  }

  setAway(away: boolean): void {
    this.#perform(this.#session?.setAway(away) ?? []);
  }

  /** What this person decides about the key of a member. @throws InputError when there is nothing of the kind to decide */
  mark(member: RosterMember, mark: Mark): void {
    this.#perform(this.#session?.mark(member, mark, systemMoment()) ?? []);
  }

  acknowledge(): void {
    this.#perform(this.#session?.acknowledge(systemMoment()) ?? []);
  }

  /** Nobody is there any more to wait for a lost line. */
  hurry(): void {
    this.#patienceMs = UNATTENDED_MS;
  }

  /** The program ends: a place that is kept stays, any other is left for good. */
  quit(): void {
    if (this.#place === null) this.leave();
    else this.#end({ kind: 'away', name: this.#place.name });
  }

  /**
   * Leaves for good, if there is anything to leave.
   * @throws InputError `not-connected` where a place is kept and the host cannot be told that it need not be
   */
  leave(): void {
    if (this.#leaving || this.#ended) return;
    if (this.#place !== null && this.#connection === null)
      throw new InputError(
        'not-connected',
        'Not connected just now. /leave once you are back; /quit keeps your place.',
      );
    this.#leaving = true;
    const effects = this.#session?.leave() ?? [];
    if (effects.length === 0) return this.#end({ kind: 'left' });
    this.#perform(effects);
    setTimeout(() => this.#end({ kind: 'left' }), LEAVING_MS).unref();
  }

  async #purpose(): Promise<Purpose> {
    const { invitationId, admissionKey, accountKey } = this.#options;
    if (accountKey === undefined) {
      if (invitationId === undefined || admissionKey === undefined)
        throw new Error('nobody joins without an invitation');
      return { kind: 'join', invitationId, admissionKey };
    }
    const { identity, wrapKeys } = await this.#keys();
    const keys = { identity, statement: wrapKeys.current.statement };
    const { memberId } = identity;
    return { kind: 'login', memberId, accountKey, keys, positions: [], replaces: NO_SESSION };
  }

  /** The program ends, and so does nothing else: the account has the place for whoever comes back with the password. */
  depart(): void {
    if (this.#place === null) this.#end({ kind: 'left' });
    else this.quit();
  }

  /** Made once: a run at the door and the session after it have the same. */
  async #keys(): Promise<{ readonly identity: SigningKey; readonly wrapKeys: OwnWrapKeys }> {
    const { roomId, identityIsKept, ...options } = this.#options;
    const [identity, pair] = await Promise.all([options.identity, options.wrapKeys]);
    if (pair === null) throw new Error('nobody joins without wrap keys');
    const nowMs = Date.now();
    // Generations only grow, and nothing here remembers those of an earlier run; new keys come once an hour.
    const firstGeneration = identityIsKept ? growingNumber(nowMs) : 1;
    this.#wrapKeysMade ??= new OwnWrapKeys({ identity, roomId, pair, nowMs, firstGeneration });
    return { identity, wrapKeys: this.#wrapKeysMade };
  }

  /** One run at the door. @throws whatever made it fail; the connection is then closed. */
  #run(connection: Connection, purpose: Purpose): Promise<Welcome> {
    this.#early = [];
    const keys =
      purpose.kind === 'login'
        ? null
        : this.#keys().then(({ identity, wrapKeys }) => ({
            identity,
            statement: wrapKeys.current.statement,
          }));
    const run = new DoorRun(this.#options, {
      connection,
      purpose,
      keys,
      onFrame: (frame) => this.#onFrame(connection, frame),
      onClose: () => this.#onClose(connection),
      signal: this.#stop.signal,
    });
    return run.run();
  }

  #attend(connection: Connection, welcome: Welcome): void {
    const early = this.#early;
    this.#early = [];
    this.#connection = connection;
    if (this.#ended) return connection.close();
    if (connection.closed) return this.#onClose(connection);
    this.#guard(() => this.#session?.welcomed(welcome, systemMoment()) ?? []);
    for (const { frame } of early) this.#onFrame(connection, frame);
    if (this.#leaving) this.#perform(this.#session?.leave() ?? []);
  }

  #onFrame(connection: Connection, frame: Bytes): void {
    if (connection !== this.#connection) {
      this.#early.push({ connection, frame: frame.slice() });
      return;
    }
    this.#guard(() => this.#session?.onFrame(frame, systemMoment()) ?? []);
  }

  #guard(step: () => readonly SessionEffect[]): void {
    try {
      this.#perform(step());
    } catch (error) {
      if (error instanceof ProtocolError) {
        this.#connection?.close(closeFrame('protocol', error.message));
        this.#end({
          kind: 'failed',
          error: new SecurityError(error.code, `The host broke the protocol: ${error.message}.`),
        });
      } else this.#fail(error);
    }
  }

  #perform(effects: readonly SessionEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'send':
          this.#connection?.send(effect.frame);
          break;
        case 'event':
          this.#tell(effect.event);
          break;
        case 'make-wrap-keys':
          generateWrapKeys().then(
            (pair) => this.#guard(() => this.#session?.wrapKeysMade(pair, systemMoment()) ?? []),
            (error: unknown) => this.#fail(error),
          );
          break;
        case 'start-registration':
          this.#register({ op: 'start-registration', answer: effect.password });
          break;
        case 'finish-registration': {
          const { state, response, password: answer } = effect;
          const identifiers = answerIdentifiers(this.#options.roomId, this.#options.tlsPin);
          this.#register({ op: 'finish-registration', state, response, answer, identifiers });
          break;
        }
        case 'reconnect':
          this.#connection?.destroy();
          break;
      }
    }
  }

  /** One of OPAQUE's steps; after the last one its thread has nothing more to do. */
  #register(job: AnswerJob & { readonly op: 'start-registration' | 'finish-registration' }): void {
    const { answers } = this.#options;
    answers.run(job).then(
      (outcome) => {
        if (outcome.op === 'finish-registration') void answers.end();
        this.#guard(() => {
          if (outcome.op === 'start-registration') return this.#session?.registrationStarted(outcome) ?? [];
          return this.#session?.registrationFinished(outcome.record) ?? [];
        });
      },
      (error: unknown) =>
        this.#guard(() => {
          throw error;
        }),
    );
  }

  #tell(event: SessionEvent): void {
    if (event.kind === 'closed' && event.reason === 'bye' && this.#leaving)
      return this.#end({ kind: 'left' });
    this.#options.onEvent(event);
    if (event.kind !== 'closed') return;
    if (PASSING_CLOSES.has(event.reason)) return;
    const { reason, text } = event;
    const ending = { kind: 'closed', reason, text } as const;
    const stays = this.#place !== null && !isForGood(ending, this.#place);
    this.#end(stays ? { ...ending, ...this.#savedName } : ending);
  }

  #tick(): void {
    const session = this.#session;
    if (session === null || this.#ended) return;
    const moment = systemMoment();
    if (session.isDead(moment.nowMs)) this.#connection?.destroy();
    else this.#guard(() => session.tick(moment));
    this.#keeper?.tick(session, moment.nowMs);
  }

  #onClose(connection: Connection): void {
    if (connection !== this.#connection || this.#ended) return;
    this.#connection = null;
    this.#session?.disconnected();
    if (this.#leaving) return this.#end({ kind: 'left' });
    this.#options.onLine({ kind: 'lost' });
    void this.#comeBack();
  }

  /**
   * Tries until the host would have given the place away.
   * @param isFirst the program has just begun: at once, and what the host says no to is told
   */
  async #comeBack(isFirst = false): Promise<void> {
    const sinceMs = Date.now();
    let refusals = 0;
    for (let attempt = 0; Date.now() - sinceMs < this.#patienceMs && !this.#ended; attempt += 1) {
      const longestMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt);
      // Jitter: everyone lost the same host at the same time.
      const firstMs = isFirst ? 0 : Math.random() * FIRST_RETRY_MS;
      const inMs = attempt === 0 ? firstMs : longestMs * (0.5 + Math.random() / 2);
      this.#options.onLine({ kind: 'trying', inMs });
      if (!(await pause(inMs, this.#stop.signal))) return;
      try {
        const connection = await this.#options.connect(this.#stop.signal);
        const welcome = await this.#login(connection);
        // Taken over once: whoever takes it from here later is not thrown out by a line that comes back.
        this.#replaces = null;
        return this.#attend(connection, welcome);
      } catch (error) {
        if (this.#ended) return;
        if (error instanceof RefusedError && error.refusal.reason === 'not-recognised')
          return this.#end({ kind: 'forgotten', ...this.#savedName });
        if (error instanceof SecurityError) return this.#fail(error);
        // Right after a line was lost, the host may not know yet that it is.
        if (error instanceof RefusedError && !PASSING.has(error.refusal.reason)) refusals += 1;
        if (refusals >= (isFirst ? 1 : REFUSALS_MOST)) return this.#fail(error);
        if (isFirst && attempt === 0) this.#options.onLine({ kind: 'lost' });
      }
    }
    const text = `The host could not be reached for ${formatDuration(this.#patienceMs)}.`;
    this.#end({ kind: 'failed', error: new LostError(text) });
  }

  async #login(connection: Connection): Promise<Welcome> {
    const session = this.#session;
    const login = session?.login ?? null;
    if (session === null || login === null) throw new Error('no session to come back to');
    const identity = await this.#options.identity;
    const late = setTimeout(() => connection.destroy(), LOGIN_MS);
    try {
      return await this.#run(connection, {
        kind: 'login',
        memberId: login.welcome.memberId,
        accountKey: login.welcome.accountKey,
        keys: { identity, statement: login.statement },
        positions: session.positions,
        replaces: this.#replaces ?? login.welcome.sessionId,
      });
    } finally {
      clearTimeout(late);
    }
  }

  get #savedName(): { readonly name?: string } {
    return this.#place === null ? {} : { name: this.#place.name };
  }

  #fail(error: unknown): void {
    if (error instanceof RefusedError) {
      const { reason, triesLeft, version } = error.refusal;
      this.#end({ kind: 'refused', reason, triesLeft, version, ...this.#savedName });
    } else this.#end({ kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) });
  }

  #end(ending: Ending): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#stop.abort(new Error('the membership is over'));
    const settled = this.#settle(ending);
    this.#session?.erase();
    this.#connection?.close();
    void settled.finally(() => this.#over.resolve(ending));
  }

  /** What is kept of the membership after this run. */
  async #settle(ending: Ending): Promise<void> {
    const place = this.#place;
    if (place === null || this.#session === null) return;
    if (isForGood(ending, place)) {
      // A save under way would put the file back.
      await this.#keeper?.idle();
      return place.forget();
    }
    await this.#keeper?.last(this.#session);
    place.release();
  }
}

/** Nobody can come back from it: the host knows this member no more, or the room is over. */
function isForGood(ending: Ending, place: SavedPlace): boolean {
  if (ending.kind === 'left' || ending.kind === 'forgotten') return true;
  if (ending.kind !== 'closed') return false;
  return ending.reason === 'removed' || (ending.reason === 'host-closing' && place.endsWithHost);
}

/** @returns `false` when aborted meanwhile. */
function pause(delayMs: number, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(false);
    const stop = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve(true);
    }, delayMs);
    signal.addEventListener('abort', stop, { once: true });
  });
}
