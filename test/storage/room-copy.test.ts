/** Copies of a room's file, and rooms made of them. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { leafHash } from '../../src/crypto/log-hash.ts';
import { ciphertext, type InvitationId, invitationId } from '../../src/protocol/identifiers.ts';
import type { KeptInvitation } from '../../src/room/invitations.ts';
import { StorageError } from '../../src/storage/errors.ts';
import { copyRoom, reviveRoom } from '../../src/storage/room-copy.ts';
import { lookAt, readRoom } from '../../src/storage/room-look.ts';
import type { SqliteStore } from '../../src/storage/sqlite-store.ts';
import { createStore, newPath, openStore, START_HEAD } from '../helpers/room-file.ts';

function append(store: SqliteStore, size: number): void {
  const bytes = {
    header: new Uint8Array(8),
    ciphertext: ciphertext(new Uint8Array(size).fill(store.log.index + 1)),
    signature: new Uint8Array(8),
  };
  store.log.append({ kind: 'message', placedAtMs: 1, leaf: leafHash(bytes), ...bytes });
}

function invitation(name: string, part: Partial<KeptInvitation> = {}): KeptInvitation {
  return {
    ...{ id: idOf(name), admissionKey: new Uint8Array(32), expiresAtMs: 2_000, uses: 3, usesLeft: 2 },
    ...{ triesLeft: 4, revoked: false, suspended: false, role: 'member' },
    ...part,
  };
}

function idOf(name: string): InvitationId {
  return invitationId(new Uint8Array(Buffer.from(name.padEnd(8))));
}

const besides = (path: string): readonly string[] =>
  ['-wal', '-shm', '-journal'].filter((end) => existsSync(path + end));

test('a copy of an open room has what was committed, in one file for its owner alone', async () => {
  const path = newPath();
  const store = createStore(path);
  for (let count = 0; count < 50; count += 1) append(store, 10_000);
  store.commit();
  append(store, 10);
  const copy = newPath();
  await copyRoom(path, copy);
  assert.deepEqual(besides(copy), []);
  assert.equal(statSync(copy).mode & 0o777, 0o600);
  assert.ok(store.isDirty, 'the room went on meanwhile');
  store.commit();
  store.close();
  const opened = openStore(copy);
  assert.equal(opened.log.index, 50);
  opened.close();
});

test('a copy takes the place of nothing, and there is none of a room that is damaged', async () => {
  const path = newPath();
  const store = createStore(path);
  for (let count = 0; count < 20; count += 1) append(store, 4_000);
  store.commit();
  store.close();
  const taken = newPath();
  writeFileSync(taken, 'something else');
  await assert.rejects(copyRoom(path, taken), { code: 'EEXIST' });
  assert.equal(readFileSync(taken, 'utf8'), 'something else');

  const bytes = readFileSync(path);
  const page = Math.floor(bytes.indexOf(Buffer.alloc(500, 10)) / 4_096) * 4_096;
  bytes.fill(0xff, page, page + 64);
  writeFileSync(path, bytes);
  await assert.rejects(
    copyRoom(path, newPath()),
    (error: unknown) =>
      error instanceof StorageError && error.code === 'room-damaged' && error.message.startsWith(path),
  );
});

test('a room made of a copy has every invitation suspended, and tells how many were open', async () => {
  const path = newPath();
  const store = createStore(path);
  store.saveRoster({
    ...{ operation: { bytes: new Uint8Array(1), signature: new Uint8Array(1) }, members: [] },
    ...{ epoch: 1, hash: START_HEAD, lastRemovalEpoch: 0, usedActs: [] },
  });
  const texts = { text: 'sc1.text', fernetKey: 'key', fernetToken: 'token', label: 'for ann' };
  const all = [
    invitation('open'),
    invitation('another'),
    invitation('used up', { usesLeft: 0 }),
    invitation('expired', { expiresAtMs: 1_000 }),
    invitation('revoked', { revoked: true }),
    invitation('asleep', { suspended: true }),
  ];
  for (const each of all) {
    store.saveInvitation(each);
    store.describeInvitation(each.id, texts);
  }
  // The host's own way in, which nobody was given.
  store.saveInvitation(invitation('own', { role: 'owner' }));
  const fileId = new Uint8Array(16);
  const members = [['bob', 'awaited']] as const;
  store.saveDeposit({ fileId, owner: 'ann', bytes: 1, cameAtMs: 1, members });
  store.commit();
  store.close();

  const copy = newPath();
  await copyRoom(path, copy);
  assert.equal(readRoom(copy).kept?.deposits.length, 1);
  assert.equal(reviveRoom(copy, 1_500), 2);
  assert.deepEqual(besides(copy), []);
  // The files themselves are in no copy.
  assert.deepEqual(readRoom(copy).kept?.deposits, []);
  assert.deepEqual(
    readRoom(copy).kept?.invitations,
    [...all, invitation('own', { role: 'owner' })].map((each) => ({ ...each, suspended: true })),
  );
  assert.equal(reviveRoom(copy, 1_500), 0);
});

test('what waits is counted, and what everyone has is not', () => {
  const path = newPath();
  const store = createStore(path);
  for (let count = 0; count < 3; count += 1) append(store, 100);
  store.log.release(1);
  store.meta.setText('room-name', 'Kitchen');
  store.commit();
  assert.deepEqual([lookAt(path).waiting, lookAt(path).roomName], [2, 'Kitchen']);
  const { log, kept } = readRoom(path);
  assert.deepEqual([log.index, log.waitingBytes, log.head, kept], [3, 200, store.log.head, null]);
  store.close();
});

test('a room from before files could wait is looked at as it is', () => {
  const path = newPath();
  const store = createStore(path);
  for (const name of ['operation', 'operation-signature'] as const)
    store.meta.setBytes(name, new Uint8Array(1));
  store.commit();
  store.close();
  const older = new DatabaseSync(path);
  older.exec('DROP TABLE deposit_members; DROP TABLE deposits; PRAGMA user_version = 2');
  older.close();
  assert.deepEqual(readRoom(path).kept?.deposits, []);
});
