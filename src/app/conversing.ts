/**
 * Where what a person types goes: the room, one member alone, or a conversation. A name that is unknown, or stands for more
 * than one, sends nothing to anyone.
 */
import type { RosterMember } from '../crypto/roster.ts';
import type { ConversationView, SessionEvent } from '../member/events.ts';
import type { Session } from '../member/session.ts';
import { bytesEqual, toBase64url } from '../protocol/bytes.ts';
import type { Content } from '../protocol/content.ts';
import { InputError } from '../protocol/errors.ts';
import { type ConversationId, type IdKey, idKey, ROOM_CONVERSATION } from '../protocol/identifiers.ts';
import type { ConversationCall } from '../terminal/commands/calls.ts';
import { conversationText, labelOf, namesOf } from './conversation-text.ts';
import type { Membership } from './membership.ts';

export interface ConversingContext {
  readonly membership: Pick<
    Membership,
    | 'session'
    | 'say'
    | 'sayTo'
    | 'sayIn'
    | 'makeConversation'
    | 'changeConversation'
    | 'renameConversation'
    | 'partConversation'
  >;
  readonly session: Session;
  readonly tell: (code: string, text: string) => void;
  /** @throws InputError when nobody of that name is here */
  readonly memberCalled: (nick: string) => RosterMember;
}

/** `gone`: the one that was talked in ended, and what is typed next is not to land somewhere else. */
type Place =
  | { readonly kind: 'room' }
  | { readonly kind: 'conversation'; readonly id: ConversationId }
  | { readonly kind: 'direct'; readonly member: IdKey }
  | { readonly kind: 'gone'; readonly label: string };

const ROOM: Place = { kind: 'room' };
/** Where `/join` leads back to the room. */
const ROOM_NAMES: ReadonlySet<string> = new Set(['room', '#room']);

export class Conversing {
  #place: Place = ROOM;
  /** Messages by others since one was last there or said something there, by conversation. */
  readonly #unread = new Map<IdKey, number>();
  /** Who wrote last to this person alone. */
  #lastDirect: IdKey | null = null;

  /** Follows what happens. */
  follow(event: SessionEvent, session: Session | null): void {
    if (event.kind === 'message') {
      const key = idKey(event.conversation);
      // Whoever answers has read what stands above.
      if (event.own) {
        this.#unread.delete(key);
        return;
      }
      const view = viewOf(session, event.conversation);
      if (view?.isDirect === true) this.#lastDirect = event.from.key;
      if (key !== this.#key(session)) this.#unread.set(key, (this.#unread.get(key) ?? 0) + 1);
    } else if (event.kind === 'conversation' && event.change === 'closed') {
      const key = idKey(event.conversation.id);
      this.#unread.delete(key);
      if (
        key === this.#key(session) ||
        (this.#place.kind === 'conversation' && idKey(this.#place.id) === key)
      )
        this.#place = { kind: 'gone', label: labelOf(event.conversation, session?.conversations ?? []) };
    }
  }

  /** For the prompt: where one is, if not in the room, and how much is unread elsewhere. */
  status(session: Session | null): { readonly place?: string; readonly unread: number } {
    const unread = [...this.#unread.values()].reduce((sum, count) => sum + count, 0);
    const place = this.#placeLabel(session);
    return { unread, ...(place !== null && { place }) };
  }

  #placeLabel(session: Session | null): string | null {
    const place = this.#place;
    switch (place.kind) {
      case 'room':
        return null;
      case 'gone':
        return `${place.label}, closed`;
      case 'direct': {
        const member = session?.members.find(({ member: each }) => each.key === place.member)?.member;
        return `@${member?.nick ?? 'gone'}`;
      }
      case 'conversation': {
        const view = viewOf(session, place.id);
        return view === undefined ? null : labelOf(view, session?.conversations ?? []);
      }
    }
  }

  /** Where what is typed goes, as long as nothing else is said. @throws InputError when that is not there any more */
  say(content: Content, ref: string | null, { membership, session }: ConversingContext): void {
    const place = this.#place;
    switch (place.kind) {
      case 'room':
        return membership.say(content, ref);
      case 'conversation':
        return membership.sayIn(place.id, content, ref);
      case 'direct': {
        const shown = session.members.find(({ member }) => member.key === place.member);
        if (shown === undefined)
          throw new InputError(
            'no-such-member',
            'They are not in the room any more. /join leads back to the room.',
          );
        return membership.sayTo(shown.member, content, ref);
      }
      case 'gone':
        throw new InputError(
          'conversation-gone',
          `Not sent: you are not in ${place.label} any more. /join leads back to the room.`,
        );
    }
  }

  /**
   * Says it to whoever or whatever a program names: a nickname, or a conversation's id.
   * @throws InputError when nobody and nothing is called that
   */
  sayTo(to: string, content: Content, ref: string | null, context: ConversingContext): void {
    const { membership, session } = context;
    if (to === toBase64url(ROOM_CONVERSATION)) return membership.say(content, ref);
    const view = session.conversations.find(({ id }) => toBase64url(id) === to);
    if (view !== undefined) return membership.sayIn(view.id, content, ref);
    membership.sayTo(context.memberCalled(nickOf(to)), content, ref);
  }

  /**
   * Says it where a person names: a nickname, a conversation of theirs, or the room.
   * @throws InputError when nobody and nothing is called that, or more than one is
   */
  sayCalled(to: string, content: Content, context: ConversingContext): void {
    sayThere(destinationCalled(to, context), { content, ref: null }, context.membership);
  }

  /**
   * An answer goes where the answered message stands: to nobody, where a program means somewhere else.
   * @throws InputError `elsewhere`, or as `sayTo`
   */
  checkThere(to: string, conversation: ConversationId, { session, memberCalled }: ConversingContext): void {
    if (to === toBase64url(conversation)) return;
    const isKnown = session.conversations.some(({ id }) => toBase64url(id) === to);
    const key = isKnown || to === toBase64url(ROOM_CONVERSATION) ? null : memberCalled(nickOf(to)).key;
    const view = viewOf(session, conversation);
    if (key !== null && view?.isDirect === true && view.partner?.key === key) return;
    throw new InputError('elsewhere', 'Nothing was sent: the message that this answers was not said there.');
  }

  /** In the room or a conversation beside it, wherever one is. */
  sayIn(
    conversation: ConversationId,
    content: Content,
    ref: string | null,
    { membership }: ConversingContext,
  ): void {
    if (bytesEqual(conversation, ROOM_CONVERSATION)) membership.say(content, ref);
    else membership.sayIn(conversation, content, ref);
  }

  /** The conversation that one is in; `null` where it has ended, or nobody has begun it yet. */
  hereId(session: Session): ConversationId | null {
    return this.#place.kind === 'room' ? ROOM_CONVERSATION : (this.here(session)?.id ?? null);
  }

  /** Of the conversation that one is in, for commands that are about it; `null` in the room. */
  here(session: Session | null): ConversationView | null {
    const { kind } = this.#place;
    if (kind === 'room' || kind === 'gone') return null;
    const key = this.#key(session);
    return session?.conversations.find(({ id }) => idKey(id) === key) ?? null;
  }

  /** Where what one types goes, and who reads it; `null` for the room. Its id is `null` where nobody has begun it yet. */
  readers(session: Session): {
    readonly label: string;
    readonly id: ConversationId | null;
    readonly members: readonly IdKey[];
  } | null {
    const label = this.#placeLabel(session);
    const view = this.here(session);
    if (view !== null && label !== null)
      return { label, id: view.id, members: view.members.map(({ member }) => member.key) };
    if (this.#place.kind !== 'direct' || label === null || session.self === undefined) return null;
    return { label, id: null, members: [session.self.key, this.#place.member] };
  }

  obey(call: ConversationCall, content: (text: string) => Content, context: ConversingContext): void {
    const { membership, session, tell, memberCalled } = context;
    switch (call.name) {
      case 'msg':
        return membership.sayTo(memberCalled(call.nick), content(call.text), null);
      case 'reply':
        return membership.sayTo(this.#lastWriter(session), content(call.text), null);
      case 'new': {
        const members = call.nicks.map(memberCalled);
        const id = membership.makeConversation(call.conversation, members);
        this.#place = { kind: 'conversation', id };
        const whom = members.length === 0 ? '' : ` with ${members.map(({ nick }) => nick).join(', ')}`;
        return tell(
          'conversation',
          `What you type goes to ${call.conversation}${whom} now; /join leads back to the room.`,
        );
      }
      case 'join':
        return this.#join(call.conversation, context);
      case 'conversations':
        for (const line of conversationText(session.conversations, this.#unread)) tell('conversations', line);
        return;
      case 'part': {
        const view = call.conversation === null ? this.#made(session) : called(call.conversation, session);
        return membership.partConversation(view.id);
      }
      case 'rename': {
        const view = called(call.conversation, session);
        return membership.renameConversation(view.id, { name: call.to });
      }
      case 'invite-to': {
        const members = call.nicks.map((nick) => memberCalled(nick).memberId);
        return membership.changeConversation(called(call.conversation, session).id, { kind: 'add', members });
      }
      case 'remove-from': {
        const view = called(call.conversation, session);
        const member = seated(view, call.nick).memberId;
        return membership.changeConversation(view.id, { kind: 'remove', member });
      }
      case 'op-in':
      case 'deop-in':
      case 'hand-over': {
        const view = called(call.conversation, session);
        const member = seated(view, call.nick).memberId;
        const role = ROLES[call.name];
        return membership.changeConversation(view.id, { kind: 'role', member, role });
      }
    }
  }

  /** Of the conversation that one is in. @throws InputError for the room and for a conversation of two */
  setTopic(topic: string, { membership, session }: ConversingContext): void {
    membership.renameConversation(this.#made(session).id, { topic });
  }

  #made(session: Session): ConversationView {
    const here = this.here(session);
    if (here === null || here.isDirect)
      throw new InputError('no-such-conversation', 'Name the conversation: /conversations lists yours.');
    return here;
  }

  #join(name: string | null, context: ConversingContext): void {
    const { session, tell, memberCalled } = context;
    if (name === null || ROOM_NAMES.has(name)) {
      this.#place = ROOM;
      this.#unread.delete(idKey(ROOM_CONVERSATION));
      return tell('conversation', 'What you type goes to the room.');
    }
    if (name.startsWith('@')) {
      const member = memberCalled(name.slice(1).toLowerCase());
      if (member.key === session.self?.key) throw new InputError('not-allowed', 'That is you.');
      this.#place = { kind: 'direct', member: member.key };
      this.#unread.delete(this.#key(session) ?? '');
      return tell(
        'conversation',
        `What you type goes to ${member.nick} alone; /join leads back to the room.`,
      );
    }
    const view = called(name, session);
    this.#place = { kind: 'conversation', id: view.id };
    this.#unread.delete(idKey(view.id));
    const { topic } = view;
    const about = topic === '' ? '' : ` Topic: ${topic}.`;
    tell(
      'conversation',
      `What you type goes to ${labelOf(view, session.conversations)}: ${namesOf(view)}.${about} /join leads back to the room.`,
    );
  }

  #lastWriter(session: Session): RosterMember {
    if (this.#lastDirect === null)
      throw new InputError(
        'no-such-member',
        'Nobody has written to you alone. /msg NICK TEXT writes to someone.',
      );
    const shown = session.members.find(({ member }) => member.key === this.#lastDirect);
    if (shown === undefined)
      throw new InputError('no-such-member', 'Whoever wrote to you last is not in the room any more.');
    return shown.member;
  }

  /** The conversation that one is in, as messages name it. */
  #key(session: Session | null): IdKey | null {
    const place = this.#place;
    if (place.kind === 'room') return idKey(ROOM_CONVERSATION);
    if (place.kind === 'conversation') return idKey(place.id);
    if (place.kind === 'gone') return null;
    const direct = session?.conversations.find(({ partner }) => partner?.key === place.member);
    return direct === undefined ? null : idKey(direct.id);
  }
}

/** Where a name leads. */
export type Destination =
  | { readonly kind: 'room' }
  | { readonly kind: 'conversation'; readonly id: ConversationId }
  | { readonly kind: 'direct'; readonly member: RosterMember };

/**
 * Where a person means by a nickname, the name of a conversation of theirs, or `room`.
 * @throws InputError when nobody and nothing is called that, or more than one is
 */
export function destinationCalled(
  to: string,
  {
    session,
    memberCalled,
  }: {
    readonly session: Pick<Session, 'members' | 'conversations'>;
    readonly memberCalled: ConversingContext['memberCalled'];
  },
): Destination {
  if (ROOM_NAMES.has(to)) return { kind: 'room' };
  const name = to.replace(/^[@#]/u, '').normalize('NFC').toLowerCase();
  const isNick = session.members.some(({ member }) => member.nick === name);
  const isMade = session.conversations.some((view) => !view.isDirect && view.name?.toLowerCase() === name);
  if (!/^[@#]/u.test(to) && isNick && isMade)
    throw new InputError('ambiguous', `Which one? @${name}, or #${name}. Nothing was sent.`);
  const isConversation = to.startsWith('#') || (!to.startsWith('@') && !isNick);
  if (isConversation && (isMade || to.startsWith('#')))
    return { kind: 'conversation', id: called(to, session).id };
  return { kind: 'direct', member: memberCalled(name) };
}

/** @throws InputError as the membership does */
export function sayThere(
  there: Destination,
  { content, ref }: { readonly content: Content; readonly ref: string | null },
  membership: Pick<Membership, 'say' | 'sayIn' | 'sayTo'>,
): void {
  switch (there.kind) {
    case 'room':
      return membership.say(content, ref);
    case 'conversation':
      return membership.sayIn(there.id, content, ref);
    case 'direct':
      return membership.sayTo(there.member, content, ref);
  }
}

/** As people write it: with or without `@`, in any case. */
function nickOf(text: string): string {
  return text.replace(/^@/u, '').toLowerCase();
}

const ROLES = { 'op-in': 'moderator', 'deop-in': 'member', 'hand-over': 'owner' } as const;

function viewOf(session: Session | null, id: ConversationId): ConversationView | undefined {
  return session?.conversations.find((each) => bytesEqual(each.id, id));
}

/**
 * By its name; where several have that, by name and maker.
 * @throws InputError `no-such-conversation` or `ambiguous`
 */
function called(name: string, session: Pick<Session, 'conversations'>): ConversationView {
  const made = session.conversations.filter(({ isDirect }) => !isDirect);
  const wanted = name.replace(/^#/u, '').normalize('NFC').toLowerCase();
  const labels = made.map((view) => ({ view, label: labelOf(view, made).toLowerCase() }));
  const fitting = labels.filter(({ view, label }) => label === wanted || view.name?.toLowerCase() === wanted);
  const exact = fitting.filter(({ label }) => label === wanted);
  const [found, another] = exact.length > 0 ? exact : fitting;
  if (found === undefined)
    throw new InputError(
      'no-such-conversation',
      `You are in no conversation called ${name}. /conversations lists yours.`,
    );
  if (another !== undefined) {
    const all = fitting.map(({ label }) => label).join(', ');
    throw new InputError('ambiguous', `Which one? ${all}. Nothing was sent or changed.`);
  }
  return found.view;
}

/** @throws InputError when nobody in it is called that */
function seated(view: ConversationView, nick: string): RosterMember {
  const seat = view.members.find(({ member }) => member.nick === nick);
  if (seat === undefined)
    throw new InputError(
      'no-such-member',
      `Nobody in that conversation is called ${nick}: ${namesOf(view)}.`,
    );
  return seat.member;
}
