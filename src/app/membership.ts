/**
 * One person's membership over real connections: the run at the door, the session, and coming back after a lost line.
 * The host's own chatting is one of these as well, over a connection that stays inside the process.
 */

import { generateWrapKeys, type WrapKeyPair } from '../crypto/key-wrap.ts';
import type { SigningKey } from '../crypto/signature.ts';
import type { SessionEffect, SessionEvent } from '../member/events.ts';
import type { Purpose } from '../member/joining.ts';
import { Session } from '../member/session.ts';
import { OwnWrapKeys } from '../member/wrap-keys.ts';
import type { ActRequest } from '../protocol/acts.ts';
import type { Welcome } from '../protocol/admission-frames.ts';
import type { Bytes } from '../protocol/bytes.ts';
import type { Content } from '../protocol/content.ts';
import { formatDuration } from '../protocol/duration.ts';
import { ProtocolError, SecurityError } from '../protocol/errors.ts';
import { growingNumber } from '../protocol/growing.ts';
import { type InvitationId, NO_SESSION, ROOM_CONVERSATION } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import { type CloseReason as ClosingReason, PASSING_CLOSES, type Refusal } from '../protocol/reasons.ts';
import { closeFrame } from '../protocol/session-frames.ts';
import type { Connection } from '../transport/connection.ts';
import { DoorRun, type DoorRunOptions, LostError, RefusedError } from './door-run.ts';
import { systemMoment } from './moment.ts';

export interface MembershipOptions extends DoorRunOptions {
  readonly invitationId: InvitationId;
  readonly admissionKey: Bytes;
  /** By which a member comes back who has nothing else left; not given: they come in by the invitation. */
  readonly accountKey?: Bytes;
  readonly connect: (signal: AbortSignal) => Promise<Connection>;
  /** Begun while the person was still typing. */
  readonly identity: Promise<SigningKey>;
  /** It may have been in this room before, in a run of the program that is over. */
  readonly identityIsKept?: boolean;
  readonly wrapKeys: Promise<WrapKeyPair>;
  readonly onEvent: (event: SessionEvent) => void;
  /** The line is lost, or is back. */
  readonly onLine: (
    state: { readonly kind: 'lost' } | { readonly kind: 'trying'; readonly inMs: number },
  ) => void;
}

/** How a membership ended. */
export type Ending =
  | { readonly kind: 'left' }
  | { readonly kind: 'closed'; readonly reason: ClosingReason; readonly text: string }
  | {
      readonly kind: 'refused';
      readonly reason: Refusal | 'wrong-answer';
      readonly triesLeft: number;
      readonly version: number;
    }
  /** The host no longer knows this member. */
  | { readonly kind: 'forgotten' }
  | { readonly kind: 'failed'; readonly error: Error };

const TICK_MS = 250;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;
/** A program that only wanted to say something is not to hang for long when the host is gone. */
const UNATTENDED_MS = 60_000;
/** A run at the door without a person in it. */
const LOGIN_MS = 20_000;
/** After LEAVE the host answers by closing; a host that does not is left all the same. */
const LEAVING_MS = 3_000;

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
      const connection = await this.#options.connect(this.#stop.signal);
      const welcome = await this.#run(connection, await this.#purpose());
      const { identity, wrapKeys } = await this.#keys();
      this.#session = new Session({ roomId: this.#options.roomId, identity, wrapKeys });
      this.#timer = setInterval(() => this.#tick(), TICK_MS);
      this.#attend(connection, welcome);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @throws InputError when too many messages wait for their place. */
  say(content: Content, ref: string | null): void {
    this.#perform(this.#session?.say(content, ref, systemMoment()) ?? []);
  }

  /** Asks the owner for a change. @throws InputError when it cannot be asked for; a refusal comes as a notice. */
  act(request: ActRequest): void {
    this.#perform(this.#session?.act(request) ?? []);
  }

  acknowledge(): void {
    this.#perform(this.#session?.acknowledge(systemMoment()) ?? []);
  }

  /** Nobody is there any more to wait for a lost line. */
  hurry(): void {
    this.#patienceMs = UNATTENDED_MS;
  }

  /** Leaves for good, if there is anything to leave. */
  leave(): void {
    if (this.#leaving || this.#ended) return;
    this.#leaving = true;
    const effects = this.#session?.leave() ?? [];
    if (effects.length === 0) return this.#end({ kind: 'left' });
    this.#perform(effects);
    setTimeout(() => this.#end({ kind: 'left' }), LEAVING_MS).unref();
  }

  async #purpose(): Promise<Purpose> {
    const { invitationId, admissionKey, accountKey } = this.#options;
    if (accountKey === undefined) return { kind: 'join', invitationId, admissionKey };
    const { identity, wrapKeys } = await this.#keys();
    const keys = { identity, statement: wrapKeys.current.statement };
    const { memberId } = identity;
    return { kind: 'login', memberId, accountKey, keys, positions: [], replaces: NO_SESSION };
  }

  /** Made once: a run at the door and the session after it have the same. */
  async #keys(): Promise<{ readonly identity: SigningKey; readonly wrapKeys: OwnWrapKeys }> {
    const { roomId, identityIsKept, ...options } = this.#options;
    const [identity, pair] = await Promise.all([options.identity, options.wrapKeys]);
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
        case 'reconnect':
          this.#connection?.destroy();
          break;
      }
    }
  }

  #tell(event: SessionEvent): void {
    if (event.kind === 'closed' && event.reason === 'bye' && this.#leaving)
      return this.#end({ kind: 'left' });
    this.#options.onEvent(event);
    if (event.kind !== 'closed') return;
    if (PASSING_CLOSES.has(event.reason)) return;
    const { reason, text } = event;
    this.#end({ kind: 'closed', reason, text });
  }

  #tick(): void {
    const session = this.#session;
    if (session === null || this.#ended) return;
    const moment = systemMoment();
    if (session.isDead(moment.nowMs)) this.#connection?.destroy();
    else this.#guard(() => session.tick(moment));
  }

  #onClose(connection: Connection): void {
    if (connection !== this.#connection || this.#ended) return;
    this.#connection = null;
    this.#session?.disconnected();
    if (this.#leaving) return this.#end({ kind: 'left' });
    this.#options.onLine({ kind: 'lost' });
    void this.#comeBack();
  }

  /** Tries until the host would have given the place away. */
  async #comeBack(): Promise<void> {
    const sinceMs = Date.now();
    for (let attempt = 0; Date.now() - sinceMs < this.#patienceMs && !this.#ended; attempt += 1) {
      const longestMs = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt);
      // Jitter: everyone lost the same host at the same time.
      const inMs = attempt === 0 ? Math.random() * FIRST_RETRY_MS : longestMs * (0.5 + Math.random() / 2);
      this.#options.onLine({ kind: 'trying', inMs });
      if (!(await pause(inMs, this.#stop.signal))) return;
      try {
        const connection = await this.#options.connect(this.#stop.signal);
        return this.#attend(connection, await this.#login(connection));
      } catch (error) {
        if (this.#ended) return;
        if (error instanceof RefusedError && error.refusal.reason === 'not-recognised')
          return this.#end({ kind: 'forgotten' });
        if (error instanceof SecurityError) return this.#fail(error);
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
    const { position } = session;
    const late = setTimeout(() => connection.destroy(), LOGIN_MS);
    try {
      return await this.#run(connection, {
        kind: 'login',
        memberId: login.welcome.memberId,
        accountKey: login.welcome.accountKey,
        keys: { identity, statement: login.statement },
        positions:
          position === null
            ? []
            : [{ conversation: ROOM_CONVERSATION, index: position.index, head: position.head }],
        replaces: login.welcome.sessionId,
      });
    } finally {
      clearTimeout(late);
    }
  }

  #fail(error: unknown): void {
    if (error instanceof RefusedError) {
      const { reason, triesLeft, version } = error.refusal;
      this.#end({ kind: 'refused', reason, triesLeft, version });
    } else this.#end({ kind: 'failed', error: error instanceof Error ? error : new Error(String(error)) });
  }

  #end(ending: Ending): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#stop.abort(new Error('the membership is over'));
    this.#session?.erase();
    this.#connection?.close();
    this.#over.resolve(ending);
  }
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
