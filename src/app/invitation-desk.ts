/** Where the host makes, lists and withdraws invitations; they are called 1, 2, 3 in the order they were made. */
import type { Address } from '../crypto/invitation.ts';
import { InputError } from '../protocol/errors.ts';
import { type IdKey, idKey } from '../protocol/identifiers.ts';
import type { CommandCall } from '../terminal/commands.ts';
import type { InvitationView } from '../terminal/json-lines.ts';
import type { Front } from './front.ts';
import type { HostOptions } from './options.ts';
import type { MintedInvitation, RelayHost } from './relay-host.ts';

/** An invitation made later is for one person. */
const PERSONAL_USES = 1;

export class InvitationDesk {
  readonly addresses: readonly Address[];
  readonly #relay: RelayHost;
  readonly #front: Front;
  readonly #options: Pick<HostOptions, 'invitationUses' | 'invitationMs'>;
  readonly #made: MintedInvitation[] = [];

  constructor(start: {
    readonly relay: RelayHost;
    readonly front: Front;
    readonly addresses: readonly Address[];
    readonly options: Pick<HostOptions, 'invitationUses' | 'invitationMs'>;
  }) {
    this.#relay = start.relay;
    this.#front = start.front;
    this.addresses = start.addresses;
    this.#options = start.options;
  }

  /** @returns the invitation as programs and screens show it. */
  async make(uses: number = this.#options.invitationUses): Promise<InvitationView> {
    const made = await this.#relay.invite({
      addresses: this.addresses,
      uses,
      ttlMs: this.#options.invitationMs,
    });
    this.#made.push(made);
    return this.#view(made);
  }

  /** The host's own way in is on no list. */
  isOwn(key: IdKey): boolean {
    return !this.#made.some(({ id }) => idKey(id) === key);
  }

  nameOf(key: IdKey): string {
    return String(this.#made.findIndex(({ id }) => idKey(id) === key) + 1);
  }

  /** @throws InputError when there is no such invitation. */
  async obey(call: CommandCall & { readonly name: 'invite' }): Promise<void> {
    switch (call.act) {
      case 'new': {
        const view = await this.make(PERSONAL_USES);
        this.#front.emit({ type: 'invitation', ...view });
        return;
      }
      case 'list':
        return this.#list();
      case 'raw':
        return this.#raw();
      case 'revoke':
        this.#relay.revoke(this.#find(call.id));
        return this.#tell(`Invitation ${call.id} is withdrawn.`);
      case 'resume':
        this.#relay.resume(this.#find(call.id));
        return this.#tell(`Invitation ${call.id} opens again, with all its tries.`);
    }
  }

  #view({ id, text, expiresAtMs, uses }: MintedInvitation): InvitationView {
    return { id: this.nameOf(idKey(id)), token: text, expiresAt: new Date(expiresAtMs).toISOString(), uses };
  }

  #list(): void {
    for (const invitation of this.#relay.invitations) {
      const { key, usesLeft, uses, triesLeft, revoked, suspended, expiresAtMs } = invitation;
      const state = revoked
        ? 'withdrawn'
        : suspended
          ? 'suspended'
          : expiresAtMs <= Date.now()
            ? 'expired'
            : 'open';
      const until = new Date(expiresAtMs).toISOString();
      this.#tell(
        `Invitation ${this.nameOf(key)}: ${state}, ${usesLeft} of ${uses} uses left, ${triesLeft} tries, until ${until}`,
      );
    }
  }

  #raw(): void {
    const latest = this.#made.at(-1);
    if (latest === undefined) throw new InputError('no-invitation', 'There is no invitation yet.');
    this.#tell(`Fernet key   ${latest.fernet.key}`);
    this.#tell(`Fernet token ${latest.fernet.token}`);
  }

  #find(name: string): IdKey {
    const made = this.#made[Number(name) - 1];
    if (made === undefined)
      throw new InputError('no-invitation', `There is no invitation ${name}. /invite list shows them.`);
    return idKey(made.id);
  }

  #tell(text: string): void {
    this.#front.emit({ type: 'notice', level: 'info', code: 'invite', text });
  }
}
