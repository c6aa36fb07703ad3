/** Why a side was turned away or a connection closed: numbers on the wire, names in the code. */

/** Answers at the door. @see docs/protocol.md#refusals */
export const REFUSAL = {
  /** Unknown invitation, unknown member or bad proof: deliberately one and the same. */
  'not-recognised': 1,
  version: 2,
  expired: 3,
  'used-up': 4,
  revoked: 5,
  suspended: 6,
  'room-full': 7,
  'wrong-code': 8,
  'old-code': 9,
  'nick-taken': 10,
  'nick-refused': 11,
  'key-refused': 12,
  'too-many-answers': 13,
  'answer-unproved': 14,
  busy: 15,
  'timed-out': 16,
  closing: 17,
  'already-online': 18,
  /** The owner has locked the room: nobody new. */
  locked: 19,
  /** The host was asked, and said no. */
  denied: 20,
  banned: 21,
  /** The nickname is an account's: whoever has its password may have it. */
  'nick-registered': 22,
  'wrong-password': 23,
} as const;
export type Refusal = keyof typeof REFUSAL;

/** After these the same run goes on with another JOIN. */
export const RETRYABLE_REFUSALS: ReadonlySet<Refusal> = new Set<Refusal>([
  'wrong-code',
  'old-code',
  'nick-taken',
  'nick-refused',
  'nick-registered',
  'wrong-password',
]);

/** The last words on a connection that was admitted. @see docs/protocol.md#closing */
export const CLOSE = {
  bye: 1,
  protocol: 2,
  removed: 3,
  replaced: 4,
  'host-closing': 5,
  silent: 6,
  'slow-reader': 7,
  /** The host closes a room that is kept: everyone's place stays, and it will be opened again. */
  paused: 8,
} as const;
export type CloseReason = keyof typeof CLOSE;

/** After these a member tries to come back. */
export const PASSING_CLOSES: ReadonlySet<CloseReason> = new Set<CloseReason>([
  'silent',
  'slow-reader',
  'paused',
]);

/** Why a posted message was not placed. @see docs/protocol.md#posting */
export const DEFERRAL = {
  /** Sealed for a roster that has since lost someone, or quoting a head too old: seal it again. */
  stale: 1,
  /** It does not continue the sender's chain as the host has it: seal it again. */
  order: 2,
  /** Over the rate: the same bytes may be sent again after the given time. */
  wait: 3,
  /** The sender is muted: it is not sent again. */
  muted: 4,
} as const;
export type Deferral = keyof typeof DEFERRAL;

/** Why a member is no longer on the roster. */
export const REMOVAL = {
  left: 1,
  removed: 2,
  absent: 3,
  banned: 4,
  /** The same account goes on under another key. */
  replaced: 5,
} as const;
export type Removal = keyof typeof REMOVAL;

/** What became of an act. One that changes the room is answered by the operation in the log, every other by this. */
export const ACT_OUTCOME = {
  /** It is done, and nothing in the room's log shows it. */
  done: 1,
  'not-allowed': 2,
  'no-such-member': 3,
  'nick-taken': 4,
  'nick-refused': 5,
  'too-fast': 6,
  /** The room has moved on since it was signed. */
  stale: 7,
  'no-change': 8,
} as const;
export type ActOutcome = keyof typeof ACT_OUTCOME;

/** Why a conversation was not opened or changed as asked. */
export const CONVERSE_OUTCOME = {
  /** It has changed since: ask again, as it is now. */
  stale: 1,
  'not-allowed': 2,
  'no-such-member': 3,
  /** One of those named is in as many conversations as there may be, or the room has as many. */
  'too-many': 4,
  'too-fast': 5,
  'no-change': 6,
} as const;
export type ConverseOutcome = keyof typeof CONVERSE_OUTCOME;
