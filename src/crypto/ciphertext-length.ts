/**
 * The seven lengths a message's ciphertext may have. Apart from `envelope.ts`, because the host checks lengths
 * and may not import what opens a message.
 * @see docs/protocol.md#messages-and-log
 */
import { GCM_TAG_BYTES } from './primitives.ts';

/** What sealing pads a message to: an onlooker learns one of seven sizes. */
export const PADDED_BYTES = [256, 512, 1_024, 2_048, 4_096, 8_192, 16_384] as const;

/** Each padded size with its tag. */
export const CIPHERTEXT_BYTES: readonly number[] = PADDED_BYTES.map((bytes) => bytes + GCM_TAG_BYTES);

export function isCiphertextLength(lengthBytes: number): boolean {
  return CIPHERTEXT_BYTES.includes(lengthBytes);
}
