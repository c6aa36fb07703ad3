/**
 * Branded identifiers. The only maker of each validates, so a value of the type is a valid one.
 * @see docs/protocol.md#keys
 */
import { type Bytes, concatBytes, toHex, u32 } from './bytes.ts';
import { ProtocolError } from './errors.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = Bytes & { readonly [brand]: Name };

export type RoomId = Branded<'RoomId'>;
export type ConversationId = Branded<'ConversationId'>;
export type MemberId = Branded<'MemberId'>;
export type InvitationId = Branded<'InvitationId'>;
export type ChainId = Branded<'ChainId'>;
export type SessionId = Branded<'SessionId'>;
/** SHA-256 digest. */
export type Hash = Branded<'Hash'>;
/** What only the members can open: the type a relay and a store may hold. */
export type Ciphertext = Branded<'Ciphertext'>;

/** A map key for any identifier. */
export type IdKey = string;

export const ID_BYTES = {
  room: 16,
  conversation: 16,
  member: 16,
  invitation: 8,
  chain: 8,
  session: 16,
  hash: 32,
} as const;

function sized<Id extends Bytes>(name: string, length: number) {
  return (bytes: Bytes): Id => {
    if (bytes.length !== length) {
      throw new ProtocolError('bad-identifier', `${name} must be ${length} bytes, not ${bytes.length}`);
    }
    return bytes as Id;
  };
}

export const roomId = sized<RoomId>('roomId', ID_BYTES.room);
export const conversationId = sized<ConversationId>('conversationId', ID_BYTES.conversation);
export const memberId = sized<MemberId>('memberId', ID_BYTES.member);
export const invitationId = sized<InvitationId>('invitationId', ID_BYTES.invitation);
export const chainId = sized<ChainId>('chainId', ID_BYTES.chain);
/**
 * A sender chain's name: a number that grows with each chain of its sender, then random bytes. So the host and every
 * member can tell an old chain that is brought up again, without remembering them all.
 */
export function newChainId(sequence: number, random: Bytes): ChainId {
  return chainId(concatBytes(u32(sequence), random));
}

/** @returns the number that orders this chain among its sender's. */
export function chainSequence(id: ChainId): number {
  return new DataView(id.buffer, id.byteOffset).getUint32(0);
}

export const sessionId = sized<SessionId>('sessionId', ID_BYTES.session);
export const hash = sized<Hash>('hash', ID_BYTES.hash);
/** Made only where something was sealed, or decoded from the wire by its length. */
export const ciphertext = (bytes: Bytes): Ciphertext => bytes as Ciphertext;

/** The room's own conversation, which every member is in. */
export const ROOM_CONVERSATION: ConversationId = conversationId(new Uint8Array(ID_BYTES.conversation));
/** Stands for no session, where a login replaces none. */
export const NO_SESSION: SessionId = sessionId(new Uint8Array(ID_BYTES.session));
/** Stands for whatever session there is, where a login names the one it replaces. */
export const ANY_SESSION: SessionId = sessionId(new Uint8Array(ID_BYTES.session).fill(0xff));
/** Stands for no member where a structure has a place for one. */
export const NOBODY: MemberId = memberId(new Uint8Array(ID_BYTES.member));
export const ZERO_HASH: Hash = hash(new Uint8Array(ID_BYTES.hash));

export function idKey(id: Bytes): IdKey {
  return toHex(id);
}
