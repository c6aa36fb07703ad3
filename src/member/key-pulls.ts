/** Who asked for the KEYS that are on their way, first asked first: the host answers in order, and does not say whom. */
import { ProtocolError } from '../protocol/errors.ts';

export type KeyPullPurpose = 'speaking' | 'timeline';

export class KeyPulls<Asker> {
  #asked: { readonly by: Asker; readonly for: KeyPullPurpose }[] = [];

  /** A new connection: nothing is on its way any more. */
  reconnected(): void {
    this.#asked = [];
  }

  asked(by: Asker, purpose: KeyPullPurpose): void {
    this.#asked.push({ by, for: purpose });
  }

  /** @throws ProtocolError when nobody asked for KEYS. */
  answered(): { readonly by: Asker; readonly for: KeyPullPurpose } {
    const asked = this.#asked.shift();
    if (asked === undefined) throw new ProtocolError('unexpected-frame', 'KEYS that nobody asked for');
    return asked;
  }
}
