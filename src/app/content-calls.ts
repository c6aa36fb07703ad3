/** What a person asks to be said about an earlier message: the content that says it, or why it cannot be said. */
import type { KnownMessage } from '../member/message-book.ts';
import type { Session } from '../member/session.ts';
import { type Content, idReference, said } from '../protocol/content.ts';
import { InputError } from '../protocol/errors.ts';
import { isReaction } from '../protocol/reaction.ts';
import type { ContentCall } from '../terminal/commands/calls.ts';
import type { Front } from './front/front.ts';

export interface ContentContext {
  readonly front: Pick<Front, 'messageCalled' | 'latestOfOthers'>;
  readonly session: Pick<Session, 'book' | 'policy' | 'self' | 'unplaced'>;
}

/** @throws InputError when there is no such message, or this cannot be done to it */
export function contentOf(call: ContentCall, context: ContentContext): Content {
  switch (call.name) {
    case 're':
      return answer(call.text, idCalled(call.id, context), context);
    case 'fix': {
      if (call.text.trim() === '') throw new InputError('empty', 'There is nothing to say in that.');
      return { kind: 'edit', reference: ownMessage(call.id, context), text: call.text };
    }
    case 'delete':
      return { kind: 'delete', reference: ownMessage(call.id, context), text: '' };
    case 'react': {
      if (call.text !== '' && !isReaction(call.text))
        throw new InputError(
          'bad-reaction',
          'A reaction is one emoji, letter or sign: /react 👍, or /react +1.',
        );
      const id = call.id === null ? latestOfOthers(context) : idCalled(call.id, context);
      return { kind: 'reaction', reference: referenceTo(standing(id, context)), text: call.text };
    }
  }
}

/** @param id of a message, as programs name it */
export function answer(text: string, id: string, context: Pick<ContentContext, 'session'>): Content {
  return said('text', text, referenceTo(standing(id, context)));
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
function standing(id: string, { session }: Pick<ContentContext, 'session'>): KnownMessage {
  const message = session.book.find(id);
  if (message === null) throw noSuchMessage(id);
  if (message.isDeleted) throw new InputError('was-deleted', 'That message has been deleted.');
  return message;
}

/** One of one's own that may be changed. */
function ownMessage(name: string | null, context: ContentContext): Content['reference'] {
  const { session } = context;
  if (!session.policy.edits)
    throw new InputError('edits-off', 'In this room, what has been said is not changed or deleted.');
  // What was said last may have no place yet: the one before it is not meant.
  if (name === null && session.unplaced > 0)
    throw new InputError('not-placed', 'What you said last has no place yet. Wait until it is shown.');
  const id = name === null ? session.book.latestOwn?.id : idCalled(name, context);
  if (id === undefined) throw new InputError('no-such-message', 'You have said nothing here yet.');
  const message = standing(id, context);
  if (message.from.key !== session.self?.key)
    throw new InputError('not-yours', `${message.from.nick} said that: only they can change or delete it.`);
  return referenceTo(message);
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
