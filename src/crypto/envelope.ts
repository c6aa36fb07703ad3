/**
 * Sealing and opening one message's body. Code of the host's side may not import this file.
 * @see docs/protocol.md#messages-and-log
 */
import type { Bytes } from '../protocol/bytes.ts';
import { ciphertext as asCiphertext, type Ciphertext } from '../protocol/identifiers.ts';
import { isCiphertextLength, PADDED_BYTES } from './ciphertext-length.ts';
import { gcmOpen, gcmSeal } from './primitives.ts';

export { PADDED_BYTES };

const LENGTH_BYTES = 2;

interface EnvelopeKey {
  /** 32 bytes from a sender chain, used for this one message. */
  readonly key: Bytes;
  /** 12 bytes from the same step of the chain. */
  readonly nonce: Bytes;
  /** The message's header as sent: authenticated, not hidden. */
  readonly header: Bytes;
}

/**
 * @param envelope.body at most 16,382 bytes
 * @returns u16 length ‖ body ‖ zeros up to a bucket, sealed; one of seven lengths
 * @throws RangeError when the body fits no bucket: callers limit what a person types
 */
export function sealEnvelope(envelope: EnvelopeKey & { readonly body: Bytes }): Ciphertext {
  const { key, nonce, header, body } = envelope;
  const paddedBytes = PADDED_BYTES.find((bytes) => bytes >= LENGTH_BYTES + body.length);
  if (paddedBytes === undefined) throw new RangeError(`a message body of ${body.length} bytes is too long`);
  const plaintext = new Uint8Array(paddedBytes);
  new DataView(plaintext.buffer).setUint16(0, body.length);
  plaintext.set(body, LENGTH_BYTES);
  return asCiphertext(gcmSeal({ key, nonce, aad: header, plaintext }));
}

/**
 * @returns the body, or `null` when anything is wrong: length, tag, inner length, padding. Whichever it is, only the
 * holder of the sender's keys can have made it, or nobody; what is shown is the same.
 */
export function openEnvelope(envelope: EnvelopeKey & { readonly ciphertext: Bytes }): Bytes | null {
  const { key, nonce, header, ciphertext } = envelope;
  if (!isCiphertextLength(ciphertext.length)) return null;
  const plaintext = gcmOpen({ key, nonce, aad: header, sealed: ciphertext });
  if (plaintext === null) return null;
  const bodyEnd = LENGTH_BYTES + new DataView(plaintext.buffer, plaintext.byteOffset).getUint16(0);
  if (bodyEnd > plaintext.length) return null;
  // Padding that carries something would be a channel no one sees.
  if (plaintext.subarray(bodyEnd).some((byte) => byte !== 0)) return null;
  return plaintext.slice(LENGTH_BYTES, bodyEnd);
}
