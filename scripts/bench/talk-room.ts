/**
 * The room that `talk` measures in: the host, a load of light members, and two people with the product's own sessions, of
 * whom one speaks and one reads.
 */
import { ROOM_CONVERSATION } from '../../src/protocol/identifiers.ts';
import { Child } from './child.ts';
import type { HostCalls } from './host-process.ts';
import { inTime as within } from './in-time.ts';
import { SPEAKERS_MOST } from './load/fleet.ts';
import type { PersonCalls, Saying } from './load/person-process.ts';
import type { LoadCalls } from './load/process.ts';
import { growHost } from './servers.ts';

/** What it took each of them until everyone had what was said; of several messages, one's share. */
export interface Talked {
  readonly senderMs: number;
  /** Until the sender had it back. */
  readonly tookMs: number;
  readonly sentBytes: number;
  readonly readerMs: number;
  readonly hostMs: number;
}

const NAME = 'host';
const [SPEAKER, READER] = ['ann', 'ben'];
const PEOPLE = [SPEAKER, READER].length;
/** Of all of a step, a thousand members' joining too. */
const STALLED_MS = 180_000;

export class TalkRoom {
  readonly #host = new Child<HostCalls>('host-process.ts', 'server');
  readonly #load = new Child<LoadCalls>('load/process.ts', 'load');
  readonly #ann = new Child<PersonCalls>('load/person-process.ts', 'load');
  readonly #ben = new Child<PersonCalls>('load/person-process.ts', 'load');
  #size = PEOPLE;
  #conversations = 0;

  /** @param lightMost how many light members will ever come in */
  static async open(lightMost: number): Promise<TalkRoom> {
    const room = new TalkRoom();
    try {
      await inTime('a room', room.#begin(lightMost));
      return room;
    } catch (error) {
      await room.end();
      throw error;
    }
  }

  async #begin(membersMost: number): Promise<void> {
    const room = await this.#host.call('address', undefined);
    // Each is a frame for the host, at most one a second, whatever is said: they would come in the midst of what is measured.
    await this.#load.call('beginHost', { name: NAME, room, membersMost, acknowledges: false });
    for (const [nick, person] of [
      [SPEAKER, this.#ann],
      [READER, this.#ben],
    ] as const) {
      const entrance = await this.#host.call('entrance', undefined);
      await person.call('join', { room, entrance, nick, isKept: false });
    }
    await this.#met();
  }

  async end(): Promise<void> {
    for (const child of [this.#ann, this.#ben, this.#load, this.#host]) await child.end();
  }

  get size(): number {
    return this.#size;
  }

  /** @returns once everyone is there, and the speaker has given all of them their key */
  async grow(to: number): Promise<void> {
    const count = to - this.#size;
    this.#size = to;
    await inTime(`a room of ${to}`, growHost(NAME, this.#host, this.#load, count));
    await inTime(`meeting ${to}`, this.#met());
    await this.say(1);
  }

  /** The owner removes one of the light members. @returns once everyone knows */
  async remove(): Promise<void> {
    const { nick } = await this.#load.call('giveUp', { name: NAME });
    this.#size -= 1;
    await this.#host.call('remove', { nick });
    await inTime('a removal', this.#met());
  }

  say(messages: number): Promise<Talked> {
    return this.#measure(messages, () => this.#ann.call('utter', { messages }));
  }

  /** The first message in a new conversation of so many, the two people among them. */
  async converse(members: number): Promise<Talked> {
    const light = await this.#load.call('nicks', { name: NAME, count: members - PEOPLE });
    this.#conversations += 1;
    const made = { name: `bench${this.#conversations}`, nicks: [READER, ...light] };
    return await this.#measure(1, () => this.#ann.call('converse', made), light);
  }

  get speakers(): number {
    return Math.min(SPEAKERS_MOST, this.#size - PEOPLE);
  }

  /** All `speakers` of the load renew their chains. @returns the host's CPU in ms */
  async renew(): Promise<number> {
    const members = await this.#host.call('memberIds', undefined);
    const position = await this.#host.call('position', undefined);
    await this.#load.call('see', { name: NAME, position });
    const before = await this.#host.call('usage', { settled: false });
    await inTime('renewals', this.#load.call('renew', { name: NAME, speakers: this.speakers, members }));
    const { cpuMs } = await this.#host.call('usage', { settled: false });
    return cpuMs - before.cpuMs;
  }

  async #measure(messages: number, say: () => Promise<Saying>, nicks?: readonly string[]): Promise<Talked> {
    await this.#ben.call('attend', { messages });
    const before = await this.#host.call('usage', { settled: false });
    const { tookMs, cpuMs, sentBytes, conversation, index } = await inTime('a message', say());
    const readerMs = await inTime('reading', this.#ben.call('heard', undefined));
    const everyone = { name: NAME, conversation, index, ...(nicks !== undefined && { nicks }) } as const;
    await inTime('a delivery', this.#load.call('reached', everyone));
    const after = await this.#host.call('usage', { settled: false });
    return {
      senderMs: cpuMs / messages,
      tookMs: tookMs / messages,
      sentBytes: sentBytes / messages,
      readerMs: readerMs / messages,
      hostMs: (after.cpuMs - before.cpuMs) / messages,
    };
  }

  /** Both people see everyone, and the load has all that was told of them. */
  async #met(): Promise<void> {
    const members = this.#size;
    await Promise.all([this.#ann.call('meet', { members }), this.#ben.call('meet', { members })]);
    const { index } = await this.#host.call('position', undefined);
    const everyone = { name: NAME, conversation: ROOM_CONVERSATION, index } as const;
    await this.#load.call('reached', everyone);
  }
}

function inTime<Result>(what: string, step: Promise<Result>): Promise<Result> {
  return within(`talk: ${what}`, STALLED_MS, step);
}
