/**
 * What a room leaves with whoever keeps it, and what it is opened with again. Ciphertext, public keys, counters and keys of
 * the door: nothing in here opens a message. A room in memory keeps its log and forgets the rest.
 * @see docs/architecture.md#kept-rooms
 */
import type { PlacedChange, SavedSeats } from '../crypto/conversation-roster.ts';
import type { RosterMember, SavedRoster } from '../crypto/roster.ts';
import type { Bytes } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import type { ConversationId, Hash, IdKey, MemberId } from '../protocol/identifiers.ts';
import type { Prefer } from '../protocol/session-frames.ts';
import type { Algorithm } from '../protocol/signed-objects.ts';
import type { Ban } from './bans.ts';
import type { KeptInvitation } from './invitations.ts';
import type { Log } from './log.ts';
import type { KeptWrap } from './wrap-queue.ts';

/** After an operation. Hashes of earlier ones have been saved. */
export interface PlacedOperation extends Pick<SavedRoster, 'operation' | 'lastRemovalEpoch' | 'usedActs'> {
  readonly epoch: number;
  readonly hash: Hash;
  /** Whoever is as before is the very same object. */
  readonly members: readonly RosterMember[];
}

/** What the host keeps of a password: with its OPAQUE setup it lets passwords be tested. */
export interface Account {
  /** Of whoever first registered it; it goes along when the account goes on under another key. */
  readonly credential: string;
  /** As base64url. */
  readonly record: string;
}

/** What of a member changes seldom. */
export interface MemberRecord {
  readonly key: IdKey;
  readonly spki: Bytes;
  readonly algorithm: Algorithm;
  readonly accountKey: Bytes;
  readonly statement: Signed;
  readonly generation: number;
  readonly invitations: readonly IdKey[];
  readonly prefers: Prefer;
  /** What proves their password, where they have registered one. */
  readonly account: Account | null;
}

/** Where a member stands in one log. */
export interface KeptPlace {
  /** Where it began for them; of the room's own log that is not kept. */
  readonly from: number;
  readonly acknowledged: number;
  /** They have acknowledged nothing yet. */
  readonly isNew: boolean;
  readonly chainSequence: number;
  /** `null`: none has been announced. */
  readonly chain: {
    readonly key: IdKey;
    readonly epoch: number;
    readonly lastN: number;
    readonly lastLeaf: Hash;
  } | null;
}

/** What changes with every message; the place is that in the room's own log. */
export interface MemberProgress extends KeptPlace {
  readonly key: IdKey;
  readonly quotedGeneration: number;
  /** `null`: online. */
  readonly offlineSinceMs: number | null;
}

export type KeptMember = MemberRecord & MemberProgress & { readonly wraps: readonly KeptWrap[] };

/** Who is in a conversation. Of the conversation of two, `direct` names both. */
export interface ConversationRecord {
  readonly id: ConversationId;
  readonly direct: readonly [MemberId, MemberId] | null;
  readonly seats: SavedSeats;
  /** What its list has become of, oldest first: at least from the latest that names everyone. */
  readonly changes: readonly KeptChange[];
}

/** A change of a list, and where it stands in the log. */
export interface KeptChange extends PlacedChange {
  readonly index: number;
  /** The list's, after it. */
  readonly epoch: number;
  /** It names everyone, so that nothing before it is needed. */
  readonly isWhole: boolean;
}

export interface KeptConversation extends ConversationRecord {
  readonly places: readonly (readonly [IdKey, KeptPlace])[];
  /** Statements about the latest starts of the room, as of this log, oldest first. */
  readonly eras: readonly Signed[];
  /** When the latest entry was placed. */
  readonly placedAtMs: number;
}

/** Until somebody has what waits for them. What they did is kept while its owner has not been told. */
export type DepositNews = 'awaited' | 'done' | 'declined';

/** A file that waits beside the room: what is in it stands elsewhere. */
export interface KeptDeposit {
  readonly fileId: Bytes;
  readonly owner: IdKey;
  /** Of plaintext. */
  readonly bytes: number;
  readonly cameAtMs: number;
  /** Where nobody is awaited, the file itself is gone. */
  readonly members: readonly (readonly [IdKey, DepositNews])[];
}

/** A room as it was when its host last had it open. */
export interface KeptRoom {
  readonly roster: SavedRoster;
  readonly members: readonly KeptMember[];
  readonly conversations: readonly KeptConversation[];
  readonly invitations: readonly KeptInvitation[];
  readonly bans: readonly Ban[];
  readonly mutedUntilMs: readonly (readonly [IdKey, number])[];
  readonly deposits: readonly KeptDeposit[];
  /** Of the latest start; 0 when there was none after the room was made. */
  readonly era: number;
  /** The statements of late, oldest first. */
  readonly eras: readonly Signed[];
  /** When the latest entry was placed: times never run backwards. */
  readonly placedAtMs: number;
}

/** Takes what has changed. Everything written between two commits becomes durable together, or not at all. */
export interface RoomStore {
  readonly log: Log;
  /** `null` for a room that is new. */
  readonly kept: KeptRoom | null;
  saveRoster(placed: PlacedOperation): void;
  saveEra(era: number, statement: Signed): void;
  saveMember(member: MemberRecord): void;
  saveProgress(progress: MemberProgress): void;
  forgetMember(member: IdKey): void;
  saveInvitation(invitation: KeptInvitation): void;
  saveBans(bans: readonly Ban[]): void;
  saveMutes(mutedUntilMs: readonly (readonly [IdKey, number])[]): void;
  keepWrap(to: IdKey, wrap: KeptWrap): void;
  dropWraps(wraps: readonly KeptWrap[]): void;
  /** The log of a conversation, empty where there is none yet. */
  openLog(conversation: ConversationId): Log;
  saveConversation(conversation: ConversationRecord): void;
  /** With its log, and all that is in it. */
  forgetConversation(conversation: IdKey): void;
  savePlace(conversation: IdKey, member: IdKey, place: KeptPlace): void;
  forgetPlace(conversation: IdKey, member: IdKey): void;
  saveConversationEra(conversation: IdKey, era: number, statement: Signed): void;
  saveDeposit(deposit: KeptDeposit): void;
  forgetDeposit(file: IdKey): void;
}
