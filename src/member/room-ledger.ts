/** The room's list of members, which only its owner's operations change. */
import { Roster, type RosterChange } from '../crypto/roster.ts';
import { importVerifyKey, type VerifyKey } from '../crypto/signature.ts';
import { type Bytes, bytesEqual, fromHex } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { SecurityError } from '../protocol/errors.ts';
import { hash, idKey, type RoomId } from '../protocol/identifiers.ts';
import { type Era, RosterEntry } from '../protocol/signed-objects.ts';
import type { Ledger } from './circle.ts';
import { event, type SessionEffect } from './events.ts';
import type { SavedState } from './saved-state.ts';

/** What of a saved state is this list. */
export type SavedLedger = Pick<SavedState, 'ownerKey' | 'roster'>;

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

  /** Whose the room is, as the host says: the first word counts, and the list after it is signed by them or refused. */
  welcomed({ ownerKey }: { readonly ownerKey: Bytes }): void {
    this.#owner ??= importVerifyKey(ownerKey, 'rsa');
  }

  /** Goes on with another list. */
  begin(roster: Roster): void {
    this.#roster = roster;
    this.#followStay();
  }

  /** Goes on with the list of an earlier run. */
  restore({ ownerKey, roster: { entries, usedActs, ...roster } }: SavedLedger): void {
    const owner = importVerifyKey(ownerKey, 'rsa');
    const kept = {
      ...roster,
      entries: entries.map((entry) => RosterEntry.decode(entry)),
      usedActs: usedActs.map(({ name, epoch }) => ({ name: idKey(name), epoch })),
    };
    this.#owner = owner;
    this.begin(Roster.restore(this.#roster.roomId, owner, kept));
  }

  /** @returns `null` before the first list */
  save(): SavedLedger | null {
    const roster = this.#roster.save();
    if (roster === null || this.#owner === null) return null;
    return {
      ownerKey: this.#owner.spki,
      roster: {
        ...roster,
        entries: this.#roster.members.map(({ encoded }) => encoded),
        hashes: [...roster.hashes],
        usedActs: roster.usedActs.map(({ name, epoch }) => ({ name: hash(fromHex(name)), epoch })),
      },
    };
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
