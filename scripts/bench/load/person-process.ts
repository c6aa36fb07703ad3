/**
 * A member as people have it: membership, session and saved room of the product, without a screen. Its folder, where the
 * room is kept, holds what is saved, so that another process can come back as the same member.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Membership, type MembershipOptions } from '../../../src/app/membership.ts';
import { SavedPlace } from '../../../src/app/saved/saved-place.ts';
import { SavedRooms } from '../../../src/app/saved/saved-rooms.ts';
import { generateSigningKey, importSigningKey, type SigningKey } from '../../../src/crypto/signature.ts';
import { said as saying } from '../../../src/protocol/content.ts';
import {
  type ConversationId,
  hash,
  idKey,
  ROOM_CONVERSATION,
  roomId,
} from '../../../src/protocol/identifiers.ts';
import type { Connection } from '../../../src/transport/connection.ts';
import { serve } from '../calls.ts';
import type { Entrance, RoomAddress } from '../host-process.ts';
import { LIFTED_LIMITS } from '../lifted-limits.ts';
import { answersReady } from './light-answer.ts';
import { entranceOptions, personOptions } from './person-door.ts';

interface Returned {
  /** From a saved room that nobody has opened yet to the last message shown. */
  readonly tookMs: number;
  readonly cpuMs: number;
  /** The most that the process ever had, above what it had before. */
  readonly grownBytes: number;
}

/** What it took this member to say something, and the log that it is in. */
export interface Saying {
  /** Until it has come back. */
  readonly tookMs: number;
  readonly cpuMs: number;
  /** Of the frames that it has sent, keys for others among them. */
  readonly sentBytes: number;
  readonly conversation: Uint8Array;
  /** That log's latest entry. */
  readonly index: number;
}

/** Said and not placed yet: as many as a program takes before it asks people to wait, with some room. */
const UNDER_WAY = 200;
const TEXT = 'x'.repeat(200);
const SAVED = 'bench';

const [, , folder = ''] = process.argv;
const identityFile = join(folder, 'identity.der');
let membership: Membership | null = null;
let shown = 0;
let sentBytes = 0;
let awaited: { readonly isTrue: () => boolean; readonly resolve: () => void }[] = [];
let attending: Promise<number> | null = null;

function optionsOf(room: RoomAddress, identity: SigningKey): Omit<MembershipOptions, 'wrapKeys' | 'ask'> {
  const options = personOptions(room, identity, LIFTED_LIMITS);
  return {
    ...options,
    connect: async (signal) => counted(await options.connect(signal)),
    onEvent(event) {
      if (event.kind === 'message') shown += 1;
      else if (event.kind === 'notice' || event.kind === 'alarm')
        console.error(`person: ${event.code}: ${event.text}`);
      look();
    },
  };
}

/** Adds up what is sent. */
function counted(connection: Connection): Connection {
  const send = connection.send.bind(connection);
  return Object.assign(connection, {
    send(frames: Uint8Array<ArrayBuffer>, count?: number): void {
      sentBytes += frames.length;
      send(frames, count);
    },
  });
}

async function placeFor(room: RoomAddress, identity: SigningKey): Promise<SavedPlace> {
  const rooms = new SavedRooms(folder);
  const lock = await rooms.lock(SAVED);
  if (lock === null) throw new Error('two people in one folder');
  return new SavedPlace({
    ...{ name: SAVED, path: rooms.path(SAVED), lock, identity },
    door: {
      addresses: [{ host: '127.0.0.1', port: room.port }],
      tlsPin: hash(room.tlsPin),
      keeps: 'ciphertext',
    },
    head: { roomId: roomId(room.roomId), roomName: 'bench', identity: identityFile },
  });
}

/** @returns once that is true; looked at whenever the session tells something */
async function until(isTrue: () => boolean): Promise<void> {
  if (isTrue()) return;
  await new Promise<void>((resolve) => {
    awaited.push({ isTrue, resolve });
  });
}

function look(): void {
  if (awaited.length === 0) return;
  const before = awaited;
  awaited = [];
  for (const each of before) {
    if (each.isTrue()) each.resolve();
    else awaited.push(each);
  }
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

function here(): Membership {
  if (membership === null) throw new Error('nobody here yet');
  return membership;
}

/** @param say the first of it @returns what it took until so many messages have been shown */
async function cost(messages: number, say: () => ConversationId): Promise<Saying> {
  const before = { shown, sentBytes, cpu: process.cpuUsage(), atMs: performance.now() };
  const conversation = say();
  for (let said = 1; said < messages; said += 1) {
    await until(() => shown >= before.shown + said);
    say();
  }
  await until(() => shown >= before.shown + messages);
  const key = idKey(conversation);
  const taken = {
    tookMs: performance.now() - before.atMs,
    cpuMs: cpuMsSince(before.cpu),
    sentBytes: sentBytes - before.sentBytes,
  };
  const { index = 0 } = here().session?.positions.find((each) => idKey(each.conversation) === key) ?? {};
  return { ...taken, conversation, index };
}

const calls = {
  /** @returns once this member is in, and, where the room is kept, saved: then there is a place to come back to */
  async join(input: {
    readonly room: RoomAddress;
    readonly entrance: Entrance;
    readonly nick: string;
    readonly isKept: boolean;
  }) {
    await answersReady;
    const { room, entrance, nick, isKept } = input;
    const identity = await generateSigningKey('rsa');
    if (isKept) writeFileSync(identityFile, identity.exportPrivate(), { mode: 0o600 });
    const kept = Promise.withResolvers<void>();
    membership = new Membership({
      ...optionsOf(room, identity),
      ...entranceOptions(entrance, nick),
      ...(isKept && { keep: () => placeFor(room, identity), onKept: () => kept.resolve() }),
    });
    void membership.ended.then((ending) => kept.reject(new Error(`${nick} is out: ${ending.kind}`)));
    await membership.join();
    if (isKept) await kept.promise;
    else await Promise.race([kept.promise, until(() => here().session?.phase === 'live')]);
  },
  /** @returns once all of it is in the log */
  async say({ messages }: { readonly messages: number }): Promise<void> {
    for (let said = 0; said < messages; said += 1) {
      await until(() => (here().session?.unplaced ?? 0) < UNDER_WAY);
      here().say(saying('text', TEXT), null);
    }
    await until(() => here().session?.unplaced === 0);
  },
  /** @returns once so many are in the room, and all of them online */
  async meet({ members }: { readonly members: number }): Promise<void> {
    const session = () => here().session;
    await until(() => session()?.members.length === members && session()?.onlineCount === members);
  },
  /** Says so many, each once the one before has come back. @returns what they took together */
  utter: ({ messages }: { readonly messages: number }): Promise<Saying> =>
    cost(messages, () => {
      here().say(saying('text', TEXT), null);
      return ROOM_CONVERSATION;
    }),
  /** Makes a conversation with these, and says the first message in it. */
  converse({ name, nicks }: { readonly name: string; readonly nicks: readonly string[] }): Promise<Saying> {
    const wanted = new Set(nicks);
    const shownMembers = here().session?.members ?? [];
    const members = shownMembers.map(({ member }) => member).filter(({ nick }) => wanted.has(nick));
    if (members.length < nicks.length) throw new Error('some of those are not in the room');
    return cost(1, () => {
      const conversation = here().makeConversation(name, members);
      here().sayIn(conversation, saying('text', TEXT), null);
      return conversation;
    });
  },
  /** From here on this member's CPU counts, until so many messages have been shown. */
  attend({ messages }: { readonly messages: number }): void {
    const [before, cpu] = [shown, process.cpuUsage()];
    attending = until(() => shown >= before + messages).then(() => cpuMsSince(cpu));
  },
  /** @returns CPU in ms since `attend` */
  async heard(): Promise<number> {
    if (attending === null) throw new Error('nobody attends');
    return await attending;
  },
  async quit(): Promise<void> {
    here().quit();
    await here().ended;
  },
  async comeBack({ room, messages }: { readonly room: RoomAddress; readonly messages: number }) {
    const before = { ...process.memoryUsage(), cpu: process.cpuUsage(), atMs: performance.now() };
    const identity = importSigningKey(new Uint8Array(readFileSync(identityFile)));
    const { state } = await new SavedRooms(folder).open(SAVED, identity);
    const place = await placeFor(room, identity);
    const back = new Membership({
      ...optionsOf(room, identity),
      wrapKeys: null,
      ask: () => Promise.reject(new Error('nobody is asked at a login')),
    });
    membership = back;
    shown = 0;
    void back.resume({ state, place, takeover: false });
    await until(() => shown >= messages && back.session?.phase === 'live');
    return {
      tookMs: performance.now() - before.atMs,
      cpuMs: cpuMsSince(before.cpu),
      grownBytes: process.resourceUsage().maxRSS * 1_024 - before.rss,
    } satisfies Returned;
  },
};
export type PersonCalls = typeof calls;

serve(calls);
