/**
 * What lies inside a ciphertext. The host cannot tell one kind from another: all travel alike, and all have the same few
 * lengths.
 * @see docs/protocol.md#content
 */
import { type Bytes, toBase64url } from './bytes.ts';
import { codec, type Decoded, field } from './codec.ts';
import type { Hash } from './identifiers.ts';

export const CONTENT_KIND = {
  text: 1,
  emote: 2,
  /** Another text in place of one's own earlier one. */
  edit: 3,
  /** One's own earlier message is taken back. */
  delete: 4,
  /** An emoji under a message; an empty text takes it back. */
  reaction: 5,
  /** All up to this message has been read. */
  read: 6,
  /** Name and topic of a conversation, as its latest operation commits to. */
  about: 7,
} as const;
export type ContentKind = keyof typeof CONTENT_KIND;

/** So many bytes of an entry's leaf name a message: enough that two never share a name. */
export const MESSAGE_ID_BYTES = 9;
/** Makes a commitment to a content say nothing to whoever can only guess at it. */
export const SALT_BYTES = 16;

const contentFields = {
  kind: field.oneOf(CONTENT_KIND),
  /** The message it is about: what is answered, changed or read; empty where there is none. Of `about`, its salt. */
  reference: field.shortBytes,
  text: field.text,
};

/** As it is sealed. The message's header commits to exactly these bytes. */
export const SealedContent = codec(
  'message content',
  field.struct({ salt: field.fixed(SALT_BYTES), ...contentFields }),
);

export type Content = Omit<Decoded<typeof SealedContent>, 'salt'>;

const NOTHING: Bytes = new Uint8Array();

export function said(kind: 'text' | 'emote', text: string, reference: Bytes = NOTHING): Content {
  return { kind, reference, text };
}

/** The same at every member: base64url, 12 characters. */
export function messageId(leaf: Hash): string {
  return toBase64url(leaf.subarray(0, MESSAGE_ID_BYTES));
}
