/** Where the host makes, lists and withdraws invitations; they are called 1, 2, 3 in the order they were made. */
import { open } from 'node:fs/promises';
import { type Address, formatAddress } from '../../crypto/invitation.ts';
import { InputError } from '../../protocol/errors.ts';
import { type IdKey, idKey } from '../../protocol/identifiers.ts';
import { LIMITS } from '../../protocol/limits.ts';
import type { InvitationTexts } from '../../storage/sqlite-store.ts';
import type { InviteCall } from '../../terminal/commands/calls.ts';
import { expandHome } from '../../terminal/home.ts';
import type { InvitationView } from '../../terminal/json-lines.ts';
import { fileProblem } from '../file-problem.ts';
import type { Front } from '../front/front.ts';
import type { HostOptions } from '../options.ts';
import type { MintedInvitation, RelayHost } from '../relay-host.ts';
import { invitationLines, namedText, stateOf } from './invitation-list.ts';

type KeptTexts = InvitationTexts & { readonly id: Uint8Array };

/** An invitation made later is for one person. */
const PERSONAL_USES = 1;

interface Made extends MintedInvitation {
  readonly name: string;
  readonly key: IdKey;
  readonly label: string;
}

export class InvitationDesk {
  readonly #readAddresses: () => readonly Address[];
  #addresses: readonly Address[];
  readonly #relay: Pick<RelayHost, 'invite' | 'invitations' | 'revoke' | 'resume'>;
  readonly #front: Pick<Front, 'emit' | 'copy' | 'showQr'>;
  readonly #options: Pick<HostOptions, 'invitationUses' | 'invitationMs'>;
  readonly #made: Made[] = [];

  constructor(start: {
    readonly relay: Pick<RelayHost, 'invite' | 'invitations' | 'revoke' | 'resume'>;
    readonly front: Pick<Front, 'emit' | 'copy' | 'showQr'>;
    /** Where the room can be reached now: a machine that moves to another network has others. */
    readonly readAddresses: () => readonly Address[];
    readonly options: Pick<HostOptions, 'invitationUses' | 'invitationMs'>;
    /** Of a kept room: those made before it was opened again, in their order. */
    readonly kept?: readonly KeptTexts[];
  }) {
    this.#relay = start.relay;
    this.#front = start.front;
    this.#readAddresses = start.readAddresses;
    this.#addresses = start.readAddresses();
    this.#options = start.options;
    for (const { id, text, fernetKey: key, fernetToken: token, label } of start.kept ?? []) {
      const known = this.#relay.invitations.find((invitation) => invitation.key === idKey(id));
      if (known === undefined) continue;
      const { uses, expiresAtMs } = known;
      this.#add({ id: known.id, text, fernet: { key, token }, uses, expiresAtMs, label });
    }
  }

  #add(minted: MintedInvitation & { readonly label: string }): Made {
    const made = { ...minted, name: String(this.#made.length + 1), key: idKey(minted.id) };
    this.#made.push(made);
    return made;
  }

  /** What the latest invitation names. */
  get addresses(): readonly Address[] {
    return this.#addresses;
  }

  /** The latest of a kept room that is open still, or the room's first, as the options want it. */
  async first(): Promise<InvitationView> {
    const open = this.#made.findLast((made) => this.#stateOf(made) === 'open');
    if (open !== undefined) return view(open);
    return view(await this.#mint(this.#options.invitationUses, this.#options.invitationMs, ''));
  }

  /** The host's own way in is on no list. */
  isOwn(key: IdKey): boolean {
    return !this.#made.some((made) => made.key === key);
  }

  /** As commands take them, the oldest first. */
  get names(): readonly string[] {
    return this.#made.map(({ name }) => name);
  }

  nameOf(key: IdKey): string {
    return this.#made.find((made) => made.key === key)?.name ?? '';
  }

  /** e.g. `invitation 2, for Ann` */
  describe(key: IdKey): string {
    const made = this.#made.find((one) => one.key === key);
    return made === undefined ? 'an invitation' : namedText(made);
  }

  /** What the host is told when an invitation stops working by itself, and what can be done. */
  suspendedText(key: IdKey, because: 'tries' | 'removal'): string {
    const made = this.#made.find((one) => one.key === key);
    if (made === undefined) return 'An invitation is suspended.';
    return because === 'tries'
      ? `${subject(made)} is suspended after too many failed tries. If they were slips, /invite resume ${made.name} ` +
          'opens it again; if not, make another with /invite new NAME.'
      : `${subject(made)} is suspended, so that whoever was removed does not come back by it. For others, make one for ` +
          `each person with /invite new NAME; /invite resume ${made.name} opens this one to all who have it.`;
  }

  /** @throws InputError when there is no such invitation, or it cannot be done. */
  async obey(call: InviteCall): Promise<void> {
    switch (call.act) {
      case 'new':
        this.#followNetwork();
        return this.#show(
          await this.#mint(call.uses ?? PERSONAL_USES, call.forMs ?? this.#options.invitationMs, call.label),
        );
      case 'list':
        return this.#list();
      case 'show':
        return this.#show(this.#find(call.id));
      case 'qr':
        return this.#showQr(call.id === null ? this.#latest() : this.#find(call.id));
      case 'save':
        return this.#save(this.#find(call.id), call.path);
      case 'raw':
        return this.#raw(this.#latest());
      case 'revoke': {
        const made = this.#find(call.id);
        this.#relay.revoke(made.key);
        return this.#tell(`${subject(made)} is withdrawn: nobody new comes in by it.`);
      }
      case 'resume':
        return this.#resume(this.#find(call.id));
    }
  }

  async #mint(uses: number, ttlMs: number, label: string): Promise<Made> {
    // People write "for Ann", and so do we.
    const whom = label.replace(/^for\s+/i, '');
    const minted = await this.#relay.invite({ addresses: this.#addresses, uses, ttlMs, label: whom });
    return this.#add({ ...minted, label: whom });
  }

  /** Who already has an invitation dials the addresses in it. */
  #followNetwork(): void {
    const now = this.#readAddresses();
    const text = now.map(formatAddress).join(', ');
    if (text === this.#addresses.map(formatAddress).join(', ')) return;
    this.#addresses = now;
    this.#tell(
      `This machine has other addresses now. New invitations name ${text}; those made before do not.`,
    );
  }

  #show(made: Made): void {
    const state = this.#stateOf(made);
    this.#front.emit({ type: 'invitation', ...view(made) });
    if (state !== 'open') return this.#tell(`${subject(made)} opens nothing now: it is ${state}.`);
    if (this.#front.copy(made.text)) this.#tell('It is on the clipboard too, if the terminal allows that.');
  }

  #showQr(made: Made): void {
    this.#front.showQr(made.text);
    this.#tell(`${subject(made)} as a QR code: whoever photographs it can use it.`);
  }

  #list(): void {
    const states = this.#relay.invitations;
    const rows = this.#made.flatMap((made) => {
      const state = states.find(({ key }) => key === made.key);
      return state === undefined ? [] : [{ ...state, ...made, triesMost: LIMITS.triesPerInvitation }];
    });
    if (rows.length === 0) this.#tell('There is no invitation yet. /invite new makes one.');
    for (const line of invitationLines(rows, Date.now())) this.#tell(line);
  }

  /** Readable by nobody else, and over nothing that is there. */
  async #save(made: Made, path: string): Promise<void> {
    try {
      const file = await open(expandHome(path), 'wx', 0o600);
      await file.writeFile(`${made.text}\n`).finally(() => file.close());
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && error.code === 'EEXIST';
      throw new InputError(
        'file',
        taken
          ? `${path} is there already. Choose another name.`
          : `Cannot write ${path}: ${fileProblem(error)}.`,
      );
    }
    this.#tell(`${subject(made)} is in ${path}, for securechat c --token-file.`);
  }

  #raw({ fernet }: Made): void {
    this.#tell(`Fernet key   ${fernet.key}`);
    this.#tell(`Fernet token ${fernet.token}`);
  }

  #resume(made: Made): void {
    const state = this.#stateOf(made);
    if (state === 'open') return this.#tell(`${subject(made)} is open.`);
    if (state !== 'suspended')
      throw new InputError('no-invitation', `${subject(made)} is ${state}. /invite new makes another.`);
    this.#relay.resume(made.key);
    this.#tell(`${subject(made)} opens again, with all its tries.`);
  }

  #stateOf({ key }: Made): string {
    const state = this.#relay.invitations.find((invitation) => invitation.key === key);
    return state === undefined ? 'forgotten' : stateOf(state, Date.now());
  }

  #latest(): Made {
    const latest = this.#made.at(-1);
    if (latest === undefined) throw new InputError('no-invitation', 'There is no invitation yet.');
    return latest;
  }

  #find(name: string): Made {
    const made = this.#made.find((one) => one.name === name);
    if (made === undefined)
      throw new InputError('no-invitation', `There is no invitation ${name}. /invite list shows them.`);
    return made;
  }

  #tell(text: string): void {
    this.#front.emit({ type: 'notice', level: 'info', code: 'invite', text });
  }
}

/** At the beginning of a sentence. */
function subject(made: Made): string {
  const text = made.label === '' ? namedText(made) : `${namedText(made)},`;
  return text.replace(/^i/, 'I');
}

function view({ name, text, expiresAtMs, uses, label }: Made): InvitationView {
  return {
    id: name,
    token: text,
    expiresAt: new Date(expiresAtMs).toISOString(),
    uses,
    ...(label !== '' && { label }),
  };
}
