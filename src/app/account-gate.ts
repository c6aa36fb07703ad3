/** The passwords of a kept room's accounts, under the same OPAQUE setup as its answer. */
import type { AnswerHost, AnswerIdentifiers } from '../crypto/answer.ts';
import type { AccountGate } from '../room/accounts.ts';

export function accountGate(opaque: {
  readonly host: AnswerHost;
  readonly setup: string;
  readonly identifiers: AnswerIdentifiers;
}): AccountGate {
  const { host, setup, identifiers } = opaque;
  return {
    register: (credential, request) => host.register({ setup, credential, request }),
    start: (credential, record, ke1) => host.startLogin({ setup, record, credential, identifiers, ke1 }),
    finish: (state, ke3) => host.finishLogin({ state, ke3, identifiers }),
  };
}
