/**
 * The proof in HELLO: whoever sends it holds the invitation's key (or a member's account key), on this connection.
 * `HMAC(key, "sc1/hello" ‖ EKM ‖ fields)`.
 * @see docs/protocol.md#admission
 */
import { type Bytes, utf8 } from '../protocol/bytes.ts';
import { hmacSha256 } from './hash.ts';

const LABEL = utf8.encode('sc1/hello');
export const HELLO_PROOF_BYTES = 32;

/** @param fields HELLO's body without the proof. */
export function helloProof(key: Bytes, channelBinding: Bytes, fields: Bytes): Bytes {
  return hmacSha256(key, LABEL, channelBinding, fields);
}
