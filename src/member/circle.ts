/** Who reads a conversation, as of the latest entry of its log that this member has: the room's list, or fewer of it. */
import type { EpochVerdict, Roster, RosterMember } from '../crypto/roster.ts';
import type { VerifyKey } from '../crypto/signature.ts';
import type { Signed } from '../protocol/codec.ts';
import type { Hash, IdKey } from '../protocol/identifiers.ts';
import type { Era } from '../protocol/signed-objects.ts';
import type { SessionEffect } from './events.ts';

/** The room's own list is one. */
export interface Circle {
  readonly epoch: number;
  readonly hash: Hash;
  /** Chains begun before it are spent. */
  readonly lastRemovalEpoch: number;
  readonly members: readonly RosterMember[];
  member(key: IdKey): RosterMember | undefined;
  verdict(epoch: number, quoted: Hash): EpochVerdict;
}

/** What a log's own entries change: who is in its circle. */
export interface Ledger {
  readonly circle: Circle;
  /** The room's list: it names everyone, and messages quote it wherever they are said. */
  readonly room: Roster;
  /** The least time for which messages stayed in the room, as far as this run has seen; 0: always as long as members keep them. */
  readonly leastStaySeconds: number;
  /** Who signs for the room; `null` before the first list. */
  readonly owner: VerifyKey | null;
  /** Beside the room, messages quote its own list as well. */
  readonly isBeside: boolean;
  /**
   * Takes in an entry that changes who is here.
   * @throws SecurityError when whoever signed it may not, or it does not follow
   */
  operate(kind: 'roster' | 'conversation', signed: Signed): SessionEffect[];
  /** Whether somebody is in it whom this side has never known: they were gone from the room before it could. */
  isUnknown(key: IdKey): boolean;
  /** Whether the room was opened again with the list as it is now. */
  isAsOf(era: Pick<Era, 'epoch' | 'rosterHash'>): boolean;
}
