/** A fault of the host's own program costs one connection, or one tick, and not everyone's room. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AnswerThread } from '../../src/app/answer-thread.ts';
import { Membership } from '../../src/app/membership.ts';
import { RelayHost } from '../../src/app/relay-host.ts';
import { idKey } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import type { RoomNotice } from '../../src/room/effects.ts';
import { StorageError } from '../../src/storage/errors.ts';
import { createDatabase } from '../../src/storage/room-database.ts';
import { dsaIdentity, roomKeys, wrapKeys } from '../helpers/keys.ts';
import { newPath, openStore, storeOn } from '../helpers/room-file.ts';

/** A room whose screen fails at notices of one kind. */
async function faultyRoom(context: TestContext, fault: RoomNotice['kind']) {
  const answers = new AnswerThread();
  const logged: string[] = [];
  const faults = new Set<RoomNotice['kind']>([fault]);
  const told: RoomNotice['kind'][] = [];
  const failed = Promise.withResolvers<void>();
  const host = await RelayHost.start({
    roomName: 'test room',
    question: 'Where did we meet?',
    keys: await roomKeys('in the library', answers),
    listen: { host: '127.0.0.1', port: 0 },
    membersMost: 8,
    limits: LIMITS,
    log: {
      debug() {},
      info() {},
      warn() {},
      error(about, text) {
        logged.push(`${about}: ${text.split('\n')[0]}`);
        failed.resolve();
      },
    },
  });
  context.after(() => Promise.all([host.close('over'), answers.end()]));
  host.onNotice(({ kind }) => {
    if (faults.has(kind)) throw new Error(`cannot show ${kind}`);
    told.push(kind);
  });
  return { host, answers, logged, told, faults, failed: failed.promise };
}

test('a fault in a tick is logged, and the next one comes', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval', 'Date'], now: Date.UTC(2026, 0, 1, 12) });
  const { host, logged, told, faults } = await faultyRoom(context, 'code');
  const before = host.code.value;
  context.mock.timers.tick(30_000);
  assert.deepEqual(logged, ['tick: Error: cannot show code']);
  assert.notEqual(host.code.value, before);
  faults.clear();
  context.mock.timers.tick(30_000);
  assert.deepEqual(told, ['code']);
});

test('a fault at the end of a connection is logged, and others come in', async (context) => {
  const { host, answers, logged, told, faults, failed } = await faultyRoom(context, 'door-left');
  const guest = async (ask: ConstructorParameters<typeof Membership>[0]['ask']) => {
    const { id, admissionKey } = await host.invite({
      addresses: [{ host: '127.0.0.1', port: host.port }],
      uses: 1,
      ttlMs: 60_000,
    });
    const membership = new Membership({
      roomId: host.roomId,
      ownerFingerprint: host.ownerFingerprint,
      tlsPin: host.tlsPin,
      invitationId: id,
      admissionKey,
      connect: () => Promise.resolve(host.connectInProcess()),
      identity: dsaIdentity(0),
      wrapKeys: wrapKeys(0),
      answers,
      ask,
      onQuestion() {},
      onWaiting() {},
      onEvent() {},
      onLine() {},
    });
    void membership.join();
    return membership;
  };
  const asked = Promise.withResolvers<void>();
  const first = await guest(() => {
    asked.resolve();
    return new Promise(() => {});
  });
  await asked.promise;
  first.leave();
  await failed;
  assert.deepEqual(logged, ['close: Error: cannot show door-left']);
  faults.clear();
  const again = Promise.withResolvers<void>();
  const second = await guest(() => {
    again.resolve();
    return new Promise(() => {});
  });
  await again.promise;
  assert.equal(told.filter((kind) => kind === 'door').length, 2);
  second.leave();
});

test('a fault at the beginning of a connection costs that connection', async (context) => {
  const { host, logged } = await faultyRoom(context, 'refused');
  // A room that is closing refuses whoever comes.
  await host.close('over');
  const closed = Promise.withResolvers<void>();
  host.connectInProcess().start({ onFrame() {}, onClose: () => closed.resolve() });
  await closed.promise;
  assert.deepEqual(logged, ['connection: Error: cannot show refused']);
});

test('what a host does to a kept room is written down by the time it is told, or not told to be done', async (context) => {
  const answers = new AnswerThread();
  const keys = await roomKeys('in the library', answers);
  const path = newPath();
  const database = createDatabase(path);
  // Nobody here comes to the room: its head may be any.
  const store = storeOn(database, path);
  const host = await RelayHost.start({
    ...{ roomName: 'test room', question: 'Where did we meet?', keys },
    ...{ listen: { host: '127.0.0.1', port: 0 }, membersMost: 8, limits: LIMITS, keeping: store },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  context.after(() => Promise.all([host.close('over'), answers.end()]).then(() => store.close()));
  const failed: StorageError[] = [];
  host.onFailure((error) => failed.push(error));
  const onDisk = () => {
    const other = openStore(path);
    other.close();
    return other.kept?.invitations[0];
  };
  const invitation = { addresses: [{ host: '127.0.0.1', port: host.port }], uses: 2, ttlMs: 60_000 };
  const { id } = await host.invite({ ...invitation, label: 'Ann' });
  assert.equal(onDisk()?.revoked, false);
  host.revoke(idKey(id));
  assert.equal(onDisk()?.revoked, true);

  database.exec('PRAGMA max_page_count = 1');
  const isFull = (error: unknown): boolean => error instanceof StorageError && error.code === 'disk-full';
  assert.throws(() => {
    for (let turn = 0; turn < 100; turn += 1)
      host.change({ motd: String(turn).repeat(LIMITS.motdBytes / 2) });
  }, isFull);
  assert.deepEqual(failed.map(isFull), [true]);
  // It stays so, and is said once.
  assert.throws(() => host.resume(idKey(id)), isFull);
  await assert.rejects(host.invite({ ...invitation, label: '' }), isFull);
  assert.equal(failed.length, 1);
});
