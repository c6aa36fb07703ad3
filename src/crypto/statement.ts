/**
 * Wrap-key statements: a member's own signature over the keys that chain keys are wrapped to.
 * @see docs/protocol.md#wrap-keys
 */
import { bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { SecurityError } from '../protocol/errors.ts';
import type { Hash, RoomId } from '../protocol/identifiers.ts';
import { type Algorithm, WrapKeyStatement } from '../protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { sha256 } from './hash.ts';
import { importWrapKeys, type WrapPublicBytes, type WrapPublicKeys } from './key-wrap.ts';
import { importVerifyKey, type SigningKey, type VerifyKey } from './signature.ts';

/** Whose statement it must be. A joiner's identity becomes known through it; a member's is on the roster. */
export interface StatementOwner {
  readonly roomId: RoomId;
  readonly identity: Hash;
  readonly algorithm: Algorithm;
  /** The member's key where it is held already: importing one costs more than checking a signature. */
  readonly verifyKey?: VerifyKey;
}

export interface CheckedStatement {
  readonly signed: Signed;
  readonly hash: Hash;
  readonly generation: number;
  readonly verifyKey: VerifyKey;
  readonly wrapKeys: WrapPublicKeys;
}

export function makeStatement(
  key: SigningKey,
  roomId: RoomId,
  generation: number,
  keys: WrapPublicBytes,
): Signed {
  const bytes = WrapKeyStatement.encode({
    version: PROTOCOL_VERSION,
    roomId,
    memberId: key.memberId,
    generation,
    algorithm: key.algorithm,
    identityKey: key.spki,
    rsaSpki: keys.rsaSpki,
    kemPublic: keys.kemPublic,
  });
  return { bytes, signature: key.sign('sc1/wrapkey', bytes) };
}

/**
 * @throws SecurityError `foreign-statement` when it is not this member's for this room, `key-policy` when a key in it
 * is outside policy. ProtocolError when it is malformed.
 */
export function checkStatement(signed: Signed, owner: StatementOwner): CheckedStatement {
  const statement = WrapKeyStatement.decode(signed.bytes);
  const verifyKey = owner.verifyKey ?? importVerifyKey(statement.identityKey, owner.algorithm);
  const fits =
    statement.version === PROTOCOL_VERSION &&
    statement.algorithm === owner.algorithm &&
    bytesEqual(statement.roomId, owner.roomId) &&
    bytesEqual(statement.identityKey, verifyKey.spki) &&
    bytesEqual(verifyKey.idFingerprint, owner.identity) &&
    bytesEqual(statement.memberId, verifyKey.memberId) &&
    verifyKey.verify('sc1/wrapkey', signed.bytes, signed.signature);
  if (!fits)
    throw new SecurityError('foreign-statement', 'a wrap key that is not signed by the member it names');
  return {
    signed: { bytes: signed.bytes.slice(), signature: signed.signature.slice() },
    hash: sha256(signed.bytes),
    generation: statement.generation,
    verifyKey,
    wrapKeys: importWrapKeys({ rsaSpki: statement.rsaSpki.slice(), kemPublic: statement.kemPublic.slice() }),
  };
}
