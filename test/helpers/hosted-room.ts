/** A real host on loopback and real memberships over TLS, in this process: for what needs sockets and no terminal. */
import { existsSync } from 'node:fs';
import { AnswerThread } from '../../src/app/answer-thread.ts';
import type { Log } from '../../src/app/log.ts';
import { Membership } from '../../src/app/membership.ts';
import { RelayHost } from '../../src/app/relay-host.ts';
import type { RoomKeys } from '../../src/app/rooms/room-keys.ts';
import { startHead } from '../../src/crypto/log-hash.ts';
import type { SessionEvent } from '../../src/member/events.ts';
import { LIMITS, type Limits } from '../../src/protocol/limits.ts';
import { createDatabase, openDatabase } from '../../src/storage/room-database.ts';
import { SqliteStore } from '../../src/storage/sqlite-store.ts';
import type { Connection } from '../../src/transport/connection.ts';
import { dialTls } from '../../src/transport/tls-dialer.ts';
import { dsaIdentity, roomKeys, wrapKeys } from './keys.ts';

const ANSWER = 'the blue bicycle';
const QUIET = { error() {}, warn() {}, info() {}, debug() {} };

export interface HostedMember {
  readonly membership: Membership;
  /** All that the session has told, in order. */
  readonly events: SessionEvent[];
  /** Hears each event after it has been noted. */
  onEvent: (event: SessionEvent) => void;
  /** Loses every line, and gets no other. */
  goAway(): void;
  /** @returns once there is a line again */
  comeBack(): Promise<void>;
  /** @returns the first event, from now or before, that fits */
  until(fits: (event: SessionEvent) => boolean): Promise<SessionEvent>;
}

interface Opening {
  readonly limits: Limits;
  readonly keys: RoomKeys;
  /** Where it is kept; `null`: in memory. */
  readonly file: string | null;
  readonly log: Log;
}

export class HostedRoom {
  host: RelayHost;
  readonly #opening: Opening;
  #store: SqliteStore | null;
  readonly #answers: AnswerThread;
  readonly #memberships: Membership[] = [];

  private constructor(opening: Opening, answers: AnswerThread, { host, store }: Opened) {
    this.#opening = opening;
    this.host = host;
    this.#store = store;
    this.#answers = answers;
  }

  /** @param file where the room is kept; not given: in memory */
  static async open(
    limits: Partial<Limits> = {},
    file: string | null = null,
    log: Log = QUIET,
  ): Promise<HostedRoom> {
    const answers = new AnswerThread();
    const keys = await roomKeys(ANSWER, answers);
    const opening = { limits: { ...LIMITS, ...limits }, keys, file, log };
    return new HostedRoom(opening, answers, await opened(opening, 0));
  }

  /** The host of a kept room ends, and opens it again. @param meanwhile while it is closed */
  async reopen(meanwhile: () => void = () => {}): Promise<void> {
    const { port } = this.host;
    await this.host.close('for now');
    this.#store?.close();
    meanwhile();
    const { host, store } = await opened(this.#opening, port);
    this.host = host;
    this.#store = store;
  }

  /** Through all four layers, over a socket. @returns once what is said goes out */
  async join(nick: string): Promise<HostedMember> {
    const { host } = this;
    const addresses = [{ host: '127.0.0.1', port: host.port }];
    const minted = await host.invite({ addresses, uses: 1, ttlMs: 60_000 });
    const number = this.#memberships.length;
    const events: SessionEvent[] = [];
    const waiting = new Set<() => void>();
    const lines = new Set<Connection>();
    let way: PromiseWithResolvers<void> | null = null;
    const connect = async (signal: AbortSignal): Promise<Connection> => {
      await way?.promise;
      const { tlsPin, roomId } = host;
      const line = await dialTls({ addresses, tlsPin, exporterContext: roomId, timeoutMs: 10_000, signal });
      lines.add(line);
      return line;
    };
    const membership = new Membership({
      roomId: host.roomId,
      ownerFingerprint: host.ownerFingerprint,
      tlsPin: host.tlsPin,
      invitationId: minted.id,
      admissionKey: minted.admissionKey,
      connect,
      identity: dsaIdentity(number),
      wrapKeys: wrapKeys(number),
      answers: this.#answers,
      ask: (what) =>
        Promise.resolve(what === 'answer' ? ANSWER : what === 'code' ? this.host.code.value : nick),
      onQuestion() {},
      onWaiting() {},
      onEvent(event) {
        events.push(event);
        member.onEvent(event);
        for (const look of waiting) look();
      },
      onLine() {},
    });
    this.#memberships.push(membership);
    const member: HostedMember = {
      membership,
      events,
      onEvent() {},
      goAway() {
        way = Promise.withResolvers();
        for (const line of lines) line.destroy();
        lines.clear();
      },
      async comeBack() {
        const from = events.length;
        way?.resolve();
        way = null;
        await member.until((event) => event.kind === 'live' && events.indexOf(event) >= from);
      },
      until(fits) {
        return new Promise((resolve) => {
          const look = (): void => {
            const found = events.find(fits);
            if (found === undefined) return;
            waiting.delete(look);
            resolve(found);
          };
          waiting.add(look);
          look();
        });
      },
    };
    void membership.ended.then((ending) => {
      if (ending.kind === 'failed') throw ending.error;
    });
    await membership.join();
    await member.until(({ kind }) => kind === 'live');
    return member;
  }

  async close(): Promise<void> {
    // Of a room that is kept they would try to come back.
    if (this.#store !== null) for (const membership of this.#memberships) membership.quit();
    await this.host.close('over');
    this.#store?.close();
    await this.#answers.end();
  }
}

interface Opened {
  readonly host: RelayHost;
  readonly store: SqliteStore | null;
}

async function opened({ limits, keys, file, log }: Opening, port: number): Promise<Opened> {
  const store = file === null ? null : storeAt(file, keys, limits);
  const host = await RelayHost.start({
    ...{ roomName: 'room', question: 'What stood in the hall?', keys, limits, log },
    ...{ listen: { host: '127.0.0.1', port }, membersMost: 16 },
    ...(store !== null && { keeping: store }),
  });
  return { host, store };
}

function storeAt(path: string, { roomId }: RoomKeys, limits: Limits): SqliteStore {
  const database = existsSync(path) ? openDatabase(path, 'host') : createDatabase(path);
  return new SqliteStore(database, { path, limits, startHead: (id) => startHead(roomId, id) });
}
