import type { KeyObject } from 'node:crypto';
import { generateWrapKeys, type WrapPublicBytes } from '../../../src/crypto/key-wrap.ts';
import { signingKeyFromPrivate } from '../../../src/crypto/signature.ts';
import { makeStatement } from '../../../src/crypto/statement.ts';
import type { Bytes } from '../../../src/protocol/bytes.ts';
import { roomId } from '../../../src/protocol/identifiers.ts';
import type { Entrance, Position, RoomAddress } from '../host-process.ts';
import { type Fleet, forEach, type Hearers, type MessageKey, messageKey, SPEAKERS_MOST } from './fleet.ts';
import { HostMember } from './host-member.ts';
import { answersReady } from './light-answer.ts';
import { unsafePrivateKeys } from './unsafe-keys.ts';

/** A rush: as many people stand at the door together. */
const JOINS_ABREAST = 128;

export class HostFleet implements Fleet {
  readonly #room: RoomAddress;
  readonly #nextKey: () => KeyObject;
  /** One for all: the host imports each statement's keys whoever else has the same. */
  readonly #wrapKeys: WrapPublicBytes;
  readonly #onDelivery: (key: MessageKey) => void;
  readonly #members: HostMember[] = [];
  readonly #speakers: HostMember[] = [];
  #prepared: { readonly key: MessageKey; readonly speaker: HostMember; readonly frame: Bytes }[] = [];
  #seen: Position | null = null;
  #hearers: Hearers = 'everyone';

  static async begin(
    room: RoomAddress,
    membersMost: number,
    onDelivery: (key: MessageKey) => void,
  ): Promise<HostFleet> {
    await answersReady;
    const [nextKey, { publicKeys }] = await Promise.all([unsafePrivateKeys(membersMost), generateWrapKeys()]);
    return new HostFleet(room, nextKey, publicKeys, onDelivery);
  }

  private constructor(
    room: RoomAddress,
    nextKey: () => KeyObject,
    wrapKeys: WrapPublicBytes,
    onDelivery: (key: MessageKey) => void,
  ) {
    this.#room = room;
    this.#nextKey = nextKey;
    this.#wrapKeys = wrapKeys;
    this.#onDelivery = onDelivery;
  }

  get recipients(): number {
    return this.#hearers === 'sender' ? 1 : this.#members.length;
  }

  async grow(entrance: Entrance, count: number): Promise<void> {
    const before = this.#members.length;
    await forEach(count, JOINS_ABREAST, async (place) => {
      const identity = signingKeyFromPrivate(this.#nextKey());
      const statement = makeStatement(identity, roomId(this.#room.roomId), 1, this.#wrapKeys);
      const member = await HostMember.join({
        room: this.#room,
        entrance,
        keys: { identity, statement },
        nick: `member${before + place}`,
        onDelivery: (key, isOwn) => {
          if (isOwn || this.#hearers === 'everyone') this.#onDelivery(key);
        },
      });
      this.#members.push(member);
    });
  }

  /** What the messages prepared from now on quote of the log. */
  see(position: Position): void {
    this.#seen = position;
  }

  async prepare(messages: number, hearers: Hearers): Promise<void> {
    this.#hearers = hearers;
    if (this.#seen === null) throw new Error('nothing seen of the log yet');
    const known = this.#speakers.length;
    this.#speakers.push(...this.#members.slice(known, SPEAKERS_MOST));
    await Promise.all(this.#speakers.slice(known).map((speaker, place) => speaker.announce(known + place)));
    this.#prepared = [];
    for (let place = 0; place < messages; place += 1) {
      const number = place % this.#speakers.length;
      const speaker = this.#speakers[number];
      if (speaker === undefined) throw new Error('a fleet of nobody');
      const sealed = speaker.seal(this.#seen);
      this.#prepared.push({ key: messageKey(number, sealed.number), speaker, frame: sealed.frame });
    }
    this.#prepared.reverse();
  }

  send(): MessageKey {
    const next = this.#prepared.pop();
    if (next === undefined) throw new Error('more sent than prepared');
    next.speaker.send(next.frame);
    return next.key;
  }
}
