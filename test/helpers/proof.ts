/** Proofs made by hand: what somebody can put together who holds keys of their own, honest or not. */
import { contentCommitment, encodeContent } from '../../src/crypto/content.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { listHash, operationHash, rosterMember } from '../../src/crypto/roster.ts';
import type { SigningKey } from '../../src/crypto/signature.ts';
import { type Content, said } from '../../src/protocol/content.ts';
import { chainId, hash, ROOM_CONVERSATION, roomId, ZERO_HASH } from '../../src/protocol/identifiers.ts';
import { PROOF_VERSION, type Proof } from '../../src/protocol/proof.ts';
import { PLAIN_ROOM } from '../../src/protocol/room-settings.ts';
import { MessageHeader, type RosterEntry, RosterOperation } from '../../src/protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../../src/protocol/version.ts';

export const HAND_ROOM = roomId(new Uint8Array(16).fill(0x10));

interface Making {
  readonly owner: SigningKey;
  readonly signer: SigningKey;
  readonly content?: Content;
  readonly roomName?: string;
  readonly nick?: string;
  readonly topic?: string;
  /** In place of the signer alone. */
  readonly members?: readonly RosterEntry[];
  readonly header?: Partial<MessageHeader>;
}

export function entryFor(key: SigningKey, nick: string): RosterEntry {
  return { identity: key.idFingerprint, nick, role: 'member', algorithm: key.algorithm, muted: false };
}

export function makeProof(making: Making): Proof {
  const { owner, signer, content = said('text', 'hello'), roomName = 'Küche', nick = 'ann' } = making;
  const members = [...(making.members ?? [entryFor(signer, nick)])];
  const bytes = RosterOperation.encode({
    version: PROTOCOL_VERSION,
    roomId: HAND_ROOM,
    epoch: 7,
    previous: ZERO_HASH,
    listHash: listHash(members.map(rosterMember)),
    atMs: 1_800_000_000_000,
    roomName,
    settings: { ...PLAIN_ROOM, topic: making.topic ?? '' },
    removes: [],
    puts: [],
    causes: [],
  });
  const body = encodeContent(content, new Uint8Array(16).fill(0x5a));
  const header = MessageHeader.encode({
    version: PROTOCOL_VERSION,
    roomId: HAND_ROOM,
    conversation: ROOM_CONVERSATION,
    epoch: 7,
    rosterHash: operationHash(bytes),
    conversationEpoch: 0,
    conversationRosterHash: ZERO_HASH,
    memberId: signer.memberId,
    generation: 1,
    chainId: chainId(new Uint8Array(8).fill(0x70)),
    n: 3,
    commitment: hash(new Uint8Array(32).fill(0x80)),
    content: contentCommitment(body),
    previous: hash(new Uint8Array(32).fill(0x90)),
    seenIndex: 9,
    seenHead: hash(new Uint8Array(32).fill(0xa0)),
    ...making.header,
  });
  const ciphertextHash = hash(new Uint8Array(32).fill(0xb0));
  return {
    version: PROOF_VERSION,
    header,
    ciphertextHash,
    signature: signer.sign('sc1/msg', [sha256(header), ciphertextHash]),
    content: body,
    algorithm: signer.algorithm,
    identityKey: signer.spki,
    ownerKey: owner.spki,
    operation: { bytes, signature: owner.sign('sc1/roster', bytes) },
    members,
  };
}
