/**
 * A password for this member's account, by OPAQUE: it stays on this side, and the host gets a record that proves it.
 * The long computation happens elsewhere, as at the door.
 * @see docs/protocol.md#accounts
 */
import { newPassword } from '../crypto/answer.ts';
import type { Bytes } from '../protocol/bytes.ts';
import { InputError, ProtocolError } from '../protocol/errors.ts';
import { Register, RegisterRecord, SESSION_FRAME } from '../protocol/session-frames.ts';
import type { Role } from '../protocol/signed-objects.ts';
import { FEATURE } from '../protocol/version.ts';
import { event, type SessionEffect, send } from './events.ts';

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting'; readonly password: string }
  | { readonly kind: 'asked'; readonly password: string; readonly opaqueState: string }
  | { readonly kind: 'finishing' }
  | { readonly kind: 'recorded' };

/** @throws InputError `no-accounts` where this member can have none */
export function checkRegister(features: ReadonlySet<number>, role: Role): void {
  if (!features.has(FEATURE.accounts)) {
    throw new InputError(
      'no-accounts',
      'This room ends with its host and keeps no accounts: there is nothing to register with.',
    );
  }
  if (role === 'owner')
    throw new InputError('no-accounts', 'The host needs no password here: nobody can take its place.');
}

export class Registering {
  #state: State = { kind: 'idle' };

  /** @throws InputError `password-short`, or `registering` while one is under way */
  begin(text: string): SessionEffect[] {
    if (this.#state.kind !== 'idle')
      throw new InputError('registering', 'A password is being registered already. Wait a moment.');
    const password = newPassword(text);
    this.#state = { kind: 'starting', password };
    return [{ kind: 'start-registration', password }];
  }

  started({ state, request }: { readonly state: string; readonly request: Bytes }): SessionEffect[] {
    if (this.#state.kind !== 'starting') return [];
    this.#state = { kind: 'asked', password: this.#state.password, opaqueState: state };
    return [send(SESSION_FRAME.register, Register.encode({ request }))];
  }

  /** @throws ProtocolError when it answers nothing */
  replied(response: Bytes): SessionEffect[] {
    if (this.#state.kind !== 'asked') throw unasked('REGISTER_REPLY');
    const { opaqueState: state, password } = this.#state;
    this.#state = { kind: 'finishing' };
    return [{ kind: 'finish-registration', state, response: response.slice(), password }];
  }

  finished(record: Bytes): SessionEffect[] {
    if (this.#state.kind !== 'finishing') return [];
    this.#state = { kind: 'recorded' };
    return [send(SESSION_FRAME.registerRecord, RegisterRecord.encode({ record }))];
  }

  /** @throws ProtocolError when it answers nothing */
  registered(): SessionEffect[] {
    if (this.#state.kind !== 'recorded') throw unasked('REGISTERED');
    this.#state = { kind: 'idle' };
    return [event({ kind: 'registered' })];
  }

  /** On a new connection nothing is under way; whether the host took the record before is not known here. */
  reconnected(): SessionEffect[] {
    const wasIdle = this.#state.kind === 'idle';
    this.#state = { kind: 'idle' };
    if (wasIdle) return [];
    const text = 'The line was lost before the password was registered. Give /register again.';
    return [event({ kind: 'notice', level: 'warning', code: 'not-registered', text })];
  }
}

function unasked(name: string): ProtocolError {
  return new ProtocolError('unexpected-frame', `${name} that nobody asked for`);
}
