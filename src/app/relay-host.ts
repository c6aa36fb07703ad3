/**
 * The host process's blind part: the room's state machine over real sockets. Nothing in here, nor in anything it
 * imports, can open a message; the import check holds that.
 */
import { answerIdentifiers, loadAnswerHost } from '../crypto/answer.ts';
import { type Address, mintInvitation } from '../crypto/invitation.ts';
import type { RosterMember } from '../crypto/roster.ts';
import { ownerFingerprint } from '../crypto/signature.ts';
import { type Bytes, toBase64url } from '../protocol/bytes.ts';
import {
  type Hash,
  type IdKey,
  type InvitationId,
  invitationId,
  type RoomId,
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
import { Room, type RoomPosition } from '../room/room.ts';
import type { Visitor } from '../room/visitors.ts';
import { StorageError, storageError } from '../storage/errors.ts';
import { memoryStore } from '../storage/memory-store.ts';
import type { SqliteStore } from '../storage/sqlite-store.ts';
import type { Connection } from '../transport/connection.ts';
import { FanOut, type Subscriber } from '../transport/fan-out.ts';
import { memoryPair } from '../transport/memory-pair.ts';
import { longestBeyond } from '../transport/queue-bound.ts';
import { listenTls, type TlsListener } from '../transport/tls-listener.ts';
import { accountGate } from './account-gate.ts';
import { carried } from './carried.ts';
import { DepositFiles } from './deposits/deposit-files.ts';
import { depositFolder } from './deposits/deposit-folder.ts';
import type { Log } from './log.ts';
import { systemMoment } from './moment.ts';
import { ANSWER_CREDENTIAL, type RoomKeys } from './rooms/room-keys.ts';
import { Writing } from './writing.ts';

export interface RelayHostSettings {
  readonly roomName: string;
  readonly question: string;
  readonly keys: RoomKeys;
  readonly listen: { readonly host: string; readonly port: number };
  readonly membersMost: number;
  readonly limits: Limits;
  /** How a new room is to begin with, where it is not plain. */
  readonly settings?: Partial<RoomSettings>;
  /** Where the room is kept; not given: in memory, for as long as this process lives. */
  readonly keeping?: SqliteStore;
  readonly log: Log;
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
/** What has been delivered goes from the journal of a kept room so often: each time costs some writes. */
const PURGE_MS = 5_000;

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
  readonly #writing: Writing | null;
  readonly #deposits: DepositFiles | null;
  #purgedAtMs = 0;
  #failure: StorageError | null = null;
  #lastLocalId = 0;
  #onNotice: (notice: RoomNotice) => void = () => {};
  #onFailure: (error: StorageError) => void = () => {};

  /**
   * @throws ListenError when the address cannot be listened on, StorageError when the room cannot be written down
   */
  static async start(settings: RelayHostSettings): Promise<RelayHost> {
    const { keys, limits, log } = settings;
    const gate = new DoorGate(limits);
    const gates = await answerGates(keys);
    const deposits = await depositFiles(settings);
    let host: RelayHost | null = null;
    const listener = await listenTls({
      keyPem: keys.keyPem,
      certPem: keys.certPem,
      ...settings.listen,
      exporterContext: keys.roomId,
      limits,
      onConnection: (connection, socketId) => host?.accept(connection, socketId),
      onError: (error) => log.error('listener', error.message),
      onRawConnection: (address, socketId) => host?.arrive(address, socketId) ?? false,
      onRawClose: (socketId) => host?.depart(socketId),
    });
    try {
      host = new RelayHost(settings, { gate, listener, gates, deposits });
    } catch (error) {
      await listener.close();
      throw error;
    }
    return host;
  }

  private constructor(
    settings: RelayHostSettings,
    parts: {
      readonly gate: DoorGate;
      readonly listener: TlsListener;
      readonly gates: AnswerGates;
      readonly deposits: DepositFiles | null;
    },
  ) {
    const { keys, limits, keeping } = settings;
    this.#settings = settings;
    this.roomId = keys.roomId;
    this.ownerFingerprint = ownerFingerprint(keys.ownerKey.spki);
    this.tlsPin = keys.tlsPin;
    this.#gate = parts.gate;
    this.#listener = parts.listener;
    const { deposits } = parts;
    this.#deposits = deposits;
    deposits?.onReport((report) =>
      this.#run('deposit', null, () => this.#perform(this.#room.disk(report, systemMoment()))),
    );
    this.#room = new Room(
      {
        roomId: keys.roomId,
        name: settings.roomName,
        question: settings.question,
        keeps: keeping === undefined ? 'nothing' : 'ciphertext',
        maxMembers: settings.membersMost,
        limits,
        ...(settings.settings !== undefined && { settings: settings.settings }),
        ownerKey: keys.ownerKey,
        answer: parts.gates.answer,
        ...(keeping !== undefined && { accounts: parts.gates.accounts }),
        ...(deposits !== null && { deposits: { there: deposits.there } }),
        gate: this.#gateFor(),
        store: keeping ?? memoryStore(keys.roomId, limits),
      },
      systemMoment(),
    );
    this.#writing =
      keeping === undefined
        ? null
        : new Writing({
            store: keeping,
            room: this.#room,
            // What waited for one commit is of many: a fault in one effect must not cost the others.
            carryOut: (effects) => {
              for (const effect of effects) this.#run('effect', null, () => this.#carryOut([effect]));
            },
            onFailure: (error) => this.#fail(error),
          });
    keeping?.commit();
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
  get position(): RoomPosition {
    return this.#room.position;
  }

  onNotice(listener: (notice: RoomNotice) => void): void {
    this.#onNotice = listener;
  }

  /** The room cannot be written down any more, and is closed: nothing was acknowledged that is not on the disk. */
  onFailure(listener: (error: StorageError) => void): void {
    this.#onFailure = listener;
  }

  /** What lets a member come back without an invitation; `null` for someone who is none. */
  accountKey(member: IdKey): Bytes | null {
    return this.#room.accountKey(member);
  }

  async invite(invitation: {
    readonly addresses: readonly Address[];
    readonly uses: number;
    readonly ttlMs: number;
    readonly role?: Role;
    /** For whom, where the host wants to keep it and see it again. */
    readonly label?: string;
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
    const { label } = invitation;
    if (label !== undefined)
      this.#own(() =>
        this.#writing?.describeInvitation(id, {
          text: minted.text,
          fernetKey: fernet.key,
          fernetToken: fernet.token,
          label,
        }),
      );
    return { id, text: minted.text, expiresAtMs, uses, fernet, admissionKey };
  }

  revoke(invitation: IdKey): void {
    this.#own(() => this.#room.invitations.revoke(invitation));
  }

  resume(invitation: IdKey): void {
    this.#own(() => this.#room.invitations.resume(invitation));
  }

  /** The owner removes a member. */
  remove(member: IdKey): void {
    this.#own(() => this.#perform(this.#room.remove(member, systemMoment())));
  }

  /** The owner silences a member for `forMs`; `null`: until that is taken back. */
  mute(member: IdKey, forMs: number | null): void {
    this.#own(() => this.#perform(this.#room.mute(member, forMs, systemMoment())));
  }

  unmute(member: IdKey): void {
    this.#own(() => this.#perform(this.#room.unmute(member, systemMoment())));
  }

  setRole(member: IdKey, role: 'member' | 'moderator'): void {
    this.#own(() => this.#perform(this.#room.setRole(member, role, systemMoment())));
  }

  /** @throws InputError `text-too-long` or `bad-setting` when a text or number is beyond its limit. */
  change(part: Partial<RoomSettings>): void {
    this.#own(() => this.#perform(this.#room.change(part, systemMoment())));
  }

  /** The owner removes a member, who may not come back for `forMs`; `null`: until that is taken back. */
  ban(member: IdKey, forMs: number | null): void {
    this.#own(() => this.#perform(this.#room.ban(member, forMs, systemMoment())));
  }

  /** @returns whether anyone was banned under that nickname */
  unban(nick: string): boolean {
    return this.#own(() => this.#room.unban(nick));
  }

  /** Lets someone in who waits. @throws InputError when nobody of that number does, or the room is full. */
  admit(holder: HolderId): void {
    this.#own(() => this.#perform(this.#room.admit(holder, systemMoment())));
  }

  /** Turns someone at the door away. @throws InputError when nobody of that number stands there. */
  deny(holder: HolderId): void {
    this.#own(() => this.#perform(this.#room.deny(holder, systemMoment())));
  }

  /** The host's own way in: the same code path as everyone's, without a socket. */
  connectInProcess(): Connection {
    const [near, far] = memoryPair();
    this.#lastLocalId -= 1;
    this.accept(far, this.#lastLocalId);
    return near;
  }

  /** A kept room stays, and everyone's place in it; what has been delivered goes from its journal. */
  async close(text: string): Promise<void> {
    clearInterval(this.#timer);
    const reason = this.#writing === null ? 'host-closing' : 'paused';
    this.#perform(this.#room.close(reason, text, systemMoment()));
    this.#writing?.finish();
    await Promise.all([this.#deposits?.close(), this.#listener.close()]);
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
      const known = storageError(this.#settings.keeping?.path ?? '', error);
      if (known instanceof StorageError) return this.#fail(known);
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

  /** What comes on this line goes on to those who receive it, as it is. */
  #stream(id: number): void {
    this.#lines.get(id)?.connection.stream((bytes) =>
      this.#run('bytes', id, () => {
        carried(bytes.length);
        const { to, deposit, effects } = this.#room.bytes(id, bytes.length, systemMoment());
        if (deposit !== null) this.#deposits?.write(deposit, bytes);
        for (const receiver of to) this.#lines.get(receiver)?.connection.forward(bytes);
        if (effects.length > 0) this.#perform(effects);
      }),
    );
  }

  #onClose(id: number): void {
    const line = this.#lines.get(id);
    if (line === undefined) return;
    this.#lines.delete(id);
    this.#deposits?.left(id);
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
    this.#run('tick', null, () => this.#writeDown(moment.nowMs));
  }

  /** What nobody waits for: how far members have the log, and what need not be kept any longer. */
  #writeDown(nowMs: number): void {
    // In memory too: whoever is gone must not be held for a store that forgets them.
    if (this.#writing === null) this.#room.save();
    else this.#writing.commit();
    if (nowMs - this.#purgedAtMs < PURGE_MS) return;
    this.#purgedAtMs = nowMs;
    this.#writing?.purge();
  }

  /**
   * The host is told of its own doing at once: by then it is written down.
   * @throws StorageError when it cannot be: the room is closed then
   */
  #own<Result>(step: () => Result): Result {
    try {
      const result = step();
      this.#writing?.commit();
      if (this.#failure !== null) throw this.#failure;
      return result;
    } catch (error) {
      const known = storageError(this.#settings.keeping?.path ?? '', error);
      if (known instanceof StorageError) this.#fail(known);
      throw known;
    }
  }

  /** Everyone is cut off without a word: what was not written down was told to nobody, and they come back. */
  #fail(error: StorageError): void {
    // Whatever is under way meets the same failure.
    if (this.#failure !== null) return;
    this.#failure = error;
    clearInterval(this.#timer);
    this.#writing?.abandon();
    this.#settings.log.error('storage', error.message);
    for (const id of this.#lines.keys()) this.#cut(id);
    void this.#deposits?.close();
    void this.#listener.close();
    this.#onFailure(error);
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
    if (this.#writing === null) this.#carryOut(effects);
    else this.#writing.hold(effects);
  }

  #carryOut(effects: readonly RoomEffect[]): void {
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
        case 'multicast':
          for (const to of effect.to) {
            const line = this.#lines.get(to);
            if (line !== undefined) this.#fanOut.sendPrivate(line.subscriber, effect.frame);
          }
          break;
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
        case 'stream':
          this.#stream(effect.connection);
          break;
        case 'deposit':
        case 'drop':
          this.#deposits?.perform(effect, undefined);
          break;
        case 'read':
          this.#deposits?.perform(effect, this.#lines.get(effect.connection)?.connection);
          break;
        case 'close': {
          const line = this.#lines.get(effect.connection);
          if (line === undefined) break;
          this.#lines.delete(effect.connection);
          this.#deposits?.left(effect.connection);
          this.#fanOut.delete(line.subscriber);
          if (effect.frame === null) line.connection.close();
          else line.connection.close(effect.frame);
          break;
        }
        case 'notice':
          this.#onNotice(effect.notice);
          break;
      }
    }
  }
}

interface AnswerGates {
  readonly answer: EntranceStart['answer'];
  readonly accounts: AccountGate;
}

/** Beside a room that is kept. */
async function depositFiles({ keeping, limits, log }: RelayHostSettings): Promise<DepositFiles | null> {
  if (keeping === undefined) return null;
  const options = { folder: depositFolder(keeping.path), spareBytes: limits.depositSpareBytes, log };
  return DepositFiles.open(options, keeping.kept?.deposits ?? []);
}

/** The OPAQUE host side for this room's answer and its accounts. */
async function answerGates({ roomId: id, tlsPin, setup, record }: RoomKeys): Promise<AnswerGates> {
  const host = await loadAnswerHost();
  const identifiers = answerIdentifiers(id, tlsPin);
  return {
    answer: {
      start: (ke1) => host.startLogin({ setup, record, credential: ANSWER_CREDENTIAL, identifiers, ke1 }),
      finish: (state, ke3) => host.finishLogin({ state, ke3, identifiers }),
    },
    accounts: accountGate({ host, setup, identifiers }),
  };
}
