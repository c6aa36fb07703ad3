/** One person of a test room: the real machines of the member's side, and what they told. */
import type { ChatOptions } from '../../src/app/chat.ts';
import { answerIdentifiers } from '../../src/crypto/answer.ts';
import type { WrapKeyPair } from '../../src/crypto/key-wrap.ts';
import type { RosterMember } from '../../src/crypto/roster.ts';
import type { SigningKey } from '../../src/crypto/signature.ts';
import type { ConversationWish } from '../../src/member/conversations.ts';
import type { SessionEffect, SessionEvent } from '../../src/member/events.ts';
import { Joining, type JoiningEffect, type Purpose, type Wanted } from '../../src/member/joining.ts';
import { decodeSavedState, encodeSavedState } from '../../src/member/saved-state.ts';
import { Session, type SessionStart } from '../../src/member/session.ts';
import type { Mark } from '../../src/member/trust.ts';
import { OwnWrapKeys } from '../../src/member/wrap-keys.ts';
import type { ActRequest } from '../../src/protocol/acts.ts';
import type { Question, Welcome } from '../../src/protocol/admission-frames.ts';
import type { Bytes } from '../../src/protocol/bytes.ts';
import { type Content, said } from '../../src/protocol/content.ts';
import { type ConversationId, type IdKey, idKey, type SessionId } from '../../src/protocol/identifiers.ts';
import type { Refusal } from '../../src/protocol/reasons.ts';
import type { Prefer } from '../../src/protocol/session-frames.ts';
import { DIALECT, type Dialect } from '../../src/protocol/version.ts';
import { type Line, type LineRoom, TEST_PIN, type TestInvitation } from './line.ts';

type Said = string | (() => string);

export interface MemberOptions {
  readonly identity: SigningKey;
  readonly wrapPair: WrapKeyPair;
  /** Of an identity that was in the room in an earlier run. */
  readonly firstGeneration?: number;
  /** What the person types each time they are asked; once there is no more, they sit there. */
  readonly answers: readonly Said[];
  readonly codes: readonly Said[];
  readonly nicks: readonly Said[];
  readonly passwords?: readonly Said[];
  /** An older or newer program. */
  readonly dialect?: Dialect;
  /** What an earlier run of the program kept: this one goes on with it. */
  readonly saved?: Bytes;
  readonly keeps?: SessionStart['keeps'];
  /** How they want to be treated while away. */
  readonly prefers?: Prefer;
}

export type Outcome =
  | { readonly kind: 'outside' }
  /** At the door, or waiting for someone to type. */
  | { readonly kind: 'knocking' }
  | { readonly kind: 'in' }
  | { readonly kind: 'refused'; readonly reason: Refusal | 'wrong-answer'; readonly triesLeft: number }
  /** The line closed before an end was told. */
  | { readonly kind: 'cut' }
  /** A machine of this side found the host out. */
  | { readonly kind: 'failed'; readonly error: Error };

type EventOf<Kind extends SessionEvent['kind']> = Extract<SessionEvent, { readonly kind: Kind }>;

export class TestMember {
  readonly room: LineRoom;
  readonly identity: SigningKey;
  readonly wrapKeys: OwnWrapKeys;
  readonly key: IdKey;
  readonly session: Session;
  readonly events: SessionEvent[] = [];
  /** What the door asked for and why, in order. */
  readonly asked: Extract<JoiningEffect, { readonly kind: 'ask' }>[] = [];
  outcome: Outcome = { kind: 'outside' };
  question: Question | null = null;
  /** As the last refusal said it. */
  hostVersion: number | null = null;
  welcome: Welcome | null = null;
  /** The one that `joined` came of: where this member's record begins. */
  firstWelcome: Welcome | null = null;
  /** The latest line, open or not. */
  line: Line | null = null;
  /** All that this member ever had. */
  readonly lines: Line[] = [];
  /** The session wants new wrap keys: hand some to `renew`. */
  wantsWrapKeys = false;
  /** The session gave up on this connection and wants another. */
  wantsReconnect = false;
  /** Told that only the host's yes is missing. */
  waits = false;
  readonly #dialect: Dialect;
  #joining: Joining | null = null;
  readonly #typed: Record<Wanted, Said[]>;

  constructor(room: LineRoom, options: MemberOptions) {
    this.room = room;
    this.identity = options.identity;
    this.key = idKey(options.identity.memberId);
    const saved = options.saved === undefined ? null : decodeSavedState(options.saved);
    this.wrapKeys =
      saved === null
        ? new OwnWrapKeys({
            identity: options.identity,
            roomId: room.id,
            pair: options.wrapPair,
            nowMs: room.clock.nowMs,
            ...(options.firstGeneration !== undefined && { firstGeneration: options.firstGeneration }),
          })
        : OwnWrapKeys.restore(options.identity, room.id, saved.wrapKeys);
    this.#dialect = options.dialect ?? DIALECT;
    this.session = new Session({
      roomId: room.id,
      identity: options.identity,
      wrapKeys: this.wrapKeys,
      dialect: this.#dialect,
      ...(options.keeps !== undefined && { keeps: options.keeps }),
      ...(saved !== null && { saved }),
      ...(options.prefers && { prefers: options.prefers }),
    });
    this.#typed = {
      answer: [...options.answers],
      code: [...options.codes],
      nick: [...options.nicks],
      password: [...(options.passwords ?? [])],
    };
  }

  get live(): boolean {
    return this.session.phase === 'live';
  }
  get messages(): readonly EventOf<'message'>[] {
    return this.eventsOf('message');
  }
  /** Texts of the messages shown, own ones included. */
  get texts(): readonly string[] {
    return this.messages.map(({ text }) => text);
  }
  /** Codes of the alarms raised. */
  get alarms(): readonly string[] {
    return this.eventsOf('alarm').map(({ code }) => code);
  }
  /** Every frame this member sent, on whichever line. */
  get sent(): readonly Bytes[] {
    return this.lines.flatMap(({ sentByMember }) => sentByMember);
  }

  eventsOf<Kind extends SessionEvent['kind']>(kind: Kind): readonly EventOf<Kind>[] {
    return this.events.filter((event): event is EventOf<Kind> => event.kind === kind);
  }

  /** Connects and says HELLO with an invitation. `pump` does the rest. */
  knock(invitation: Pick<TestInvitation, 'id' | 'admissionKey'>, channelBinding?: Bytes): Line {
    const { id, admissionKey } = invitation;
    return this.#run({ kind: 'join', invitationId: id, admissionKey }, channelBinding);
  }

  /** Connects and logs in, as after a lost line. */
  comeBack(changes: { readonly replaces?: SessionId } = {}): Line {
    const { login, positions } = this.session;
    if (login === null) throw new Error('was never in');
    return this.#run({
      kind: 'login',
      memberId: login.welcome.memberId,
      accountKey: login.welcome.accountKey,
      keys: { identity: this.identity, statement: login.statement },
      positions,
      replaces: changes.replaces ?? login.welcome.sessionId,
    });
  }

  /** What a file would hold now. The session is told that it does. */
  save(): Bytes {
    const saved = this.session.save();
    if (saved === null) throw new Error('nothing to save');
    const bytes = encodeSavedState(saved.state);
    this.#perform(this.session.saved(saved.mark, this.room.clock.moment));
    return bytes;
  }

  /** The person types something at the door that they were asked for. */
  type(what: Wanted, text: string): void {
    this.#guard(() => this.#performJoining(this.#joining?.[what](text) ?? []));
  }

  /** Loses the line, with whatever was under way. */
  loseLine(): void {
    if (this.line !== null) this.room.cut(this.line);
  }

  say(text: string, kind: 'text' | 'emote' = 'text'): void {
    this.utter(said(kind, text));
  }

  utter(content: Content): void {
    this.#perform(this.session.say(content, null, this.room.clock.moment));
  }

  /** What a shell asks of a membership, done by this member. */
  get asMembership(): Omit<NonNullable<ChatOptions['membership']>, 'hurry'> {
    const member = this;
    return {
      get session() {
        return member.session;
      },
      say: (content) => this.utter(content),
      sayTo: (to, content) => this.#perform(this.session.sayTo(to, content, null, this.room.clock.moment)),
      sayIn: (id, content) => this.#perform(this.session.sayIn(id, content, null, this.room.clock.moment)),
      makeConversation: (name, members) => this.begin(name, ...members.map(({ nick }) => nick)),
      changeConversation: (id, wish) => this.change(id, wish),
      renameConversation: (id, to) => this.rename(id, to),
      partConversation: (id) => this.part(id),
      act: (request) => this.act(request),
      setAway: (away) => this.setAway(away),
      register: (password) => this.register(password),
      acknowledge: () => this.acknowledge(),
      mark: ({ nick }, mark) => this.mark(nick, mark),
    };
  }

  /** Says it to whoever has this nickname, and nobody else. */
  tell(nick: string, text: string): void {
    this.#perform(this.session.sayTo(this.#called(nick), said('text', text), null, this.room.clock.moment));
  }

  /** Makes a conversation with those of these nicknames. */
  begin(name: string, ...nicks: readonly string[]): ConversationId {
    const members = nicks.map((nick) => this.#called(nick));
    const { id, effects } = this.session.makeConversation(
      { name, topic: '', members },
      this.room.clock.moment,
    );
    this.#perform(effects);
    return id;
  }

  sayIn(id: ConversationId, text: string): void {
    this.#perform(this.session.sayIn(id, said('text', text), null, this.room.clock.moment));
  }

  change(id: ConversationId, wish: ConversationWish): void {
    this.#perform(this.session.changeConversation(id, wish));
  }

  rename(id: ConversationId, to: { readonly name?: string; readonly topic?: string }): void {
    this.#perform(this.session.renameConversation(id, to, this.room.clock.moment));
  }

  part(id: ConversationId): void {
    this.#perform(this.session.partConversation(id));
  }

  /** Texts shown of one conversation. */
  textsIn(id: ConversationId): readonly string[] {
    return this.messages
      .filter(({ conversation }) => idKey(conversation) === idKey(id))
      .map(({ text }) => text);
  }

  #called(nick: string): RosterMember {
    const shown = this.session.members.find(({ member }) => member.nick === nick);
    if (shown === undefined) throw new Error(`nobody is called ${nick}`);
    return shown.member;
  }

  /** Sends a frame as it is: what an evil member does. */
  send(frame: Bytes): void {
    if (this.line === null) throw new Error('no line');
    this.room.toHost(this.line, frame);
  }

  leave(): void {
    this.#perform(this.session.leave());
  }

  /** Asks the owner for a change. */
  act(request: ActRequest): void {
    this.#perform(this.session.act(request));
  }

  setAway(away: boolean): void {
    this.#perform(this.session.setAway(away));
  }

  /** Puts this member's account behind a password. */
  register(password: string): void {
    this.#perform(this.session.register(password));
  }

  /** Decides about the key of whoever has this nickname. */
  mark(nick: string, mark: Mark): void {
    const shown = this.session.members.find(({ member }) => member.nick === nick);
    if (shown === undefined) throw new Error(`nobody is called ${nick}`);
    this.#perform(this.session.mark(shown.member, mark, this.room.clock.moment));
  }

  acknowledge(): void {
    this.#perform(this.session.acknowledge(this.room.clock.moment));
  }

  renew(pair: WrapKeyPair): void {
    this.wantsWrapKeys = false;
    this.#perform(this.session.wrapKeysMade(pair, this.room.clock.moment));
  }

  tick(): void {
    if (this.outcome.kind === 'in')
      this.#guard(() => this.#perform(this.session.tick(this.room.clock.moment)));
  }

  #run(purpose: Purpose, channelBinding?: Bytes): Line {
    const { room } = this;
    this.outcome = { kind: 'knocking' };
    const line = room.connect(
      {
        onFrame: (frame) => this.#onFrame(line, frame),
        onClosed: () => this.#onClosed(line),
      },
      channelBinding,
    );
    this.line = line;
    this.lines.push(line);
    const { id: roomId, ownerFingerprint } = room;
    const { channelBinding: bound } = line;
    const dialect = this.#dialect;
    this.#joining = new Joining({ roomId, ownerFingerprint, purpose, channelBinding: bound, dialect });
    this.#performJoining(this.#joining.hello(room.clock.moment));
    if (purpose.kind === 'join') {
      const { statement } = this.wrapKeys.current;
      this.#performJoining(this.#joining.keysReady({ identity: this.identity, statement }));
    }
    return line;
  }

  #onFrame(line: Line, frame: Bytes): void {
    if (line !== this.line) return;
    this.#guard(() => {
      if (this.#joining !== null) this.#performJoining(this.#joining.onFrame(frame));
      else this.#perform(this.session.onFrame(frame, this.room.clock.moment));
    });
  }

  #onClosed(line: Line): void {
    if (line !== this.line) return;
    this.session.disconnected();
    if (this.outcome.kind === 'knocking' || this.outcome.kind === 'in') this.outcome = { kind: 'cut' };
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.outcome = { kind: 'failed', error };
      if (this.line !== null) this.room.hangUp(this.line);
    }
  }

  #performJoining(effects: readonly JoiningEffect[]): void {
    const { client } = this.room.answers;
    for (const effect of effects) {
      switch (effect.kind) {
        case 'send':
          if (this.line !== null) this.room.toHost(this.line, effect.frame);
          break;
        case 'question':
          this.question = effect.question;
          break;
        case 'ask': {
          this.asked.push(effect);
          const typed = this.#typed[effect.what].shift();
          if (typed !== undefined) this.type(effect.what, typeof typed === 'string' ? typed : typed());
          break;
        }
        case 'start-answer':
          this.#performJoining(this.#joining?.answerStarted(client.start(effect.answer)) ?? []);
          break;
        case 'finish-answer': {
          const identifiers = answerIdentifiers(this.room.id, TEST_PIN);
          const { state, ke2, answer } = effect;
          const result = client.finish({ state, ke2, answer, identifiers });
          this.#performJoining(this.#joining?.answerFinished(result) ?? []);
          break;
        }
        case 'start-password':
          this.#performJoining(this.#joining?.passwordStarted(client.start(effect.password)) ?? []);
          break;
        case 'finish-password': {
          const identifiers = answerIdentifiers(this.room.id, TEST_PIN);
          const { state, ke2, password: answer } = effect;
          const result = client.finish({ state, ke2, answer, identifiers });
          this.#performJoining(this.#joining?.passwordFinished(result) ?? []);
          break;
        }
        case 'account-proved':
          break;
        case 'waiting':
          this.waits = true;
          break;
        case 'welcomed':
          this.waits = false;
          this.welcome = effect.welcome;
          this.outcome = { kind: 'in' };
          this.#joining = null;
          this.#perform(this.session.welcomed(effect.welcome, this.room.clock.moment));
          break;
        case 'refused':
          this.outcome = { kind: 'refused', reason: effect.reason, triesLeft: effect.triesLeft };
          this.hostVersion = effect.version;
          if (this.line !== null) this.room.hangUp(this.line);
          break;
      }
    }
  }

  #perform(effects: readonly SessionEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'send':
          if (this.line !== null) this.room.toHost(this.line, effect.frame);
          break;
        case 'event':
          if (effect.event.kind === 'joined') this.firstWelcome = this.welcome;
          this.events.push(effect.event);
          break;
        case 'start-registration': {
          const made = this.room.answers.client.startRegistration(effect.password);
          this.#perform(this.session.registrationStarted(made));
          break;
        }
        case 'finish-registration': {
          const identifiers = answerIdentifiers(this.room.id, TEST_PIN);
          const { state, response, password: answer } = effect;
          const { client } = this.room.answers;
          const record = client.finishRegistration({ state, response, answer, identifiers });
          this.#perform(this.session.registrationFinished(record));
          break;
        }
        case 'make-wrap-keys':
          this.wantsWrapKeys = true;
          break;
        case 'reconnect':
          this.wantsReconnect = true;
          break;
      }
    }
  }
}
