/**
 * The frames of the door, in the order of the run. Every whole frame, both ways, goes into the transcript hash.
 * @see docs/protocol.md#admission
 */
import { codec, type Decoded, field } from './codec.ts';
import { LIMITS } from './limits.ts';
import { REFUSAL } from './reasons.ts';
import { ALGORITHM } from './signed-objects.ts';
import { FEATURES_MOST } from './version.ts';

export const ADMISSION_FRAME = {
  hello: 1,
  question: 2,
  answer: 3,
  challenge: 4,
  proof: 5,
  proved: 6,
  join: 7,
  welcome: 8,
  refused: 9,
  nonce: 10,
  login: 11,
  wait: 12,
  password: 13,
  passwordChallenge: 14,
  passwordProof: 15,
} as const;

/** `transfer`: a line beside the session of a member who is in, for a file. */
export const MODE = { join: 1, login: 2, transfer: 3 } as const;
export type Mode = keyof typeof MODE;

const features = field.list(field.u8, FEATURES_MOST, field.u16);

const helloFields = {
  version: field.u8,
  suite: field.u8,
  features,
  mode: field.oneOf(MODE),
  roomId: field.roomId,
  /** invitationId (8 bytes) to join, memberId (16 bytes) to log in. */
  subject: field.shortBytes,
  nonce: field.fixed(32),
};

/** What the proof in HELLO covers, after the label and the channel binding. */
export const HelloFields = codec('HELLO fields', field.struct(helloFields));
export const Hello = codec('HELLO', field.struct({ ...helloFields, proof: field.fixed(32) }));
export type Hello = Decoded<typeof Hello>;

/** What a room keeps on the host's disk. */
export const KEEPS = { nothing: 0, ciphertext: 1 } as const;

export const Question = codec(
  'QUESTION',
  field.struct({
    nonce: field.fixed(32),
    roomName: field.shortText,
    question: field.text,
    keeps: field.oneOf(KEEPS),
    triesLeft: field.u8,
    /** The room's policy, for who does not know the settings yet: the owner has signed it with them. */
    staySeconds: field.u32,
    edits: field.bool,
    readReceipts: field.bool,
  }),
);
export type Question = Decoded<typeof Question>;

/** Raw OPAQUE messages: their sizes are part of the protocol and checked before the library sees them. */
export const Answer = codec('ANSWER', field.struct({ ke1: field.fixed(96) }));
export const Challenge = codec('CHALLENGE', field.struct({ ke2: field.fixed(320), triesLeft: field.u8 }));
export const Proof = codec('PROOF', field.struct({ ke3: field.fixed(64) }));
export const Proved = codec('PROVED', field.struct({ triesLeft: field.u8 }));

/**
 * Whose nickname an account holds proves its password before JOIN. The box of PASSWORD holds `PasswordFields`; the other
 * two are raw, like those of the answer.
 */
export const PasswordFields = codec(
  'PASSWORD',
  field.struct({ nick: field.shortText, ke1: field.fixed(96) }),
);
export type PasswordFields = Decoded<typeof PasswordFields>;
export const PasswordChallenge = codec(
  'PASSWORD_CHALLENGE',
  field.struct({ ke2: field.fixed(320), triesLeft: field.u8 }),
);
export const PasswordProof = codec('PASSWORD_PROOF', field.struct({ ke3: field.fixed(64) }));

/** JOIN, WELCOME and LOGIN carry one box and nothing else. */
export const Boxed = codec('box', field.struct({ box: field.rest }));

const joinFields = {
  code: field.shortText,
  nick: field.shortText,
  algorithm: field.oneOf(ALGORITHM),
  identityKey: field.bytes,
  statement: field.signed,
};

/** What the signature in JOIN covers, after the transcript hash, as a hash. */
export const JoinFields = codec('JOIN fields', field.struct(joinFields));
export const Join = codec('JOIN', field.struct({ ...joinFields, signature: field.bytes }));
export type Join = Decoded<typeof Join>;

/** The room's log and those of one's conversations. */
export const POSITIONS_MOST = LIMITS.conversationsPerMember + 1;

const positionFields = { conversation: field.conversation, index: field.u32, head: field.hash };
const position = field.struct(positionFields);
export type LogPosition = Login['positions'][number];

const loginFields = {
  statement: field.signed,
  positions: field.list(field.u8, POSITIONS_MOST, position),
  /** The session this login replaces silently; zeros when there is none, `ANY_SESSION` for whichever there is. */
  replaces: field.sessionId,
};
export const LoginFields = codec('LOGIN fields', field.struct(loginFields));
export const Login = codec('LOGIN', field.struct({ ...loginFields, signature: field.bytes }));
export type Login = Decoded<typeof Login>;

export const Nonce = codec('NONCE', field.struct({ nonce: field.fixed(32) }));

export const Welcome = codec(
  'WELCOME',
  field.struct({
    features,
    memberId: field.memberId,
    sessionId: field.sessionId,
    accountKey: field.fixed(32),
    ownerKey: field.bytes,
    /** The latest roster operation; its hash proves the list pages. */
    operation: field.signed,
    /** Where each log stands, and up to where this member has acknowledged it, by whatever program. */
    positions: field.list(
      field.u8,
      POSITIONS_MOST,
      field.struct({ ...positionFields, acknowledged: field.u32 }),
    ),
    /**
     * What the host keeps for those who have not acknowledged it: whole entries up to all three, and hashes before them.
     */
    retention: field.struct({ entries: field.u32, bytes: field.u32, seconds: field.u32, hashes: field.u32 }),
    messagesPerSecond: field.u16,
    messagesBurst: field.u16,
  }),
);
export type Welcome = Decoded<typeof Welcome>;

export const Refused = codec(
  'REFUSED',
  field.struct({
    reason: field.oneOf(REFUSAL),
    triesLeft: field.u8,
    /** The version this side speaks, so that both can say what does not fit. */
    version: field.u8,
  }),
);
export type Refused = Decoded<typeof Refused>;
