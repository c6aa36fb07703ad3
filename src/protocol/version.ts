/** The protocol's version and what this build can do beyond its base. @see docs/protocol.md#versions */

/** An unequal major version closes the connection with a reason that both sides can show. */
export const PROTOCOL_VERSION = 1;

/** RSA-3072 or DSA signatures, RSA-OAEP with ML-KEM-768 wraps, AES-256-GCM, SHA-256. There is one suite. */
export const SUITE = 1;

/** Optional abilities by number. A number is never used again for anything else. */
export const FEATURE = {
  /** ACT and ACT_REFUSED: members ask the owner for changes. */
  moderation: 1,
  /** WAIT: the host says that all is right and that only its word is missing. */
  waiting: 2,
  /** A host names it where the room is kept: members may register a password. */
  accounts: 3,
  /** Direct messages and conversations: OPEN_DIRECT, CONVERSE, PULL_CONVERSATION, CONVERSATION. */
  conversations: 4,
  /** Files: OFFER_FILE and what follows from it, HELLO with mode `transfer`. */
  files: 5,
} as const;

/** What HELLO and WELCOME list at most. */
export const FEATURES_MOST = 32;

/** What a program says of itself at the door. A value, so that tests can play older and newer programs. */
export interface Dialect {
  readonly version: number;
  readonly features: readonly number[];
}

export const DIALECT: Dialect = { version: PROTOCOL_VERSION, features: Object.values(FEATURE) };

/** What both sides name: nothing else is used between them. Numbers that one does not know are nothing to it. */
export function agreedFeatures(own: readonly number[], theirs: readonly number[]): ReadonlySet<number> {
  return new Set(own.filter((feature) => theirs.includes(feature)));
}
