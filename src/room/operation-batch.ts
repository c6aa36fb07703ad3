/**
 * What goes into the owner's next operation, out of all that is pending: as much as one may hold, and nothing that
 * members would refuse. Each act is held against the roster as it is now, which is what everyone holds it against.
 * @see docs/protocol.md#acts
 */
import { type CheckedAct, targetRole } from '../crypto/acts.ts';
import { type Roster, type RosterMember, sameSettings } from '../crypto/roster.ts';
import { type Changeable, differences } from '../crypto/roster-change.ts';
import { mayAct } from '../protocol/acts.ts';
import type { Signed } from '../protocol/codec.ts';
import { type IdKey, idKey, type MemberId } from '../protocol/identifiers.ts';
import type { Removal } from '../protocol/reasons.ts';
import {
  ROSTER_CAUSES_MOST,
  ROSTER_CHANGES_MOST,
  type RoomSettings,
  type RosterEntry,
} from '../protocol/signed-objects.ts';

/** The act that asked for a change, its signature checked. `null` in its place: the owner's own doing. */
export interface Cause extends CheckedAct {
  readonly signed: Signed;
}

export interface PendingRemoval {
  readonly memberId: MemberId;
  readonly reason: Removal;
  readonly cause: Cause | null;
}

/** What of a member's entry may change. */
export type EntryPart = Partial<Pick<RosterEntry, 'nick' | 'role' | 'muted'>>;

/** A change to a member or to the settings. */
export type Step = { readonly cause: Cause | null } & (
  | { readonly kind: 'entry'; readonly key: IdKey; readonly part: EntryPart }
  | { readonly kind: 'settings'; readonly part: Partial<RoomSettings> }
);

export class OperationBatch {
  readonly #roster: Roster;
  readonly #entries = new Map<IdKey, RosterEntry>();
  #settings: RoomSettings;
  readonly removes = new Map<IdKey, PendingRemoval>();
  readonly #successors: RosterEntry[] = [];
  readonly causes: Cause[] = [];
  /** Acts that nothing comes of: whoever asked lost the right to, or whom it was about is gone. */
  readonly dropped: Cause[] = [];

  constructor(roster: Roster) {
    this.#roster = roster;
    this.#settings = roster.settings;
  }

  /** Entries of keys that are new: of whoever takes another's place. */
  get successors(): readonly RosterEntry[] {
    return this.#successors;
  }
  get settings(): RoomSettings {
    return this.#settings;
  }
  /** Entries that differ from what they were. */
  get entries(): readonly RosterEntry[] {
    return [...this.#entries].flatMap(([key, after]) => {
      const before = this.#roster.member(key);
      return before === undefined || isNothing(after, before) ? [] : [after];
    });
  }
  /** Taken back meanwhile, or as it was before. */
  get isEmpty(): boolean {
    const isSame = sameSettings(this.#settings, this.#roster.settings);
    return isSame && this.removes.size === 0 && this.entries.length === 0;
  }

  /** @returns whether it is settled: taken, or dropped. */
  remove(key: IdKey, removal: PendingRemoval): boolean {
    if (this.#roster.member(key) === undefined || !this.#holds(removal.cause))
      return this.#drop(removal.cause);
    if (this.removes.size >= ROSTER_CHANGES_MOST || !this.#hasRoomFor(removal.cause)) return false;
    this.removes.set(key, removal);
    return this.#take(removal.cause);
  }

  /**
   * Puts someone in another's place, as that other is now, under the key of this entry. After the removals: whoever is
   * shown out is not followed.
   * @returns whether it is settled; `false` while the one before is to go, or this operation holds no more
   */
  succeed(before: IdKey, heir: RosterEntry): boolean {
    const member = this.#roster.member(before);
    const isFull = Math.max(this.removes.size, this.#successors.length) >= ROSTER_CHANGES_MOST;
    if (member === undefined || this.removes.has(before) || isFull) return false;
    this.removes.set(before, { memberId: member.memberId, reason: 'replaced', cause: null });
    const { nick, role, muted } = member;
    this.#successors.push({ ...heir, nick, role, muted });
    return true;
  }

  /**
   * After the removals. What an act accounts for changes nothing else with it: the rest waits for the operation after.
   * @returns what is not settled yet, in its order
   */
  change(steps: readonly Step[]): Step[] {
    /** Members, or the settings, whose next change has to wait: so do all that come after it. */
    const closed = new Set<IdKey>();
    return steps.filter((step) => {
      const place = step.kind === 'entry' ? step.key : SETTINGS;
      const before = step.kind === 'entry' ? this.#roster.member(step.key) : this.#roster.settings;
      const isTouched =
        step.kind === 'entry'
          ? this.#entries.has(place)
          : !sameSettings(this.#settings, this.#roster.settings);
      const mustWait =
        closed.has(place) ||
        (step.cause !== null && isTouched) ||
        this.#entries.size + this.#successors.length >= ROSTER_CHANGES_MOST;
      if (mustWait) {
        closed.add(place);
        return true;
      }
      const isIdle =
        step.cause !== null && before !== undefined && isNothing({ ...before, ...step.part }, before);
      if (before === undefined || this.removes.has(place) || isIdle || !this.#holds(step.cause))
        return !this.#drop(step.cause);
      if (step.cause !== null) closed.add(place);
      if (!this.#hasRoomFor(step.cause)) return true;
      this.#apply(step);
      return !this.#take(step.cause);
    });
  }

  #apply(step: Step): void {
    if (step.kind === 'settings') {
      this.#settings = { ...this.#settings, ...step.part };
      return;
    }
    const entry: RosterEntry | undefined = this.#entries.get(step.key) ?? this.#roster.member(step.key);
    if (entry !== undefined) this.#entries.set(step.key, { ...entry, ...step.part });
  }

  #holds(cause: Cause | null): boolean {
    if (cause === null) return true;
    const { act } = cause;
    const actor: RosterMember | undefined = this.#roster.member(idKey(act.memberId));
    const target = this.#roster.member(idKey(act.target));
    return (
      actor !== undefined &&
      mayAct(actor.role, act.kind, targetRole(act, target)) &&
      this.#roster.actVerdict(cause) === 'good'
    );
  }

  #hasRoomFor(cause: Cause | null): boolean {
    return cause === null || this.causes.length < ROSTER_CAUSES_MOST;
  }

  #take(cause: Cause | null): true {
    if (cause !== null) this.causes.push(cause);
    return true;
  }

  #drop(cause: Cause | null): true {
    if (cause !== null) this.dropped.push(cause);
    return true;
  }
}

const SETTINGS = '';

/** Whether an entry, or the settings, are as they were: an act that accounts for no change must not be signed. */
function isNothing(after: Changeable, before: Changeable): boolean {
  return differences(before, after).length === 0;
}
