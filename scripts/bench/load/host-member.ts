/**
 * A member that goes through the door as everyone does and then only counts: it opens nothing, and what it says was
 * sealed beforehand.
 */

import { systemMoment } from '../../../src/app/moment.ts';
import { answerIdentifiers } from '../../../src/crypto/answer.ts';
import { Joining, type JoiningEffect, type OwnKeys } from '../../../src/member/joining.ts';
import type { Welcome } from '../../../src/protocol/admission-frames.ts';
import type { Bytes } from '../../../src/protocol/bytes.ts';
import { encodeFrame, frameBody, frameType } from '../../../src/protocol/framing.ts';
import {
  type ConversationId,
  hash,
  idKey,
  invitationId,
  ROOM_CONVERSATION,
  roomId,
} from '../../../src/protocol/identifiers.ts';
import { LIMITS } from '../../../src/protocol/limits.ts';
import {
  Ack,
  Close,
  ConversationPage,
  ENTRY_KIND,
  Entry,
  ListPage,
  LogPage,
  PullList,
  PullLog,
  SESSION_FRAME,
  WrapsTaken,
} from '../../../src/protocol/session-frames.ts';
import type { Connection } from '../../../src/transport/connection.ts';
import { dialTls } from '../../../src/transport/tls-dialer.ts';
import type { Entrance, Position, RoomAddress } from '../host-process.ts';
import { LIFTED_LIMITS } from '../lifted-limits.ts';
import { type MessageKey, messageKey } from './fleet.ts';
import { ANSWER, finishLightly, startLightly } from './light-answer.ts';
import { LightChain } from './light-chain.ts';
import { Reach } from './reach.ts';

/**
 * Where an ENTRY frame says of which log it is, which of its entries, and of what kind, and where in it the message's header
 * has chain and number.
 */
const ENTRY_LOG_AT = 5;
const ENTRY_INDEX_AT = 21;
const ENTRY_KIND_AT = 25;
const ENTRY_CHAIN_AT = 161;
const ENTRY_NUMBER_AT = 169;
const DIAL_MS = 60_000;
/** As often as the product's members look whether an ACK is due. */
const TICK_MS = 250;

export interface HostMemberStart {
  readonly room: RoomAddress;
  readonly entrance: Entrance;
  readonly keys: OwnKeys;
  readonly nick: string;
  readonly onDelivery: (key: MessageKey, isOwn: boolean) => void;
  /** A chain key has come that somebody wrapped for this member. */
  readonly onWrap: () => void;
  /** Whether the host is told what has come, as a session tells it. */
  readonly acknowledges: boolean;
}

const ROOM_KEY = idKey(ROOM_CONVERSATION);

export class HostMember {
  readonly #start: HostMemberStart;
  readonly #connection: Connection;
  readonly reach = new Reach();
  readonly #arrived = Promise.withResolvers<void>();
  #taken = Promise.withResolvers<void>();
  #joining: Joining | null;
  #welcome: Welcome | null = null;
  #chain: LightChain | null = null;
  /** The latest entry that has come, and what the host was told of it. */
  #index = 0;
  #acknowledged = 0;
  #lastAckMs = 0;
  #ackTimer: NodeJS.Timeout | null = null;

  /** @returns once it is in the room and gets what is said there */
  static async join(start: HostMemberStart): Promise<HostMember> {
    const connection = await dialTls({
      addresses: [{ host: '127.0.0.1', port: start.room.port }],
      tlsPin: hash(start.room.tlsPin),
      exporterContext: roomId(start.room.roomId),
      timeoutMs: DIAL_MS,
      limits: LIFTED_LIMITS,
    });
    const member = new HostMember(start, connection);
    await member.#arrived.promise;
    if (start.acknowledges) member.#ackTimer = setInterval(() => member.#acknowledge(), TICK_MS);
    return member;
  }

  private constructor(start: HostMemberStart, connection: Connection) {
    const { room, entrance, keys } = start;
    this.#start = start;
    this.#connection = connection;
    const joining = new Joining({
      roomId: roomId(room.roomId),
      ownerFingerprint: hash(room.ownerFingerprint),
      purpose: {
        kind: 'join',
        invitationId: invitationId(entrance.invitationId),
        admissionKey: entrance.admissionKey,
      },
      channelBinding: connection.channelBinding,
    });
    this.#joining = joining;
    connection.start({
      onFrame: (frame) => this.#onFrame(frame),
      onClose: ({ kind }) => this.#fail(`connection ${kind}`),
    });
    joining.keysReady(keys);
    this.#perform(joining.hello(systemMoment()));
  }

  get nick(): string {
    return this.#start.nick;
  }
  get memberId(): Uint8Array {
    return this.#start.keys.identity.memberId;
  }

  /**
   * Begins a chain for the list as of `seen`.
   * @param sequence greater than that of its chain before
   * @param members whose ids these are get wraps that they cannot open
   * @returns once the host has taken them all
   */
  async announce(sequence: number, seen: Position, members: readonly Uint8Array[] = []): Promise<void> {
    const { room, keys } = this.#start;
    this.#chain = new LightChain({ identity: keys.identity, roomId: roomId(room.roomId), sequence });
    for (const page of this.#chain.announcement(seen, members)) {
      this.#taken = Promise.withResolvers();
      this.#connection.send(page);
      await this.#taken.promise;
    }
  }

  /** @returns a whole POST frame, the next on the chain, that quotes `seen` of the log */
  seal(seen: Position): ReturnType<LightChain['seal']> {
    if (this.#chain === null) throw new Error('sealed before the announcement');
    return this.#chain.seal(seen);
  }

  send(frame: Bytes): void {
    this.#connection.send(frame);
  }

  #onFrame(frame: Bytes): void {
    const type = frameType(frame);
    if (type === SESSION_FRAME.entry) return this.#entry(frame);
    try {
      if (this.#joining !== null) this.#perform(this.#joining.onFrame(frame));
      else this.#settling(type, frameBody(frame));
    } catch (error) {
      this.#fail(String(error));
    }
  }

  #entry(frame: Bytes): void {
    const view = new DataView(frame.buffer, frame.byteOffset);
    // The room's own begins with zeros, and is the one that thousands of entries come in: those are not decoded.
    if (view.getUint32(ENTRY_LOG_AT) !== 0) {
      const { conversation, index } = Entry.decode(frameBody(frame));
      return this.reach.came(idKey(conversation), index);
    }
    this.#index = view.getUint32(ENTRY_INDEX_AT);
    this.reach.came(ROOM_KEY, this.#index);
    if (frame[ENTRY_KIND_AT] !== ENTRY_KIND.message) return;
    const speaker = view.getUint32(ENTRY_CHAIN_AT);
    const key = messageKey(speaker, view.getUint32(ENTRY_NUMBER_AT));
    this.#start.onDelivery(key, speaker === this.#chain?.sequence);
  }

  /** As a session does. */
  #acknowledge(): void {
    const nowMs = performance.now();
    const isDue =
      nowMs - this.#lastAckMs >= LIMITS.ackMs || this.#index - this.#acknowledged >= LIMITS.ackEntries;
    if (this.#index <= this.#acknowledged || !isDue) return;
    this.#acknowledged = this.#index;
    this.#lastAckMs = nowMs;
    const ack = Ack.encode({ conversation: ROOM_CONVERSATION, index: this.#index });
    this.#connection.send(encodeFrame(SESSION_FRAME.ack, ack));
  }

  /** Between WELCOME and being live: the list, then the log. Then the same for each conversation that begins. */
  #settling(type: number, body: Bytes): void {
    switch (type) {
      case SESSION_FRAME.list: {
        const { from, count, total } = ListPage.decode(body);
        if (from + count < total) this.#pullList(from + count);
        else this.#pullLog(ROOM_CONVERSATION, this.#welcome?.positions[0]?.index ?? 0);
        break;
      }
      case SESSION_FRAME.log: {
        const { conversation, first, items, live } = LogPage.decode(body);
        if (!live) return this.#fail('more than a page of the log since it came in');
        this.reach.came(idKey(conversation), first + items.length - 1);
        this.#arrived.resolve();
        break;
      }
      case SESSION_FRAME.wrapsTaken:
        if (WrapsTaken.decode(body).refused.length > 0) this.#fail('a wrap was refused');
        this.#taken.resolve();
        break;
      case SESSION_FRAME.wrap:
        this.#start.onWrap();
        break;
      case SESSION_FRAME.conversation: {
        const { conversation, index } = ConversationPage.decode(body);
        this.#pullLog(conversation, index);
        break;
      }
      case SESSION_FRAME.presence:
      case SESSION_FRAME.receipts:
        break;
      case SESSION_FRAME.close:
        this.#fail(`closed: ${Close.decode(body).text}`);
        break;
      default:
        this.#fail(`frame ${type} was not expected`);
    }
  }

  #pullList(from: number): void {
    this.#connection.send(encodeFrame(SESSION_FRAME.pullList, PullList.encode({ from })));
  }

  #pullLog(conversation: ConversationId, after: number): void {
    const body = PullLog.encode({ conversation, after });
    this.#connection.send(encodeFrame(SESSION_FRAME.pullLog, body));
  }

  #perform(effects: readonly JoiningEffect[]): void {
    for (const effect of effects) this.#performOne(effect);
  }

  #performOne(effect: JoiningEffect): void {
    const joining = this.#joining;
    if (joining === null) return;
    const { room, entrance, nick } = this.#start;
    switch (effect.kind) {
      case 'send':
        return this.#connection.send(effect.frame);
      case 'question':
        return;
      case 'ask':
        if (effect.problem !== null) return this.#fail(effect.problem);
        return this.#perform(
          joining[effect.what]({ answer: ANSWER, code: entrance.code, nick, password: '' }[effect.what]),
        );
      case 'start-answer':
        return this.#perform(joining.answerStarted(startLightly(effect.answer)));
      case 'finish-answer': {
        const identifiers = answerIdentifiers(roomId(room.roomId), hash(room.tlsPin));
        return this.#perform(joining.answerFinished(finishLightly({ ...effect, identifiers })));
      }
      case 'welcomed':
        this.#joining = null;
        this.#welcome = effect.welcome;
        this.#connection.setFrameLimit(LIFTED_LIMITS.frameBytesAfterAdmission);
        return this.#pullList(0);
      case 'refused':
        return this.#fail(`refused: ${effect.reason}`);
    }
  }

  #fail(problem: string): void {
    if (this.#ackTimer !== null) clearInterval(this.#ackTimer);
    const error = new Error(`member ${this.#start.nick}: ${problem}`);
    for (const { promise, reject } of [this.#arrived, this.#taken]) {
      // Of most members nobody waits for either.
      promise.catch(() => {});
      reject(error);
    }
  }
}
