/**
 * Exit codes, a promise to scripts: a number never changes its meaning.
 */
import { InputError, SecurityError } from '../protocol/errors.ts';

export const EXIT = {
  done: 0,
  unexpected: 1,
  usage: 2,
  /** Could not reach the host, or could not listen. */
  network: 3,
  notAdmitted: 4,
  /** A pin, a signature or the history did not hold. */
  security: 5,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** System calls whose failure means the network, whichever errno they give. */
const NETWORK_CALLS: ReadonlySet<string> = new Set(['bind', 'connect', 'getaddrinfo', 'listen']);

/** @returns the exit code for an error that nothing nearer handled. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof InputError) return EXIT.usage;
  if (error instanceof SecurityError) return EXIT.security;
  if (error instanceof Error && 'syscall' in error && NETWORK_CALLS.has(String(error.syscall))) {
    return EXIT.network;
  }
  return EXIT.unexpected;
}
