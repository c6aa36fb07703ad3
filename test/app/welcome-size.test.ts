/** WELCOME is as large as the latest roster operation: the member's side must take it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnswerThread } from '../../src/app/answer-thread.ts';
import { Membership } from '../../src/app/membership.ts';
import { RelayHost } from '../../src/app/relay-host.ts';
import { ADMISSION_FRAME } from '../../src/protocol/admission-frames.ts';
import type { Bytes } from '../../src/protocol/bytes.ts';
import { frameType } from '../../src/protocol/framing.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import type { Connection } from '../../src/transport/connection.ts';
import { dsaIdentity, roomKeys, wrapKeys } from '../helpers/keys.ts';

const ANSWER = 'the blue bicycle';

/** A connection that notes what was sent and allowed, in order. */
class Noted implements Connection {
  readonly #inner: Connection;
  readonly notes: ('join' | number)[] = [];

  constructor(inner: Connection) {
    this.#inner = inner;
  }

  get remoteAddress(): string {
    return this.#inner.remoteAddress;
  }
  get channelBinding(): Bytes {
    return this.#inner.channelBinding;
  }
  get queuedBytes(): number {
    return this.#inner.queuedBytes;
  }
  get closed(): boolean {
    return this.#inner.closed;
  }
  start(handlers: Parameters<Connection['start']>[0]): void {
    this.#inner.start(handlers);
  }
  send(frames: Bytes, count?: number): void {
    if (frameType(frames) === ADMISSION_FRAME.join) this.notes.push('join');
    this.#inner.send(frames, count);
  }
  setFrameLimit(bytes: number): void {
    this.notes.push(bytes);
    this.#inner.setFrameLimit(bytes);
  }
  stream(onBytes: (bytes: Bytes) => void): void {
    this.#inner.stream(onBytes);
  }
  sendAll(pieces: readonly Bytes[], onTaken: () => void): void {
    this.#inner.sendAll(pieces, onTaken);
  }
  forward(bytes: Bytes): void {
    this.#inner.forward(bytes);
  }
  close(last?: Bytes): void {
    this.#inner.close(last);
  }
  destroy(): void {
    this.#inner.destroy();
  }
}

test('a joiner takes large frames from JOIN on, and none before', async (context) => {
  const answers = new AnswerThread();
  const quiet = { error() {}, warn() {}, info() {}, debug() {} };
  const host = await RelayHost.start({
    roomName: 'room',
    question: 'What stood in the hall?',
    keys: await roomKeys(ANSWER, answers),
    listen: { host: '127.0.0.1', port: 0 },
    membersMost: 8,
    limits: LIMITS,
    log: quiet,
  });
  context.after(async () => {
    await host.close('over');
    await answers.end();
  });
  const minted = await host.invite({ addresses: [{ host: '127.0.0.1', port: 1 }], uses: 1, ttlMs: 60_000 });
  const connection = new Noted(host.connectInProcess());
  const joined = Promise.withResolvers<void>();
  const membership = new Membership({
    roomId: host.roomId,
    ownerFingerprint: host.ownerFingerprint,
    tlsPin: host.tlsPin,
    invitationId: minted.id,
    admissionKey: minted.admissionKey,
    connect: () => Promise.resolve(connection),
    identity: dsaIdentity(0),
    wrapKeys: wrapKeys(0),
    answers,
    ask: (what) => Promise.resolve(what === 'answer' ? ANSWER : what === 'code' ? host.code.value : 'ann'),
    onQuestion() {},
    onWaiting() {},
    onEvent(event) {
      if (event.kind === 'joined') joined.resolve();
    },
    onLine() {},
  });
  await membership.join();
  await joined.promise;
  assert.deepEqual(connection.notes, ['join', LIMITS.frameBytesAfterAdmission]);
  membership.leave();
  assert.equal((await membership.ended).kind, 'left');
});
