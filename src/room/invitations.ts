/**
 * The host's book of invitations: uses, expiry, and the tries that make guessing hopeless.
 * A try is taken before anything that lets one guess be tested, given back when the guess was right, and lost when it
 * was wrong or left undecided. While undecided tries use up the rest, the next in line waits.
 * @see docs/protocol.md#tries
 */
import type { Bytes } from '../protocol/bytes.ts';
import { type IdKey, type InvitationId, idKey } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Refusal } from '../protocol/reasons.ts';
import type { Role } from '../protocol/signed-objects.ts';

/** Whoever stands at the door with a connection. */
export type HolderId = number;

export interface NewInvitation {
  readonly id: InvitationId;
  /** `K_adm`: proves in HELLO that its holder has the invitation. */
  readonly admissionKey: Bytes;
  readonly expiresAtMs: number;
  readonly uses: number;
  /** What the person becomes; `owner` only for the host's own way in. */
  readonly role: Role;
}

export interface InvitationView {
  readonly id: InvitationId;
  readonly key: IdKey;
  readonly expiresAtMs: number;
  readonly uses: number;
  readonly usesLeft: number;
  readonly triesLeft: number;
  readonly revoked: boolean;
  readonly suspended: boolean;
  readonly role: Role;
}

/** An invitation as a kept room has it on disk. Who stands at the door at that moment does not: they come again. */
export interface KeptInvitation extends NewInvitation {
  /** Of people who stand at the door with everything right, too: they have not got in. */
  readonly usesLeft: number;
  /** Without those that are undecided: a try is written down before it lets a guess be tested. */
  readonly triesLeft: number;
  readonly revoked: boolean;
  readonly suspended: boolean;
}

interface Undecided {
  readonly invitation: IdKey;
  readonly takenAtMs: number;
}

interface Invitation extends NewInvitation {
  readonly key: IdKey;
  usesLeft: number;
  /** Spent on people who are not in yet. */
  usesPending: number;
  triesLeft: number;
  undecided: number;
  revoked: boolean;
  suspended: boolean;
  readonly waiting: HolderId[];
}

export class InvitationBook {
  readonly #limits: Limits;
  readonly #invitations = new Map<IdKey, Invitation>();
  /** Those with someone in line: asked after every event, so it must not cost a walk over all of them. */
  readonly #queued = new Set<Invitation>();
  readonly #undecided = new Map<HolderId, Undecided>();
  readonly #exhausted: IdKey[] = [];
  readonly #changed = new Set<Invitation>();

  /** @param kept from before the room was opened again */
  constructor(limits: Limits, kept: readonly KeptInvitation[] = []) {
    this.#limits = limits;
    for (const invitation of kept) {
      // Whatever was undecided when the host ended will not be decided any more.
      const isExhausted = invitation.triesLeft === 0;
      this.#put({ ...invitation, suspended: invitation.suspended || isExhausted });
    }
  }

  add(invitation: NewInvitation): void {
    const { uses: usesLeft } = invitation;
    const triesLeft = this.#limits.triesPerInvitation;
    this.#changed.add(this.#put({ ...invitation, usesLeft, triesLeft, revoked: false, suspended: false }));
  }

  #put(kept: KeptInvitation): Invitation {
    const key = idKey(kept.id);
    const invitation = { ...kept, key, usesPending: 0, undecided: 0, waiting: [] };
    this.#invitations.set(key, invitation);
    return invitation;
  }

  get hasChanged(): boolean {
    return this.#changed.size > 0;
  }

  /** Those that are not as they were when this was last asked. */
  takeChanged(): readonly KeptInvitation[] {
    const changed = [...this.#changed].map(({ usesLeft, usesPending, ...rest }) => ({
      ...rest,
      usesLeft: usesLeft + usesPending,
    }));
    this.#changed.clear();
    return changed;
  }

  find(key: IdKey): (InvitationView & { readonly admissionKey: Bytes }) | undefined {
    return this.#invitations.get(key);
  }

  list(): readonly InvitationView[] {
    return [...this.#invitations.values()];
  }

  /** Why this invitation opens nothing now, or `null` when it does. */
  refusal(key: IdKey, nowMs: number): Refusal | null {
    const invitation = this.#known(key);
    if (invitation.revoked) return 'revoked';
    if (nowMs >= invitation.expiresAtMs) return 'expired';
    if (invitation.usesLeft === 0) return 'used-up';
    return invitation.suspended ? 'suspended' : null;
  }

  /** Takes a try for `holder`, or puts the holder in line, or refuses because none is left. */
  take(key: IdKey, holder: HolderId, nowMs: number): 'taken' | 'waits' | 'suspended' {
    const invitation = this.#known(key);
    if (invitation.suspended) return 'suspended';
    if (invitation.triesLeft > 0) {
      invitation.triesLeft -= 1;
      invitation.undecided += 1;
      this.#changed.add(invitation);
      this.#undecided.set(holder, { invitation: key, takenAtMs: nowMs });
      return 'taken';
    }
    invitation.waiting.push(holder);
    this.#queued.add(invitation);
    return 'waits';
  }

  /** The holder's guess was right. */
  giveBack(holder: HolderId): void {
    const invitation = this.#decide(holder);
    if (invitation === null || invitation.suspended) return;
    invitation.triesLeft += 1;
    this.#changed.add(invitation);
  }

  /** The holder's guess was wrong, or will never be decided. Without an undecided try nothing happens. */
  fail(holder: HolderId): void {
    const invitation = this.#decide(holder);
    if (invitation === null || invitation.suspended) return;
    if (invitation.triesLeft > 0 || invitation.undecided > 0) return;
    invitation.suspended = true;
    this.#changed.add(invitation);
    this.#exhausted.push(invitation.key);
  }

  /** Invitations whose last try has failed since this was last asked. */
  exhausted(): readonly IdKey[] {
    return this.#exhausted.splice(0);
  }

  /** The holder's connection is gone. */
  gone(holder: HolderId): void {
    this.fail(holder);
    for (const { waiting } of this.#queued) {
      const place = waiting.indexOf(holder);
      if (place >= 0) waiting.splice(place, 1);
    }
  }

  /** Holders whose undecided try has waited too long. */
  overdue(nowMs: number): readonly HolderId[] {
    const late: HolderId[] = [];
    for (const [holder, { takenAtMs }] of this.#undecided) {
      if (nowMs - takenAtMs >= this.#limits.undecidedTryMs) late.push(holder);
    }
    return late;
  }

  /** Holders in line for whom there is now a try or a refusal; they ask `take` again. */
  released(): readonly HolderId[] {
    const ready: HolderId[] = [];
    for (const invitation of this.#queued) {
      const count = invitation.suspended ? invitation.waiting.length : invitation.triesLeft;
      if (count > 0) ready.push(...invitation.waiting.splice(0, count));
      if (invitation.waiting.length === 0) this.#queued.delete(invitation);
    }
    return ready;
  }

  /** Someone has everything right: a use is theirs, whether or not they get in at once. */
  spend(key: IdKey): void {
    const invitation = this.#known(key);
    invitation.usesLeft -= 1;
    invitation.usesPending += 1;
  }

  /** A use that was spent on someone who did not get in after all. */
  unspend(key: IdKey): void {
    const invitation = this.#known(key);
    invitation.usesLeft += 1;
    invitation.usesPending -= 1;
  }

  /** Someone got in. A shared invitation gets one try back, so that a full room of honest typos never blocks it. */
  admitted(key: IdKey): void {
    const invitation = this.#known(key);
    invitation.usesPending -= 1;
    this.#changed.add(invitation);
    const inPlay = invitation.triesLeft + invitation.undecided;
    if (invitation.uses > 1 && !invitation.suspended && inPlay < this.#limits.triesPerInvitation)
      invitation.triesLeft += 1;
  }

  suspend(key: IdKey): void {
    const invitation = this.#known(key);
    invitation.suspended = true;
    this.#changed.add(invitation);
  }

  /** The owner lets a suspended invitation open again, with all its tries. */
  resume(key: IdKey): void {
    const invitation = this.#known(key);
    this.#changed.add(invitation);
    invitation.suspended = false;
    invitation.triesLeft = this.#limits.triesPerInvitation - invitation.undecided;
  }

  revoke(key: IdKey): void {
    const invitation = this.#known(key);
    invitation.revoked = true;
    this.#changed.add(invitation);
  }

  #known(key: IdKey): Invitation {
    const invitation = this.#invitations.get(key);
    if (invitation === undefined) throw new Error('no such invitation');
    return invitation;
  }

  #decide(holder: HolderId): Invitation | null {
    const undecided = this.#undecided.get(holder);
    if (undecided === undefined) return null;
    this.#undecided.delete(holder);
    const invitation = this.#known(undecided.invitation);
    invitation.undecided -= 1;
    return invitation;
  }
}
