/**
 * What was said of late in one log, and what became of it: answered, changed, deleted, reacted to, read. It decides what a
 * content means at its place, by what stands before it alone, so that everyone who has seen the same comes to the same.
 * @see docs/protocol.md#content
 */
import type { RosterMember } from '../crypto/roster.ts';
import { cleanText } from '../protocol/clean-text.ts';
import { isSaid, messageId, type ReadContent, referenceId, type SaidKind } from '../protocol/content.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { decodeOffer } from '../protocol/file-offer.ts';
import type { ConversationId, Hash, IdKey } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import { isReaction } from '../protocol/reaction.ts';
import type { Policy as RoomPolicy } from '../protocol/room-settings.ts';
import { event, type Quoted, type SessionEffect, type SessionEvent } from './events.ts';
import { Latest } from './latest.ts';

/** What of the room's policy decides here. */
type Policy = Pick<RoomPolicy, 'edits' | 'readReceipts'>;

/** Messages remembered: more than a person scrolls back to answer, and half a megabyte of them. */
export const MESSAGES_KEPT = 1_024;
/** Of one message. Past it, another one tells nobody anything. */
const REACTIONS_KEPT = 256;
/** Of a text that is quoted: the rest of a row of 80 columns. */
const EXCERPT_CHARACTERS = 48;
/** One member alone must not fill a screen with warnings. */
const WARN_AGAIN_MS = 60_000;

/** What stands at a place of the log. */
export interface PlacedContent {
  readonly leaf: Hash;
  readonly from: RosterMember;
  readonly content: ReadContent;
  readonly atMs: number;
  /** When it is to be forgotten; not given: never. */
  readonly goesAtMs?: number;
  readonly own: boolean;
  /** By somebody else, while this member had no line. */
  readonly away?: boolean;
  readonly ref: string | null;
}

interface Message {
  readonly id: string;
  readonly from: RosterMember;
  readonly saidAtMs: number;
  /** Counts what was said, so that of two messages the later one is known. */
  readonly place: number;
  /** Empty where the text is not known, or no more. */
  excerpt: string;
  /** Its text could be read. */
  readonly isOpened: boolean;
  /** A file is offered, under a name that stays. */
  readonly isFile: boolean;
  isDeleted: boolean;
  readonly reactions: Map<IdKey, string>;
}

/** What others may know of a message in the book. */
export type KnownMessage = Pick<Message, 'id' | 'from' | 'isDeleted' | 'isFile'>;

export class MessageBook {
  readonly #messages = new Latest<string, Message>(MESSAGES_KEPT);
  /** The place up to which each member has read. */
  readonly #read = new Latest<IdKey, number>(LIMITS.membersMost);
  /** By member and code. */
  readonly #toldAtMs = new Latest<string, number>(LIMITS.membersMost);
  readonly #self: IdKey;
  readonly #conversation: ConversationId;
  #places = 0;

  constructor(self: IdKey, conversation: ConversationId) {
    this.#self = self;
    this.#conversation = conversation;
  }

  /** @returns `null` for what was never said here, or too long ago */
  find(id: string): KnownMessage | null {
    return this.#messages.get(id) ?? null;
  }

  /** The latest of one's own, deleted or not: what comes before it is never taken for it. */
  get latestOwn(): KnownMessage | null {
    return (
      this.#messages.values().findLast(({ from, isOpened }) => from.key === this.#self && isOpened) ?? null
    );
  }

  /** What was said before then is to be remembered no more. */
  expire(beforeMs: number): void {
    for (const { id, saidAtMs } of this.#messages.values())
      if (saidAtMs < beforeMs) this.#messages.delete(id);
  }

  /** A message that could not be opened: whose it is, is known all the same. */
  unopened(id: string, from: RosterMember, saidAtMs: number): void {
    this.#keep({ id, from, saidAtMs, excerpt: '', isOpened: false, isFile: false });
  }

  /** @returns what there is to tell of it */
  placed(placed: PlacedContent, policy: Policy): SessionEffect[] {
    const { content, from, atMs } = placed;
    if (content.kind === 'file') return this.#file(placed);
    if (isSaid(content.kind)) return [event(this.#said(placed, content.kind))];
    const id = referenceId(content.reference);
    switch (content.kind) {
      case 'edit':
        return id === null ? this.#notShown(from, atMs) : this.#edit(id, placed, policy);
      case 'delete':
        return id === null ? this.#notShown(from, atMs) : this.#delete(id, placed, policy);
      case 'reaction':
        return id === null ? this.#notShown(from, atMs) : this.#reaction(id, placed);
      case 'read':
        return id === null || !policy.readReceipts ? [] : this.#readTo(id, placed);
      case 'about':
        return [];
      case 'unknown':
        return this.#notShown(from, atMs);
    }
  }

  /** An offer that cannot be one is shown as what it is: something that a newer program may understand. */
  #file(placed: PlacedContent): SessionEffect[] {
    const { from, content, atMs } = placed;
    try {
      const offer = decodeOffer(content.reference);
      return [event({ ...this.#said(placed, 'file'), file: offer })];
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return this.#notShown(from, atMs);
    }
  }

  #said(placed: PlacedContent, kind: SaidKind): SessionEvent & { readonly kind: 'message' } {
    const { leaf, from, content, atMs, goesAtMs, own, away = false, ref } = placed;
    const id = messageId(leaf);
    const answered = kind === 'file' ? null : referenceId(content.reference);
    const replyTo = answered === null ? null : this.#quoted(answered);
    const isFile = kind === 'file';
    this.#keep({ id, from, saidAtMs: atMs, excerpt: excerptOf(content.text), isOpened: true, isFile });
    const conversation = this.#conversation;
    return {
      kind: 'message',
      conversation,
      id,
      content: kind,
      from,
      text: content.text,
      replyTo,
      atMs,
      own,
      away,
      ref,
      ...(goesAtMs !== undefined && { goesAtMs }),
    };
  }

  #edit(id: string, { from, content, atMs, own }: PlacedContent, policy: Policy): SessionEffect[] {
    if (!policy.edits) return this.#forbidden(from, 'change', atMs);
    const message = this.#messages.get(id);
    if (message !== undefined && message.from.key !== from.key)
      return this.#warn(
        from,
        'not-theirs',
        `${from.nick} tried to change what ${message.from.nick} said`,
        atMs,
      );
    if (message?.isDeleted)
      return this.#warn(from, 'was-deleted', `${from.nick} tried to change what was deleted before`, atMs);
    if (message?.isFile) return this.#notShown(from, atMs);
    const about = this.#quoted(id);
    if (message !== undefined) message.excerpt = excerptOf(content.text);
    return [
      event({ kind: 'edited', conversation: this.#conversation, about, from, text: content.text, atMs, own }),
    ];
  }

  #delete(id: string, { from, atMs, own }: PlacedContent, policy: Policy): SessionEffect[] {
    if (!policy.edits) return this.#forbidden(from, 'delete', atMs);
    const message = this.#messages.get(id);
    if (message !== undefined && message.from.key !== from.key)
      return this.#warn(
        from,
        'not-theirs',
        `${from.nick} tried to delete what ${message.from.nick} said`,
        atMs,
      );
    if (message?.isDeleted) return [];
    if (message !== undefined) {
      message.isDeleted = true;
      message.excerpt = '';
      message.reactions.clear();
    }
    return [
      event({ kind: 'deleted', conversation: this.#conversation, about: this.#quoted(id), from, atMs, own }),
    ];
  }

  #reaction(id: string, { from, content, atMs, own }: PlacedContent): SessionEffect[] {
    const { text } = content;
    if (text !== '' && !isReaction(text)) return this.#notShown(from, atMs);
    const message = this.#messages.get(id);
    if (message !== undefined) {
      // Deleted while it was under way: nobody has done anything wrong.
      if (message.isDeleted || text === (message.reactions.get(from.key) ?? '')) return [];
      if (text === '') message.reactions.delete(from.key);
      else if (message.reactions.has(from.key) || message.reactions.size < REACTIONS_KEPT)
        message.reactions.set(from.key, text);
      else return [];
    }
    return [
      event({
        kind: 'reaction',
        conversation: this.#conversation,
        about: this.#quoted(id),
        from,
        text,
        atMs,
        own,
      }),
    ];
  }

  #readTo(id: string, { from, atMs, own }: PlacedContent): SessionEffect[] {
    const place = this.#messages.get(id)?.place ?? 0;
    const before = this.#read.get(from.key) ?? 0;
    if (place <= before) return [];
    this.#read.set(from.key, place);
    return own
      ? []
      : [
          event({
            kind: 'read',
            conversation: this.#conversation,
            id,
            from,
            atMs,
            ofOwn: this.#hasOwn(before, place),
          }),
        ];
  }

  /** Whether one's own messages stand after one place and up to another. */
  #hasOwn(after: number, to: number): boolean {
    return this.#messages
      .values()
      .some(({ from, place }) => from.key === this.#self && place > after && place <= to);
  }

  #quoted(id: string): Quoted {
    const message = this.#messages.get(id);
    if (message === undefined) return { id, from: null, excerpt: '', saidAtMs: null };
    const { from, excerpt, saidAtMs } = message;
    return { id, from, excerpt, saidAtMs };
  }

  #keep(message: Omit<Message, 'place' | 'isDeleted' | 'reactions'>): void {
    this.#places += 1;
    const { id } = message;
    this.#messages.set(id, { ...message, place: this.#places, isDeleted: false, reactions: new Map() });
  }

  /** Of a newer program, or of nobody's: there is nothing wrong with it that could be proved. */
  #notShown(from: RosterMember, atMs: number): SessionEffect[] {
    return this.#warn(from, 'not-shown', `${from.nick} sent a message that this version cannot show`, atMs);
  }

  #forbidden(from: RosterMember, what: 'change' | 'delete', atMs: number): SessionEffect[] {
    const text = `${from.nick} tried to ${what} a message, which this room does not allow`;
    return this.#warn(from, 'edits-off', text, atMs);
  }

  /** What a member does alone is a warning that names them, now and then. What they did it to stays as it is. */
  #warn(from: RosterMember, code: string, text: string, atMs: number): SessionEffect[] {
    const key = `${from.key} ${code}`;
    const toldAtMs = this.#toldAtMs.get(key) ?? Number.NEGATIVE_INFINITY;
    if (atMs >= toldAtMs && atMs - toldAtMs < WARN_AGAIN_MS) return [];
    this.#toldAtMs.set(key, atMs);
    const level = code === 'not-shown' ? 'info' : 'warning';
    return [event({ kind: 'notice', level, code, text: `${text}.` })];
  }
}

/** On one row, and as far as it fits there. */
function excerptOf(text: string): string {
  return cleanText(text.replaceAll(/\s+/gu, ' ').trim(), { maxCodePoints: EXCERPT_CHARACTERS });
}
