/** Someone who waits for the host's yes: the patience of their own program, and what each side is told. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AnswerThread } from '../../src/app/answer-thread.ts';
import { LostError } from '../../src/app/door-run.ts';
import { type Ending, Membership } from '../../src/app/membership.ts';
import { RelayHost } from '../../src/app/relay-host.ts';
import { normaliseAnswer } from '../../src/crypto/answer.ts';
import type { SessionEvent } from '../../src/member/events.ts';
import { idKey } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { dsaIdentity, roomKeys, wrapKeys } from '../helpers/keys.ts';

const ANSWER = 'in the library';

/** A room that asks its host, and someone who has come as far as waiting. */
async function someoneWaiting(context: TestContext) {
  const answers = new AnswerThread();
  const host = await RelayHost.start({
    roomName: 'test room',
    question: 'Where did we meet?',
    keys: await roomKeys(normaliseAnswer(ANSWER), answers),
    listen: { host: '127.0.0.1', port: 0 },
    membersMost: 8,
    limits: LIMITS,
    settings: { approval: true },
    log: { debug() {}, info() {}, warn() {}, error: (_, text) => assert.fail(text) },
  });
  context.after(() => Promise.all([host.close('over'), answers.end()]));
  const invitation = await host.invite({
    addresses: [{ host: '127.0.0.1', port: host.port }],
    uses: 1,
    ttlMs: 60_000,
  });
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const waits = Promise.withResolvers<void>();
  const joined = Promise.withResolvers<SessionEvent>();
  const membership = new Membership({
    roomId: host.roomId,
    ownerFingerprint: host.ownerFingerprint,
    tlsPin: host.tlsPin,
    invitationId: invitation.id,
    admissionKey: invitation.admissionKey,
    connect: () => Promise.resolve(host.connectInProcess()),
    identity: dsaIdentity(0),
    wrapKeys: wrapKeys(0),
    answers,
    ask: (what) =>
      Promise.resolve({ answer: ANSWER, code: host.code.value, nick: 'ann', password: '' }[what]),
    onQuestion() {},
    onWaiting: () => waits.resolve(),
    onEvent(event) {
      if (event.kind === 'joined') joined.resolve(event);
    },
    onLine() {},
  });
  let ending: Ending | null = null;
  void membership.ended.then((how) => {
    ending = how;
  });
  void membership.join();
  await waits.promise;
  assert.equal(host.invitations.find(({ key }) => key === idKey(invitation.id))?.usesLeft, 0);
  return { host, membership, joined: joined.promise, ended: () => ending };
}

/** The turn of the event loop in which what was decided now is done. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('whoever waits is not taken for someone whose host is silent, and comes in when it says yes', async (context) => {
  const { host, joined, ended } = await someoneWaiting(context);
  context.mock.timers.tick(LIMITS.candidateMs + 1);
  await turn();
  context.mock.timers.tick(LIMITS.waitingMs - LIMITS.candidateMs);
  await turn();
  assert.equal(ended(), null);
  const [visitor] = host.atDoor;
  assert.equal(visitor?.stage, 'waiting');
  host.admit(visitor?.holder ?? 0);
  assert.equal((await joined).kind, 'joined');
});

test('a no is told as one', async (context) => {
  const { host, membership } = await someoneWaiting(context);
  host.deny(host.atDoor[0]?.holder ?? 0);
  const ending = await membership.ended;
  assert.deepEqual(ending, { kind: 'refused', reason: 'denied', triesLeft: 0, version: 1 });
});

test('a host that says nothing for longer than it may is left', async (context) => {
  const { membership } = await someoneWaiting(context);
  context.mock.timers.tick(LIMITS.waitingMs + LIMITS.strangerMs);
  const ending = await membership.ended;
  assert.ok(ending.kind === 'failed' && ending.error instanceof LostError);
});
