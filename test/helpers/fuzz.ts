/** Fuzzing that knows what frames look like: it starts from real ones, and is the same in every run. */
import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Bytes, concatBytes } from '../../src/protocol/bytes.ts';
import { encodeFrame, frameBody, frameType } from '../../src/protocol/framing.ts';
import type { MemberId } from '../../src/protocol/identifiers.ts';
import { Deferred, OpenDirect, PullConversation, SESSION_FRAME } from '../../src/protocol/session-frames.ts';
import { MessageHeader } from '../../src/protocol/signed-objects.ts';
import { repeated, SLOW } from './effort.ts';
import { dsaIdentity, wrapKeys } from './keys.ts';
import type { TestMember } from './member.ts';
import { openRoom, type TestRoom } from './room.ts';
import { postsOf } from './thief.ts';

export const FUZZED_FRAMES = repeated({ quick: 25_000, thorough: 100_000, slow: 1_000_000 });
/** For a test that goes through all of them. */
export const FUZZ_TIMEOUT = { timeout: (SLOW ? 30 : 2) * 60_000 };

export type Random = (below: number) => number;

export function seededRandom(seed: number): Random {
  let state = seed;
  return (below) => {
    // xorshift32
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % Math.max(1, below);
  };
}

/** Lengths and numbers at which decoders go wrong. */
const EDGES = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff];

type Mutation = (bytes: Bytes, random: Random, other: Bytes) => Bytes;

const MUTATIONS: readonly Mutation[] = [
  (bytes, random) =>
    edited(bytes, (copy) => {
      const at = random(copy.length);
      copy[at] = (copy[at] ?? 0) ^ (1 << random(8));
    }),
  (bytes, random) =>
    edited(bytes, (copy) => {
      copy[random(copy.length)] = random(256);
    }),
  (bytes, random) =>
    edited(bytes, (copy) => {
      const view = new DataView(copy.buffer);
      const edge = EDGES[random(EDGES.length)] ?? 0;
      if (copy.length >= 2) view.setUint16(random(copy.length - 1), edge & 0xffff);
    }),
  (bytes, random) =>
    edited(bytes, (copy) => {
      const view = new DataView(copy.buffer);
      if (copy.length >= 4) view.setUint32(random(copy.length - 3), EDGES[random(EDGES.length)] ?? 0);
    }),
  (bytes, random) => bytes.slice(0, random(bytes.length)),
  (bytes, random) =>
    concatBytes(
      bytes,
      Uint8Array.from({ length: 1 + random(40) }, () => random(256)),
    ),
  (bytes, random) => {
    const at = random(bytes.length);
    return concatBytes(bytes.subarray(0, at), bytes.subarray(at + 1 + random(16)));
  },
  (bytes, random) => {
    const at = random(bytes.length);
    return concatBytes(bytes.subarray(0, at), bytes.subarray(random(at + 1)));
  },
  (bytes, random, other) =>
    concatBytes(bytes.subarray(0, random(bytes.length)), other.subarray(random(other.length))),
  (_, random) => Uint8Array.from({ length: random(200) }, () => random(256)),
];

function edited(bytes: Bytes, edit: (copy: Bytes) => void): Bytes {
  const copy = bytes.slice();
  if (copy.length > 0) edit(copy);
  return copy;
}

export function mutated(bytes: Bytes, random: Random, other: Bytes): Bytes {
  let result = bytes;
  for (let times = 0; times <= random(3); times += 1)
    result = (MUTATIONS[random(MUTATIONS.length)] ?? assert.fail())(result, random, other);
  return result;
}

/** One frame made of the corpus: mostly a changed body, sometimes under another type. */
export function fuzzedFrame(corpus: readonly Bytes[], random: Random): Bytes {
  const frame = corpus[random(corpus.length)] ?? assert.fail();
  const other = corpus[random(corpus.length)] ?? assert.fail();
  const type = random(8) === 0 ? random(56) : frameType(frame);
  const body = random(16) === 0 ? frameBody(frame) : mutated(frameBody(frame), random, frameBody(other));
  return encodeFrame(type, body);
}

export interface Lively {
  readonly room: TestRoom;
  readonly members: readonly TestMember[];
  readonly fromHost: readonly Bytes[];
  readonly fromMembers: readonly Bytes[];
}

/** A room in which every kind of frame has passed, and what passed. */
export async function livelyRoom(): Promise<Lively> {
  const room = await openRoom({ limits: { backlogEntries: 12 } });
  const members: TestMember[] = [];
  for (const [place, nick] of ['alice', 'bob', 'carol', 'dave'].entries()) {
    const identity = await dsaIdentity(place);
    members.push(await room.join(nick, { identity, wrapPair: await wrapKeys(place % 2) }));
  }
  const [alice, bob, carol, dave] = members as [TestMember, TestMember, TestMember, TestMember];
  assert.ok(bob.line && alice.line);
  bob.line.toMember = (frame) => (frameType(frame) === SESSION_FRAME.wrap ? [] : [frame]);
  for (const member of members) {
    member.say(`hello from ${member.key}`);
    room.advance(250);
  }
  bob.line.toMember = (frame) => [frame];
  // Someone is put in charge and uses it; the same once more is refused.
  room.perform(room.room.setRole(carol.key, 'moderator', room.clock.moment));
  room.advance(500);
  for (let place = 0; place < 2; place += 1) {
    carol.act({ kind: 'topic', text: 'fuzz' });
    room.advance(500);
  }
  dave.act({ kind: 'rename', nick: 'david' });
  carol.act({ kind: 'mute', member: dave.identity.memberId, seconds: 600 });
  room.advance(1_000);
  await converse(room, [alice, bob, carol, dave]);
  bob.loseLine();
  room.advance(30_000);
  carol.tell('bob', 'a whisper while bob is away');
  room.advance(500);
  for (let place = 0; place < 20; place += 1) {
    carol.say(`while bob is away ${place}`);
    room.advance(250);
  }
  const [post] = postsOf([alice]);
  const { conversation, chainId } = MessageHeader.decode(post?.header ?? assert.fail());
  const deferred = Deferred.encode({ conversation, chainId, n: 9, reason: 'wait', retryAfterMs: 1 });
  room.toMember(alice.line, encodeFrame(SESSION_FRAME.deferred, deferred));
  alice.renew(await wrapKeys(2));
  bob.comeBack();
  room.advance(1_000);
  // A known message sent again is answered with its place.
  alice.say('again');
  room.advance(1_000);
  const [again] = alice.sent.filter((frame) => frameType(frame) === SESSION_FRAME.post).slice(-1);
  // No honest member sends it, so alice is spared the answer.
  alice.line.toMember = (frame) => (frameType(frame) === SESSION_FRAME.placed ? [] : [frame]);
  alice.send(again ?? assert.fail());
  room.pump();
  alice.line.toMember = (frame) => [frame];
  dave.leave();
  room.advance(2_000);
  const lines = members.flatMap((member) => member.lines);
  const fromHost = lines.flatMap(({ sentByHost }) => sentByHost.map((frame) => frame.slice()));
  const fromMembers = lines.flatMap(({ sentByMember }) => sentByMember.map((frame) => frame.slice()));
  return { room, members, fromHost, fromMembers };
}

/** Beside the room: made, opened, changed, spoken in, refused and left. */
async function converse(room: TestRoom, members: readonly TestMember[]): Promise<void> {
  const [alice, bob, carol, dave] = members as [TestMember, TestMember, TestMember, TestMember];
  const plans = alice.begin('plans', 'bob', 'carol');
  room.advance(500);
  alice.change(plans, { kind: 'role', member: carol.identity.memberId, role: 'moderator' });
  room.advance(500);
  alice.tell('bob', 'a whisper');
  carol.change(plans, { kind: 'add', members: [dave.identity.memberId] });
  room.advance(500);
  for (const member of [bob, carol, dave])
    if (member.session.self?.muted !== true) member.sayIn(plans, 'beside');
  room.advance(1_000);
  alice.rename(plans, { name: 'plans', topic: 'fuzz' });
  room.advance(500);
  carol.change(plans, { kind: 'remove', member: dave.identity.memberId });
  room.advance(500);
  const memberId = room.clock.randomBytes(16) as MemberId;
  dave.send(encodeFrame(SESSION_FRAME.openDirect, OpenDirect.encode({ memberId })));
  dave.send(
    encodeFrame(SESSION_FRAME.pullConversation, PullConversation.encode({ conversation: plans, from: 0 })),
  );
  room.advance(500);
}

const PROTOTYPES = [
  Object,
  Array,
  Function,
  String,
  Number,
  Uint8Array,
  Buffer,
  Map,
  Set,
  Promise,
  Error,
].map((kind) => kind.prototype as object);

/** What every object inherits: an attacker's `__proto__` would show here. */
export function prototypes(): string {
  return JSON.stringify(PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype).map(String)));
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes in use, after garbage is gone. */
export function memoryBytes(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const GROWTH_MOST_BYTES = 64 * 1_024 * 1_024;

/** Runs `work` and holds it to P43: no prototype changed, memory grown by less than 64 MiB. */
export function withinBounds(work: () => void): void {
  const before = { prototypes: prototypes(), bytes: memoryBytes() };
  work();
  assert.equal(prototypes(), before.prototypes);
  assert.ok(memoryBytes() - before.bytes < GROWTH_MOST_BYTES);
}
