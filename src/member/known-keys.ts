/**
 * What this member knows of the others' keys, whatever conversation they are met in: those that check their messages, and
 * the statements that chain keys are wrapped to.
 */
import type { VerifyKey } from '../crypto/signature.ts';
import type { CheckedStatement } from '../crypto/statement.ts';
import type { IdKey } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';

/** Of everyone in the room, and of as many who are gone: any other is asked for again. */
const VERIFY_KEYS_MOST = 2 * LIMITS.membersMost;

export class KnownKeys {
  readonly #verifyKeys = new Map<IdKey, VerifyKey>();
  readonly #statements = new Map<IdKey, CheckedStatement>();
  /** The highest generation that each has quoted, in any conversation: older wrap keys are refused. */
  readonly #generations = new Map<IdKey, number>();
  /** Of those who were removed: the room's epoch by which they were gone. They may come back with keys counted from 1. */
  readonly #goneBy = new Map<IdKey, number>();

  verifyKey(member: IdKey): VerifyKey | undefined {
    return this.#verifyKeys.get(member);
  }

  learn(member: IdKey, verifyKey: VerifyKey): void {
    if (this.#verifyKeys.has(member)) return;
    this.#verifyKeys.set(member, verifyKey);
    if (this.#verifyKeys.size <= VERIFY_KEYS_MOST) return;
    const oldest = this.#verifyKeys.keys().next().value;
    if (oldest !== undefined) this.#verifyKeys.delete(oldest);
  }

  statement(member: IdKey): CheckedStatement | undefined {
    return this.#statements.get(member);
  }

  hold(member: IdKey, statement: CheckedStatement): void {
    this.#statements.set(member, statement);
  }

  /** It is of no use any more: the next one is asked for. */
  dropStatement(member: IdKey): void {
    this.#statements.delete(member);
  }

  generation(member: IdKey): number {
    return this.#generations.get(member) ?? 0;
  }

  /**
   * What is older than what its member quotes is not wrapped to any more.
   * @param epoch the room's, that the message quotes: one of an earlier membership says nothing of this one's keys
   */
  quoted(member: IdKey, generation: number, epoch: number): void {
    if (epoch <= (this.#goneBy.get(member) ?? -1)) return;
    this.#generations.set(member, Math.max(this.generation(member), generation));
    const held = this.#statements.get(member);
    if (held !== undefined && held.generation < generation) this.#statements.delete(member);
  }

  /** Someone is gone from the room by that epoch. What they have said before may have to be checked still. */
  forget(member: IdKey, epoch: number): void {
    this.#statements.delete(member);
    this.#generations.delete(member);
    this.#goneBy.delete(member);
    this.#goneBy.set(member, epoch);
    if (this.#goneBy.size <= VERIFY_KEYS_MOST) return;
    const oldest = this.#goneBy.keys().next().value;
    if (oldest !== undefined) this.#goneBy.delete(oldest);
  }
}
