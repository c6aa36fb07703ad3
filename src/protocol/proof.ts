/**
 * A proof: what shows others, without any key, that one member has said something. It stands by itself, and is checked
 * far from the room it came from.
 * @see docs/protocol.md#proofs
 */
import { codec, type Decoded, field } from './codec.ts';
import { LIMITS } from './limits.ts';
import { ALGORITHM, rosterEntries } from './signed-objects.ts';

export const PROOF_VERSION = 1;

export const Proof = codec(
  'proof',
  field.struct({
    version: field.u8,
    /** The message: as it was signed, but for the ciphertext, which nobody needs for this. */
    header: field.bytes,
    ciphertextHash: field.hash,
    signature: field.bytes,
    /** As it was sealed, salt included: the header commits to it. */
    content: field.bytes,
    /** Whose signature it is. */
    algorithm: field.oneOf(ALGORITHM),
    identityKey: field.bytes,
    /** Who says that this key was a member, by the operation that the header quotes and the list it proves. */
    ownerKey: field.bytes,
    operation: field.signed,
    members: rosterEntries(LIMITS.membersMost),
  }),
);
export type Proof = Decoded<typeof Proof>;
