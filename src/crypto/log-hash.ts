/**
 * The hash chain over a conversation's log, which makes a host that shows two people two histories detectable.
 * @see docs/protocol.md#log
 */
import { type Bytes, u32, u64, utf8 } from '../protocol/bytes.ts';
import type { ChainId, ConversationId, Hash, MemberId, RoomId } from '../protocol/identifiers.ts';
import { ENTRY_KIND, type EntryKind } from '../protocol/session-frames.ts';
import { sha256 } from './hash.ts';

const ENTRY_LABEL = utf8.encode('sc1/entry');
const LOG_LABEL = utf8.encode('sc1/log');
const START_LABEL = utf8.encode('sc1/log0');
const CHAIN_START_LABEL = utf8.encode('sc1/chain0');

/** What is hashed of an entry, whatever its kind; a roster operation has an empty ciphertext. */
export interface EntryBytes {
  readonly header: Bytes;
  readonly ciphertext: Bytes;
  readonly signature: Bytes;
}

/** The entry's own hash, known to its sender before the host has placed it. */
export function leafHash({ header, ciphertext, signature }: EntryBytes): Hash {
  return leafOf({ header, ciphertextHash: sha256(ciphertext), signature });
}

/** The same for whoever has no ciphertext. */
export function leafOf(entry: Omit<EntryBytes, 'ciphertext'> & { readonly ciphertextHash: Hash }): Hash {
  return sha256(ENTRY_LABEL, sha256(entry.header), entry.ciphertextHash, sha256(entry.signature));
}

/** `L_0`: the head of a log that holds nothing. */
export function startHead(room: RoomId, conversation: ConversationId): Hash {
  return sha256(START_LABEL, room, conversation);
}

/**
 * What the first message of a sender chain names as the one before it. Everyone who knows the chain's id can tell,
 * whichever announcement of it they were given.
 */
export function chainStart(member: MemberId, chain: ChainId): Hash {
  return sha256(CHAIN_START_LABEL, member, chain);
}

/**
 * `L_index` from `L_{index-1}`. The time the host gave is part of it: members who were told different times have
 * different heads.
 */
export function nextHead(
  before: Hash,
  entry: {
    readonly index: number;
    readonly kind: EntryKind;
    readonly placedAtMs: number;
    readonly leaf: Hash;
  },
): Hash {
  return sha256(
    LOG_LABEL,
    before,
    u32(entry.index),
    new Uint8Array([ENTRY_KIND[entry.kind]]),
    u64(entry.placedAtMs),
    entry.leaf,
  );
}
