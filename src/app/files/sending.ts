/**
 * A run that only sends files: offers them in a room where it says nothing else, and waits until whoever they are for has
 * them. What is said in the room meanwhile is neither shown nor taken note of.
 */
import type { RosterMember } from '../../crypto/roster.ts';
import type { SessionEvent } from '../../member/events.ts';
import { FileBook } from '../../member/file-book.ts';
import { type FileView, hasIt, isOpen } from '../../member/file-view.ts';
import type { Session } from '../../member/session.ts';
import { bytesEqual, toBase64url } from '../../protocol/bytes.ts';
import { cleanText } from '../../protocol/clean-text.ts';
import { deletion } from '../../protocol/content.ts';
import { formatDuration } from '../../protocol/duration.ts';
import { InputError } from '../../protocol/errors.ts';
import {
  type ConversationId,
  type IdKey,
  ROOM_CONVERSATION,
  type RoomId,
} from '../../protocol/identifiers.ts';
import { LIMITS } from '../../protocol/limits.ts';
import { FEATURE } from '../../protocol/version.ts';
import { type Destination, destinationCalled, sayThere } from '../conversing.ts';
import { type EventContext, fileEvent, jsonEvents } from '../event-view.ts';
import { EXIT } from '../exit-codes.ts';
import { fileRows } from '../file-rows.ts';
import { type Outcome, outcomeOfError } from '../finish.ts';
import type { Front } from '../front/front.ts';
import type { Membership } from '../membership.ts';
import type { SendOptions } from '../options.ts';
import { tellIfSlow } from '../tell-if-slow.ts';
import { FileDesk } from './file-desk.ts';
import { shownName } from './file-sentences.ts';
import { type Awaited, fateOf, nicksText, sendOutcome, withoutIt } from './send-fate.ts';

export interface SendingOptions {
  readonly roomId: RoomId;
  readonly roomName: string;
  readonly front: Pick<Front, 'emit' | 'setFiles'>;
  readonly membership: Pick<
    Membership,
    'session' | 'say' | 'sayIn' | 'sayTo' | 'openLine' | 'tellOfFile' | 'keep'
  >;
  readonly options: Pick<SendOptions, 'paths' | 'to' | 'waitMs' | 'files' | 'saved'>;
  /** Once: nothing is left to be done here. */
  readonly onOver: (outcome: Outcome) => void;
}

const TICK_MS = 250;
/** What is taken back is on its way for so long at the most. */
const CLOSING_MS = 3_000;

const INTERRUPTED: Outcome = {
  exitCode: EXIT.interrupted,
  problem: null,
  closed: { code: 'interrupted', reason: 'what nobody has taken is taken back' },
};

export class Sending {
  readonly #options: SendingOptions;
  readonly #timer: NodeJS.Timeout;
  #desk: FileDesk | null = null;
  #there: Destination | null = null;
  /** Whom it was for when it was offered: nobody who has come since can open it. */
  #readers: ReadonlySet<IdKey> = new Set();
  #allOffered = false;
  #placedCount = 0;
  /** By offer. Those that have disappeared are known here alone. */
  readonly #latest = new Map<string, FileView>();
  #movedAtMs = Date.now();
  /** By file and member: how much they have had at the most. */
  readonly #farthest = new Map<string, number>();
  #ending: { readonly outcome: Outcome; readonly sinceMs: number } | null = null;
  #isOver = false;

  constructor(options: SendingOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** What the session tells. */
  follow(event: SessionEvent): void {
    switch (event.kind) {
      case 'live':
        if (this.#desk === null) return this.#begin();
        this.#desk.follow(event);
        return this.#show(event);
      case 'alarm':
        this.#show(event);
        return this.#end(this.#heldBack());
      case 'notice':
        this.#show(event);
        // Nobody is there to decide about a changed key.
        if (event.code === 'held-for-trust') return this.#end(this.#heldBack());
        if ((event.refs ?? []).length > 0) this.#end(refused(event.code, event.text));
        return;
      case 'message':
        return this.#placed(event);
      case 'file-wanted':
      case 'deleted':
        return this.#desk?.follow(event);
      case 'file-progress':
        this.#desk?.follow(event);
        return this.#moved();
      case 'roster':
      case 'conversation':
        return this.#judge();
      case 'closed':
        return this.#show(event);
    }
  }

  /** Ctrl-C: what nobody has is taken back; a second one does not wait for that. */
  interrupt(): void {
    if (this.#ending === null) this.#end(INTERRUPTED);
    else this.#over();
  }

  /** The membership has ended by itself: nothing can be told to anyone any more. */
  stop(): void {
    clearInterval(this.#timer);
    this.#isOver = true;
    this.#options.front.setFiles([]);
    void this.#desk?.close();
  }

  #begin(): void {
    const { membership, front, options, roomId } = this.#options;
    const session = membership.session;
    if (session === null || this.#ending !== null) return;
    this.#movedAtMs = Date.now();
    try {
      if (session.heldBack) return this.#end(this.#heldBack());
      if (!session.features.has(FEATURE.files))
        throw new InputError('not-supported', 'The host of this room knows no files. Nothing was sent.');
      this.#checkMany(session);
      this.#there = this.#destination(session);
      this.#readers = new Set(this.#readersNow().map(({ key }) => key));
      if (this.#readers.size === 0)
        throw new InputError('nobody', 'Nobody else is there to take it. Nothing was sent.');
    } catch (error) {
      return this.#end(outcomeOfError(error));
    }
    this.#desk = new FileDesk({
      ...{ roomId, membership },
      // What was offered or taken in the chat is the chat's to go on with.
      book: new FileBook(),
      settings: { ...options.files, autoAccept: [] },
      onView: (view) => {
        this.#latest.set(view.id, view);
        front.emit(fileEvent(view, this.#eventContext));
        this.#judge();
      },
      onMoved: (views) => front.setFiles(fileRows(views)),
      onNote: (text) => front.emit({ type: 'notice', level: 'info', code: 'files', text }),
      onUnsay: (message, conversation) => this.#unsay(message, conversation),
      onProblem: (error) => this.#end(outcomeOfError(error)),
    });
    this.#offerAll(this.#desk).catch((error: unknown) => this.#end(outcomeOfError(error)));
  }

  get #views(): readonly FileView[] {
    for (const view of this.#desk?.views ?? []) this.#latest.set(view.id, view);
    return [...this.#latest.values()];
  }

  /** The host would take more for an attack. */
  #checkMany(session: Session): void {
    const { paths } = this.#options.options;
    const before = session.files.countStanding((conversation) => session.readersOf(conversation));
    if (before + paths.length <= LIMITS.offersPerMember) return;
    throw new InputError(
      'too-many',
      `You offer ${before} files that somebody may still take, and ${LIMITS.offersPerMember} can be offered at a time. Send fewer, or /cancel some in the room.`,
    );
  }

  #destination(session: Session): Destination {
    const { to, saved } = this.#options.options;
    if (to === null) return { kind: 'room' };
    const memberCalled = (nick: string): RosterMember => {
      const found = session.members.find(({ member }) => member.nick === nick);
      if (found !== undefined) return found.member;
      const others = session.members.filter(({ member }) => member.key !== session.self?.key);
      const nicks = nicksText(others.map(({ member }) => member.nick));
      const who = nicks === '' ? 'Nobody else is there.' : `There are: ${nicks}.`;
      throw new InputError(
        'no-such-member',
        `Nothing was sent: nobody in @${saved} is called ${cleanText(nick)}. ${who}`,
      );
    };
    return destinationCalled(to, { session, memberCalled });
  }

  /** Of whom it is for, those who are there now. */
  #readersNow(): readonly Awaited[] {
    const session = this.#options.membership.session;
    const there = this.#there;
    if (session === null || there === null) return [];
    const room = session.members.map(({ member }) => member);
    const others = room.filter(({ key }) => key !== session.self?.key);
    if (there.kind === 'room') return others;
    if (there.kind === 'direct') return others.filter(({ key }) => key === there.member.key);
    const view = session.conversations.find(({ id }) => bytesEqual(id, there.id));
    const keys = new Set(view?.members.map(({ member }) => member.key));
    return others.filter(({ key }) => keys.has(key));
  }

  get #awaited(): readonly Awaited[] {
    return this.#readersNow().filter(({ key }) => this.#readers.has(key));
  }

  /** One after the other: each is an offer of its own. */
  async #offerAll(desk: FileDesk): Promise<void> {
    const { membership, front, options } = this.#options;
    for (const path of options.paths) {
      const self = membership.session?.self;
      if (this.#ending !== null || self === undefined) return;
      const offering = desk.send(path, self, (content) => {
        if (this.#ending !== null || this.#there === null)
          throw new InputError('not-sent', `${shownName(path)} was not sent.`);
        sayThere(this.#there, { content, ref: path }, membership);
      });
      tellIfSlow(offering, front, `Reading ${cleanText(path)}, to know what is offered…`);
      await offering;
      this.#movedAtMs = Date.now();
    }
    this.#allOffered = true;
    this.#tellWaiting();
    this.#judge();
  }

  /** Once the last offer stands in the room. */
  #tellWaiting(): void {
    const { front, options } = this.#options;
    if (!this.#allOffered || this.#placedCount < options.paths.length || this.#ending !== null) return;
    const whom = nicksText(this.#awaited.map(({ nick }) => nick));
    const text = `Waiting for ${whom} to take it. Ctrl-C takes back what nobody has.`;
    front.emit({ type: 'notice', level: 'info', code: 'sending', text });
  }

  #placed(event: Extract<SessionEvent, { readonly kind: 'message' }>): void {
    if (!event.own || event.ref === null || this.#desk === null) return;
    this.#desk.follow(event);
    this.#show(event);
    this.#movedAtMs = Date.now();
    this.#placedCount += 1;
    this.#tellWaiting();
    // It was on its way while it was given up.
    const id = event.file === undefined ? null : toBase64url(event.file.fileId);
    const view = this.#views.find((each) => each.id === id);
    if (view?.state === 'cancelled') this.#unsay(event.id, event.conversation);
  }

  #moved(): void {
    for (const { id, takers } of this.#views)
      for (const { member, state, doneBytes } of takers) {
        // That somebody declines or begins is news as well, once.
        for (const [what, amount] of [
          [member.key, doneBytes],
          [`${member.key} ${state}`, 1],
        ] as const) {
          const key = `${id} ${what}`;
          if (amount <= (this.#farthest.get(key) ?? 0)) continue;
          this.#farthest.set(key, amount);
          this.#movedAtMs = Date.now();
        }
      }
    this.#judge();
  }

  #judge(): void {
    const desk = this.#desk;
    if (desk === null || !this.#allOffered || this.#ending !== null) return;
    const awaited = this.#awaited;
    if (this.#views.every((view) => fateOf(view, awaited) !== 'open')) this.#end(this.#outcome());
  }

  #outcome(): Outcome {
    return sendOutcome(this.#views, this.#awaited, this.#options.options.waitMs);
  }

  #tick(): void {
    const { session } = this.#options.membership;
    const nowMs = Date.now();
    if (this.#ending !== null) {
      const isTold = session === null || session.unplaced === 0;
      if (isTold || nowMs - this.#ending.sinceMs >= CLOSING_MS) this.#over();
    } else if (nowMs - this.#movedAtMs >= this.#options.options.waitMs)
      this.#end(this.#desk === null ? this.#unreached() : this.#outcome());
  }

  #unreached(): Outcome {
    const text = `The room could not be reached for ${formatDuration(this.#options.options.waitMs)}. Nothing was sent.`;
    return { exitCode: EXIT.network, problem: { code: 'lost', text } };
  }

  #heldBack(): Outcome {
    const text = `Something is wrong in the room, and nothing more is sent. See what it is, and decide about it: securechat c @${this.#options.options.saved}`;
    return { exitCode: EXIT.security, problem: { code: 'held-back', text } };
  }

  /** What somebody has is over; anything else is taken back. */
  #end(outcome: Outcome): void {
    if (this.#ending !== null || this.#isOver) return;
    this.#ending = { outcome, sinceMs: Date.now() };
    const desk = this.#desk;
    const awaited = this.#awaited;
    for (const view of this.#views) {
      if (!isOpen(view.state)) continue;
      if (!view.takers.some(hasIt)) {
        desk?.cancel([view.number]);
        continue;
      }
      desk?.finish(view.id);
      const without = withoutIt(view, awaited);
      if (without.length === 0) continue;
      const text = `${shownName(view.name)} can no longer be taken; not everyone has it: ${nicksText(without)}.`;
      this.#options.front.emit({ type: 'notice', level: 'info', code: 'not-everyone', text });
    }
    // Usually there is nothing to wait for.
    if ((this.#options.membership.session?.unplaced ?? 0) === 0) this.#over();
  }

  #over(): void {
    if (this.#isOver || this.#ending === null) return;
    this.stop();
    this.#options.onOver(this.#ending.outcome);
  }

  /** As the room lets messages be taken back. */
  #unsay(message: string, conversation: ConversationId): void {
    const { membership } = this.#options;
    const { session } = membership;
    const content = deletion(message);
    // What is held back by an alarm does not go out, and nobody is there to wait for it.
    if (session === null || session.heldBack || !session.policy.edits || content === null) return;
    if (bytesEqual(conversation, ROOM_CONVERSATION)) membership.say(content, null);
    else membership.sayIn(conversation, content, null);
  }

  #show(event: SessionEvent): void {
    for (const json of jsonEvents(event, this.#eventContext)) this.#options.front.emit(json);
  }

  get #eventContext(): EventContext {
    const { roomId, roomName, membership } = this.#options;
    const { session } = membership;
    const here = { presence: 'online', online: true, lastSeenMs: null } as const;
    return {
      room: { id: roomId, name: roomName },
      settings: session?.settings ?? null,
      self: session?.self ?? null,
      conversations: session?.conversations ?? [],
      file: (id) => this.#views.find((view) => view.id === id),
      shown: (member) => session?.shown(member) ?? { ...here, member },
    };
  }
}

/** When what was said is so old that it has disappeared. */
function refused(code: string, text: string): Outcome {
  return { exitCode: EXIT.notAdmitted, problem: { code, text } };
}
