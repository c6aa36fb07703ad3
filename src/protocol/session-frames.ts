/**
 * The frames between the host and an admitted member.
 * @see docs/protocol.md#session
 */
import { ACT_KIND } from './acts.ts';
import type { Bytes } from './bytes.ts';
import { codec, type Decoded, field } from './codec.ts';
import { encodeFrame } from './framing.ts';
import { ACT_OUTCOME, CLOSE, type CloseReason, CONVERSE_OUTCOME, DEFERRAL } from './reasons.ts';

export const SESSION_FRAME = {
  ping: 16,
  pong: 17,
  close: 18,
  post: 20,
  placed: 21,
  deferred: 22,
  entry: 23,
  pullList: 24,
  list: 25,
  pullLog: 26,
  log: 27,
  pullKeys: 28,
  keys: 29,
  publishKey: 30,
  wraps: 31,
  wrapsTaken: 32,
  wrap: 33,
  needKey: 34,
  presence: 35,
  leave: 36,
  act: 37,
  actAnswer: 38,
  prefer: 39,
  ack: 40,
  away: 41,
  receipts: 42,
  eras: 43,
  register: 44,
  registerReply: 45,
  registerRecord: 46,
  registered: 47,
  openDirect: 48,
  converse: 49,
  converseAnswer: 50,
  pullConversation: 51,
  conversation: 52,
  offerFile: 53,
  withdrawFile: 54,
  declineFile: 55,
  fileWanted: 56,
  fileProgress: 57,
} as const;

/** What an entry of the log is. */
export const ENTRY_KIND = { message: 1, roster: 2, era: 3, conversation: 4 } as const;
export type EntryKind = keyof typeof ENTRY_KIND;

export const Empty = codec('empty frame', field.struct({}));

export const Close = codec('CLOSE', field.struct({ reason: field.oneOf(CLOSE), text: field.shortText }));

/** Characters of explanation a CLOSE carries: at most four bytes each, and the length is one byte. */
const CLOSE_TEXT_CHARACTERS = 60;

/** The last frame of a connection. */
export function closeFrame(reason: CloseReason, text: string): Bytes {
  return encodeFrame(
    SESSION_FRAME.close,
    Close.encode({ reason, text: text.slice(0, CLOSE_TEXT_CHARACTERS) }),
  );
}

const sealedFields = { header: field.bytes, ciphertext: field.ciphertext, signature: field.bytes };

/** A message on its way to the log. ENTRY repeats these bytes as they came. */
export const Post = codec('POST', field.struct(sealedFields));
export type Post = Decoded<typeof Post>;

/** For a message that the log already holds: where it stands. */
export const Placed = codec(
  'PLACED',
  field.struct({
    conversation: field.conversation,
    chainId: field.chainId,
    n: field.u32,
    index: field.u32,
  }),
);

export const Deferred = codec(
  'DEFERRED',
  field.struct({
    conversation: field.conversation,
    chainId: field.chainId,
    n: field.u32,
    reason: field.oneOf(DEFERRAL),
    retryAfterMs: field.u32,
  }),
);
export type Deferred = Decoded<typeof Deferred>;

const placedFields = {
  kind: field.oneOf(ENTRY_KIND),
  placedAtMs: field.timeMs,
  ...sealedFields,
};

/**
 * A placed entry: `conversation ‖ index ‖ kind ‖ placedAtMs ‖ header ‖ ciphertext ‖ signature`.
 * For a roster operation `header` holds its bytes and `ciphertext` is empty.
 */
export const Entry = codec(
  'ENTRY',
  field.struct({ conversation: field.conversation, index: field.u32, ...placedFields }),
);
export type Entry = Decoded<typeof Entry>;

/** Where a member is, as far as the host knows. */
export const PRESENCE_STATE = { online: 1, away: 2, offline: 3 } as const;
export type PresenceState = keyof typeof PRESENCE_STATE;

const presenceFields = {
  state: field.oneOf(PRESENCE_STATE),
  /** When they were last here, in minutes since 1970; 0 where that is not told, and of those who are here. */
  seenMinute: field.u32,
};
export const PresenceNow = codec('presence', field.struct(presenceFields));
export type PresenceNow = Decoded<typeof PresenceNow>;
export const PRESENCE_BYTES = 5;

const MINUTE_MS = 60_000;

/** Rounded down: nobody is told more than the minute. */
export function minuteOf(timeMs: number): number {
  return Math.max(0, Math.floor(timeMs / MINUTE_MS));
}

/** @returns `null` for whoever is here, and where it is not told */
export function lastSeenMs({ state, seenMinute }: PresenceNow): number | null {
  return state === 'offline' && seenMinute > 0 ? seenMinute * MINUTE_MS : null;
}

/** Pages of the member list as of the WELCOME on this connection. */
export const PullList = codec('PULL_LIST', field.struct({ from: field.u16 }));
export const ListPage = codec(
  'LIST',
  field.struct({
    from: field.u16,
    total: field.u16,
    count: field.u16,
    /** Encoded roster entries, one after the other, in the order that the list hash covers. */
    entries: field.bytes,
    /** Of each entry, in the same order: `PRESENCE_BYTES` that `PresenceNow` reads. */
    presence: field.bytes,
  }),
);

export type ListPage = Decoded<typeof ListPage>;

/** How many entries a log page holds at the most; bytes bound it as well. */
export const LOG_PAGE_ENTRIES = 512;

/** Read on from `after`. The page that reaches the head says `live`: from there entries are pushed. */
export const PullLog = codec(
  'PULL_LOG',
  field.struct({ conversation: field.conversation, after: field.u32 }),
);

/** An entry the host still holds whole, or only the hash of one it has dropped. */
export const LOG_ITEM = { whole: 1, digest: 2 } as const;
export const WholeItem = codec('log item', field.struct(placedFields));
export const DigestItem = codec(
  'log digest',
  field.struct({
    kind: field.oneOf(ENTRY_KIND),
    placedAtMs: field.timeMs,
    leaf: field.hash,
  }),
);
export const LogPage = codec(
  'LOG',
  field.struct({
    conversation: field.conversation,
    /** Index of the first item; more than `after + 1` when what lay between is gone. */
    first: field.u32,
    /** The head at `first - 1`. */
    headBefore: field.hash,
    items: field.list(
      field.u16,
      LOG_PAGE_ENTRIES,
      field.struct({ form: field.oneOf(LOG_ITEM), body: field.bytes }),
    ),
    live: field.bool,
  }),
);
export type LogPage = Decoded<typeof LogPage>;

/** Statements a page: each is about 2.5 KB. */
export const KEYS_PAGE = 24;
export const PullKeys = codec(
  'PULL_KEYS',
  field.struct({ members: field.list(field.u8, KEYS_PAGE, field.memberId) }),
);
export const KeysPage = codec(
  'KEYS',
  field.struct({ statements: field.list(field.u8, KEYS_PAGE, field.signed) }),
);
export const PublishKey = codec('PUBLISH_KEY', field.struct({ statement: field.signed }));

/** Wraps a page: each is about 1.6 KB. */
export const WRAPS_PAGE = 38;
const wrap = field.struct({
  memberId: field.memberId,
  generation: field.u32,
  rsaCiphertext: field.bytes,
  kemCiphertext: field.fixed(1088),
  sealed: field.fixed(48),
});
export const Wraps = codec(
  'WRAPS',
  field.struct({ announcement: field.signed, wraps: field.list(field.u8, WRAPS_PAGE, wrap) }),
);
export type Wraps = Decoded<typeof Wraps>;
export type Wrap = Wraps['wraps'][number];
/** `refused` lists members whose keys have moved on: pull their statements and wrap again. */
export const WrapsTaken = codec(
  'WRAPS_TAKEN',
  field.struct({ chainId: field.chainId, refused: field.list(field.u8, WRAPS_PAGE, field.memberId) }),
);
export const WrapDelivery = codec('WRAP', field.struct({ announcement: field.signed, wrap }));

export const NeedKeyFrame = codec('NEEDKEY', field.struct({ request: field.signed }));
export const LeaveFrame = codec('LEAVE', field.struct({ leave: field.signed }));

/** How a member wants to be treated while away. A host remembers what the program before has said. */
export const Prefer = codec(
  'PREFER',
  field.struct({
    /** Keep my place however long I am away: I have what it takes to come back. */
    stays: field.bool,
    /** Senders may be told what has reached me. */
    receipts: field.bool,
    /** Others may be told when I was last here. */
    lastSeen: field.bool,
  }),
);
export type Prefer = Decoded<typeof Prefer>;

/** How everyone is treated who has not asked for anything else. */
export const USUAL_PREFER: Prefer = { stays: false, receipts: true, lastSeen: true };

/** All up to here is this member's for good: the host need not keep it for them any longer. */
export const Ack = codec('ACK', field.struct({ conversation: field.conversation, index: field.u32 }));

export const Away = codec('AWAY', field.struct({ away: field.bool }));

/** What has reached members who were away: `index` is theirs up to there, `dropped` was not kept for them up to there. */
export const RECEIPTS_MOST = 512;
export const Receipts = codec(
  'RECEIPTS',
  field.struct({
    marks: field.list(
      field.u16,
      RECEIPTS_MOST,
      field.struct({ memberId: field.memberId, index: field.u32, dropped: field.u32 }),
    ),
  }),
);
export type Receipts = Decoded<typeof Receipts>;

/**
 * Statements about starts of this room, oldest first, for someone who holds what the host's log does not. The one where
 * it lost that must be among them, however long ago: a start a day for months, within one frame.
 */
export const ERAS_MOST = 128;
export const Eras = codec('ERAS', field.struct({ eras: field.list(field.u8, ERAS_MOST, field.signed) }));

/** A password for this member's account, by OPAQUE: raw registration request, response and record. */
export const Register = codec('REGISTER', field.struct({ request: field.fixed(32) }));
export const RegisterReply = codec('REGISTER_REPLY', field.struct({ response: field.fixed(64) }));
export const RegisterRecord = codec('REGISTER_RECORD', field.struct({ record: field.fixed(192) }));

/** A member asks the owner for a change. */
export const ActFrame = codec('ACT', field.struct({ act: field.signed }));
export const ActAnswer = codec(
  'ACT_ANSWER',
  field.struct({ kind: field.oneOf(ACT_KIND), outcome: field.oneOf(ACT_OUTCOME) }),
);
export type ActAnswer = Decoded<typeof ActAnswer>;

export const PRESENCE_MOST = 2_048;
export const Presence = codec(
  'PRESENCE',
  field.struct({
    changes: field.list(
      field.u16,
      PRESENCE_MOST,
      field.struct({ memberId: field.memberId, ...presenceFields }),
    ),
  }),
);

/** Opens the conversation of two: with this member. Answered by CONVERSATION. */
export const OpenDirect = codec('OPEN_DIRECT', field.struct({ memberId: field.memberId }));

/** Makes a conversation, or changes who is in it. The entry in its log is the answer, or CONVERSE_ANSWER. */
export const Converse = codec('CONVERSE', field.struct({ operation: field.signed }));

export const ConverseAnswer = codec(
  'CONVERSE_ANSWER',
  field.struct({ conversation: field.conversation, outcome: field.oneOf(CONVERSE_OUTCOME) }),
);
export type ConverseAnswer = Decoded<typeof ConverseAnswer>;

/** Asks for what there is to know of a conversation of one's own, from so many operations on. */
export const PullConversation = codec(
  'PULL_CONVERSATION',
  field.struct({ conversation: field.conversation, from: field.u16 }),
);

/** How many operations a page holds at the most; bytes bound it as well. */
export const CONVERSATION_PAGE_OPERATIONS = 256;

/** A page of what a member has to know of a conversation before reading it. */
export const ConversationPage = codec(
  'CONVERSATION',
  field.struct({
    conversation: field.conversation,
    /** Of the conversation of two: the other one. */
    direct: field.list(field.u8, 1, field.memberId),
    /** Where its log stands, and what this member has acknowledged of it. */
    index: field.u32,
    head: field.hash,
    acknowledged: field.u32,
    /** Of its roster. */
    epoch: field.u32,
    from: field.u16,
    total: field.u16,
    /** The latest that names everyone, and all after it: as entries of the log are, of kind `roster` or `conversation`. */
    operations: field.list(
      field.u16,
      CONVERSATION_PAGE_OPERATIONS,
      field.struct({ kind: field.oneOf(ENTRY_KIND), operation: field.signed }),
    ),
  }),
);
export type ConversationPage = Decoded<typeof ConversationPage>;
