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

export interface HostFleetStart {
  readonly room: RoomAddress;
  /** How many will ever come in. */
  readonly membersMost: number;
  /** Not given: as sessions do. */
  readonly acknowledges?: boolean;
}

export class HostFleet implements Fleet {
  readonly #room: RoomAddress;
  readonly #acknowledges: boolean;
  readonly #nextKey: () => KeyObject;
  /** One for all: the host imports each statement's keys whoever else has the same. */
  readonly #wrapKeys: WrapPublicBytes;
  readonly #onDelivery: (key: MessageKey) => void;
  readonly #members: HostMember[] = [];
  readonly #speakers: HostMember[] = [];
  #prepared: { readonly key: MessageKey; readonly speaker: HostMember; readonly frame: Bytes }[] = [];
  #seen: Position | null = null;
  #hearers: Hearers = 'everyone';
  #joined = 0;
  #renewals = 0;
  /** Wraps still to come, and who waits for them. */
  #wraps = { left: 0, arrived: Promise.withResolvers<void>() };

  static async begin(start: HostFleetStart, onDelivery: (key: MessageKey) => void): Promise<HostFleet> {
    await answersReady;
    const [nextKey, { publicKeys }] = await Promise.all([
      unsafePrivateKeys(start.membersMost),
      generateWrapKeys(),
    ]);
    return new HostFleet(start, nextKey, publicKeys, onDelivery);
  }

  private constructor(
    { room, acknowledges = true }: HostFleetStart,
    nextKey: () => KeyObject,
    wrapKeys: WrapPublicBytes,
    onDelivery: (key: MessageKey) => void,
  ) {
    this.#room = room;
    this.#acknowledges = acknowledges;
    this.#nextKey = nextKey;
    this.#wrapKeys = wrapKeys;
    this.#onDelivery = onDelivery;
  }

  get recipients(): number {
    return this.#hearers === 'sender' ? 1 : this.#members.length;
  }

  async grow(entrance: Entrance, count: number): Promise<void> {
    const before = this.#joined;
    this.#joined += count;
    await forEach(count, JOINS_ABREAST, async (place) => {
      const identity = signingKeyFromPrivate(this.#nextKey());
      const statement = makeStatement(identity, roomId(this.#room.roomId), 1, this.#wrapKeys);
      const member = await HostMember.join({
        room: this.#room,
        entrance,
        keys: { identity, statement },
        nick: `member${before + place}`,
        acknowledges: this.#acknowledges,
        onDelivery: (key, isOwn) => {
          if (isOwn || this.#hearers === 'everyone') this.#onDelivery(key);
        },
        onWrap: () => {
          this.#wraps.left -= 1;
          if (this.#wraps.left === 0) this.#wraps.arrived.resolve();
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
    const seen = this.#seen;
    if (seen === null) throw new Error('nothing seen of the log yet');
    const known = this.#speakers.length;
    this.#speakers.push(...this.#members.slice(known, SPEAKERS_MOST));
    const started = this.#speakers.slice(known);
    await Promise.all(started.map((speaker, place) => speaker.announce(known + place, seen)));
    this.#prepared = [];
    for (let place = 0; place < messages; place += 1) {
      const number = place % this.#speakers.length;
      const speaker = this.#speakers[number];
      if (speaker === undefined) throw new Error('a fleet of nobody');
      const sealed = speaker.seal(seen);
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

  /** @returns those of so many, first come first */
  nicks({ count }: { readonly count: number }): readonly string[] {
    return this.#members.slice(0, count).map(({ nick }) => nick);
  }

  /** @returns whom the host is to remove next: the one who came last is not counted on any more */
  giveUp(): { readonly nick: string } {
    const last = this.#members.pop();
    if (last === undefined) throw new Error('a fleet of nobody');
    return { nick: last.nick };
  }

  /**
   * Speakers begin new chains at once, and wrap them for everyone in the room.
   * @param input.members the ids of everyone in the room, others than the fleet among them
   * @returns once the fleet has all wraps that are for it
   */
  async renew(input: { readonly speakers: number; readonly members: readonly Uint8Array[] }): Promise<void> {
    const seen = this.#seen;
    if (seen === null) throw new Error('nothing seen of the log yet');
    const speakers = this.#members.slice(0, input.speakers);
    const left = speakers.length * (this.#members.length - 1);
    this.#wraps = { left, arrived: Promise.withResolvers() };
    this.#renewals += 1;
    const sequence = this.#renewals * SPEAKERS_MOST;
    await Promise.all(
      speakers.map((speaker, place) => {
        const others = input.members.filter((each) => !Buffer.from(each).equals(speaker.memberId));
        return speaker.announce(sequence + place, seen, others);
      }),
    );
    await this.#wraps.arrived.promise;
  }

  /** @returns once all of these, or the whole fleet, have that log up to here */
  async reached(input: {
    readonly conversation: Uint8Array;
    readonly index: number;
    readonly nicks?: readonly string[];
  }): Promise<void> {
    const { conversation, index, nicks } = input;
    const members = this.#members.filter(({ nick }) => nicks?.includes(nick) ?? true);
    await Promise.all(members.map((member) => member.reach.reached(conversation, index)));
  }
}
