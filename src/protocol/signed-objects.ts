/**
 * What members and the owner sign. Each holds version and roomId, travels as (bytes, signature) and is never re-encoded.
 * The signature covers `domain ‖ 0x00 ‖ bytes`; the domain is named with each.
 */
import type { Bytes } from './bytes.ts';
import { codec, type Decoded, field } from './codec.ts';
import { REMOVAL } from './reasons.ts';

export const ROLE = { member: 1, owner: 2, moderator: 3 } as const;
export type Role = keyof typeof ROLE;

export const ALGORITHM = { rsa: 1, dsa: 2 } as const;
export type Algorithm = keyof typeof ALGORITHM;

const rosterEntry = field.struct({
  identity: field.hash,
  nick: field.shortText,
  role: field.oneOf(ROLE),
  algorithm: field.oneOf(ALGORITHM),
  /** Says nothing in the room until the owner takes it back. */
  muted: field.bool,
});

/** One member on the list, about 60 bytes. `identity` is H("sc1/id" ‖ SPKI). */
export const RosterEntry = codec('roster entry', rosterEntry);
export type RosterEntry = Decoded<typeof RosterEntry>;

/** The length of a list, and its entries. */
export function rosterEntries(most: number) {
  return field.list(field.u16, most, rosterEntry);
}

/** Entries one after the other, as list pages carry them. @throws ProtocolError unless they are exactly `count`. */
export function decodeRosterEntries(bytes: Bytes, count: number): readonly RosterEntry[] {
  return codec('roster entries', field.times(count, rosterEntry)).decode(bytes);
}

const roomSettings = field.struct({
  topic: field.text,
  /** What newcomers are told; may have line feeds. */
  motd: field.text,
  /** Seconds that lie between two messages of a plain member; 0: no slow mode. */
  slowSeconds: field.u16,
  /** Nobody new gets in. */
  locked: field.bool,
  /** The host says yes to each newcomer. */
  approval: field.bool,
  /** How long what was said stays; 0: as long as members keep it. */
  staySeconds: field.u32,
  /** What was said may be changed or taken back afterwards. */
  edits: field.bool,
  /** Members may be told what has been read. */
  readReceipts: field.bool,
});

/** How the room is, for everyone to see. Signed by the owner within each operation, and plain to the host. */
export const RoomSettings = codec('room settings', roomSettings);
export type RoomSettings = Readonly<Decoded<typeof RoomSettings>>;

/** Adds and removes in one operation; a rush of joins becomes a few operations, each within a page. */
export const ROSTER_CHANGES_MOST = 512;

/** Acts of members in one operation: with the most changes and the largest keys it still fits a page. */
export const ROSTER_CAUSES_MOST = 12;

/**
 * `sc1/roster`, by the owner. `listHash` proves the member list it leads to.
 * `puts` holds members added, and members whose entry changed; `causes` the acts of members that led to a change.
 */
export const RosterOperation = codec(
  'roster operation',
  field.struct({
    version: field.u8,
    roomId: field.roomId,
    epoch: field.u32,
    previous: field.hash,
    listHash: field.hash,
    atMs: field.timeMs,
    roomName: field.shortText,
    settings: roomSettings,
    removes: field.list(
      field.u16,
      ROSTER_CHANGES_MOST,
      field.struct({ memberId: field.memberId, reason: field.oneOf(REMOVAL) }),
    ),
    puts: field.list(field.u16, ROSTER_CHANGES_MOST, rosterEntry),
    causes: field.list(field.u8, ROSTER_CAUSES_MOST, field.signed),
  }),
);
export type RosterOperation = Decoded<typeof RosterOperation>;

/** `sc1/wrapkey`, by the member: the keys that chain keys are wrapped to. `generation` only grows. */
export const WrapKeyStatement = codec(
  'wrap-key statement',
  field.struct({
    version: field.u8,
    roomId: field.roomId,
    memberId: field.memberId,
    generation: field.u32,
    algorithm: field.oneOf(ALGORITHM),
    identityKey: field.bytes,
    rsaSpki: field.bytes,
    kemPublic: field.fixed(1184),
  }),
);
export type WrapKeyStatement = Decoded<typeof WrapKeyStatement>;

/**
 * `sc1/chain`, by the sender: who is about to speak, under which chain key from which number on.
 * It carries the identity key, so that whoever gets a wrap can check messages at once.
 */
export const ChainAnnouncement = codec(
  'chain announcement',
  field.struct({
    version: field.u8,
    roomId: field.roomId,
    conversation: field.conversation,
    epoch: field.u32,
    rosterHash: field.hash,
    memberId: field.memberId,
    chainId: field.chainId,
    n: field.u32,
    commitment: field.hash,
    algorithm: field.oneOf(ALGORITHM),
    identityKey: field.bytes,
  }),
);
export type ChainAnnouncement = Decoded<typeof ChainAnnouncement>;

/** Seats of one conversation: an operation that names them all still fits a page. */
export const SEATS_MOST = 1_024;

/**
 * `sc1/conv`, by a member: who is in a conversation from here on. One that is `whole` names everyone and is its creator's
 * (`owner` among the seats); any other holds what changes, and is signed by whoever may change it.
 * @see docs/protocol.md#conversations
 */
export const ConversationOperation = codec(
  'conversation operation',
  field.struct({
    version: field.u8,
    roomId: field.roomId,
    conversation: field.conversation,
    epoch: field.u32,
    previous: field.hash,
    whole: field.bool,
    /** Commits to name and topic, which only those who are in it are told. */
    about: field.hash,
    puts: field.list(
      field.u16,
      SEATS_MOST,
      field.struct({ memberId: field.memberId, role: field.oneOf(ROLE) }),
    ),
    removes: field.list(field.u16, SEATS_MOST, field.memberId),
    memberId: field.memberId,
    algorithm: field.oneOf(ALGORITHM),
    identityKey: field.bytes,
  }),
);
export type ConversationOperation = Decoded<typeof ConversationOperation>;

/** `sc1/needkey`, by someone who was given no chain key: answered by a wrap to the asker alone. */
export const NeedKey = codec(
  'need-key request',
  field.struct({
    version: field.u8,
    roomId: field.roomId,
    conversation: field.conversation,
    asker: field.memberId,
    sender: field.memberId,
    chainId: field.chainId,
    generation: field.u32,
  }),
);
export type NeedKey = Decoded<typeof NeedKey>;

/**
 * `sc1/era`, by the owner: the room was opened again, and its logs went no further than this. An entry of the log, so
 * everyone sees each start at the same place.
 */
export const Era = codec(
  'era',
  field.struct({
    version: field.u8,
    roomId: field.roomId,
    /** Greater than that of the start before, whatever copy of the room is opened: seconds since 1970, or one more. */
    era: field.u32,
    /** The roster as of there. */
    epoch: field.u32,
    rosterHash: field.hash,
    positions: field.list(
      field.u8,
      64,
      field.struct({ conversation: field.conversation, index: field.u32, head: field.hash }),
    ),
  }),
);
export type Era = Decoded<typeof Era>;

/** `sc1/leave`, by the member: going for good. */
export const Leave = codec(
  'leave',
  field.struct({
    version: field.u8,
    roomId: field.roomId,
    memberId: field.memberId,
    epoch: field.u32,
  }),
);
export type Leave = Decoded<typeof Leave>;

/**
 * The header of a message: the AAD of its ciphertext. The signature (`sc1/msg`) covers H(header) ‖ H(ciphertext).
 * All fields have fixed sizes, so the relay reads it without searching.
 */
export const MessageHeader = codec(
  'message header',
  field.struct({
    version: field.u8,
    roomId: field.roomId,
    conversation: field.conversation,
    epoch: field.u32,
    rosterHash: field.hash,
    conversationEpoch: field.u32,
    conversationRosterHash: field.hash,
    memberId: field.memberId,
    generation: field.u32,
    chainId: field.chainId,
    n: field.u32,
    commitment: field.hash,
    /** H("sc1/content" ‖ the content as it is sealed): what proves to others what was said, without a key. */
    content: field.hash,
    previous: field.hash,
    seenIndex: field.u32,
    seenHead: field.hash,
  }),
);
export type MessageHeader = Decoded<typeof MessageHeader>;
