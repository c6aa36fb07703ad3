/** How a person of the bench comes in: by the product's own membership, with nothing stretched. */
import { AnswerThread } from '../../../src/app/answer-thread.ts';
import type { MembershipOptions } from '../../../src/app/membership.ts';
import type { AnswerJob, AnswerOutcome } from '../../../src/crypto/answer-jobs.ts';
import { generateWrapKeys } from '../../../src/crypto/key-wrap.ts';
import type { SigningKey } from '../../../src/crypto/signature.ts';
import { hash, invitationId, roomId } from '../../../src/protocol/identifiers.ts';
import type { Limits } from '../../../src/protocol/limits.ts';
import { dialTls } from '../../../src/transport/tls-dialer.ts';
import type { Entrance, RoomAddress } from '../host-process.ts';
import { ANSWER, finishLightly, startLightly } from './light-answer.ts';

const DIAL_MS = 20_000;

async function answerLightly(job: AnswerJob): Promise<AnswerOutcome> {
  if (job.op === 'start') return { op: 'start', ...startLightly(job.answer) };
  if (job.op === 'finish') return { op: 'finish', result: finishLightly(job) };
  throw new Error(`nobody here asks for ${job.op}`);
}

/** Of everyone, also of who comes back. */
export function personOptions(
  room: RoomAddress,
  identity: SigningKey,
  limits: Limits,
): Omit<MembershipOptions, 'wrapKeys' | 'ask' | 'onEvent'> {
  const address = { addresses: [{ host: '127.0.0.1', port: room.port }], tlsPin: hash(room.tlsPin) };
  return {
    roomId: roomId(room.roomId),
    ownerFingerprint: hash(room.ownerFingerprint),
    tlsPin: address.tlsPin,
    answers: Object.assign(new AnswerThread(), { run: answerLightly as AnswerThread['run'] }),
    identity: Promise.resolve(identity),
    connect: (signal) =>
      dialTls({ ...address, exporterContext: roomId(room.roomId), timeoutMs: DIAL_MS, signal, limits }),
    onQuestion() {},
    onWaiting() {},
    onLine() {},
  };
}

/** Of whoever comes for the first time. */
export function entranceOptions(
  entrance: Entrance,
  nick: string,
): Pick<MembershipOptions, 'invitationId' | 'admissionKey' | 'wrapKeys' | 'ask'> {
  return {
    invitationId: invitationId(entrance.invitationId),
    admissionKey: entrance.admissionKey,
    wrapKeys: generateWrapKeys(),
    ask: async (what) => ({ answer: ANSWER, code: entrance.code, nick, password: '' })[what],
  };
}
