/**
 * The host process's blind part: the room's state machine over real sockets. Nothing in here, nor in anything it
 * imports, can open a message; the import check holds that.
 */
import { answerIdentifiers, loadAnswerHost } from '../crypto/answer.ts';
import { makeCertificate } from '../crypto/certificate.ts';
import { type Address, mintInvitation } from '../crypto/invitation.ts';
import type { RosterMember } from '../crypto/roster.ts';
import { generateSigningKey, ownerFingerprint, type SigningKey } from '../crypto/signature.ts';
import { type Bytes, toBase64url } from '../protocol/bytes.ts';
import {
  type Hash,
  type IdKey,
  type InvitationId,
  invitationId,
  type RoomId,
  roomId,
} from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Moment } from '../protocol/moment.ts';
import type { Refusal } from '../protocol/reasons.ts';
import type { Role, RoomSettings } from '../protocol/signed-objects.ts';
import type { AccountGate } from '../room/accounts.ts';
import type { BanView } from '../room/bans.ts';
import { DoorGate } from '../room/door-gate.ts';
import type { RoomEffect, RoomNotice } from '../room/effects.ts';
import type { EntranceStart, Gate } from '../room/entrance.ts';
import type { HolderId, InvitationView } from '../room/invitations.ts';
import { Room } from '../room/room.ts';
import type { Visitor } from '../room/visitors.ts';
import { MemoryLog } from '../storage/memory-log.ts';
import type { Connection } from '../transport/connection.ts';
import { FanOut, type Subscriber } from '../transport/fan-out.ts';
import { memoryPair } from '../transport/memory-pair.ts';
import { longestBeyond } from '../transport/queue-bound.ts';
import { listenTls, type TlsListener } from '../transport/tls-listener.ts';
import { accountGate } from './account-gate.ts';
import type { AnswerThread } from './answer-thread.ts';
import type { Log } from './log.ts';
import { systemMoment } from './moment.ts';

export interface RelayHostSettings {
  readonly roomName: string;
  readonly question: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly membersMost: number;
  readonly limits: Limits;
  /** How the room is to begin with, where it is not plain. */
  readonly settings?: Partial<RoomSettings>;
  /** What of the room is on this machine's disk; not given: nothing. Members of a kept room may have accounts. */
  readonly keeps?: EntranceStart['keeps'];
  readonly answers: AnswerThread;
  readonly log: Log;
}

export interface RelayHostStart extends RelayHostSettings {
  /** Normalised. Registered and forgotten. */
  readonly answer: string;
}

export interface MintedInvitation {
  readonly id: InvitationId;
  readonly text: string;
  readonly expiresAtMs: number;
  readonly uses: number;
  /** Key and token as any other Fernet implementation takes them. */
  readonly fernet: { readonly key: string; readonly token: string };
}

interface Line {
  readonly connection: Connection;
  readonly subscriber: Subscriber;
}

const TICK_MS = 250;
const CREDENTIAL = 'answer';

export class RelayHost {
  readonly roomId: RoomId;
  readonly ownerFingerprint: Hash;
  readonly #settings: RelayHostSettings;
  readonly #room: Room;
  readonly #listener: TlsListener;
  readonly #gate: DoorGate;
  readonly tlsPin: Hash;
  readonly #fanOut = new FanOut();
  readonly #lines = new Map<number, Line>();
  readonly #addressOf = new Map<number, string>();
  readonly #timer: NodeJS.Timeout;
  #lastLocalId = 0;
  #onNotice: (notice: RoomNotice) => void = () => {};

  /** @throws ListenError when the address cannot be listened on. */
  static async start({ answer, ...settings }: RelayHostStart): Promise<RelayHost> {
    const moment = systemMoment();
    const id = roomId(moment.randomBytes(16));
    const [ownerKey, certificate, answerHost] = await Promise.all([
      generateSigningKey('rsa'),
      makeCertificate({ nowMs: moment.nowMs, serial: moment.randomBytes(16) }),
      loadAnswerHost(),
    ]);
    const identifiers = answerIdentifiers(id, certificate.pin);
    const setup = answerHost.createSetup();
    const { record } = await settings.answers.run({
      op: 'register',
      setup,
      credential: CREDENTIAL,
      answer,
      identifiers,
    });
    const gate = new DoorGate(settings.limits);
    let host: RelayHost | null = null;
    const listener = await listenTls({
      keyPem: certificate.keyPem,
      certPem: certificate.certPem,
      ...settings.listen,
      exporterContext: id,
      limits: settings.limits,
      onConnection: (connection, socketId) => host?.accept(connection, socketId),
      onError: (error) => settings.log.error('listener', error.message),
      onRawConnection: (address, socketId) => host?.arrive(address, socketId) ?? false,
      onRawClose: (socketId) => host?.depart(socketId),
    });
    host = new RelayHost(settings, {
      roomId: id,
      ownerKey,
      tlsPin: certificate.pin,
      gate,
      listener,
      answer: {
        start: (ke1) => answerHost.startLogin({ setup, record, credential: CREDENTIAL, identifiers, ke1 }),
        finish: (state, ke3) => answerHost.finishLogin({ state, ke3, identifiers }),
      },
      accounts: accountGate({ host: answerHost, setup, identifiers }),
    });
    return host;
  }

  private constructor(
    settings: RelayHostSettings,
    parts: {
      readonly roomId: RoomId;
      readonly ownerKey: SigningKey;
      readonly tlsPin: Hash;
      readonly gate: DoorGate;
      readonly listener: TlsListener;
      readonly answer: EntranceStart['answer'];
      readonly accounts: AccountGate;
    },
  ) {
    this.#settings = settings;
    this.roomId = parts.roomId;
    this.ownerFingerprint = ownerFingerprint(parts.ownerKey.spki);
    this.tlsPin = parts.tlsPin;
    this.#gate = parts.gate;
    this.#listener = parts.listener;
    this.#room = new Room(
      {
        roomId: parts.roomId,
        name: settings.roomName,
        question: settings.question,
        maxMembers: settings.membersMost,
        limits: settings.limits,
        ...(settings.settings !== undefined && { settings: settings.settings }),
        ownerKey: parts.ownerKey,
        answer: parts.answer,
        ...(settings.keeps === 'ciphertext' && { keeps: settings.keeps, accounts: parts.accounts }),
        gate: this.#gateFor(),
        makeLog: (startHead) => new MemoryLog(startHead, settings.limits),
      },
      systemMoment(),
    );
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  get port(): number {
    return this.#listener.port;
  }
  get code(): { readonly value: string; readonly expiresAtMs: number } {
    return this.#room.code;
  }
  get members(): readonly RosterMember[] {
    return this.#room.members;
  }
  get settings(): RoomSettings {
    return this.#room.settings;
  }
  get invitations(): readonly InvitationView[] {
    return this.#room.invitations.list().filter(({ role }) => role !== 'owner');
  }
  /** Who stands at the door with an invitation. `holder` is the number to admit or deny them by. */
  get atDoor(): readonly Visitor[] {
    return this.#room.atDoor;
  }
  get bans(): readonly BanView[] {
    return this.#room.bans;
  }
  get position(): { readonly epoch: number; readonly index: number; readonly head: Bytes } {
    return this.#room.position;
  }

  onNotice(listener: (notice: RoomNotice) => void): void {
    this.#onNotice = listener;
  }

  async invite(invitation: {
    readonly addresses: readonly Address[];
    readonly uses: number;
    readonly ttlMs: number;
    readonly role?: Role;
  }): Promise<MintedInvitation & { readonly admissionKey: Bytes }> {
    const moment = systemMoment();
    const id = invitationId(moment.randomBytes(8));
    const key = moment.randomBytes(32);
    const { addresses, uses, ttlMs } = invitation;
    const ttlSeconds = Math.ceil(ttlMs / 1_000);
    const minted = await mintInvitation(
      {
        roomId: this.roomId,
        ownerFingerprint: this.ownerFingerprint,
        tlsPin: this.tlsPin,
        invitationId: id,
        ttlSeconds,
        uses,
        addresses,
      },
      key,
    );
    const { admissionKey, issuedAtMs } = minted;
    const expiresAtMs = issuedAtMs + ttlSeconds * 1_000;
    this.#room.invitations.add({ id, admissionKey, expiresAtMs, uses, role: invitation.role ?? 'member' });
    const fernet = { key: `${toBase64url(key)}=`, token: minted.fernetToken };
    return { id, text: minted.text, expiresAtMs, uses, fernet, admissionKey };
  }

  revoke(invitation: IdKey): void {
    this.#room.invitations.revoke(invitation);
  }

  resume(invitation: IdKey): void {
    this.#room.invitations.resume(invitation);
  }

  /** The owner removes a member. */
  remove(member: IdKey): void {
    this.#perform(this.#room.remove(member, systemMoment()));
  }

  /** The owner silences a member for `forMs`; `null`: until that is taken back. */
  mute(member: IdKey, forMs: number | null): void {
    this.#perform(this.#room.mute(member, forMs, systemMoment()));
  }

  unmute(member: IdKey): void {
    this.#perform(this.#room.unmute(member, systemMoment()));
  }

  setRole(member: IdKey, role: 'member' | 'moderator'): void {
    this.#perform(this.#room.setRole(member, role, systemMoment()));
  }

  /** @throws InputError `text-too-long` or `bad-setting` when a text or number is beyond its limit. */
  change(part: Partial<RoomSettings>): void {
    this.#perform(this.#room.change(part, systemMoment()));
  }

  /** The owner removes a member, who may not come back for `forMs`; `null`: until that is taken back. */
  ban(member: IdKey, forMs: number | null): void {
    this.#perform(this.#room.ban(member, forMs, systemMoment()));
  }

  /** @returns whether anyone was banned under that nickname */
  unban(nick: string): boolean {
    return this.#room.unban(nick);
  }

  /** Lets someone in who waits. @throws InputError when nobody of that number does, or the room is full. */
  admit(holder: HolderId): void {
    this.#perform(this.#room.admit(holder, systemMoment()));
  }

  /** Turns someone at the door away. @throws InputError when nobody of that number stands there. */
  deny(holder: HolderId): void {
    this.#perform(this.#room.deny(holder, systemMoment()));
  }

  /** The host's own way in: the same code path as everyone's, without a socket. */
  connectInProcess(): Connection {
    const [near, far] = memoryPair();
    this.#lastLocalId -= 1;
    this.accept(far, this.#lastLocalId);
    return near;
  }

  async close(text: string): Promise<void> {
    clearInterval(this.#timer);
    this.#perform(this.#room.close(text, systemMoment()));
    await this.#listener.close();
  }

  /** A connection whose handshake is done. */
  private accept(connection: Connection, id: number): void {
    const subscriber: Subscriber = { sendBatch: (batch, frames) => connection.send(batch, frames) };
    this.#lines.set(id, { connection, subscriber });
    connection.start({
      onFrame: (frame) =>
        this.#run('frame', id, () => this.#perform(this.#room.frame(id, frame, systemMoment()))),
      onClose: () => this.#run('close', id, () => this.#onClose(id)),
    });
    this.#run('connection', id, () =>
      this.#perform(this.#room.connected(id, connection.channelBinding, systemMoment())),
    );
  }

  private arrive(address: string, id: number): boolean {
    let refused = true;
    this.#run('arrival', id, () => {
      const { refuse, evict } = this.#gate.arrive(id, address, Date.now());
      if (evict !== undefined) this.#listener.destroySocket(evict);
      if (!refuse) this.#addressOf.set(id, address);
      refused = refuse;
    });
    return !refused;
  }

  private depart(id: number): void {
    this.#addressOf.delete(id);
    this.#run('departure', id, () => this.#gate.left(id));
  }

  #gateFor(): Gate {
    // The host's own line does not stand at the door.
    const local = (id: number): boolean => id < 0;
    return {
      recognised: (id, purpose) => local(id) || this.#gate.promoted(id, purpose),
      unrecognised: (id, nowMs) => this.#gate.failedHello(this.#addressOf.get(id) ?? '', nowMs),
      proved: (id) => this.#gate.proved(id),
      judged: (id) => this.#gate.judged(id),
      admitted: (id) => this.#gate.left(id),
    };
  }

  /** A fault of ours must cost one connection, or one tick (`null`), and not the room. */
  #run(about: string, id: number | null, step: () => void): void {
    try {
      step();
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#settings.log.error(about, text);
      if (id !== null) this.#cut(id);
    }
  }

  #cut(id: number): void {
    const line = this.#lines.get(id);
    if (line === undefined) this.#listener.destroySocket(id);
    else line.connection.destroy();
  }

  #onClose(id: number): void {
    const line = this.#lines.get(id);
    if (line === undefined) return;
    this.#lines.delete(id);
    this.#fanOut.delete(line.subscriber);
    this.#perform(this.#room.disconnected(id, systemMoment()));
  }

  #tick(): void {
    const moment = systemMoment();
    this.#run('tick', null, () => {
      for (const id of this.#gate.crowdedOut()) this.#turnAway(id, 'busy', moment);
      for (const id of this.#gate.dueEvictions(moment.nowMs)) this.#turnAway(id, 'timed-out', moment);
    });
    // Whatever went wrong at the door, time goes on in the room.
    this.#run('tick', null, () => this.#perform(this.#room.tick(moment)));
    this.#run('tick', null, () => this.#boundQueues());
  }

  /** Someone in the middle of a TLS handshake is nobody yet to tell anything. */
  #turnAway(id: number, reason: Refusal, moment: Moment): void {
    this.#run('turning away', id, () => {
      const effects = this.#room.turnAway(id, reason, moment);
      if (effects.length > 0) this.#perform(effects);
      else this.#listener.destroySocket(id);
    });
  }

  /** All queues together have a limit as well: the longest goes first. */
  #boundQueues(): void {
    const connections = [...this.#lines.values()].map(({ connection }) => connection);
    for (const connection of longestBeyond(connections, this.#settings.limits.outboundBytesTotal))
      connection.destroy();
  }

  #perform(effects: readonly RoomEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'broadcast':
          this.#fanOut.push(effect.frame);
          break;
        case 'send': {
          const line = this.#lines.get(effect.to);
          if (line !== undefined) this.#fanOut.sendPrivate(line.subscriber, effect.frame);
          break;
        }
        case 'live': {
          const line = this.#lines.get(effect.connection);
          if (line !== undefined) this.#fanOut.add(line.subscriber);
          break;
        }
        case 'admitted':
          this.#lines
            .get(effect.connection)
            ?.connection.setFrameLimit(this.#settings.limits.frameBytesAfterAdmission);
          break;
        case 'close': {
          const line = this.#lines.get(effect.connection);
          if (line === undefined) break;
          this.#lines.delete(effect.connection);
          this.#fanOut.delete(line.subscriber);
          line.connection.close(effect.frame);
          break;
        }
        case 'notice':
          this.#onNotice(effect.notice);
          break;
      }
    }
  }
}
