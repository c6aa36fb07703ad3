/**
 * A message's content as it is sealed, and the commitment to it in the signed header: whoever has read it can show others
 * what was said and by whom, without any key, and a sender cannot have two texts under one signature.
 * @see docs/protocol.md#content
 */
import { type Bytes, bytesEqual, utf8 } from '../protocol/bytes.ts';
import { type Content, decodeContent, type ReadContent, SealedContent } from '../protocol/content.ts';
import { ProtocolError } from '../protocol/errors.ts';
import type { Hash } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import { sha256 } from './hash.ts';

const LABEL = utf8.encode('sc1/content');

/** @param body as `encodeContent` makes it */
export function contentCommitment(body: Bytes): Hash {
  return sha256(LABEL, body);
}

/** @param salt 16 random bytes, used for this content alone */
export function encodeContent(content: Content, salt: Bytes): Bytes {
  return SealedContent.encode({ salt, ...content });
}

/** @returns `null` for what no honest sender seals: malformed, too long, or not what the header commits to. */
export function openContent(body: Bytes, commitment: Hash): ReadContent | null {
  if (!bytesEqual(contentCommitment(body), commitment)) return null;
  try {
    const content = decodeContent(body.slice());
    return utf8.encode(content.text).length <= LIMITS.textBytes ? content : null;
  } catch (error) {
    if (error instanceof ProtocolError) return null;
    throw error;
  }
}
