/**
 * What a room leaves with whoever keeps it, and what it is opened with again. Ciphertext, public keys, counters and keys of
 * the door: nothing in here opens a message. A room in memory keeps its log and forgets the rest.
 * @see docs/architecture.md#kept-rooms
 */
import type { RosterMember, SavedRoster } from '../crypto/roster.ts';
import type { Bytes } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import type { Hash, IdKey } from '../protocol/identifiers.ts';
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

/** What changes with every message. */
export interface MemberProgress {
  readonly key: IdKey;
  readonly acknowledged: number;
  readonly quotedGeneration: number;
  readonly chainSequence: number;
  /** `null`: none has been announced. */
  readonly chain: {
    readonly key: IdKey;
    readonly epoch: number;
    readonly lastN: number;
    readonly lastLeaf: Hash;
  } | null;
  /** `null`: online. */
  readonly offlineSinceMs: number | null;
}

export type KeptMember = MemberRecord & MemberProgress & { readonly wraps: readonly KeptWrap[] };

/** A room as it was when its host last had it open. */
export interface KeptRoom {
  readonly roster: SavedRoster;
  readonly members: readonly KeptMember[];
  readonly invitations: readonly KeptInvitation[];
  readonly bans: readonly Ban[];
  readonly mutedUntilMs: readonly (readonly [IdKey, number])[];
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
}

const nothing = (): void => {};

/** A room that ends with its host's process. */
export function memoryStore(log: Log): RoomStore {
  return {
    log,
    kept: null,
    saveRoster: nothing,
    saveEra: nothing,
    saveMember: nothing,
    saveProgress: nothing,
    forgetMember: nothing,
    saveInvitation: nothing,
    saveBans: nothing,
    saveMutes: nothing,
    keepWrap: nothing,
    dropWraps: nothing,
  };
}
