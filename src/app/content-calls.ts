/** What a person asks to be said about an earlier message: the content that says it, or why it cannot be said. */
import type { KnownMessage } from '../member/message-book.ts';
import type { Session } from '../member/session.ts';
import { bytesEqual } from '../protocol/bytes.ts';
import { type Content, idReference } from '../protocol/content.ts';
import { InputError } from '../protocol/errors.ts';
import type { ConversationId } from '../protocol/identifiers.ts';
import { isReaction } from '../protocol/reaction.ts';
import type { ContentCall } from '../terminal/commands/calls.ts';
import type { Front } from './front/front.ts';

export interface ContentContext {
  readonly front: Pick<Front, 'messageCalled' | 'latestOfOthers'>;
  readonly session: Pick<Session, 'messageCalled' | 'latestOwn' | 'policy' | 'self' | 'unplaced'>;
  /** The conversation that one is in; `null` where it has ended, or nobody has begun it yet. */
  readonly here: ConversationId | null;
}

/** A content, and the conversation of the message that it is about. */
export interface Placed {
  readonly content: Content;
  readonly conversation: ConversationId;
}

type Called = NonNullable<ReturnType<Session['messageCalled']>>;

/** @throws InputError when there is no such message, or this cannot be done to it */
export function contentOf(call: ContentCall, context: ContentContext): Placed {
  switch (call.name) {
    case 're':
      return saidHere(answer(call.text, idCalled(call.id, context), context), context);
    case 'fix': {
      if (call.text.trim() === '') throw new InputError('empty', 'There is nothing to say in that.');
      const called = ownMessage(call.id, context);
      if (called.message.isFile)
        throw new InputError(
          'is-file',
          'That offers a file, whose name stays. /cancel takes it back; /ids on shows other messages.',
        );
      return about('edit', called, call.text);
    }
    case 'delete':
      return about('delete', ownMessage(call.id, context), '');
    case 'react': {
      if (call.text !== '' && !isReaction(call.text))
        throw new InputError(
          'bad-reaction',
          'A reaction is one emoji, letter or sign: /react 👍, or /react +1.',
        );
      if (call.id !== null)
        return about('reaction', standing(idCalled(call.id, context), context), call.text);
      return saidHere(about('reaction', standing(latestOfOthers(context), context), call.text), context);
    }
  }
}

/** @param id of a message, as programs name it */
export function answer(text: string, id: string, context: Pick<ContentContext, 'session'>): Placed {
  return about('text', standing(id, context), text);
}

/**
 * What is typed goes where the prompt says, or nowhere.
 * @throws InputError `elsewhere` for something about a message of another conversation
 */
function saidHere(placed: Placed, { here }: Pick<ContentContext, 'here'>): Placed {
  if (here === null || !bytesEqual(placed.conversation, here))
    throw new InputError(
      'elsewhere',
      'Nothing was sent: that message was said elsewhere. /join leads there, or back to the room.',
    );
  return placed;
}

function about(kind: Content['kind'], { conversation, message }: Called, text: string): Placed {
  return { conversation, content: { kind, reference: referenceTo(message), text } };
}

function idCalled(name: string, { front }: ContentContext): string {
  const id = front.messageCalled(name);
  if (id === null) throw noSuchMessage(name);
  return id;
}

function latestOfOthers({ front }: ContentContext): string {
  const id = front.latestOfOthers;
  if (id === null) throw new InputError('no-such-message', 'Nobody else has said anything here yet.');
  return id;
}

/** A message that is there. */
function standing(id: string, { session }: Pick<ContentContext, 'session'>): Called {
  const called = session.messageCalled(id);
  if (called === null) throw noSuchMessage(id);
  if (called.message.isDeleted) throw new InputError('was-deleted', 'That message has been deleted.');
  return called;
}

/** One of one's own that may be changed. */
function ownMessage(name: string | null, context: ContentContext): Called {
  const { session, here } = context;
  if (!session.policy.edits)
    throw new InputError('edits-off', 'In this room, what has been said is not changed or deleted.');
  // What was said last may have no place yet: the one before it is not meant.
  if (name === null && session.unplaced > 0)
    throw new InputError('not-placed', 'What you said last has no place yet. Wait until it is shown.');
  const latest = here === null ? null : session.latestOwn(here);
  const id = name === null ? latest?.id : idCalled(name, context);
  if (id === undefined) throw new InputError('no-such-message', 'You have said nothing here yet.');
  const called = standing(id, context);
  const { message } = called;
  if (message.from.key !== session.self?.key)
    throw new InputError('not-yours', `${message.from.nick} said that: only they can change or delete it.`);
  return called;
}

function referenceTo({ id }: KnownMessage): Content['reference'] {
  const reference = idReference(id);
  if (reference === null) throw new Error('a message with an id that is none');
  return reference;
}

function noSuchMessage(name: string): InputError {
  return new InputError(
    'no-such-message',
    `No message ${name} is remembered here. /ids on shows the numbers of messages.`,
  );
}
