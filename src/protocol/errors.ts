/**
 * Two failures that must never be confused: a peer that broke the protocol, and our own misuse of it.
 */

/** The peer sent what the protocol does not allow. The connection closes with `code`. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A check on keys, signatures or history failed: someone is lying or something is corrupt. */
export class SecurityError extends Error {
  override readonly name = 'SecurityError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Input from a person or a program cannot be used; the message says what to do next. */
export class InputError extends Error {
  override readonly name = 'InputError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Closes a `switch` over a union: a new member becomes a compile error here. */
export function unreachable(value: never): never {
  throw new Error(`unreachable case: ${String(value)}`);
}
