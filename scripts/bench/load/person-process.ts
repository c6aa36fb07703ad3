/**
 * A member as people have it: membership, session and saved room of the product, without a screen. Its folder holds what
 * is saved, so that another process can come back as the same member.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AnswerThread } from '../../../src/app/answer-thread.ts';
import { Membership, type MembershipOptions } from '../../../src/app/membership.ts';
import { SavedPlace } from '../../../src/app/saved/saved-place.ts';
import { SavedRooms } from '../../../src/app/saved/saved-rooms.ts';
import type { AnswerJob, AnswerOutcome } from '../../../src/crypto/answer-jobs.ts';
import { generateWrapKeys } from '../../../src/crypto/key-wrap.ts';
import { generateSigningKey, importSigningKey, type SigningKey } from '../../../src/crypto/signature.ts';
import { said as saying } from '../../../src/protocol/content.ts';
import { hash, invitationId, roomId } from '../../../src/protocol/identifiers.ts';
import { dialTls } from '../../../src/transport/tls-dialer.ts';
import { serve } from '../calls.ts';
import type { Entrance, RoomAddress } from '../host-process.ts';
import { LIFTED_LIMITS } from '../lifted-limits.ts';
import { ANSWER, answersReady, finishLightly, startLightly } from './light-answer.ts';

interface Returned {
  /** From a saved room that nobody has opened yet to the last message shown. */
  readonly tookMs: number;
  readonly cpuMs: number;
  /** The most that the process ever had, above what it had before. */
  readonly grownBytes: number;
}

const DIAL_MS = 20_000;
const LOOK_MS = 5;
/** Said and not placed yet: as many as a program takes before it asks people to wait, with some room. */
const UNDER_WAY = 200;
const TEXT = 'x'.repeat(200);
const SAVED = 'bench';

const [, , folder = ''] = process.argv;
const identityFile = join(folder, 'identity.der');
let membership: Membership | null = null;
let shown = 0;

async function answerLightly(job: AnswerJob): Promise<AnswerOutcome> {
  if (job.op === 'start') return { op: 'start', ...startLightly(job.answer) };
  if (job.op === 'finish') return { op: 'finish', result: finishLightly(job) };
  throw new Error(`nobody here asks for ${job.op}`);
}

function optionsOf(room: RoomAddress, identity: SigningKey): Omit<MembershipOptions, 'wrapKeys' | 'ask'> {
  const address = { addresses: [{ host: '127.0.0.1', port: room.port }], tlsPin: hash(room.tlsPin) };
  return {
    roomId: roomId(room.roomId),
    ownerFingerprint: hash(room.ownerFingerprint),
    tlsPin: address.tlsPin,
    answers: Object.assign(new AnswerThread(), { run: answerLightly as AnswerThread['run'] }),
    identity: Promise.resolve(identity),
    connect: (signal) =>
      dialTls({
        ...{ ...address, exporterContext: roomId(room.roomId), timeoutMs: DIAL_MS, signal },
        limits: LIFTED_LIMITS,
      }),
    onQuestion() {},
    onWaiting() {},
    onLine() {},
    onEvent(event) {
      if (event.kind === 'message') shown += 1;
      else if (event.kind === 'notice' || event.kind === 'alarm')
        console.error(`person: ${event.code}: ${event.text}`);
    },
  };
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

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}

function here(): Membership {
  if (membership === null) throw new Error('nobody here yet');
  return membership;
}

const calls = {
  /** @returns once the room is saved, and there is a place to come back to */
  async join(input: { readonly room: RoomAddress; readonly entrance: Entrance; readonly nick: string }) {
    await answersReady;
    const { room, entrance, nick } = input;
    const identity = await generateSigningKey('rsa');
    writeFileSync(identityFile, identity.exportPrivate(), { mode: 0o600 });
    const kept = Promise.withResolvers<void>();
    membership = new Membership({
      ...optionsOf(room, identity),
      invitationId: invitationId(entrance.invitationId),
      admissionKey: entrance.admissionKey,
      wrapKeys: generateWrapKeys(),
      ask: async (what) => ({ answer: ANSWER, code: entrance.code, nick, password: '' })[what],
      keep: () => placeFor(room, identity),
      onKept: () => kept.resolve(),
    });
    void membership.ended.then((ending) => kept.reject(new Error(`${nick} is out: ${ending.kind}`)));
    await membership.join();
    await kept.promise;
  },
  /** @returns once all of it is in the log */
  async say({ messages }: { readonly messages: number }): Promise<void> {
    for (let said = 0; said < messages; said += 1) {
      await until(() => (here().session?.unplaced ?? 0) < UNDER_WAY);
      here().say(saying('text', TEXT), null);
    }
    await until(() => here().session?.unplaced === 0);
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
    const { user, system } = process.cpuUsage(before.cpu);
    return {
      tookMs: performance.now() - before.atMs,
      cpuMs: (user + system) / 1_000,
      grownBytes: process.resourceUsage().maxRSS * 1_024 - before.rss,
    } satisfies Returned;
  },
};
export type PersonCalls = typeof calls;

serve(calls);
