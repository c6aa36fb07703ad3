/**
 * Who is in a conversation beside the room: those on its own list, as far as the room has them.
 *
 * Its log is read after the room's, so someone may be gone from the room whose removal the conversation has not come to
 * yet: what they said before still has its author.
 */
import type { ConversationChange, ConversationRoster } from '../crypto/conversation-roster.ts';
import type { EpochVerdict, Roster, RosterMember } from '../crypto/roster.ts';
import type { VerifyKey } from '../crypto/signature.ts';
import { bytesEqual } from '../protocol/bytes.ts';
import type { Signed } from '../protocol/codec.ts';
import { SecurityError } from '../protocol/errors.ts';
import type { Hash, IdKey } from '../protocol/identifiers.ts';
import { type Era, RosterOperation } from '../protocol/signed-objects.ts';
import type { Circle, Ledger } from './circle.ts';
import type { SessionEffect } from './events.ts';

export interface ConversationLedgerContext {
  readonly room: Pick<Ledger, 'room' | 'owner' | 'leastStaySeconds'>;
  /** Whoever was in the room once. */
  readonly former: (key: IdKey) => RosterMember | undefined;
  readonly changed: (change: ConversationChange) => SessionEffect[];
}

export class ConversationLedger implements Ledger, Circle {
  readonly isBeside = true;
  #seats: ConversationRoster;
  readonly #context: ConversationLedgerContext;
  /** As the room last listed them. */
  readonly #people = new Map<IdKey, RosterMember>();

  constructor(seats: ConversationRoster, context: ConversationLedgerContext) {
    this.#seats = seats;
    this.#context = context;
  }

  get seats(): ConversationRoster {
    return this.#seats;
  }

  /** Goes on with another list. */
  begin(seats: ConversationRoster): void {
    this.#seats = seats;
    this.remember();
  }

  get circle(): Circle {
    return this;
  }
  get room(): Roster {
    return this.#context.room.room;
  }
  get owner(): VerifyKey | null {
    return this.#context.room.owner;
  }
  get leastStaySeconds(): number {
    return this.#context.room.leastStaySeconds;
  }
  get epoch(): number {
    return this.seats.epoch;
  }
  get hash(): Hash {
    return this.seats.hash;
  }
  get lastRemovalEpoch(): number {
    return this.seats.lastRemovalEpoch;
  }

  /** Those who are there to read. */
  get members(): readonly RosterMember[] {
    return [...this.seats.seats.keys()].flatMap((key) => this.room.member(key) ?? []);
  }

  member(key: IdKey): RosterMember | undefined {
    return this.seats.seats.has(key) ? this.person(key) : undefined;
  }

  /** Whoever is or was in it, as the room lists them or last did. */
  person(key: IdKey): RosterMember | undefined {
    return this.room.member(key) ?? this.#people.get(key) ?? this.#context.former(key);
  }

  verdict(epoch: number, quoted: Hash): EpochVerdict {
    return this.seats.verdict(epoch, quoted);
  }

  /** The room's list is another one now, or about to be: who is on it is remembered for what they have said so far. */
  remember(): void {
    for (const key of this.seats.seats.keys()) {
      const member = this.room.member(key);
      if (member !== undefined) this.#people.set(key, member);
    }
  }

  operate(kind: 'roster' | 'conversation', signed: Signed): SessionEffect[] {
    const change = kind === 'conversation' ? this.seats.apply(signed) : this.#roomChanged(signed);
    const effects = this.#context.changed(change);
    for (const { key } of change.removed) if (this.seats.direct === null) this.#people.delete(key);
    this.remember();
    return effects;
  }

  isUnknown(key: IdKey): boolean {
    return this.seats.seats.has(key) && this.person(key) === undefined;
  }

  isAsOf({ epoch, rosterHash }: Pick<Era, 'epoch' | 'rosterHash'>): boolean {
    return epoch === this.epoch && bytesEqual(rosterHash, this.hash);
  }

  /** @throws SecurityError when the room's owner did not sign it */
  checkRoom(signed: Signed): void {
    const isSigned = this.owner?.verify('sc1/roster', signed.bytes, signed.signature) === true;
    if (!isSigned || !bytesEqual(RosterOperation.decode(signed.bytes).roomId, this.seats.roomId))
      throw new SecurityError('conversation-forked', 'a removal from the room that its owner did not sign');
  }

  #roomChanged(signed: Signed): ConversationChange {
    this.checkRoom(signed);
    const change = this.seats.roomChanged(signed);
    if (change === null)
      throw new SecurityError('conversation-forked', 'a removal from the room that concerns nobody here');
    return change;
  }
}
