/**
 * Name and topic of a conversation: told inside it, so that the host and everyone who is not in it learn neither. Its
 * signed list commits to them, so that all who are in it are told the same.
 * @see docs/protocol.md#conversations
 */
import { aboutCommitment } from '../crypto/conversation-roster.ts';
import { type Bytes, bytesEqual, utf8 } from '../protocol/bytes.ts';
import { type Content, type ReadContent, SALT_BYTES } from '../protocol/content.ts';
import { InputError } from '../protocol/errors.ts';
import type { ConversationId, Hash } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';

export interface About {
  readonly salt: Bytes;
  /** The name, a line feed, the topic. */
  readonly text: string;
}

/** As one types it after a command: no spaces, and nothing that needs quoting. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N}._-]*$/u;

/** What programs call the room itself, and a conversation whose name has not come. */
const TAKEN: ReadonlySet<string> = new Set(['room', 'unnamed']);

/** @throws InputError `bad-name` or `text-too-long` */
export function makeAbout(name: string, topic: string, salt: Bytes): About {
  if (!NAME.test(name) || utf8.encode(name).length > LIMITS.conversationNameBytes)
    throw new InputError(
      'bad-name',
      `A conversation's name has letters, digits, ".", "_" and "-", no spaces, and at most ${LIMITS.conversationNameBytes} bytes.`,
    );
  if (TAKEN.has(name.normalize('NFKC').toLowerCase()))
    throw new InputError('bad-name', `"${name}" could be mistaken for something else. Choose another name.`);
  if (utf8.encode(topic).length > LIMITS.topicBytes)
    throw new InputError('text-too-long', `A topic is at most ${LIMITS.topicBytes} bytes of UTF-8.`);
  return { salt, text: `${name.normalize('NFC')}\n${topic.replaceAll('\n', ' ')}` };
}

export function aboutHash(conversation: ConversationId, { salt, text }: About): Hash {
  return aboutCommitment(conversation, salt, text);
}

export function aboutContent({ salt, text }: About): Content {
  return { kind: 'about', reference: salt, text };
}

/** @returns `null` unless it is what the list commits to, in the form that honest members give it */
export function readAbout(content: ReadContent, conversation: ConversationId, committed: Hash): About | null {
  const { reference: salt, text } = content;
  if (content.kind !== 'about' || salt.length !== SALT_BYTES) return null;
  if (!bytesEqual(aboutCommitment(conversation, salt, text), committed)) return null;
  const [name = '', topic = ''] = text.split('\n');
  try {
    return makeAbout(name, topic, salt).text === text ? { salt, text } : null;
  } catch {
    return null;
  }
}

export function nameOf({ text }: About): string {
  return text.split('\n')[0] ?? '';
}

export function topicOf({ text }: About): string {
  return text.split('\n')[1] ?? '';
}
