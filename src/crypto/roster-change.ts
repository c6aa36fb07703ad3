/** What one operation did to a room, for showing: no setting hides it. */
import type { Bytes } from '../protocol/bytes.ts';
import type { IdKey, MemberId } from '../protocol/identifiers.ts';
import type { Removal } from '../protocol/reasons.ts';
import type { RoomSettings, RosterEntry } from '../protocol/signed-objects.ts';

export interface RosterMember extends RosterEntry {
  readonly memberId: MemberId;
  readonly key: IdKey;
  /** The entry as the list hash covers it. */
  readonly encoded: Bytes;
}

/** Changes to what was there, each with the member who asked for it; `null`: the owner, whose key signs everything. */
export interface Attributed {
  readonly changed: readonly {
    readonly before: RosterMember;
    readonly after: RosterMember;
    readonly by: RosterMember | null;
  }[];
  readonly removed: readonly {
    readonly member: RosterMember;
    /** `unseen`: it happened while this member was too far behind to be told how. */
    readonly reason: Removal | 'unseen';
    readonly by: RosterMember | null;
  }[];
  readonly settings: {
    readonly before: RoomSettings;
    readonly after: RoomSettings;
    readonly by: RosterMember | null;
  } | null;
}

export interface RosterChange extends Attributed {
  readonly epoch: number;
  readonly atMs: number;
  readonly added: readonly RosterMember[];
}

/** One person under another key: the old one is among those removed, the new one among those added. */
export interface Succession {
  readonly before: RosterMember;
  readonly after: RosterMember;
}

/** Whose keys were replaced, each by the one new entry that differs in nothing else. */
export function successions({
  added,
  removed,
}: {
  readonly added: readonly RosterMember[];
  readonly removed: readonly Pick<Attributed['removed'][number], 'member' | 'reason'>[];
}): readonly Succession[] {
  return removed.flatMap(({ member: before, reason }) => {
    if (reason !== 'replaced') return [];
    const heirs = added.filter((after) => differences(before, after).length === 0);
    const [after] = heirs;
    return after === undefined || heirs.length > 1 ? [] : [{ before, after }];
  });
}

/** What may change: of a member's entry, or of the settings. */
export type Changeable = Partial<Pick<RosterEntry, 'nick' | 'role' | 'muted'> & RoomSettings>;

const CHANGEABLE = [
  'nick',
  'role',
  'muted',
  'topic',
  'motd',
  'slowSeconds',
  'locked',
  'approval',
  'staySeconds',
  'edits',
  'readReceipts',
] as const satisfies readonly (keyof Changeable)[];

/** In what two entries, or two settings, differ. */
export function differences(before: Changeable, after: Changeable): readonly (keyof Changeable)[] {
  return CHANGEABLE.filter((name) => before[name] !== after[name]);
}
