/**
 * The owner: the only one whose signature changes who is in the room. In the host's process by default, and kept this
 * narrow so that a relay without the owner's key fits later: approve this candidate, remove that member.
 * @see docs/protocol.md#roster
 */
import type { Roster } from '../crypto/roster.ts';
import type { SigningKey } from '../crypto/signature.ts';
import { type Bytes, bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { type Hash, type IdKey, idKey, type MemberId } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Removal } from '../protocol/reasons.ts';
import { ROSTER_CHANGES_MOST, type RosterEntry } from '../protocol/signed-objects.ts';

interface PendingRemoval {
  readonly memberId: MemberId;
  readonly reason: Removal;
}

export class Owner {
  readonly #key: SigningKey;
  readonly #limits: Limits;
  readonly roomName: string;
  readonly #puts: RosterEntry[] = [];
  readonly #removes = new Map<IdKey, PendingRemoval>();
  #lastOperationMs = Number.NEGATIVE_INFINITY;
  /** When the oldest pending absence was reported: absences alone are signed once a minute. */
  #absentSinceMs: number | null = null;

  constructor(key: SigningKey, roomName: string, limits: Limits) {
    this.#key = key;
    this.#limits = limits;
    this.roomName = roomName;
  }

  get publicKey(): Bytes {
    return this.#key.spki;
  }

  /** How many candidates wait for their signature. */
  get approving(): readonly RosterEntry[] {
    return this.#puts;
  }

  approve(candidate: RosterEntry): void {
    this.#puts.push(candidate);
  }

  /** A candidate who went before the signature. */
  withdraw(identity: Hash): void {
    const place = this.#puts.findIndex((candidate) => bytesEqual(candidate.identity, identity));
    if (place >= 0) this.#puts.splice(place, 1);
  }

  remove(memberId: MemberId, reason: Removal, nowMs: number): void {
    const key = idKey(memberId);
    if (reason === 'absent') {
      // Never in place of a removal that nothing takes back.
      if (this.#removes.has(key)) return;
      this.#absentSinceMs ??= nowMs;
    }
    this.#removes.set(key, { memberId, reason });
  }

  /** Someone reported absent is back before it was signed. */
  keep(key: IdKey): void {
    if (this.#removes.get(key)?.reason === 'absent') this.#removes.delete(key);
    if (this.#removes.size === 0) this.#absentSinceMs = null;
  }

  /** The room's first operation: nobody is in it. */
  create(roster: Roster, nowMs: number): Signed {
    return this.#sign(roster.prepare({ puts: [], removes: [], atMs: nowMs, roomName: this.roomName }));
  }

  /** The next operation if something is pending and it is time: a rush of joins is a few operations, not a thousand. */
  operation(roster: Roster, nowMs: number): Signed | null {
    if (!this.#due(roster.size, nowMs)) return null;
    const puts = this.#puts.splice(0, ROSTER_CHANGES_MOST);
    const removes = [...this.#removes.values()].slice(0, ROSTER_CHANGES_MOST);
    for (const { memberId } of removes) this.#removes.delete(idKey(memberId));
    if (this.#removes.size === 0) this.#absentSinceMs = null;
    this.#lastOperationMs = nowMs;
    return this.#sign(roster.prepare({ puts, removes, atMs: nowMs, roomName: this.roomName }));
  }

  #due(members: number, nowMs: number): boolean {
    const { rosterOperationsPerSecond, rosterDeliveriesPerSecond, absenceBatchMs } = this.#limits;
    if (nowMs < this.#lastOperationMs) this.#lastOperationMs = Number.NEGATIVE_INFINITY;
    const sinceMs = nowMs - this.#lastOperationMs;
    if (sinceMs < 1_000 / rosterOperationsPerSecond) return false;
    const reasons = new Set([...this.#removes.values()].map(({ reason }) => reason));
    // Nobody waits for company to be shown out.
    if (reasons.has('removed')) return true;
    if (sinceMs < (1_000 * members) / rosterDeliveriesPerSecond) return false;
    if (this.#puts.length > 0 || reasons.has('left')) return true;
    return this.#absentSinceMs !== null && nowMs - this.#absentSinceMs >= absenceBatchMs;
  }

  #sign(bytes: Bytes): Signed {
    return { bytes, signature: this.#key.sign('sc1/roster', bytes) };
  }
}
