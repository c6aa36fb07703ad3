/**
 * The transcript of a run at the door: `TH = H("sc1/th" ‖ EKM ‖ every whole frame so far, both ways)`.
 * Every box key and signature of the run is bound to it, and it to this one TLS connection.
 * @see docs/protocol.md#admission
 */
import { createHash, type Hash as Hasher } from 'node:crypto';
import type { Bytes } from '../protocol/bytes.ts';
import { type Hash, hash } from '../protocol/identifiers.ts';

export class Transcript {
  readonly #hasher: Hasher;

  /** @param channelBinding the TLS exporter value of this connection, 32 bytes. */
  constructor(channelBinding: Bytes) {
    this.#hasher = createHash('sha256').update('sc1/th').update(channelBinding);
  }

  /** Takes in one whole frame, its length prefix included, sent or received. */
  add(frame: Bytes): void {
    this.#hasher.update(frame);
  }

  /** The hash of all frames so far. */
  value(): Hash {
    return hash(new Uint8Array(this.#hasher.copy().digest()));
  }
}
