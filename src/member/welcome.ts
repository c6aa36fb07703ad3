/**
 * What WELCOME says, and the member list after it, before they are believed.
 * @see docs/protocol.md#session
 */
import { Roster, type RosterMember } from '../crypto/roster.ts';
import type { SigningKey, VerifyKey } from '../crypto/signature.ts';
import type { Welcome } from '../protocol/admission-frames.ts';
import { bytesEqual } from '../protocol/bytes.ts';
import { SecurityError } from '../protocol/errors.ts';
import { idKey, ROOM_CONVERSATION, type RoomId } from '../protocol/identifiers.ts';
import type { Era } from '../protocol/signed-objects.ts';
import type { ListedMember } from './list-reader.ts';

/** @throws SecurityError when WELCOME does not say where the room's log stands. */
export function roomPosition(welcome: Welcome): Welcome['positions'][number] {
  const position = welcome.positions.find(({ conversation }) => bytesEqual(conversation, ROOM_CONVERSATION));
  if (position === undefined)
    throw new SecurityError('bad-welcome', 'the host does not say where the log stands');
  return position;
}

type Retention = Welcome['retention'];

export function sameRetention(before: Retention, now: Retention): boolean {
  return (
    before.entries === now.entries &&
    before.bytes === now.bytes &&
    before.seconds === now.seconds &&
    before.hashes === now.hashes
  );
}

/** A list as it was pulled, and all it is held against. */
export interface ListClaim {
  readonly roomId: RoomId;
  readonly owner: VerifyKey;
  readonly operation: Welcome['operation'];
  readonly identity: SigningKey;
  readonly listed: readonly ListedMember[];
  /** The roster this member has seen so far. */
  readonly before: Roster;
  /** A start of the room after which its host has lost what this member has seen: only lists before it are too old. */
  readonly era: Era | null;
}

/**
 * The roster that a pulled list makes, and this member in it.
 * @throws SecurityError when the owner did not sign that list, it does not name this member, or it is older than what
 *   they have seen.
 */
export function adoptList(claim: ListClaim): { readonly roster: Roster; readonly self: RosterMember } {
  const { roomId, owner, operation, identity, listed, before, era } = claim;
  const roster = new Roster(roomId);
  const entries = listed.map(({ entry }) => entry);
  roster.adopt(operation, owner, entries);
  const self = roster.member(idKey(identity.memberId));
  if (self === undefined || !bytesEqual(self.identity, identity.idFingerprint)) {
    throw new SecurityError('bad-welcome', 'the list that the owner signed does not name you');
  }
  const isOlder =
    era === null
      ? roster.epoch < before.epoch || before.verdict(roster.epoch, roster.hash) === 'forked'
      : roster.epoch < era.epoch || (roster.epoch === era.epoch && !bytesEqual(roster.hash, era.rosterHash));
  if (isOlder) {
    throw new SecurityError(
      'roster-rollback',
      'the host shows a member list from before the one you have seen',
    );
  }
  return { roster, self };
}
