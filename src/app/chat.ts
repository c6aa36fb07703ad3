/**
 * A person in a room: what they say, the slash commands, and what they are shown. The same for guests and the host, who
 * has a few commands more.
 */

import { sha256 } from '../crypto/hash.ts';
import type { RosterMember } from '../crypto/roster.ts';
import type { SessionEvent, ShownMember } from '../member/events.ts';
import { type Bytes, u32 } from '../protocol/bytes.ts';
import type { Content } from '../protocol/content.ts';
import { InputError } from '../protocol/errors.ts';
import { formatFingerprint, shortCode } from '../protocol/fingerprint.ts';
import type { Hash } from '../protocol/identifiers.ts';
import {
  COMMANDS,
  type CommandCall,
  findCommand,
  helpLines,
  helpTopicLines,
  parseInput,
} from '../terminal/commands.ts';
import { jsonEvents } from './event-view.ts';
import type { Front, FrontListener } from './front.ts';
import type { Membership } from './membership.ts';

/** What only the host can do. */
export interface HostControls {
  readonly members: () => readonly RosterMember[];
  readonly position: () => { readonly epoch: number; readonly index: number; readonly head: Bytes };
  invite(call: CommandCall & { readonly name: 'invite' }): Promise<void>;
  showCode(): void;
  /** @throws InputError when nobody has that nickname. */
  kick(nick: string): void;
  readonly code: () => { readonly value: string; readonly expiresAt: string };
}

/** `alarm`: what was said cannot be sent, and nobody is there to say whether it should be. */
export type QuitReason = 'quit' | 'interrupted' | 'alarm';

export interface ChatOptions {
  readonly front: Front;
  /** `null` for a host that takes no part. */
  readonly membership: Membership | null;
  readonly host: HostControls | null;
  readonly roomName: string;
  readonly ownerFingerprint: Hash;
  /** The person wants to go. */
  readonly onQuit: (how: QuitReason) => void;
}

/** Ctrl-C asks once; a second one within this time leaves. */
const INTERRUPT_AGAIN_MS = 5_000;

export class Chat implements FrontListener {
  readonly #options: ChatOptions;
  #interruptedAtMs = Number.NEGATIVE_INFINITY;
  #ending = false;

  constructor(options: ChatOptions) {
    this.#options = options;
  }

  show(event: SessionEvent): void {
    for (const json of jsonEvents(event)) this.#options.front.emit(json);
    if (event.kind === 'alarm') this.#afterAlarm();
    this.refreshStatus();
    this.#endWhenPlaced();
  }

  refreshStatus(): void {
    const { front, host, membership, roomName } = this.#options;
    const online = membership?.session?.onlineCount ?? host?.members().length ?? 0;
    front.setStatus({ room: roomName, online, ...(host !== null && { code: host.code() }) });
  }

  say(text: string, ref: string | null): void {
    this.#try(() => this.#say({ kind: 'text', text }, ref), ref);
  }

  command(line: string): void {
    this.#try(() => {
      const parsed = parseInput(line);
      if (!line.startsWith('/')) throw new InputError('bad-command', 'A command begins with a slash.');
      if (parsed.kind === 'text') return this.#say(parsed, null);
      if (parsed.kind === 'unknown') {
        const nearest = parsed.nearest === null ? '' : ` Did you mean /${parsed.nearest}?`;
        throw new InputError(
          'unknown-command',
          `There is no /${parsed.name}.${nearest} /help lists the commands.`,
        );
      }
      const entry = findCommand(parsed.name);
      if (entry === undefined) return;
      if (entry.hostOnly && this.#options.host === null) {
        throw new InputError('host-only', `/${entry.name} is for the host.`);
      }
      this.#obey(entry.parse(parsed.args));
    });
  }

  /** Whoever quits does not wait, but is told what stays unsaid. */
  quit(): void {
    const unplaced = this.#options.membership?.session?.unplaced ?? 0;
    if (unplaced > 0) {
      const text = `${unplaced === 1 ? '1 message has' : `${unplaced} messages have`} not reached the room.`;
      this.#options.front.emit({ type: 'notice', level: 'warning', code: 'unplaced', text });
    }
    this.#options.onQuit('quit');
  }

  /** What was said is placed first. A host that only relays goes on without standard input. */
  end(): void {
    if (this.#options.membership === null) return;
    this.#ending = true;
    this.#endWhenPlaced();
  }

  interrupt(): void {
    const nowMs = Date.now();
    if (nowMs - this.#interruptedAtMs < INTERRUPT_AGAIN_MS) return this.#options.onQuit('interrupted');
    this.#interruptedAtMs = nowMs;
    const what = this.#options.host === null ? 'leave the room' : 'end the room for everyone';
    this.#tell('interrupt', `Press Ctrl-C again to ${what}.`);
  }

  #afterAlarm(): void {
    if (this.#options.membership?.session?.heldBack !== true) return;
    const text =
      'Nothing you say is sent until you accept this with /fork ack. Compare /room with the others another way first.';
    this.#options.front.emit({ type: 'notice', level: 'alarm', code: 'held-back', text });
  }

  #endWhenPlaced(): void {
    const session = this.#options.membership?.session ?? null;
    if (!this.#ending) return;
    // Nobody is there any more to accept an alarm.
    if (session?.heldBack === true) this.#options.onQuit('alarm');
    else if (session === null || session.unplaced === 0) this.#options.onQuit('quit');
  }

  #say({ kind, text }: Content, ref: string | null): void {
    const { membership } = this.#options;
    if (membership?.session == null)
      throw new InputError('not-joined', 'This host relays and takes no part (--no-chat).');
    if (text.trim() === '') throw new InputError('empty', 'There is nothing to say in that.');
    if (membership.session.heldBack) {
      throw new InputError(
        'held-back',
        'Not sent: there was an alarm. Accept it with /fork ack, then say it again.',
      );
    }
    membership.say({ kind, text }, ref);
  }

  #obey(call: CommandCall): void {
    const { host, membership } = this.#options;
    switch (call.name) {
      case 'quit':
        return this.quit();
      case 'help':
        return this.#help(call.topic);
      case 'me':
        return this.#say({ kind: 'emote', text: call.text }, null);
      case 'names':
        return this.#tell('names', this.#members().map(nameWithState).join(', '));
      case 'whois':
        return this.#whois(call.nick);
      case 'room':
        return this.#room();
      case 'security':
        return this.#security();
      case 'fork':
        if (membership?.session?.heldBack !== true)
          throw new InputError('no-alarm', 'Nothing is held back: there is no alarm to accept.');
        membership.acknowledge();
        return this.#tell('fork', 'Taken note of. What you say is sent from now on.');
      case 'code':
        return host?.showCode();
      case 'kick':
        return host?.kick(call.nick);
      case 'invite':
        host?.invite(call).catch((error: unknown) => this.#refuse(error));
        return;
    }
  }

  #help(topic: string | null): void {
    const entry = topic === null ? undefined : findCommand(topic);
    if (topic !== null && entry === undefined)
      throw new InputError('unknown-command', `There is no /${topic}.`);
    const host = this.#options.host !== null;
    for (const line of entry === undefined ? helpLines(COMMANDS, { host }) : helpTopicLines(entry))
      this.#tell('help', line);
  }

  #whois(nick: string): void {
    const shown = this.#members().find(({ member }) => member.nick === nick);
    if (shown === undefined)
      throw new InputError('no-such-member', `Nobody here is called ${nick}. /names shows who is.`);
    const { member, online } = shown;
    const fingerprint = formatFingerprint(member.identity);
    const signs = member.algorithm === 'rsa' ? 'RSA-PSS' : 'DSA';
    this.#tell(
      'whois',
      `${member.nick}: ${member.role}, ${online ? 'online' : 'offline'}, signs with ${signs}, key ${fingerprint}`,
    );
  }

  /** Twelve digits over epoch and head: the same for everyone who has seen the same. */
  #room(): void {
    const position = this.#options.membership?.session?.position ?? this.#options.host?.position() ?? null;
    if (position === null) throw new InputError('not-joined', 'You are not in the room yet.');
    const digits = shortCode(sha256(u32(position.epoch), u32(position.index), position.head)).replace(
      /.{4}(?!$)/g,
      '$& ',
    );
    const { roomName } = this.#options;
    this.#tell(
      'room',
      `${roomName}: member list ${position.epoch}, log entry ${position.index}, digits to compare ${digits}`,
    );
  }

  #security(): void {
    const { ownerFingerprint, membership } = this.#options;
    const session = membership?.session ?? null;
    const lines = [
      `Owner key ${formatFingerprint(ownerFingerprint)}: only it adds and removes members, and everyone is shown each change.`,
      'The machine that relays sees nicknames, who talks when, size classes and addresses, and cannot read what is said. A host who takes part reads like any member: /names shows them.',
      'Messages: AES-256-GCM under keys used once, handed to each member under RSA-3072-OAEP with ML-KEM-768, signed by their sender.',
      'Members can show others what they read. Signatures can prove who wrote it. This program was not independently audited.',
    ];
    if (session !== null && session.position !== null) {
      lines.push(
        `Your wrap keys are generation ${session.wrapGeneration}; member list ${session.position.epoch}; ${session.members.length} members can read what you say now.`,
      );
    }
    for (const line of lines) this.#tell('security', line);
  }

  #members(): readonly ShownMember[] {
    const { membership, host } = this.#options;
    if (membership?.session != null) return membership.session.members;
    return host?.members().map((member) => ({ member, online: true })) ?? [];
  }

  #tell(code: string, text: string): void {
    this.#options.front.emit({ type: 'notice', level: 'info', code, text });
  }

  #try(step: () => void, ref: string | null = null): void {
    try {
      step();
    } catch (error) {
      this.#refuse(error, ref);
    }
  }

  /** Wrong input changes nothing and is answered; anything else is a fault of ours. */
  #refuse(error: unknown, ref: string | null = null): void {
    if (!(error instanceof InputError)) throw error;
    const { code, message } = error;
    this.#options.front.emit({ type: 'error', code, message, ...(ref !== null && { ref }) });
  }
}

function nameWithState({ member, online }: ShownMember): string {
  const role = member.role === 'owner' ? ' (host)' : '';
  return `${member.nick}${role}${online ? '' : ' (offline)'}`;
}
