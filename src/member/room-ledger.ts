/** The room's list of members, which only its owner's operations change. */
import { Roster, type RosterChange } from '../crypto/roster.ts';
import type { VerifyKey } from '../crypto/signature.ts';
import { bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { SecurityError } from '../protocol/errors.ts';
import type { RoomId } from '../protocol/identifiers.ts';
import type { Era } from '../protocol/signed-objects.ts';
import type { Ledger } from './circle.ts';
import { event, type SessionEffect } from './events.ts';

export class RoomLedger implements Ledger {
  readonly isBeside = false;
  readonly #changed: (change: RosterChange) => SessionEffect[];
  #roster: Roster;
  #owner: VerifyKey | null = null;
  #leastStaySeconds = 0;

  constructor(roomId: RoomId, changed: (change: RosterChange) => SessionEffect[]) {
    this.#roster = new Roster(roomId);
    this.#changed = changed;
  }

  get circle(): Roster {
    return this.#roster;
  }
  get room(): Roster {
    return this.#roster;
  }
  get owner(): VerifyKey | null {
    return this.#owner;
  }

  get leastStaySeconds(): number {
    return this.#leastStaySeconds;
  }

  begin(roster: Roster, owner: VerifyKey): void {
    this.#roster = roster;
    this.#owner = owner;
    this.#followStay();
  }

  #followStay(): void {
    const { staySeconds } = this.#roster.settings;
    if (staySeconds === 0) return;
    const before = this.#leastStaySeconds;
    this.#leastStaySeconds = before === 0 ? staySeconds : Math.min(before, staySeconds);
  }

  operate(kind: 'roster' | 'conversation', signed: Signed): SessionEffect[] {
    if (this.#owner === null) return [];
    if (kind === 'conversation')
      throw new SecurityError(
        'roster-forked',
        'an operation of a conversation stands in the log of the room',
      );
    const change = this.#roster.apply(signed, this.#owner);
    this.#followStay();
    return [event({ kind: 'roster', change }), ...this.#changed(change)];
  }

  isUnknown(): boolean {
    return false;
  }

  isAsOf({ epoch, rosterHash }: Pick<Era, 'epoch' | 'rosterHash'>): boolean {
    return epoch === this.#roster.epoch && bytesEqual(rosterHash, this.#roster.hash);
  }
}
