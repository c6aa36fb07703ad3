/** What only the host can do: the owner's own acts on the room, the door in their hands, and invitations. */
import type { RosterMember } from '../../crypto/roster.ts';
import { differences } from '../../crypto/roster-change.ts';
import type { ActRequest } from '../../protocol/acts.ts';
import { formatDuration } from '../../protocol/duration.ts';
import { InputError } from '../../protocol/errors.ts';
import { formatFingerprint } from '../../protocol/fingerprint.ts';
import { idKey, type MemberId } from '../../protocol/identifiers.ts';
import type { RoomSettings } from '../../protocol/signed-objects.ts';
import type { RoomPosition } from '../../room/room.ts';
import type { HostCall } from '../../terminal/commands/calls.ts';
import type { CompletionSources } from '../../terminal/commands/completion.ts';
import type { Front } from '../front/front.ts';
import type { RelayHost } from '../relay-host.ts';
import { doorLines, meantAtDoor, whoText } from './door-report.ts';
import type { InvitationDesk } from './invitation-desk.ts';

type Relay = Pick<
  RelayHost,
  | 'members'
  | 'position'
  | 'settings'
  | 'code'
  | 'atDoor'
  | 'bans'
  | 'remove'
  | 'ban'
  | 'unban'
  | 'mute'
  | 'unmute'
  | 'setRole'
  | 'change'
  | 'admit'
  | 'deny'
>;

interface Parts {
  readonly relay: Relay;
  readonly desk: Pick<InvitationDesk, 'obey' | 'isOwn' | 'names' | 'nameOf' | 'describe'>;
  readonly front: Pick<Front, 'emit'>;
}

const SECOND_MS = 1_000;

export class HostControls {
  readonly #relay: Relay;
  readonly #desk: Parts['desk'];
  readonly #front: Parts['front'];

  constructor(parts: Parts) {
    this.#relay = parts.relay;
    this.#desk = parts.desk;
    this.#front = parts.front;
  }

  get members(): readonly RosterMember[] {
    return this.#relay.members;
  }
  get position(): RoomPosition {
    return this.#relay.position;
  }
  get settings(): RoomSettings {
    return this.#relay.settings;
  }
  get code(): { readonly value: string; readonly expiresAt: string } {
    const { value, expiresAtMs } = this.#relay.code;
    return { value, expiresAt: new Date(expiresAtMs).toISOString() };
  }

  /** For completion: what only the host may name. */
  get known(): Pick<CompletionSources, 'visitors' | 'waiting' | 'banned' | 'invitations'> {
    const { atDoor, bans } = this.#relay;
    const name = ({ nick, holder }: (typeof atDoor)[number]): string => nick ?? `#${holder}`;
    return {
      visitors: atDoor.map(name),
      waiting: atDoor.filter(({ stage }) => stage === 'waiting').map(name),
      banned: bans.map(({ nick }) => nick),
      invitations: this.#desk.names,
    };
  }

  /** The owner's own doing: everyone is shown it, with nobody else's name. */
  act(request: ActRequest): void {
    const relay = this.#relay;
    switch (request.kind) {
      case 'kick':
        return relay.remove(idKey(request.member));
      case 'ban':
        relay.ban(idKey(request.member), lasting(request.seconds));
        return this.#tellHowLong('banned', request, '/unban takes it back');
      case 'mute':
        relay.mute(idKey(request.member), lasting(request.seconds));
        return this.#tellHowLong('muted', request, '/unmute takes it back');
      case 'unmute':
        return this.#unmute(request.member);
      case 'unban':
        if (!relay.unban(request.nick))
          throw new InputError(
            'no-such-ban',
            `Nobody called ${request.nick} is banned. /banned shows who is.`,
          );
        return this.#tell('unban', `${request.nick} is no longer banned.`);
      case 'topic':
        return this.#change({ topic: request.text });
      case 'slow':
        return this.#change({ slowSeconds: request.seconds });
      case 'lock':
      case 'unlock':
        return this.#change({ locked: request.kind === 'lock' });
      case 'rename':
        throw new InputError('not-joined', 'This host relays and takes no part (--no-chat).');
    }
  }

  /** @throws InputError now or later, when it cannot be done. */
  async obey(call: HostCall): Promise<void> {
    switch (call.name) {
      case 'invite':
        return this.#desk.obey(call);
      case 'code': {
        const { value, expiresAtMs } = this.#relay.code;
        const left = formatDuration(expiresAtMs - Date.now());
        return this.#tell('code', `The room code is ${value}, for ${left} more.`);
      }
      case 'banned':
        return this.#banned();
      case 'door':
        return this.#tellAll('door', doorLines(this.#relay.atDoor, this.#desk, Date.now()));
      case 'op':
      case 'deop':
        return this.#setRole(call.nick, call.name === 'op' ? 'moderator' : 'member');
      case 'approve':
        return this.#approve(call.value);
      case 'admit':
      case 'deny':
        return this.#decide(call.name, call.who);
      case 'motd':
        return this.#change({ motd: call.text ?? '' });
      case 'policy':
        return this.#change(call.part ?? {});
    }
  }

  /** What is as it should be already needs no word to everyone. */
  #change(part: Partial<RoomSettings>): void {
    const now = this.#relay.settings;
    if (differences(now, { ...now, ...part }).length === 0)
      throw new InputError('no-change', 'It is like that already.');
    this.#relay.change(part);
  }

  /** Everyone sees what was done; how long it lasts is the host's to know. */
  #tellHowLong(
    what: string,
    { kind, seconds }: { readonly kind: string; readonly seconds: number },
    until: string,
  ): void {
    const time = seconds === 0 ? '' : ` for ${formatDuration(seconds * SECOND_MS)}`;
    this.#tell(kind, `They are ${what}${time}; ${until}.`);
  }

  #unmute(memberId: MemberId): void {
    const member = this.#relay.members.find(({ key }) => key === idKey(memberId));
    if (member?.muted !== true) throw new InputError('no-change', 'They are not muted.');
    this.#relay.unmute(member.key);
  }

  #setRole(nick: string, role: 'member' | 'moderator'): void {
    const member = this.#relay.members.find((candidate) => candidate.nick === nick);
    if (member === undefined)
      throw new InputError('no-such-member', `Nobody here is called ${nick}. /names shows who is.`);
    if (member.role === 'owner') throw new InputError('not-allowed', 'The host is the host, and stays it.');
    if (member.role === role)
      throw new InputError('no-change', `${nick} is a ${role === 'member' ? 'plain member' : role} already.`);
    this.#relay.setRole(member.key, role);
    // A nickname can be taken by somebody else; a key cannot.
    if (role === 'moderator')
      this.#tell('op', `${nick}, now a moderator, has the key ${formatFingerprint(member.identity)}.`);
  }

  #approve(value: boolean | null): void {
    if (value !== null && value !== this.#relay.settings.approval)
      return this.#relay.change({ approval: value });
    const state = this.#relay.settings.approval
      ? 'People are let in by hand: /door shows who waits, /admit and /deny decide.'
      : 'Whoever has everything right comes in. /approve on lets you decide about each.';
    this.#tell('approve', state);
  }

  /** What comes of it takes a moment, and the guest's help: the host is told at once what was done. */
  #decide(name: 'admit' | 'deny', who: string): void {
    const visitor = meantAtDoor(this.#relay.atDoor, name, who);
    const { holder } = visitor;
    // What cannot be done is not said to be.
    if (name === 'admit') this.#relay.admit(holder);
    else this.#relay.deny(holder);
    const called = whoText(visitor);
    this.#tell(name, name === 'admit' ? `You said yes: ${called} is let in.` : `You said no to ${called}.`);
  }

  #banned(): void {
    const { bans } = this.#relay;
    if (bans.length === 0) return this.#tell('banned', 'Nobody is banned.');
    const lines = bans.map(({ nick, untilMs, by }) => {
      const left =
        untilMs === null ? 'until you take it back' : `for ${formatDuration(untilMs - Date.now())} more`;
      return `${nick}, ${left}${by === null ? '' : `, by ${by}`}`;
    });
    this.#tellAll('banned', [...lines, '/unban NICK takes a ban back.']);
  }

  #tell(code: string, text: string): void {
    this.#front.emit({ type: 'notice', level: 'info', code, text });
  }

  #tellAll(code: string, lines: readonly string[]): void {
    for (const line of lines) this.#tell(code, line);
  }
}

function lasting(seconds: number): number | null {
  return seconds === 0 ? null : seconds * SECOND_MS;
}
