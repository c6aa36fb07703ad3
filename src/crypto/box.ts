/**
 * The sealed boxes of the door: each has a key of its own, bound to everything said before it on this connection.
 * `key ‖ nonce = HKDF(secret, salt = TH before this frame, label, 44)`, AES-256-GCM, AAD = the frame's type.
 * @see docs/protocol.md#admission
 */
import type { Bytes } from '../protocol/bytes.ts';
import type { Hash } from '../protocol/identifiers.ts';
import { hkdf } from './hash.ts';
import { gcmOpen, gcmSeal } from './primitives.ts';

export interface BoxContext {
  /** The OPAQUE session key, or the account key of a member who comes back. */
  readonly secret: Bytes;
  /** The transcript hash before the frame that carries the box. */
  readonly transcript: Hash;
  readonly frameType: number;
  readonly direction: 'to-host' | 'to-member';
}

function boxKey(context: BoxContext): { readonly key: Bytes; readonly nonce: Bytes; readonly aad: Bytes } {
  const material = hkdf(context.secret, context.transcript, `sc1/box ${context.direction}`, 44);
  return {
    key: material.subarray(0, 32),
    nonce: material.subarray(32),
    aad: new Uint8Array([context.frameType]),
  };
}

export function sealBox(context: BoxContext, plaintext: Bytes): Bytes {
  return gcmSeal({ ...boxKey(context), plaintext });
}

/** @returns the plaintext, or `null` when the box was not sealed in this run for this frame. */
export function openBox(context: BoxContext, sealed: Bytes): Bytes | null {
  return gcmOpen({ ...boxKey(context), sealed });
}
