/**
 * Alarms: each said once until the person takes note of it. Those that put the host in doubt hold back sending, since
 * what is said might reach another circle than the one on the screen; a member who misbehaves alone holds back nobody.
 */
import { sha256 } from '../crypto/hash.ts';
import type { EntryBytes } from '../crypto/log-hash.ts';
import { toBase64url } from '../protocol/bytes.ts';
import { SecurityError } from '../protocol/errors.ts';
import type { Evidence, SessionEffect } from './events.ts';
import type { History } from './history.ts';

/** What a single member can cause without the host's help. */
const MEMBERS_OWN: ReadonlySet<string> = new Set(['two-keys', 'foreign-key', 'old-generation', 'unreadable']);

export class Alarms {
  readonly #said = new Set<string>();
  /** Raised in the step under way. */
  #raised: string[] = [];
  #heldBack: boolean;

  /** @param heldBack by an alarm of an earlier run, which nobody has taken note of */
  constructor(heldBack = false) {
    this.#heldBack = heldBack;
  }

  /** Sending is held back. */
  get heldBack(): boolean {
    return this.#heldBack;
  }

  /**
   * @param evidence the entry that does not fit, with its sender's signature, beside this member's own record: what is
   *   needed to show others who lied.
   */
  raise(code: string, text: string, evidence: Evidence | null = null): SessionEffect[] {
    const isMembersOwn = MEMBERS_OWN.has(code);
    if (!isMembersOwn) this.#heldBack = true;
    // A lie of the host shows at every entry from then on; of members, each is named once.
    const name = isMembersOwn ? text : code;
    if (this.#said.has(name)) return [];
    this.#said.add(name);
    this.#raised.push(name);
    return [{ kind: 'event', event: { kind: 'alarm', code, text, evidence } }];
  }

  /** Runs a step of which a SecurityError is an alarm. Other errors pass. */
  watch(step: () => SessionEffect[]): SessionEffect[] {
    try {
      return step();
    } catch (error) {
      if (error instanceof SecurityError) return this.raise(error.code, `${error.message}.`);
      throw error;
    }
  }

  /** A step whose effects are carried out as a whole. When it throws, nobody has heard what it raised, and it may be raised again. */
  step(step: () => SessionEffect[]): SessionEffect[] {
    this.#raised = [];
    try {
      return step();
    } catch (error) {
      for (const name of this.#raised) this.#said.delete(name);
      throw error;
    }
  }

  acknowledge(): void {
    this.#said.clear();
    this.#heldBack = false;
  }
}

/** An entry as evidence. Its content is not part of it: the hash stands for the ciphertext. */
export function evidenceOf(
  entry: EntryBytes & { readonly index: number; readonly placedAtMs: number },
  history: History | null,
): Evidence {
  return {
    index: entry.index,
    placedAtMs: entry.placedAtMs,
    header: toBase64url(entry.header),
    ciphertextHash: toBase64url(sha256(entry.ciphertext)),
    signature: toBase64url(entry.signature),
    own: history === null ? null : { index: history.index, head: toBase64url(history.head) },
  };
}
