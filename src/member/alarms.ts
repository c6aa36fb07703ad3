/**
 * Alarms: each said once until the person takes note of it. Those that put the host in doubt hold back sending, since
 * what is said might reach another circle than the one on the screen; a member who misbehaves alone holds back nobody.
 */
import { SecurityError } from '../protocol/errors.ts';
import type { SessionEffect } from './events.ts';

/** What a single member can cause without the host's help. */
const MEMBERS_OWN: ReadonlySet<string> = new Set([
  'two-keys',
  'chain-commitment',
  'foreign-key',
  'old-generation',
  'unreadable',
]);

export class Alarms {
  readonly #said = new Set<string>();
  #heldBack = false;

  /** Sending is held back. */
  get heldBack(): boolean {
    return this.#heldBack;
  }

  raise(code: string, text: string): SessionEffect[] {
    if (!MEMBERS_OWN.has(code)) this.#heldBack = true;
    if (this.#said.has(code)) return [];
    this.#said.add(code);
    return [{ kind: 'event', event: { kind: 'alarm', code, text } }];
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

  acknowledge(): void {
    this.#said.clear();
    this.#heldBack = false;
  }
}
