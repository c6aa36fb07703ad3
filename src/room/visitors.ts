/**
 * Who stands at the door with a real invitation, for the host to see: at which of the checks, and since when. No more
 * than the gate lets stand there.
 * @see docs/protocol.md#admission
 */
import type { Hash, IdKey } from '../protocol/identifiers.ts';
import type { Candidate, DoorStage } from './admission.ts';
import type { HolderId } from './invitations.ts';

export interface Visitor {
  readonly holder: HolderId;
  readonly invitation: IdKey;
  readonly stage: DoorStage;
  /** Since when at this stage. */
  readonly sinceMs: number;
  /** Known once everything is right. */
  readonly nick: string | null;
  readonly fingerprint: Hash | null;
  /** They have shown to be the member of that nickname, and take their place under this key. */
  readonly takesOver?: true;
}

export class Visitors {
  readonly #visitors = new Map<HolderId, Visitor>();

  /** In order of arrival. */
  get all(): readonly Visitor[] {
    return [...this.#visitors.values()];
  }

  /** @returns how they stand there now */
  reached(holder: HolderId, invitation: IdKey, stage: DoorStage, nowMs: number): Visitor {
    return this.#put({ holder, invitation, stage, sinceMs: nowMs, nick: null, fingerprint: null });
  }

  /** Everything is right, and the host is asked. */
  waits({ holder, invitation, nick, verifyKey, replaces }: Candidate, nowMs: number): Visitor {
    const fingerprint = verifyKey.idFingerprint;
    const visitor = { holder, invitation, stage: 'waiting' as const, sinceMs: nowMs, nick, fingerprint };
    return this.#put(replaces === null ? visitor : { ...visitor, takesOver: true });
  }

  /** @returns who it was; nobody when it never showed an invitation */
  left(holder: HolderId): Visitor | undefined {
    const visitor = this.#visitors.get(holder);
    this.#visitors.delete(holder);
    return visitor;
  }

  #put(visitor: Visitor): Visitor {
    this.#visitors.set(visitor.holder, visitor);
    return visitor;
  }
}
