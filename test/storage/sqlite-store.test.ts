/** What a room leaves with its file, and what the file gives back. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'node:test';
import { directConversation, newConversationId } from '../../src/crypto/conversation-roster.ts';
import { sha256 } from '../../src/crypto/hash.ts';
import { leafHash } from '../../src/crypto/log-hash.ts';
import { type RosterMember, rosterMember } from '../../src/crypto/roster.ts';
import { utf8 } from '../../src/protocol/bytes.ts';
import {
  ciphertext,
  type Hash,
  idKey,
  invitationId,
  ROOM_CONVERSATION,
} from '../../src/protocol/identifiers.ts';
import { ERAS_MOST } from '../../src/protocol/session-frames.ts';
import type { RosterEntry } from '../../src/protocol/signed-objects.ts';
import type { NewEntry } from '../../src/room/log.ts';
import type { KeptChange, KeptDeposit, KeptMember, PlacedOperation } from '../../src/room/store.ts';
import type { KeptWrap } from '../../src/room/wrap-queue.ts';
import { StorageError } from '../../src/storage/errors.ts';
import { createDatabase } from '../../src/storage/room-database.ts';
import type { SqliteStore } from '../../src/storage/sqlite-store.ts';
import { TEST_ROOM } from '../helpers/line.ts';
import { createStore, newPath, openStore, storeOn } from '../helpers/room-file.ts';

const hashOf = (text: string): Hash => sha256(utf8.encode(text));
const bytesOf = (text: string): Uint8Array => new Uint8Array(utf8.encode(text));
const signedOf = (text: string) => ({ bytes: bytesOf(text), signature: bytesOf(`signature of ${text}`) });

/** Sorted by identity, as the roster gives them. */
const ENTRIES: readonly RosterEntry[] = ['ann', 'bob', 'eve']
  .map((nick) => ({ identity: hashOf(nick), nick, role: 'member', algorithm: 'rsa', muted: false }) as const)
  .sort((left, right) => Buffer.compare(left.identity, right.identity));
const MEMBERS = ENTRIES.map(rosterMember);

function member(nick: string): RosterMember {
  const found = MEMBERS.find((each) => each.nick === nick);
  assert.ok(found);
  return found;
}

const ANN = member('ann');
const BOB = member('bob');
const EVE = member('eve');

function placed(
  epoch: number,
  members: readonly RosterMember[],
  usedActs: readonly string[],
): PlacedOperation {
  return {
    operation: signedOf(`operation ${epoch}`),
    members,
    epoch,
    hash: hashOf(`epoch ${epoch}`),
    lastRemovalEpoch: epoch - 1,
    usedActs: usedActs.map((name) => ({ name, epoch })),
  };
}

function person({ key, nick }: RosterMember, part: Partial<KeptMember> = {}): KeptMember {
  return {
    key,
    spki: bytesOf(`spki of ${nick}`),
    algorithm: 'rsa',
    accountKey: bytesOf(`account key of ${nick}`),
    statement: signedOf(`statement of ${nick}`),
    generation: 1,
    invitations: [],
    prefers: { stays: false, receipts: true, lastSeen: true },
    account: null,
    acknowledged: 0,
    isNew: false,
    from: 0,
    quotedGeneration: 0,
    chainSequence: -1,
    chain: null,
    offlineSinceMs: null,
    wraps: [],
    ...part,
  };
}

function saveWhole(store: SqliteStore, one: KeptMember): void {
  store.saveMember(one);
  store.saveProgress(one);
  for (const wrap of one.wraps) store.keepWrap(one.key, wrap);
}

function wrap(from: RosterMember, text: string, logIndex: number): KeptWrap {
  return {
    frame: bytesOf(text),
    from: from.key,
    conversation: idKey(ROOM_CONVERSATION),
    logIndex,
    cameAtMs: 1_700_000_000_000 + logIndex,
  };
}

function entry(content: Uint8Array): NewEntry {
  const bytes = { header: bytesOf('header'), ciphertext: ciphertext(content), signature: bytesOf('sig') };
  return { kind: 'message', placedAtMs: 1_000, leaf: leafHash(bytes), ...bytes };
}

/** A member for whom a wrap can wait. */
function begin(store: SqliteStore): void {
  store.saveRoster(placed(1, [ANN], []));
  saveWhole(store, person(ANN));
}

describe('a room', () => {
  test('is new until it has been saved', () => {
    const path = newPath();
    const store = createStore(path);
    assert.equal(store.kept, null);
    store.close();
    const again = openStore(path);
    assert.equal(again.kept, null);
    again.close();
  });

  test('keeps no more of its starts than are shown to anyone', () => {
    const path = newPath();
    const store = createStore(path);
    for (let era = 1; era <= 2 * ERAS_MOST; era += 1) store.saveEra(era, signedOf(`era ${era}`));
    store.commit();
    store.close();
    const database = new DatabaseSync(path, { readOnly: true });
    const { number } = database.prepare('SELECT count(*) AS number FROM eras').get() ?? {};
    database.close();
    assert.equal(number, ERAS_MOST);
  });

  test('gives conversations back as they were left, each with its log, and forgets one with all that is in it', () => {
    const path = newPath();
    const store = createStore(path);
    store.saveRoster(placed(1, MEMBERS, []));
    for (const member of [ANN, BOB]) saveWhole(store, person(member));
    const two = directConversation(TEST_ROOM, ANN.memberId, BOB.memberId);
    const made = newConversationId(new Uint8Array(16).fill(3));
    const direct = [ANN.memberId, BOB.memberId] as const;
    const change = (epoch: number, isWhole: boolean): KeptChange => ({
      ...{ kind: 'conversation', operation: signedOf(`change ${epoch}`) },
      ...{ index: epoch, epoch, isWhole },
    });
    const changes = [change(1, true), change(2, false), change(3, true), change(4, false)];
    const seats = { epoch: 4, lastRemovalEpoch: 3, adoptedEpoch: 0 };
    const hashes = [1, 2, 3, 4].map((epoch) => hashOf(`list ${epoch}`));
    const record = { id: made, direct: null, changes };
    const kept = { ...record, seats: { ...seats, hashes, operations: changes.slice(2) } };
    const logs = [two, made].map((id) => store.openLog(id));
    for (const log of logs) log.append(entry(bytesOf('the only entry')));
    logs[1]?.append(entry(bytesOf('and another')));
    const nothing = {
      epoch: 0,
      lastRemovalEpoch: 0,
      adoptedEpoch: 0,
      hashes: [hashOf('none')],
      operations: [],
    };
    store.saveConversation({ id: two, direct, changes: [], seats: nothing });
    store.saveConversation({
      ...kept,
      changes: changes.slice(0, 2),
      seats: { ...kept.seats, epoch: 2, hashes: hashes.slice(0, 2) },
    });
    store.saveConversation(kept);
    const chain = { key: idKey(bytesOf('chain id')), epoch: 4, lastN: 7, lastLeaf: hashOf('leaf') };
    const place = { acknowledged: 1, from: 0, isNew: false, chainSequence: 5, chain };
    const newcomer = { acknowledged: 2, from: 2, isNew: true, chainSequence: -1, chain: null };
    store.savePlace(idKey(made), ANN.key, place);
    store.savePlace(idKey(made), BOB.key, newcomer);
    store.savePlace(idKey(two), BOB.key, newcomer);
    store.forgetPlace(idKey(two), BOB.key);
    store.saveConversationEra(idKey(made), 9, signedOf('era 9'));
    store.commit();
    store.close();

    const again = openStore(path);
    const found = [...(again.kept?.conversations ?? [])].sort((left, right) =>
      idKey(left.id) < idKey(right.id) ? -1 : 1,
    );
    assert.deepEqual(found, [
      { id: two, direct: [...direct], changes: [], seats: nothing, places: [], eras: [], placedAtMs: 1_000 },
      {
        ...{ ...kept, eras: [signedOf('era 9')], placedAtMs: 1_000 },
        places: [
          [ANN.key, place],
          [BOB.key, newcomer],
        ].sort(([left = ''], [right = '']) => (left < right ? -1 : 1)),
      },
    ]);
    const log = again.openLog(made);
    assert.equal(log.index, 2);
    assert.deepEqual(log.head, logs[1]?.head);
    assert.deepEqual(again.openLog(two).read(0, { entries: 9, bytes: 9_999 }).items.length, 1);
    again.forgetConversation(idKey(made));
    again.forgetMember(BOB.key);
    again.commit();
    again.close();
    const third = openStore(path);
    assert.deepEqual(
      third.kept?.conversations.map(({ id }) => idKey(id)),
      [idKey(two)],
    );
    assert.equal(third.openLog(made).index, 0);
    third.close();
  });

  test('is given back as it was left, wraps in their order', () => {
    const path = newPath();
    const store = createStore(path);
    store.log.append(entry(bytesOf('the only entry')));
    store.saveRoster(placed(1, [EVE, ...MEMBERS.filter(({ nick }) => nick !== 'eve')], ['act one']));
    const ann = person(ANN, {
      invitations: [idKey(bytesOf('11111111')), idKey(bytesOf('22222222'))],
      prefers: { stays: true, receipts: false, lastSeen: false },
      account: { credential: 'account:ann', record: 'record' },
      acknowledged: 17,
      quotedGeneration: 3,
      chainSequence: 2,
      chain: { key: idKey(bytesOf('chain id')), epoch: 1, lastN: 41, lastLeaf: hashOf('leaf') },
      offlineSinceMs: 1_800_000_000_123,
      wraps: [wrap(BOB, 'first', 3), wrap(EVE, 'second', 4), wrap(BOB, 'third', 4), wrap(BOB, 'last', 9)],
    });
    const bob = person(BOB, { algorithm: 'dsa', wraps: [wrap(ANN, 'to bob', 1)] });
    saveWhole(store, ann);
    saveWhole(store, bob);
    saveWhole(store, person(EVE, { wraps: [wrap(ANN, 'to eve', 1)] }));

    const muted = rosterMember({
      identity: BOB.identity,
      nick: 'rob',
      role: 'moderator',
      algorithm: 'rsa',
      muted: true,
    });
    store.saveRoster(placed(2, [EVE, ANN, muted], ['act two', 'act three']));
    store.saveRoster(placed(3, [ANN, muted], ['act three']));
    store.forgetMember(EVE.key);
    const renewed = {
      ...bob,
      statement: signedOf('newer'),
      generation: 8,
      quotedGeneration: 7,
      acknowledged: 5,
    };
    store.saveMember(renewed);
    store.saveProgress(renewed);
    const dropped = ann.wraps.slice(1, 3);
    store.dropWraps(dropped);
    store.dropWraps(dropped);

    const invitation = {
      id: invitationId(bytesOf('inviting')),
      admissionKey: bytesOf('admission key'),
      expiresAtMs: 1_900_000_000_000,
      uses: 16,
      usesLeft: 16,
      triesLeft: 5,
      revoked: false,
      suspended: false,
      role: 'member',
    } as const;
    const second = {
      ...invitation,
      id: invitationId(bytesOf('earlier.')),
      revoked: true,
      role: 'owner',
    } as const;
    store.saveInvitation(invitation);
    store.saveInvitation(second);
    const tried = { ...invitation, usesLeft: 15, triesLeft: 4, suspended: true };
    store.saveInvitation(tried);
    const texts = { text: 'sc1.text', fernetKey: 'key', fernetToken: 'token', label: 'for bob' };
    store.describeInvitation(invitation.id, texts);
    store.saveBans([{ member: 'gone', nick: 'gone', untilMs: null, by: null }]);
    const bans = [
      { member: EVE.key, nick: 'eve', untilMs: null, by: 'ann' },
      { member: 'another', nick: 'mallory', untilMs: 1_900_000_000_001, by: null },
    ];
    store.saveBans(bans);
    store.saveMutes([['nobody', 1]]);
    store.saveMutes([[BOB.key, 1_900_000_000_002]]);
    const deposit: KeptDeposit = {
      ...{
        fileId: new Uint8Array(16).fill(1),
        owner: ANN.key,
        bytes: 2 ** 33 + 1,
        cameAtMs: 1_800_000_000_001,
      },
      members: [
        [BOB.key, 'awaited'],
        [EVE.key, 'awaited'],
      ],
    };
    store.saveDeposit(deposit);
    store.saveDeposit({ ...deposit, fileId: new Uint8Array(16).fill(2) });
    store.forgetDeposit('02'.repeat(16));
    const known = { ...deposit, members: [[BOB.key, 'done']] } as const;
    store.saveDeposit(known);
    for (let era = 1; era <= 10; era += 1) store.saveEra(era, signedOf(`era ${era}`));
    store.meta.setText('room-name', 'Küche');
    store.meta.setNumber('opened-at-ms', 1_800_000_000_456);
    store.commit();
    store.close();

    const again = openStore(path);
    const { kept } = again;
    assert.ok(kept);
    const byKey = (left: { key: string }, right: { key: string }): number => (left.key < right.key ? -1 : 1);
    assert.deepEqual(
      { ...kept, members: [...kept.members].sort(byKey) },
      {
        roster: {
          operation: signedOf('operation 3'),
          entries: ENTRIES.filter(({ nick }) => nick !== 'eve').map((each) =>
            each.nick === 'bob' ? { ...each, nick: 'rob', role: 'moderator', muted: true } : each,
          ),
          hashes: [1, 2, 3].map((epoch) => hashOf(`epoch ${epoch}`)),
          adoptedEpoch: 0,
          lastRemovalEpoch: 2,
          usedActs: [{ name: 'act three', epoch: 3 }],
        },
        members: [{ ...ann, wraps: ann.wraps.filter((each) => !dropped.includes(each)) }, renewed].sort(
          byKey,
        ),
        conversations: [],
        invitations: [tried, second],
        bans,
        mutedUntilMs: [[BOB.key, 1_900_000_000_002]],
        deposits: [known],
        era: 10,
        eras: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].slice(-ERAS_MOST).map((era) => signedOf(`era ${era}`)),
        placedAtMs: 1_000,
      },
    );
    assert.deepEqual(again.invitationTexts, [{ id: invitation.id, ...texts }]);
    assert.deepEqual(
      [again.meta.text('room-name'), again.meta.number('opened-at-ms')],
      ['Küche', 1_800_000_000_456],
    );
    assert.equal(again.meta.bytes('secrets'), null);

    // What was read is known by its row: it can be dropped.
    again.dropWraps(kept.members.flatMap(({ wraps }) => wraps));
    again.commit();
    again.close();
    const third = openStore(path);
    assert.deepEqual(
      third.kept?.members.flatMap(({ wraps }) => wraps),
      [],
    );
    third.close();
  });

  test('is committed whole or not at all', () => {
    const path = newPath();
    const store = createStore(path);
    begin(store);
    assert.ok(store.isDirty);
    store.commit();
    assert.ok(!store.isDirty);
    store.log.append(entry(bytesOf('never committed')));
    store.keepWrap(ANN.key, wrap(BOB, 'never committed', 1));
    store.meta.setText('room-name', 'never committed');
    store.close();
    store.close();
    const again = openStore(path);
    assert.deepEqual(
      [again.log.index, again.kept?.members[0]?.wraps, again.meta.text('room-name')],
      [0, [], null],
    );
    again.close();
  });

  test('P14: what was committed is there after a kill -9, and nothing else', async () => {
    const path = newPath();
    createStore(path).close();
    const writer = spawn(process.execPath, [new URL('./writer.ts', import.meta.url).pathname, path]);
    const exit = once(writer, 'exit');
    await once(writer.stdout, 'data');
    writer.kill('SIGKILL');
    assert.deepEqual(await exit, [null, 'SIGKILL']);
    const store = openStore(path);
    assert.equal(store.log.index, 2);
    assert.deepEqual(
      store.kept?.invitations.map(({ triesLeft }) => triesLeft),
      [3],
    );
    store.close();
  });
});

describe('P37: what has been delivered is gone', () => {
  /** No two pages alike. */
  const canary = (text: string, length: number): Uint8Array => {
    const parts = Array.from({ length: Math.ceil(length / 32) }, (_, place) => hashOf(`${text} ${place}`));
    return new Uint8Array(Buffer.concat(parts).subarray(0, length));
  };
  const onDisk = (path: string): Buffer =>
    Buffer.concat(
      ['', '-wal'].map((end) => (existsSync(path + end) ? readFileSync(path + end) : Buffer.of())),
    );
  /** Any part of it, however SQLite has cut it. */
  const holds = (path: string, bytes: Uint8Array): boolean => {
    const disk = onDisk(path);
    for (let from = 0; from + 24 <= bytes.length; from += 64)
      if (disk.includes(bytes.subarray(from, from + 24))) return true;
    return false;
  };

  for (const length of [256, 3_000, 16_384, 100_000]) {
    test(`ciphertext and wraps of ${length} bytes, from file and journal`, () => {
      const path = newPath();
      const store = createStore(path);
      begin(store);
      const message = canary('message', length);
      const key = canary('wrap', length);
      const stays = canary('stays', length);
      const kept = { ...wrap(BOB, '', 1), frame: key };
      store.log.append(entry(message));
      store.log.append(entry(stays));
      store.keepWrap(ANN.key, kept);
      store.commit();
      assert.ok(holds(path, message) && holds(path, key));
      store.log.release(1);
      store.dropWraps([kept]);
      store.commit();
      store.purge();
      assert.ok(!holds(path, message));
      assert.ok(!holds(path, key));
      assert.ok(holds(path, stays));
      store.close();
      assert.ok(!holds(path, message) && !holds(path, key));
    });
  }

  test('wraps of a member who is gone', () => {
    const path = newPath();
    const store = createStore(path);
    begin(store);
    const key = canary('wrap', 5_000);
    store.keepWrap(ANN.key, { ...wrap(BOB, '', 1), frame: key });
    store.commit();
    store.purge();
    assert.ok(holds(path, key));
    store.saveRoster(placed(2, [], []));
    store.forgetMember(ANN.key);
    store.commit();
    store.purge();
    assert.ok(!holds(path, key));
    store.close();
  });

  test('while someone reads the file, as soon as they have done', () => {
    const path = newPath();
    const store = createStore(path);
    begin(store);
    const message = canary('message', 20_000);
    store.log.append(entry(message));
    store.commit();
    const reader = new DatabaseSync(path, { readOnly: true });
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM log').get();
    store.log.release(1);
    store.commit();
    store.purge();
    assert.ok(holds(path, message), 'the reader sees it as it was');
    reader.close();
    store.purge();
    assert.ok(!holds(path, message));
    store.close();
  });
});

describe('a disk that is full', () => {
  test('is told, and nothing is kept that came after', () => {
    const path = newPath();
    const database = createDatabase(path);
    const store = storeOn(database, path);
    begin(store);
    store.log.append(entry(bytesOf('acknowledged')));
    store.commit();
    database.exec('PRAGMA max_page_count = 1');
    const isFull = (error: unknown): boolean =>
      error instanceof StorageError &&
      error.code === 'disk-full' &&
      /full.*Free some space/.test(error.message);
    store.meta.setText('room-name', 'lost with what follows');
    assert.throws(() => store.log.append(entry(new Uint8Array(200_000))), isFull);
    // The system may have thrown away all that was not committed: going on would leave a hole.
    assert.throws(() => store.meta.setText('question', 'and this'), isFull);
    assert.throws(() => store.commit(), isFull);
    store.close();
    const again = openStore(path);
    assert.deepEqual([again.log.index, again.meta.text('room-name')], [1, null]);
    again.close();
  });
});
