/**
 * Starts of a room that its host keeps on disk, each signed by the owner: as an entry of the log, and, where the log has
 * lost what this member holds, as the proof that it honestly went no further.
 * @see docs/protocol.md#kept-rooms
 */
import type { VerifyKey } from '../crypto/signature.ts';
import { bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { SecurityError } from '../protocol/errors.ts';
import type { ConversationId, RoomId } from '../protocol/identifiers.ts';
import { Era } from '../protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import type { History } from './history.ts';

/** Which log an era is to speak of. */
interface Log {
  readonly roomId: RoomId;
  readonly conversation: ConversationId;
}

type Position = Era['positions'][number];

/** An era that is signed by the owner of this room. */
export interface CheckedEra {
  readonly era: Era;
  /** Where the room's log stood. */
  readonly position: Position;
}

/** @throws SecurityError `roster-forked` when the owner did not sign it for this room */
function checkEra({ bytes, signature }: Signed, owner: VerifyKey, { roomId, conversation }: Log): CheckedEra {
  // Views of a frame do not outlive it.
  const era = Era.decode(bytes.slice());
  const position = era.positions.find((each) => bytesEqual(each.conversation, conversation));
  const holds =
    era.version === PROTOCOL_VERSION &&
    bytesEqual(era.roomId, roomId) &&
    owner.verify('sc1/era', bytes, signature);
  if (!holds || position === undefined)
    throw new SecurityError('roster-forked', 'a start of the room is not signed by its owner');
  return { era, position };
}

/** An era entry at its place. @throws SecurityError `roster-forked` when it does not belong there */
export function checkPlacedEra(
  signed: Signed,
  owner: VerifyKey,
  at: Log & { readonly history: History; readonly lastEra: number },
): Era {
  const { era, position } = checkEra(signed, owner, at);
  const { index, head } = at.history;
  if (era.era <= at.lastEra || position.index !== index || !bytesEqual(position.head, head))
    throw new SecurityError('roster-forked', 'a start of the room stands at a place that is not its own');
  return era;
}

/**
 * Where the host's log left this member's own record: the first start since that lies on it.
 * @returns `null` when none does: the host has no honest reason
 * @throws SecurityError `roster-forked` when one is not signed by the owner of this room
 */
export function whereLost(
  signed: readonly Signed[],
  owner: VerifyKey,
  at: Log & { readonly history: History; readonly lastEra: number },
): CheckedEra | null {
  const eras = signed
    .map((each) => checkEra(each, owner, at))
    .sort((left, right) => left.era.era - right.era.era);
  const { history, lastEra } = at;
  const fitting = eras.find(
    ({ era, position: { index, head } }) =>
      era.era > lastEra && index < history.index && history.judge(index, head) === 'same',
  );
  return fitting ?? null;
}
