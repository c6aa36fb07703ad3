/**
 * A whole room in memory: the real `Room`, and members made of the real `Joining` and `Session`, wired by a queue that
 * a test empties. No sockets, no timers. Hooks on each line make an evil host or an evil member of an honest one. With a
 * store it is on disk, and can end and be opened again while its members live on: see `kept.ts`.
 */
import assert from 'node:assert/strict';
import { Writing } from '../../src/app/writing.ts';
import { answerIdentifiers } from '../../src/crypto/answer.ts';
import { ownerFingerprint, type SigningKey } from '../../src/crypto/signature.ts';
import type { Bytes } from '../../src/protocol/bytes.ts';
import { type Hash, idKey, invitationId, type RoomId } from '../../src/protocol/identifiers.ts';
import { LIMITS, type Limits } from '../../src/protocol/limits.ts';
import type { Role, RoomSettings } from '../../src/protocol/signed-objects.ts';
import type { Dialect } from '../../src/protocol/version.ts';
import type { RoomEffect, RoomNotice } from '../../src/room/effects.ts';
import type { Gate } from '../../src/room/entrance.ts';
import type { Log } from '../../src/room/log.ts';
import { Room } from '../../src/room/room.ts';
import type { RoomStore } from '../../src/room/store.ts';
import { memoryStore } from '../../src/storage/memory-store.ts';
import type { SqliteStore } from '../../src/storage/sqlite-store.ts';
import { type AnswerSides, opaqueAnswer, unsafeTestingAnswer } from './answers.ts';
import { dsaIdentity, roomOwnerKey, rsaIdentity, wrapKeys } from './keys.ts';
import {
  type Line,
  type LineHolder,
  type LineRoom,
  RIGHT_ANSWER,
  TEST_PIN,
  TEST_ROOM,
  type TestInvitation,
} from './line.ts';
import { type MemberOptions, TestMember } from './member.ts';
import { TestClock } from './moment.ts';

const START_MS = Date.UTC(2026, 0, 1, 12);

export interface TestRoomOptions {
  /** `real` is OPAQUE, a sixth of a second a run; `stand-in` only where the answer is not what is tested. */
  readonly answer?: 'real' | 'stand-in';
  readonly limits?: Partial<Limits>;
  readonly maxMembers?: number;
  readonly gate?: Partial<Gate>;
  /** `ciphertext`: a room that its host keeps, with accounts; nothing of it is on a disk here. */
  readonly keeps?: 'nothing' | 'ciphertext';
  /** Where the room is really kept. */
  readonly store?: SqliteStore;
  /** An older or newer host. */
  readonly dialect?: Dialect;
  /** How the room is to begin with, where it is not plain. */
  readonly settings?: Partial<RoomSettings>;
  readonly seed?: string;
  readonly startMs?: number;
}

const OPEN_GATE: Gate = {
  recognised: () => true,
  unrecognised: () => {},
  proved: () => {},
  judged: () => {},
  admitted: () => {},
};

interface Delivery {
  readonly line: Line;
  readonly to: 'host' | 'member';
  /** `null`: the line is closed. */
  readonly frame: Bytes | null;
}

/** @example const room = await openRoom(); const alice = await room.join('alice'); alice.say('hello'); room.pump(); */
export async function openRoom(options: TestRoomOptions = {}): Promise<TestRoom> {
  const ownerKey = await roomOwnerKey();
  const clock = new TestClock(options.startMs ?? START_MS, options.seed ?? 'securechat');
  const identifiers = answerIdentifiers(TEST_ROOM, TEST_PIN);
  const answers =
    options.answer === 'real'
      ? await opaqueAnswer(RIGHT_ANSWER, identifiers)
      : unsafeTestingAnswer(RIGHT_ANSWER, clock.randomBytes);
  return new TestRoom(options, ownerKey, clock, answers);
}

export class TestRoom implements LineRoom {
  readonly id: RoomId = TEST_ROOM;
  readonly ownerKey: SigningKey;
  readonly ownerFingerprint: Hash;
  readonly clock: TestClock;
  readonly limits: Limits;
  readonly answers: AnswerSides;
  room: Room;
  /** `false`: what is done waits for `commit`, and is told to nobody before. Of a room with a store. */
  commitsAtOnce = true;
  readonly notices: RoomNotice[] = [];
  readonly members: TestMember[] = [];
  readonly #options: TestRoomOptions;
  readonly #holders = new Map<number, { readonly line: Line; readonly holder: LineHolder }>();
  readonly #queue: Delivery[] = [];
  #store: SqliteStore | null;
  readonly #memory: RoomStore | null;
  #log: Log;
  #writing: Writing | null = null;
  #lastLineId = 0;
  #shared: TestInvitation | null = null;

  constructor(options: TestRoomOptions, ownerKey: SigningKey, clock: TestClock, answers: AnswerSides) {
    this.ownerKey = ownerKey;
    this.ownerFingerprint = ownerFingerprint(ownerKey.spki);
    this.clock = clock;
    this.answers = answers;
    this.limits = { ...LIMITS, ...options.limits };
    this.#options = options;
    this.#store = options.store ?? null;
    this.#memory = this.#store === null ? memoryStore(this.id, this.limits) : null;
    this.#log = (this.#store ?? this.#memory ?? assert.fail('no store')).log;
    this.room = this.#start();
  }

  #start(): Room {
    const { gate, dialect, settings, maxMembers, keeps = 'nothing' } = this.#options;
    const store = this.#store;
    const isKept = store !== null || keeps === 'ciphertext';
    const room = new Room(
      {
        roomId: this.id,
        name: 'test room',
        question: 'What stood in the hall?',
        maxMembers: maxMembers ?? this.limits.membersDefault,
        limits: this.limits,
        ownerKey: this.ownerKey,
        answer: this.answers.gate,
        gate: { ...OPEN_GATE, ...gate },
        keeps: isKept ? 'ciphertext' : 'nothing',
        ...(isKept && { accounts: this.answers.accounts }),
        ...(dialect && { dialect }),
        ...(settings && { settings }),
        store: this.#memory ?? store ?? assert.fail('no store'),
      },
      this.clock.moment,
    );
    if (store === null) return room;
    const onFailure = (error: Error): never => {
      throw error;
    };
    const carryOut = (effects: readonly RoomEffect[]): void => this.#carryOut(effects);
    this.#writing = new Writing({ store, room, carryOut, onFailure });
    store.commit();
    return room;
  }

  get log(): Log {
    return this.#log;
  }

  /** Puts on the disk what waits for it, and tells what waited for that. */
  commit(): void {
    this.#writing?.commit();
  }

  /** The host's process ends at once: what was not committed is lost, and everyone’s line. @returns who was in */
  end(): readonly TestMember[] {
    const wereIn = this.members.filter(({ outcome }) => outcome.kind === 'in');
    this.#writing?.abandon();
    this.#store?.close();
    this.#queue.length = 0;
    const held = [...this.#holders.values()];
    this.#holders.clear();
    for (const { line, holder } of held) {
      line.closed = true;
      holder.onClosed();
    }
    return wereIn;
  }

  /** Another process of the host's opens the room, by what the disk holds. */
  open(store: SqliteStore): void {
    this.#store = store;
    this.#log = store.log;
    this.room = this.#start();
  }

  invite(options: { uses?: number; ttlMs?: number; role?: Role } = {}): TestInvitation {
    const id = invitationId(this.clock.randomBytes(8));
    const admissionKey = this.clock.randomBytes(32);
    const expiresAtMs = this.clock.nowMs + (options.ttlMs ?? 60 * 60_000);
    const { uses = 1, role = 'member' } = options;
    this.room.invitations.add({ id, admissionKey, expiresAtMs, uses, role });
    return { id, key: idKey(id), admissionKey };
  }

  /** Someone with keys, still outside. Not given otherwise: an RSA identity and wrap keys that nobody else has. */
  async person(
    nick: string,
    options: Partial<MemberOptions> & { crowd?: boolean } = {},
  ): Promise<TestMember> {
    const place = this.members.length;
    const { crowd = false, ...given } = options;
    const member = new TestMember(this, {
      nicks: [nick],
      answers: [RIGHT_ANSWER],
      codes: [() => this.room.code.value],
      identity: options.identity ?? (await (crowd ? dsaIdentity(place) : rsaIdentity(place))),
      // A crowd shares wrap keys, which take long to make: only for what is about the door.
      wrapPair: options.wrapPair ?? (await wrapKeys(crowd ? 0 : place)),
      ...given,
    });
    this.members.push(member);
    return member;
  }

  /** Someone who has joined and is live. Without an invitation given, by one that all such share. */
  async join(
    nick: string,
    options: Partial<MemberOptions> & { crowd?: boolean; invitation?: TestInvitation } = {},
  ): Promise<TestMember> {
    const { invitation, ...rest } = options;
    this.#shared ??= this.invite({ uses: 255 });
    const member = await this.person(nick, rest);
    member.knock(invitation ?? this.#shared);
    this.pump();
    // Joins close together share one roster operation: it comes with time.
    for (let waited = 0; !member.live && waited < 4; waited += 1) this.advance(250);
    if (!member.live) throw new Error(`${nick} did not get in: ${JSON.stringify(member.outcome)}`);
    return member;
  }

  /** The program of a member ends at once, and another goes on with what it had saved by then. */
  async restart(before: TestMember, saved: Bytes): Promise<TestMember> {
    const member = await this.goOn(before, saved);
    this.pump();
    return member;
  }

  /** As `restart`, with everything still under way. */
  async goOn(before: TestMember, saved: Bytes): Promise<TestMember> {
    before.loseLine();
    const place = this.members.indexOf(before);
    const { identity } = before;
    const member = await this.person('', { identity, saved, keeps: 'when-saved' });
    this.members.splice(this.members.indexOf(member), 1);
    this.members[place] = member;
    member.comeBack();
    return member;
  }

  /** Opens a line; the host's side learns of it at once. */
  connect(holder: LineHolder, channelBinding: Bytes = this.clock.randomBytes(32)): Line {
    this.#lastLineId += 1;
    const line: Line = {
      id: this.#lastLineId,
      channelBinding,
      toMember: (frame) => [frame],
      toHost: (frame) => [frame],
      live: false,
      admitted: false,
      closed: false,
      sentByHost: [],
      sentByMember: [],
    };
    this.#holders.set(line.id, { line, holder });
    this.perform(this.room.connected(line.id, channelBinding, this.clock.moment));
    return line;
  }

  /** A member sends: through the hook, into the queue. */
  toHost(line: Line, frame: Bytes): void {
    line.sentByMember.push(frame);
    for (const each of line.toHost(frame)) this.#queue.push({ line, to: 'host', frame: each });
  }

  /** The host sends: through the hook, into the queue. */
  toMember(line: Line, frame: Bytes): void {
    line.sentByHost.push(frame);
    for (const each of line.toMember(frame)) this.#queue.push({ line, to: 'member', frame: each });
  }

  /** Puts a frame into the queue past the hooks, as if the other side had sent it. */
  inject(line: Line, to: 'host' | 'member', frame: Bytes): void {
    this.#queue.push({ line, to, frame });
  }

  /** The member's side hangs up. */
  hangUp(line: Line): void {
    this.#queue.push({ line, to: 'host', frame: null });
  }

  /** The line breaks: both sides learn of it, and nothing under way arrives. */
  cut(line: Line): void {
    if (line.closed) return;
    line.closed = true;
    const held = this.#holders.get(line.id);
    this.#holders.delete(line.id);
    this.perform(this.room.disconnected(line.id, this.clock.moment));
    held?.holder.onClosed();
  }

  /** Delivers everything under way, in order, and all that follows from it. @returns how many frames arrived. */
  pump(): number {
    let delivered = 0;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      this.#deliver(next);
      delivered += 1;
    }
    return delivered;
  }

  /** Delivers one frame. @returns false when none is under way. */
  step(): boolean {
    const next = this.#queue.shift();
    if (next !== undefined) this.#deliver(next);
    return next !== undefined;
  }

  /**
   * Delivers one frame, of any line and direction: on one line frames keep their order, lines overtake each other.
   * @param choice any number, to choose by. @returns false when none is under way.
   */
  stepAny(choice: number): boolean {
    const ways = new Set<string>();
    const first = this.#queue.filter(({ line, to }) => {
      const way = `${line.id} ${to}`;
      return !ways.has(way) && ways.add(way);
    });
    const next = first[choice % Math.max(1, first.length)];
    if (next === undefined) return false;
    this.#queue.splice(this.#queue.indexOf(next), 1);
    this.#deliver(next);
    return true;
  }

  /** Time passes in quarters of a second, as in the product, and everything under way arrives. */
  advance(ms: number): void {
    for (let left = ms; left > 0; left -= 250) {
      this.clock.nowMs += Math.min(250, left);
      this.tick();
    }
  }

  tick(): void {
    this.perform(this.room.tick(this.clock.moment));
    for (const member of this.members) member.tick();
    this.pump();
  }

  /** Carries out what the room answered; where the room is on disk, once that is. */
  perform(effects: readonly RoomEffect[]): void {
    if (this.#writing === null) return this.#carryOut(effects);
    this.#writing.hold(effects);
    if (this.commitsAtOnce) this.#writing.commit();
  }

  #carryOut(effects: readonly RoomEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'broadcast':
          for (const { line } of this.#holders.values()) if (line.live) this.toMember(line, effect.frame);
          break;
        case 'send': {
          const line = this.#line(effect.to);
          if (line !== undefined) this.toMember(line, effect.frame);
          break;
        }
        case 'multicast':
          for (const to of effect.to) {
            const line = this.#line(to);
            if (line !== undefined) this.toMember(line, effect.frame);
          }
          break;
        case 'live': {
          const line = this.#line(effect.connection);
          if (line !== undefined) line.live = true;
          break;
        }
        case 'admitted': {
          const line = this.#line(effect.connection);
          if (line !== undefined) line.admitted = true;
          break;
        }
        case 'close': {
          const line = this.#line(effect.connection);
          if (line === undefined) break;
          line.live = false;
          if (effect.frame !== null) this.toMember(line, effect.frame);
          this.#queue.push({ line, to: 'member', frame: null });
          break;
        }
        case 'notice':
          this.notices.push(effect.notice);
          break;
      }
    }
  }

  #line(id: number): Line | undefined {
    return this.#holders.get(id)?.line;
  }

  #deliver({ line, to, frame }: Delivery): void {
    const held = this.#holders.get(line.id);
    if (held === undefined) return;
    if (frame !== null) {
      if (to === 'member') held.holder.onFrame(frame);
      else this.perform(this.room.frame(line.id, frame, this.clock.moment));
      return;
    }
    this.#holders.delete(line.id);
    line.closed = true;
    if (to === 'member') held.holder.onClosed();
    else this.perform(this.room.disconnected(line.id, this.clock.moment));
  }
}
