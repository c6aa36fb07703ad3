/**
 * Checking a proof, with nothing but what is in it: each step is one that someone without this program can do as well.
 * @see docs/protocol.md#proofs
 */
import { type Bytes, bytesEqual } from '../protocol/bytes.ts';
import { type Content, messageId, type ReadContent } from '../protocol/content.ts';
import { InputError, ProtocolError, SecurityError } from '../protocol/errors.ts';
import type { ConversationId, Hash, RoomId } from '../protocol/identifiers.ts';
import { PROOF_VERSION, Proof } from '../protocol/proof.ts';
import { type Algorithm, MessageHeader, RosterOperation } from '../protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import { contentCommitment, openContent } from './content.ts';
import { sha256 } from './hash.ts';
import { leafOf } from './log-hash.ts';
import { listHash, operationHash, rosterMember } from './roster.ts';
import type { RosterMember } from './roster-change.ts';
import { importVerifyKey, ownerFingerprint, type VerifyKey } from './signature.ts';

/** What holds, and nothing that does not. */
export interface Proved {
  readonly roomId: RoomId;
  /** As the owner's operation names it. */
  readonly roomName: string;
  readonly ownerFingerprint: Hash;
  readonly conversation: ConversationId;
  readonly epoch: number;
  /** The signer's entry on the list of that epoch. */
  readonly signer: RosterMember;
  readonly signerBits: number;
  readonly memberCount: number;
  /** The same as in the room. */
  readonly messageId: string;
  readonly content: Content;
}

/**
 * @param bytes as `Proof.encode` makes them; anything else is told apart
 * @throws SecurityError whose code names the check that failed. InputError `proof-version` for a proof of a later program.
 */
export function checkProof(bytes: Bytes): Proved {
  const [version] = bytes;
  if (version !== undefined && version !== PROOF_VERSION)
    throw new InputError(
      'proof-version',
      `is a proof of version ${version}: a newer securechat can check it`,
    );
  const proof = formed(() => Proof.decode(bytes.slice()), 'it is damaged or cut off');
  const header = formed(() => MessageHeader.decode(proof.header), 'the header of the message is malformed');
  const operation = formed(
    () => RosterOperation.decode(proof.operation.bytes),
    "the owner's operation is malformed",
  );
  check(
    'form',
    header.version === PROTOCOL_VERSION && operation.version === PROTOCOL_VERSION,
    'the message or the operation is of another version of the protocol',
  );
  const owner = keyOf('owner-key', proof.ownerKey, 'rsa');
  const { bytes: signed, signature } = proof.operation;
  check(
    'owner-signature',
    owner.verify('sc1/roster', signed, signature),
    "the owner's key in it did not sign the operation in it",
  );
  const members = proof.members.map(rosterMember);
  check(
    'list',
    bytesEqual(listHash(members), operation.listHash),
    'the member list in it is not the one that the owner signed',
  );
  check('room', bytesEqual(header.roomId, operation.roomId), 'message and member list are of two rooms');
  check(
    'quoted-list',
    header.epoch === operation.epoch && bytesEqual(header.rosterHash, operationHash(signed)),
    'the message quotes another member list than the one in it',
  );
  const key = keyOf('signer-key', proof.identityKey, proof.algorithm);
  check(
    'signer',
    bytesEqual(header.memberId, key.memberId),
    'the message names another signer than the key in it belongs to',
  );
  const signer = members.find((member) => bytesEqual(member.identity, key.idFingerprint));
  if (signer?.algorithm !== key.algorithm)
    throw failed('member', "the signer's key is not on the member list");
  check(
    'signature',
    key.verify('sc1/msg', [sha256(proof.header), proof.ciphertextHash], proof.signature),
    "the signer's key did not sign this message",
  );
  check(
    'content',
    bytesEqual(contentCommitment(proof.content), header.content),
    'the text in it is not the one that was signed',
  );
  const content = openContent(proof.content, header.content);
  if (content === null || !isKnown(content))
    throw failed('unreadable', 'what was signed is nothing that this version can read');
  return {
    roomId: header.roomId,
    roomName: operation.roomName,
    ownerFingerprint: ownerFingerprint(owner.spki),
    conversation: header.conversation,
    epoch: header.epoch,
    signer,
    signerBits: key.bits,
    memberCount: members.length,
    messageId: messageId(leafOf(proof)),
    content,
  };
}

function isKnown(content: ReadContent): content is Content {
  return content.kind !== 'unknown';
}

/** What keeps a proof from holding, by the names of docs/protocol.md. */
function failed(code: string, text: string): SecurityError {
  return new SecurityError(code, text);
}

function check(code: string, holds: boolean, text: string): void {
  if (!holds) throw failed(code, text);
}

function formed<T>(decode: () => T, text: string): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof ProtocolError) throw failed('form', text);
    throw error;
  }
}

function keyOf(code: 'owner-key' | 'signer-key', spki: Bytes, algorithm: Algorithm): VerifyKey {
  try {
    return importVerifyKey(spki, algorithm);
  } catch (error) {
    if (error instanceof SecurityError) throw failed(code, error.message);
    throw error;
  }
}
