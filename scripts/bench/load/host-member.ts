/**
 * A member that goes through the door as everyone does and then only counts: it opens nothing, and what it says was
 * sealed beforehand.
 */

import { systemMoment } from '../../../src/app/moment.ts';
import { answerIdentifiers } from '../../../src/crypto/answer.ts';
import { contentCommitment } from '../../../src/crypto/content.ts';
import { sealEnvelope } from '../../../src/crypto/envelope.ts';
import { sha256 } from '../../../src/crypto/hash.ts';
import { chainStart, leafHash } from '../../../src/crypto/log-hash.ts';
import { operationHash } from '../../../src/crypto/roster.ts';
import { SendingChain } from '../../../src/crypto/sender-chain.ts';
import { Joining, type JoiningEffect, type OwnKeys } from '../../../src/member/joining.ts';
import type { Welcome } from '../../../src/protocol/admission-frames.ts';
import { type Bytes, utf8 } from '../../../src/protocol/bytes.ts';
import { encodeFrame, frameBody, frameType } from '../../../src/protocol/framing.ts';
import {
  chainId,
  type Hash,
  hash,
  invitationId,
  ROOM_CONVERSATION,
  roomId,
  ZERO_HASH,
} from '../../../src/protocol/identifiers.ts';
import { LIMITS } from '../../../src/protocol/limits.ts';
import {
  Ack,
  Close,
  ENTRY_KIND,
  ListPage,
  LogPage,
  Post,
  PullList,
  PullLog,
  SESSION_FRAME,
  Wraps,
} from '../../../src/protocol/session-frames.ts';
import { ChainAnnouncement, MessageHeader, RosterOperation } from '../../../src/protocol/signed-objects.ts';
import { PROTOCOL_VERSION } from '../../../src/protocol/version.ts';
import type { Connection } from '../../../src/transport/connection.ts';
import { dialTls } from '../../../src/transport/tls-dialer.ts';
import type { Entrance, Position, RoomAddress } from '../host-process.ts';
import { LIFTED_LIMITS } from '../lifted-limits.ts';
import { type MessageKey, messageKey } from './fleet.ts';
import { ANSWER, finishLightly, startLightly } from './light-answer.ts';

/** Where an ENTRY frame says which it is, and of what kind, and where in it the message's header has chain and number. */
const ENTRY_INDEX_AT = 21;
const ENTRY_KIND_AT = 25;
const ENTRY_CHAIN_AT = 161;
const ENTRY_NUMBER_AT = 169;
const DIAL_MS = 60_000;
/** As often as the product's members look whether an ACK is due. */
const TICK_MS = 250;
/** As in the measurements of docs/performance.md: a message of 200 bytes. */
const TEXT = utf8.encode('x'.repeat(200));

export interface HostMemberStart {
  readonly room: RoomAddress;
  readonly entrance: Entrance;
  readonly keys: OwnKeys;
  readonly nick: string;
  readonly onDelivery: (key: MessageKey, isOwn: boolean) => void;
}

interface Chain {
  /** What stands in front of its name. */
  readonly speaker: number;
  readonly sending: SendingChain;
  readonly id: Bytes;
  latestLeaf: Hash;
}

export class HostMember {
  readonly #start: HostMemberStart;
  readonly #connection: Connection;
  readonly #arrived = Promise.withResolvers<void>();
  readonly #announced = Promise.withResolvers<void>();
  #joining: Joining | null;
  #welcome: Welcome | null = null;
  #chain: Chain | null = null;
  /** The latest entry that has come, and what the host was told of it. */
  #index = 0;
  #acknowledged = 0;
  #lastAckMs = 0;

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
    setInterval(() => member.#acknowledge(), TICK_MS);
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

  /** Begins a chain whose key nobody is given: nobody here opens anything. */
  async announce(speaker: number): Promise<void> {
    const { identity } = this.#start.keys;
    const { room } = this.#start;
    if (this.#welcome === null) throw new Error('announced before the welcome');
    const operation = this.#welcome.operation.bytes;
    const moment = systemMoment();
    const id = moment.randomBytes(8);
    new DataView(id.buffer).setUint32(0, speaker);
    const sending = SendingChain.start(moment.randomBytes(32));
    const bytes = ChainAnnouncement.encode({
      version: PROTOCOL_VERSION,
      roomId: roomId(room.roomId),
      conversation: ROOM_CONVERSATION,
      epoch: RosterOperation.decode(operation).epoch,
      rosterHash: operationHash(operation),
      memberId: identity.memberId,
      chainId: chainId(id),
      n: 0,
      commitment: sending.current().commitment,
      algorithm: identity.algorithm,
      identityKey: identity.spki,
    });
    const announcement = { bytes, signature: identity.sign('sc1/chain', bytes) };
    this.#chain = { speaker, sending, id, latestLeaf: chainStart(identity.memberId, chainId(id)) };
    this.#connection.send(encodeFrame(SESSION_FRAME.wraps, Wraps.encode({ announcement, wraps: [] })));
    await this.#announced.promise;
  }

  /** @returns a whole POST frame, the next on the chain, that quotes `seen` of the log */
  seal(seen: Position): { readonly number: number; readonly frame: Bytes } {
    const { identity } = this.#start.keys;
    if (this.#chain === null || this.#welcome === null) throw new Error('sealed before the announcement');
    const operation = this.#welcome.operation.bytes;
    const { n, key, nonce, commitment } = this.#chain.sending.next();
    const header = MessageHeader.encode({
      version: PROTOCOL_VERSION,
      roomId: roomId(this.#start.room.roomId),
      conversation: ROOM_CONVERSATION,
      epoch: RosterOperation.decode(operation).epoch,
      rosterHash: operationHash(operation),
      conversationEpoch: 0,
      conversationRosterHash: ZERO_HASH,
      memberId: identity.memberId,
      generation: 1,
      chainId: chainId(this.#chain.id),
      n,
      commitment,
      content: contentCommitment(TEXT),
      previous: this.#chain.latestLeaf,
      seenIndex: seen.index,
      seenHead: hash(seen.head),
    });
    const ciphertext = sealEnvelope({ key, nonce, header, body: TEXT });
    const signature = identity.sign('sc1/msg', [sha256(header), sha256(ciphertext)]);
    const post = { header, ciphertext, signature };
    this.#chain.latestLeaf = leafHash(post);
    return { number: n, frame: encodeFrame(SESSION_FRAME.post, Post.encode(post)) };
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
    this.#index = view.getUint32(ENTRY_INDEX_AT);
    if (frame[ENTRY_KIND_AT] !== ENTRY_KIND.message) return;
    const speaker = view.getUint32(ENTRY_CHAIN_AT);
    const key = messageKey(speaker, view.getUint32(ENTRY_NUMBER_AT));
    this.#start.onDelivery(key, speaker === this.#chain?.speaker);
  }

  /** Between WELCOME and being live: the list, then the log. */
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

  #settling(type: number, body: Bytes): void {
    switch (type) {
      case SESSION_FRAME.list: {
        const { from, count, total } = ListPage.decode(body);
        if (from + count < total) this.#pullList(from + count);
        else this.#pullLog();
        break;
      }
      case SESSION_FRAME.log:
        if (LogPage.decode(body).live) this.#arrived.resolve();
        else this.#fail('more than a page of the log since the welcome');
        break;
      case SESSION_FRAME.wrapsTaken:
        this.#announced.resolve();
        break;
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

  #pullLog(): void {
    const after = this.#welcome?.positions[0]?.index ?? 0;
    const body = PullLog.encode({ conversation: ROOM_CONVERSATION, after });
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
    const error = new Error(`member ${this.#start.nick}: ${problem}`);
    this.#arrived.reject(error);
    this.#announced.reject(error);
    // Nobody waits for the announcement of most members.
    this.#announced.promise.catch(() => {});
    this.#arrived.promise.catch(() => {});
  }
}
