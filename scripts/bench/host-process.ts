/**
 * The host that is measured: the product's own, without a member of its own, as `securechat s --no-chat` runs it. Where a
 * file is named its room is kept there.
 */
import { dirname } from 'node:path';
import { AnswerThread } from '../../src/app/answer-thread.ts';
import { depositFolder } from '../../src/app/deposits/deposit-folder.ts';
import { RelayHost } from '../../src/app/relay-host.ts';
import { createKeptRoom, type KeptRoom, lockRoom } from '../../src/app/rooms/kept-room.ts';
import { makeRoomKeys, type RoomKeys } from '../../src/app/rooms/room-keys.ts';
import type { AnswerJob, AnswerOutcome } from '../../src/crypto/answer-jobs.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { serve } from './calls.ts';
import { ENTRANCE_USES } from './entrance.ts';
import { LIFTED_LIMITS } from './lifted-limits.ts';
import { ANSWER, registerLightly } from './load/light-answer.ts';
import { ownUsage, type Usage } from './usage.ts';

export interface RoomAddress {
  readonly port: number;
  readonly roomId: Uint8Array;
  readonly ownerFingerprint: Uint8Array;
  readonly tlsPin: Uint8Array;
}

/** What people need to join now. */
export interface Entrance {
  readonly invitationId: Uint8Array;
  readonly admissionKey: Uint8Array;
  readonly code: string;
}

/** Of the list and of the log. */
export interface Position {
  readonly epoch: number;
  /** The latest operation's hash. */
  readonly operation: Uint8Array;
  readonly index: number;
  readonly head: Uint8Array;
}

const ENTRANCE_MS = 600_000;

/** Stretches no keys: that is the joiner's work, and thousands of joiners share one core here. */
async function answerLightly(job: AnswerJob): Promise<AnswerOutcome> {
  if (job.op !== 'register') throw new Error('a host without a member of its own only registers');
  return { op: 'register', record: await registerLightly(job) };
}

function silent(): void {}

function failure(about: string, text: string): void {
  console.error(`host ${about}: ${text}`);
}

const ABOUT = { roomName: 'bench', question: 'Where did we meet?' };

function keepIn(file: string, keys: RoomKeys): Promise<KeptRoom> {
  const files = depositFolder(file);
  const place = { name: 'bench', folder: dirname(file), file, lock: `${file}.lock`, files };
  const room = { ...ABOUT, keys, identity: null, passphrase: '' };
  return createKeptRoom(place, room, lockRoom(place), LIFTED_LIMITS);
}

const answers = Object.assign(new AnswerThread(), { run: answerLightly as AnswerThread['run'] });
const keys = await makeRoomKeys(ANSWER, answers);
const [, , file] = process.argv;
const kept = file === undefined ? null : await keepIn(file, keys);
const host = await RelayHost.start({
  ...ABOUT,
  keys,
  ...(kept !== null && { keeping: kept.store }),
  listen: { host: '127.0.0.1', port: 0 },
  membersMost: LIMITS.membersMost,
  limits: LIFTED_LIMITS,
  log: { error: failure, warn: failure, info: silent, debug: silent },
});

const calls = {
  address: (): RoomAddress => ({
    port: host.port,
    roomId: host.roomId,
    ownerFingerprint: host.ownerFingerprint,
    tlsPin: host.tlsPin,
  }),
  async entrance(): Promise<Entrance> {
    const addresses = [{ host: '127.0.0.1', port: host.port }];
    const { id, admissionKey } = await host.invite({ addresses, uses: ENTRANCE_USES, ttlMs: ENTRANCE_MS });
    return { invitationId: id, admissionKey, code: host.code.value };
  },
  position: (): Position => host.position,
  memberIds: (): readonly Uint8Array[] => host.members.map(({ memberId }) => memberId),
  /** As the owner does, for good. */
  remove({ nick }: { readonly nick: string }): void {
    const member = host.members.find((each) => each.nick === nick);
    if (member === undefined) throw new Error(`${nick} is not in the room`);
    host.remove(member.key);
  },
  usage: (input: { readonly settled: boolean }): Usage => ownUsage(input),
  /** As at the end of `securechat s`: a kept room's file is whole, and nobody's. */
  async close(): Promise<void> {
    await host.close('over');
    kept?.close();
  },
};
export type HostCalls = typeof calls;

serve(calls);
