/**
 * The owner: the only one whose signature changes who is in the room and how it is. In the host's process by default,
 * and kept this narrow so that a relay without the owner's key fits later: approve this candidate, remove that member,
 * change this, each on its own or because a member's act asks for it.
 * @see docs/protocol.md#roster
 */
import type { Roster, RosterMember } from '../crypto/roster.ts';
import type { SigningKey } from '../crypto/signature.ts';
import type { LogPosition } from '../protocol/admission-frames.ts';
import { type Bytes, bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { type Hash, type IdKey, idKey, type MemberId } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import { foldNickname } from '../protocol/nickname.ts';
import type { Removal } from '../protocol/reasons.ts';
import { Era, ROSTER_CHANGES_MOST, type RoomSettings, type RosterEntry } from '../protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../protocol/version.ts';
import {
  type Cause,
  type EntryPart,
  OperationBatch,
  type PendingRemoval,
  type Step,
} from './operation-batch.ts';

/** Someone who waits for the owner's signature. */
interface Approved {
  readonly entry: RosterEntry;
  /** Whose place they take: then their nickname, role and silence are that member's. */
  readonly replaces: IdKey | null;
}

/** The room before anyone is in it. */
export interface OwnerStart {
  readonly roomName: string;
  readonly settings: RoomSettings;
}

/** Of two removals of one member, the heavier is signed. */
const WEIGHT: Readonly<Record<Removal, number>> = {
  absent: 0,
  left: 1,
  replaced: 2,
  removed: 3,
  banned: 4,
};

export class Owner {
  readonly #key: SigningKey;
  readonly #limits: Limits;
  readonly #start: OwnerStart;
  #puts: Approved[] = [];
  readonly #removes = new Map<IdKey, PendingRemoval>();
  /** Changes to members and settings, in the order they were asked for. */
  #steps: Step[] = [];
  #dropped: Cause[] = [];
  #lastOperationMs = Number.NEGATIVE_INFINITY;
  /** When the oldest pending absence was reported: absences alone are signed once a minute. */
  #absentSinceMs: number | null = null;

  constructor(key: SigningKey, start: OwnerStart, limits: Limits) {
    this.#key = key;
    this.#limits = limits;
    this.#start = start;
  }

  get roomName(): string {
    return this.#start.roomName;
  }
  get publicKey(): Bytes {
    return this.#key.spki;
  }

  /** How many candidates wait for their signature. */
  get approving(): readonly Approved[] {
    return this.#puts;
  }

  approve(entry: RosterEntry, replaces: IdKey | null = null): void {
    this.#puts.push({ entry, replaces });
  }

  /** A candidate who went before the signature. */
  withdraw(identity: Hash): void {
    const place = this.#puts.findIndex(({ entry }) => bytesEqual(entry.identity, identity));
    if (place >= 0) this.#puts.splice(place, 1);
  }

  remove(memberId: MemberId, reason: Removal, nowMs: number, cause: Cause | null = null): void {
    const key = idKey(memberId);
    const before = this.#removes.get(key);
    // Nobody goes by themselves in place of being shown out, and a ban stays one.
    if (before !== undefined && WEIGHT[reason] < WEIGHT[before.reason]) return;
    if (reason === 'absent') this.#absentSinceMs ??= nowMs;
    this.#drop(before?.cause ?? null);
    this.#removes.set(key, { memberId, reason, cause });
  }

  /** Someone reported absent is back before it was signed. */
  keep(key: IdKey): void {
    if (this.#removes.get(key)?.reason === 'absent') this.#removes.delete(key);
    if (this.#removes.size === 0) this.#absentSinceMs = null;
  }

  change(key: IdKey, part: EntryPart, cause: Cause | null = null): void {
    this.#ask({ kind: 'entry', key, part, cause });
  }

  configure(part: Partial<RoomSettings>, cause: Cause | null = null): void {
    this.#ask({ kind: 'settings', part, cause });
  }

  /** The owner waits behind nobody's act, and acts that wait to change the same are overruled. */
  #ask(step: Step): void {
    const steps =
      step.cause === null ? this.#steps.filter((other) => !this.#overrules(step, other)) : this.#steps;
    const acts = step.cause === null ? steps.findIndex(({ cause }) => cause !== null) : -1;
    this.#steps = steps.toSpliced(acts < 0 ? steps.length : acts, 0, step);
  }

  #overrules(step: Step, other: Step): boolean {
    const isSamePlace =
      step.kind === 'entry' ? other.kind === 'entry' && other.key === step.key : other.kind === 'settings';
    const isOver =
      other.cause !== null && isSamePlace && Object.keys(step.part).some((name) => name in other.part);
    if (isOver) this.#drop(other.cause);
    return isOver;
  }

  #drop(cause: Cause | null): void {
    if (cause !== null) this.#dropped.push(cause);
  }

  /** Whether someone is about to be removed, and nothing takes it back. */
  isRemoving(key: IdKey): boolean {
    return (this.#removes.get(key)?.reason ?? 'absent') !== 'absent';
  }

  /** A member's entry as it will be once all that is pending is signed. */
  entryAhead(member: RosterMember): Required<EntryPart> {
    const { nick, role, muted } = member;
    const parts = this.#steps.flatMap((step) =>
      step.kind === 'entry' && step.key === member.key ? [step.part] : [],
    );
    return Object.assign({ nick, role, muted }, ...parts);
  }

  settingsAhead(roster: Roster): RoomSettings {
    const parts = this.#steps.flatMap((step) => (step.kind === 'settings' ? [step.part] : []));
    return Object.assign({ ...roster.settings }, ...parts);
  }

  /** Whether a nickname like this one is promised to a member who asked for it. */
  hasPromised(folded: string): boolean {
    return this.#steps.some(
      ({ kind, part }) => kind === 'entry' && part.nick !== undefined && foldNickname(part.nick) === folded,
    );
  }

  /** Acts that wait for the owner's signature. */
  get causesWaiting(): readonly Cause[] {
    return [...this.#removes.values(), ...this.#steps].flatMap(({ cause }) =>
      cause === null ? [] : [cause],
    );
  }

  /**
   * Acts that nothing came of since the last call: whoever asked lost the right to, whom it was about is gone, or the
   * owner has settled it.
   */
  takeDropped(): readonly Cause[] {
    return this.#dropped.splice(0);
  }

  /** The room's first operation: nobody is in it. */
  create(roster: Roster, nowMs: number): Signed {
    const { settings } = this.#start;
    return this.#sign(roster, { puts: [], removes: [], settings, causes: [] }, nowMs);
  }

  /** The room is opened again: as of this roster, its log goes no further than that. */
  beginEra(
    era: number,
    roster: Pick<Roster, 'roomId' | 'epoch' | 'hash'>,
    positions: readonly LogPosition[],
  ): Signed {
    const { roomId, epoch, hash: rosterHash } = roster;
    const bytes = Era.encode({
      version: PROTOCOL_VERSION,
      roomId,
      era,
      epoch,
      rosterHash,
      positions: [...positions],
    });
    return { bytes, signature: this.#key.sign('sc1/era', bytes) };
  }

  /**
   * The next operation if something is pending and it is time: a rush of joins is a few operations, not a thousand.
   * @param isLast the room closes: what is pending waits for nothing
   */
  operation(roster: Roster, nowMs: number, isLast = false): Signed | null {
    if (!isLast && !this.#due(roster.size, nowMs)) return null;
    const batch = new OperationBatch(roster);
    for (const [key, removal] of this.#removes) if (batch.remove(key, removal)) this.#removes.delete(key);
    if (this.#removes.size === 0) this.#absentSinceMs = null;
    this.#puts = this.#puts.filter(
      ({ entry, replaces }) => replaces === null || !batch.succeed(replaces, entry),
    );
    this.#steps = batch.change(this.#steps);
    this.#dropped.push(...batch.dropped);
    const { settings, causes } = batch;
    const entries = [...batch.entries, ...batch.successors];
    const joining = this.#takeNew(ROSTER_CHANGES_MOST - entries.length);
    if (batch.isEmpty && joining.length === 0) return null;
    this.#lastOperationMs = nowMs;
    const removes = [...batch.removes.values()];
    return this.#sign(roster, { puts: [...entries, ...joining], removes, settings, causes }, nowMs);
  }

  #takeNew(most: number): readonly RosterEntry[] {
    const taken = this.#puts.filter(({ replaces }) => replaces === null).slice(0, most);
    this.#puts = this.#puts.filter((each) => !taken.includes(each));
    return taken.map(({ entry }) => entry);
  }

  #due(members: number, nowMs: number): boolean {
    const { rosterOperationsPerSecond, rosterDeliveriesPerSecond, absenceBatchMs } = this.#limits;
    if (nowMs < this.#lastOperationMs) this.#lastOperationMs = Number.NEGATIVE_INFINITY;
    const sinceMs = nowMs - this.#lastOperationMs;
    if (sinceMs < 1_000 / rosterOperationsPerSecond) return false;
    const reasons = new Set([...this.#removes.values()].map(({ reason }) => reason));
    // Nobody waits for company to be shown out.
    if (reasons.has('removed') || reasons.has('banned')) return true;
    if (sinceMs < (1_000 * members) / rosterDeliveriesPerSecond) return false;
    if (this.#puts.length > 0 || this.#steps.length > 0 || reasons.has('left')) return true;
    return this.#absentSinceMs !== null && nowMs - this.#absentSinceMs >= absenceBatchMs;
  }

  #sign(
    roster: Roster,
    next: {
      readonly puts: readonly RosterEntry[];
      readonly removes: readonly PendingRemoval[];
      readonly settings: RoomSettings;
      readonly causes: readonly Cause[];
    },
    nowMs: number,
  ): Signed {
    const causes = next.causes.map(({ signed }) => signed);
    const bytes = roster.prepare({ ...next, causes, atMs: nowMs, roomName: this.roomName });
    return { bytes, signature: this.#key.sign('sc1/roster', bytes) };
  }
}
