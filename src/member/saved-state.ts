/**
 * A membership as it is kept beyond the life of a program: all that a later one needs to log in, to judge and open what
 * was said meanwhile, and to go on as the same member. Never a sending chain: the next run begins its own.
 * @see docs/protocol.md#saved-rooms
 */
import { CONVERSATION_EPOCHS_KEPT, OPERATIONS_MOST } from '../crypto/conversation-roster.ts';
import { EPOCHS_SAVED } from '../crypto/roster.ts';
import type { Bytes } from '../protocol/bytes.ts';
import { codec, type Decoded, field } from '../protocol/codec.ts';
import { SALT_BYTES } from '../protocol/content.ts';
import { ProtocolError } from '../protocol/errors.ts';
import { KEEP_FOR_MOST } from '../protocol/file-frames.ts';
import { fileOffer } from '../protocol/file-offer.ts';
import { LIMITS } from '../protocol/limits.ts';
import { ALGORITHM } from '../protocol/signed-objects.ts';
import { HEADS_SAVED } from './history.ts';
import { GENERATIONS_MOST } from './wrap-keys.ts';

/**
 * Chains of one sender whose keys have come and whose messages have not: someone who was away is handed all of them
 * before the first message. Enough for the longest backlog that a host keeps, were it all one sender's.
 */
export const CHAINS_A_SENDER = 64;

/** One for each member that was verified, and one for each who has such a place under another key. */
const PINS_MOST = 2 * LIMITS.membersMost;

const VERSION = 2;
/** Which did not say of one's own files who has them. */
const WITHOUT_TAKERS = 1;
const KEM_SEED_BYTES = 64;
/** Acts that a roster remembers: as many as fit into the operations for which they stay fresh. */
const ACTS_MOST = 64 * 12;

/** Of files: past it the oldest that nothing is under way with is forgotten. */
export const OFFERS_KEPT = 256;
/** Of those who have one's own file, and of those who could read its offer: lists of everyone in a large room would be written at each change. */
export const TAKERS_SAVED = 255;

type Field<T> = Parameters<typeof field.list<T>>[2];

/** None or one. */
const maybe = <T>(inner: Field<T>) => field.list(field.u8, 1, inner);

const SETTLED = { done: 1, declined: 2 } as const;

const CHANGE_KIND = { roster: 1, conversation: 2 } as const;

/** A log as this member has followed it, and the others' chains in it. */
const conversationFields = {
  log: field.struct({
    index: field.u32,
    heads: field.list(field.u16, HEADS_SAVED, field.hash),
    /** Where the record began. */
    beganAt: field.u32,
    /** The latest era whose entry was seen; 0 for none. */
    era: field.u32,
  }),
  voices: field.list(
    field.u16,
    LIMITS.membersMost,
    field.struct({
      memberId: field.memberId,
      algorithm: field.oneOf(ALGORITHM),
      identityKey: field.bytes,
      generation: field.u32,
      /** Of the latest chain. */
      sequence: maybe(field.u32),
      chains: field.list(
        field.u8,
        CHAINS_A_SENDER,
        field.struct({
          chainId: field.chainId,
          epoch: field.u32,
          firstN: field.u32,
          n: field.u32,
          chainKey: field.fixed(32),
          lastLeaf: maybe(field.hash),
        }),
      ),
    }),
  ),
  /** Of the latest chain of one's own. */
  sequence: field.u32,
  /** The latest message of one's own that has its place. */
  lastPlaced: maybe(field.struct({ sequence: field.u32, n: field.u32 })),
};

const fileFields = {
  offer: fileOffer,
  memberId: field.memberId,
  conversation: field.conversation,
  message: maybe(field.shortText),
  name: field.text,
  atMs: field.timeMs,
  /** Of one's own: where it lies. Of others': where it is to go, if not where files usually go. */
  place: maybe(field.text),
  /** Of others': this member has said yes. */
  accepted: field.bool,
  /** Of one's own: for whom it is to wait at the host, as long as it does not. */
  keepFor: field.list(field.u8, KEEP_FOR_MOST, field.memberId),
};

const takerFields = {
  /** Of one's own: who has it, or does not want it. For whom it waits at the host, the host says. */
  settled: field.list(
    field.u8,
    TAKERS_SAVED,
    field.struct({ memberId: field.memberId, state: field.oneOf(SETTLED) }),
  ),
  /** Of one's own: who could read the offer when it got its place; none where that is not known. */
  readers: maybe(field.list(field.u8, TAKERS_SAVED, field.memberId)),
};

/** @param file an offer that stands */
function stateWith<File>(file: Field<File>) {
  return codec(
    'saved state',
    field.struct({
      version: field.u8,
      roomId: field.roomId,
      ownerKey: field.bytes,
      memberId: field.memberId,
      accountKey: field.fixed(32),
      sessionId: field.sessionId,
      retention: field.struct({
        entries: field.u32,
        bytes: field.u32,
        seconds: field.u32,
        hashes: field.u32,
      }),
      roster: field.struct({
        operation: field.signed,
        entries: field.list(field.u16, LIMITS.membersMost, field.shortBytes),
        hashes: field.list(field.u16, EPOCHS_SAVED, field.hash),
        lastRemovalEpoch: field.u32,
        adoptedEpoch: field.u32,
        usedActs: field.list(field.u16, ACTS_MOST, field.struct({ name: field.hash, epoch: field.u32 })),
      }),
      ...conversationFields,
      wrapKeys: field.list(
        field.u8,
        GENERATIONS_MOST,
        field.struct({
          generation: field.u32,
          madeAtMs: field.timeMs,
          dropAtMs: field.timeMs,
          rsaPkcs8: field.bytes,
          kemSeed: field.fixed(KEM_SEED_BYTES),
        }),
      ),
      /** An alarm that nobody has taken note of holds sending back. */
      heldBack: field.bool,
      /** Keys that were verified; with another one in their place that is not accepted, sending is held back. */
      pins: field.list(
        field.u16,
        PINS_MOST,
        field.struct({ identity: field.hash, nick: field.shortText, heir: maybe(field.hash) }),
      ),
      /** Offers that stand, one's own and others'. */
      files: field.list(field.u16, OFFERS_KEPT, file),
      /** Beside the room. */
      conversations: field.list(
        field.u8,
        LIMITS.conversationsPerMember,
        field.struct({
          conversation: field.conversation,
          /** Of the conversation of two: the other one. */
          direct: maybe(field.memberId),
          seats: field.struct({
            operations: field.list(
              field.u16,
              OPERATIONS_MOST,
              field.struct({ kind: field.oneOf(CHANGE_KIND), operation: field.signed }),
            ),
            epoch: field.u32,
            hashes: field.list(field.u16, CONVERSATION_EPOCHS_KEPT, field.hash),
            lastRemovalEpoch: field.u32,
            adoptedEpoch: field.u32,
          }),
          /** Name and topic, once they are known. */
          about: maybe(field.struct({ salt: field.fixed(SALT_BYTES), text: field.text })),
          /** Everyone who was in it by then has been told of them. */
          toldEpoch: field.u32,
          ...conversationFields,
        }),
      ),
    }),
  );
}

const SavedStateCodec = stateWith(field.struct({ ...fileFields, ...takerFields }));
const StateWithoutTakers = stateWith(field.struct(fileFields));

export type SavedState = Omit<Decoded<typeof SavedStateCodec>, 'version'>;

export function encodeSavedState(state: SavedState): Bytes {
  return SavedStateCodec.encode({ version: VERSION, ...state });
}

/**
 * @returns copies of everything: `bytes` may be overwritten afterwards
 * @throws ProtocolError when this is none, or one of a later version
 */
export function decodeSavedState(bytes: Bytes): SavedState {
  const [found] = bytes;
  if (found === WITHOUT_TAKERS) {
    const { version, files, ...state } = StateWithoutTakers.decode(bytes.slice());
    return { ...state, files: files.map((file) => ({ ...file, settled: [], readers: [] })) };
  }
  if (found !== VERSION) throw new ProtocolError('version', `a saved state of version ${found ?? 'none'}`);
  const { version, ...state } = SavedStateCodec.decode(bytes.slice());
  return state;
}

/** The private keys in it are gone; the object is of no more use. */
export function eraseSavedState({ voices, conversations, wrapKeys, accountKey, files }: SavedState): void {
  accountKey.fill(0);
  for (const { offer } of files) offer.key.fill(0);
  for (const { chains } of [...voices, ...conversations.flatMap((each) => each.voices)])
    for (const { chainKey } of chains) chainKey.fill(0);
  for (const { rsaPkcs8, kemSeed } of wrapKeys) {
    rsaPkcs8.fill(0);
    kemSeed.fill(0);
  }
}
