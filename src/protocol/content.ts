/**
 * What lies inside a ciphertext. The host cannot tell one kind from another: all travel alike, and all have the same few
 * lengths.
 * @see docs/protocol.md#content
 */
import { type Bytes, fromBase64url, toBase64url } from './bytes.ts';
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
  /** A file is offered: the reference holds the offer, the text its name. */
  file: 8,
} as const;
export type ContentKind = keyof typeof CONTENT_KIND;

/** So many bytes of an entry's leaf name a message: enough that two never share a name. */
export const MESSAGE_ID_BYTES = 9;
/** Makes a commitment to a content say nothing to whoever can only guess at it. */
export const SALT_BYTES = 16;

const restFields = {
  /** The message it is about: what is answered, changed or read; empty where there is none. Of `about`, its salt. */
  reference: field.shortBytes,
  text: field.text,
};

/** As it is sealed. The message's header commits to exactly these bytes. */
export const SealedContent = codec(
  'message content',
  field.struct({ salt: field.fixed(SALT_BYTES), kind: field.oneOf(CONTENT_KIND), ...restFields }),
);

export type Content = Omit<Decoded<typeof SealedContent>, 'salt'>;

/** The same, of whatever kind: newer programs have more of them, and no other layout. */
const AnyContent = codec(
  'message content',
  field.struct({ salt: field.fixed(SALT_BYTES), kind: field.u8, ...restFields }),
);

/** What was read: `unknown` is a kind of a newer program. */
export type ReadContent = Omit<Content, 'kind'> & { readonly kind: ContentKind | 'unknown' };

const KINDS: ReadonlySet<number> = new Set(Object.values(CONTENT_KIND));

/** @throws ProtocolError `malformed` unless it is laid out as every kind is */
export function decodeContent(body: Bytes): ReadContent {
  const { kind, reference, text } = AnyContent.decode(body);
  return KINDS.has(kind) ? withoutSalt(SealedContent.decode(body)) : { kind: 'unknown', reference, text };
}

function withoutSalt({ kind, reference, text }: Content): Content {
  return { kind, reference, text };
}

const NOTHING: Bytes = new Uint8Array();

export function said(kind: 'text' | 'emote', text: string, reference: Bytes = NOTHING): Content {
  return { kind, reference, text };
}

/** What a program says without its person, who is not told what becomes of it. */
export function isByItself(kind: ReadContent['kind']): boolean {
  return kind === 'read' || kind === 'about';
}

export type SaidKind = Extract<ContentKind, 'text' | 'emote' | 'file'>;

/** Whether it says something itself, rather than something about another message. */
export function isSaid(kind: ReadContent['kind']): kind is SaidKind {
  return kind === 'text' || kind === 'emote' || kind === 'file';
}

/** The same at every member: base64url, 12 characters. */
export function messageId(leaf: Hash): string {
  return toBase64url(leaf.subarray(0, MESSAGE_ID_BYTES));
}

/** @returns the id that a reference holds; `null` where it names no message */
export function referenceId(reference: Bytes): string | null {
  return reference.length === MESSAGE_ID_BYTES ? toBase64url(reference) : null;
}

/** @returns `null` for what is no message's id */
export function idReference(id: string): Bytes | null {
  const reference = fromBase64url(id);
  return reference?.length === MESSAGE_ID_BYTES ? reference : null;
}

/** Takes a message back. @returns `null` for what is no message's id */
export function deletion(id: string): Content | null {
  const reference = idReference(id);
  return reference === null ? null : { kind: 'delete', reference, text: '' };
}
