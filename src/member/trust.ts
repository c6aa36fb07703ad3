/**
 * Whom this member has verified, by identity key, and the keys that stand in the place of theirs since. Such a key is
 * what an attack looks like: the mark is gone with the old one, and nothing is said until the person has decided.
 * @see docs/protocol.md#verification
 */
import type { Roster, RosterChange, RosterMember } from '../crypto/roster.ts';
import { successions } from '../crypto/roster-change.ts';
import { bytesEqual } from '../protocol/bytes.ts';
import { InputError } from '../protocol/errors.ts';
import { formatFingerprint } from '../protocol/fingerprint.ts';
import { type Hash, ID_BYTES, type IdKey, idKey } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import { foldNickname } from '../protocol/nickname.ts';
import { event, type SessionEffect } from './events.ts';
import type { SavedState } from './saved-state.ts';

/** What a person decides about a member's key: compared, not any more, or taken as it is without comparing. */
export type Mark = 'verified' | 'unverified' | 'trusted';

export const KEY_CHANGED = 'key-changed-verified';

/** A key that was verified, under the nickname it had last. */
interface Pin {
  readonly identity: Hash;
  nick: string;
  /** Another key in its place, not accepted: the mark is cleared. */
  heir: Hash | null;
}

export class Trust {
  readonly #self: IdKey;
  #pins: Pin[];

  constructor(self: IdKey, saved: SavedState['pins'] = []) {
    this.#self = self;
    this.#pins = saved.map(({ identity, nick, heir }) => ({ identity, nick, heir: heir[0] ?? null }));
  }

  save(): SavedState['pins'] {
    return this.#pins.map(({ identity, nick, heir }) => ({
      identity,
      nick,
      heir: heir === null ? [] : [heir],
    }));
  }

  isVerified({ identity }: Pick<RosterMember, 'identity'>): boolean {
    return this.#marked(identity) !== undefined;
  }

  /** Everyone who is verified, by the nickname they had last, in the room or not. */
  verified(roster: Roster): readonly { readonly nick: string; readonly here: boolean }[] {
    return this.#pins
      .filter(({ heir }) => heir === null)
      .map(({ identity, nick }) => ({ nick, here: holder(roster, identity) !== undefined }));
  }

  /** Members for whom sending is held back. */
  pending(roster: Pick<Roster, 'member'>): readonly RosterMember[] {
    const heirs = this.#pins.flatMap(({ heir }) => (heir === null ? [] : (holder(roster, heir) ?? [])));
    return [...new Set(heirs)];
  }

  /** What the person is to know who has just come back to the room. */
  reminders(roster: Roster): SessionEffect[] {
    return this.#pins.flatMap((pin) => {
      const member = pin.heir === null ? undefined : holder(roster, pin.heir);
      return member === undefined ? [] : [alarm(pin, member)];
    });
  }

  /** @param roster as the change left it */
  changed(change: Pick<RosterChange, 'added' | 'changed' | 'removed'>, roster: Roster): SessionEffect[] {
    if (this.#pins.length === 0) return [];
    const renamed = change.changed.filter(({ before, after }) => before.nick !== after.nick);
    const newcomers = [...change.added, ...renamed.map(({ after }) => after)];
    // First: a nickname that a verified member has given up is no longer theirs.
    for (const { identity, nick } of newcomers) {
      const pin = this.#marked(identity);
      if (pin !== undefined) pin.nick = nick;
    }
    const before = new Map(successions(change).map(({ before: old, after }) => [after.key, old]));
    const effects = newcomers.flatMap((member) => {
      if (member.key === this.#self || this.isVerified(member)) return [];
      const pin = this.#takenBy(member, before.get(member.key), roster);
      return pin === null ? [] : [alarm(pin, member)];
    });
    if (change.removed.length > 0) this.#forgetHeirs(roster);
    return effects;
  }

  /** @throws InputError when there is nothing of the kind to decide */
  mark(member: RosterMember, mark: Mark): void {
    const { identity, nick } = member;
    if (member.key === this.#self)
      throw new InputError('not-allowed', 'That is you: your own key needs no mark.');
    const isHeir = (pin: Pin): boolean => pin.heir !== null && bytesEqual(pin.heir, identity);
    switch (mark) {
      case 'trusted':
        if (!this.#pins.some(isHeir))
          throw new InputError(
            'nothing-to-trust',
            `There is nothing to accept: ${nick} has no new key in the place of one that you verified.`,
          );
        break;
      case 'unverified':
        if (!this.isVerified(member)) throw new InputError('not-verified', `${nick} is not verified.`);
        break;
      case 'verified':
        if (this.isVerified(member)) throw new InputError('no-change', `${nick} is verified already.`);
        if (this.#pins.length >= LIMITS.membersMost)
          throw new InputError(
            'too-many',
            `${LIMITS.membersMost} members are verified, the most there may be.`,
          );
        break;
    }
    this.#pins = this.#pins.filter((pin) => !isHeir(pin) && !bytesEqual(pin.identity, identity));
    if (mark === 'verified') this.#pins.push({ identity, nick, heir: null });
  }

  #marked(identity: Hash): Pin | undefined {
    return this.#pins.find((pin) => pin.heir === null && bytesEqual(pin.identity, identity));
  }

  /** Somebody came, or has another nickname. @returns whose place they have under a key that is not accepted */
  #takenBy(member: RosterMember, before: RosterMember | undefined, roster: Roster): Pin | null {
    const { identity } = member;
    const again = this.#pins.find(({ heir }) => heir !== null && bytesEqual(heir, identity));
    if (again !== undefined) return again;
    const folded = foldNickname(member.nick);
    const namesakes = this.#pins.filter(
      (pin) => foldNickname(pin.nick) === folded && !bytesEqual(pin.identity, identity),
    );
    const replaced = this.#pins.find(
      (pin) => before !== undefined && bytesEqual(pin.heir ?? pin.identity, before.identity),
    );
    const left = replaced ?? namesakes.find((pin) => holder(roster, pin.heir ?? pin.identity) === undefined);
    if (left !== undefined) {
      left.heir = identity;
      return left;
    }
    const [taken] = namesakes;
    if (taken === undefined) return null;
    // Whoever had that place is still here, under another nickname or this one: both are to be decided on.
    const pin: Pin = { ...taken, heir: identity };
    this.#pins.push(pin);
    return pin;
  }

  /** Of heirs who are gone one is enough to remember whose place it was. */
  #forgetHeirs(roster: Roster): void {
    const known = new Set<IdKey>();
    this.#pins = this.#pins.filter(({ identity, heir }) => {
      if (heir === null || holder(roster, heir) !== undefined) return true;
      const isKnown = known.has(idKey(identity));
      known.add(idKey(identity));
      return !isKnown;
    });
  }
}

/** Who has this very key. */
function holder(roster: Pick<Roster, 'member'>, identity: Hash): RosterMember | undefined {
  const member = roster.member(idKey(identity.subarray(0, ID_BYTES.member)));
  return member !== undefined && bytesEqual(member.identity, identity) ? member : undefined;
}

function alarm({ identity, nick }: Pin, member: RosterMember): SessionEffect {
  const whose = member.nick === nick ? '' : ` of ${nick}`;
  const text =
    `${member.nick} has another key than the one${whose} that you verified: that was ` +
    `${formatFingerprint(identity)}, and this is ${formatFingerprint(member.identity)}. Nothing you say where they read it is sent until you have decided: /verify ${member.nick} compares, /trust ${member.nick} accepts the key as it is.`;
  return event({ kind: 'alarm', code: KEY_CHANGED, text, evidence: null });
}
