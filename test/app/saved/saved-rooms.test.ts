/** Saved rooms on disk: what is written, who opens it, and what is told of what cannot be used. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ago, chooseRoom, roomLines } from '../../../src/app/saved/choose-room.ts';
import { checkSavedName, savedNameOf } from '../../../src/app/saved/saved-name.ts';
import { SavedPlace } from '../../../src/app/saved/saved-place.ts';
import { SavedRooms } from '../../../src/app/saved/saved-rooms.ts';
import { StateKeeper } from '../../../src/app/saved/state-keeper.ts';
import type { SigningKey } from '../../../src/crypto/signature.ts';
import { toHex } from '../../../src/protocol/bytes.ts';
import { InputError } from '../../../src/protocol/errors.ts';
import { hash, type RoomId, roomId } from '../../../src/protocol/identifiers.ts';
import { dsaIdentity } from '../../helpers/keys.ts';
import type { TestMember } from '../../helpers/member.ts';
import { openRoom } from '../../helpers/room.ts';

const DOOR = {
  addresses: [{ host: '192.0.2.1', port: 8888 }],
  tlsPin: hash(new Uint8Array(32).fill(7)),
  keeps: 'ciphertext',
} as const;

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'securechat-saved-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'data');
}

async function member(): Promise<TestMember> {
  const room = await openRoom();
  const alice = await room.join('alice', { crowd: true });
  const bob = await room.join('bob', { crowd: true, keeps: 'when-saved' });
  alice.say('hello');
  room.advance(1_000);
  return bob;
}

async function placeFor(rooms: SavedRooms, name: string, identity: SigningKey, id: RoomId) {
  const lock = await rooms.lock(name);
  assert.ok(lock);
  const head = { roomId: id, roomName: 'The Kitchen', identity: '/home/bob/bob.pem' };
  return new SavedPlace({ name, path: rooms.path(name), lock, identity, door: DOOR, head });
}

function stateOf({ session }: TestMember) {
  const save = session.save();
  assert.ok(save);
  return save.state;
}

test('a saved room is whole, private, and the same when it is opened', async (context) => {
  const folder = folderOf(context);
  const bob = await member();
  const rooms = new SavedRooms(folder);
  assert.deepEqual(await rooms.list(), []);
  const place = await placeFor(rooms, 'kitchen', bob.identity, bob.room.id);
  await place.save(stateOf(bob), 'bob');
  await place.save(stateOf(bob), 'bob');
  assert.deepEqual(readdirSync(join(folder, 'saved')).sort(), ['kitchen.lock', 'kitchen.room']);
  assert.equal(statSync(join(folder, 'saved')).mode & 0o777, 0o700);
  assert.equal(statSync(rooms.path('kitchen')).mode & 0o777, 0o600);
  const [entry] = await rooms.list();
  assert.ok(entry);
  assert.deepEqual(
    [entry.name, entry.head.roomName, entry.head.nick, entry.head.identity],
    ['kitchen', 'The Kitchen', 'bob', '/home/bob/bob.pem'],
  );
  const { door, state } = await rooms.open('kitchen', bob.identity);
  assert.deepEqual(door, DOOR);
  assert.deepEqual(state, stateOf(bob));
  await place.forget();
  assert.deepEqual(await rooms.list(), []);
});

test('P35 no secret of the state stands in the file, and only its identity opens it', async (context) => {
  const bob = await member();
  const rooms = new SavedRooms(folderOf(context));
  const place = await placeFor(rooms, 'kitchen', bob.identity, bob.room.id);
  await place.save(stateOf(bob), 'bob');
  const file = toHex(readFileSync(rooms.path('kitchen')));
  const { accountKey, voices, wrapKeys, log } = stateOf(bob);
  const chains = voices.flatMap((voice) => voice.chains.map(({ chainKey }) => chainKey));
  assert.ok(chains.length > 0);
  const secrets = [accountKey, ...chains, ...wrapKeys.flatMap((keys) => [keys.kemSeed, keys.rsaPkcs8])];
  for (const secret of [...secrets, ...log.heads]) assert.ok(!file.includes(toHex(secret)));
  await assert.rejects(rooms.open('kitchen', await dsaIdentity(5)), /belongs to another identity/);
});

test('a file that was changed anywhere, cut short or is of another version is refused with what to do', async (context) => {
  const bob = await member();
  const rooms = new SavedRooms(folderOf(context));
  const place = await placeFor(rooms, 'kitchen', bob.identity, bob.room.id);
  await place.save(stateOf(bob), 'bob');
  const path = rooms.path('kitchen');
  const whole = readFileSync(path);
  const refused = async (bytes: Uint8Array, what: RegExp): Promise<void> => {
    writeFileSync(path, bytes);
    await assert.rejects(rooms.open('kitchen', bob.identity), (error) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, what);
      assert.match(error.message, /Put a copy of it back, or remove it and join with an invitation\.$/);
      assert.ok(error.message.startsWith(path));
      return true;
    });
  };
  for (let at = 0; at < whole.length; at += Math.ceil(whole.length / 97)) {
    const changed = new Uint8Array(whole);
    changed[at] = (changed[at] ?? 0) ^ 0x10;
    await refused(changed, /changed|damaged|no saved room|version/);
  }
  for (const length of [0, 1, 16, 17, 40, 120, whole.length - 1])
    await refused(whole.subarray(0, length), /changed|damaged|no saved room|version/);
  const newer = new Uint8Array(whole);
  newer[16] = 2;
  await refused(newer, /another version of securechat/);
  // What cannot be read is not listed, and keeps no other from being.
  assert.deepEqual(await rooms.list(), []);
});

test('what is no file under a saved name holds nothing up', async (context) => {
  const folder = folderOf(context);
  const rooms = new SavedRooms(folder);
  mkdirSync(rooms.path('attic'), { recursive: true });
  execFileSync('mkfifo', [rooms.path('kitchen')]);
  symlinkSync('/dev/zero', rooms.path('cellar'));
  for (const name of ['attic', 'kitchen', 'cellar'])
    await assert.rejects(rooms.head(name), /is no saved room\. Put a copy of it back/);
  assert.deepEqual(await rooms.list(), []);
});

test('a name that there is not is told with the nearest one and all there are', async (context) => {
  const rooms = new SavedRooms(folderOf(context));
  await assert.rejects(rooms.head('kitchen'), /no saved room @kitchen, nor any other/);
  const bob = await member();
  const place = await placeFor(rooms, 'kitchen', bob.identity, bob.room.id);
  await place.save(stateOf(bob), 'bob');
  await assert.rejects(
    rooms.head('kitchn'),
    /no saved room @kitchn\. Did you mean @kitchen\? Saved are: @kitchen\./,
  );
  const other = roomId(new Uint8Array(16).fill(9));
  assert.equal(await rooms.nameFor('Kitchen', bob.room.id), 'kitchen');
  assert.equal(await rooms.nameFor('Kitchen', other), 'kitchen-2');
  await rooms.checkName('kitchen', bob.room.id);
  await assert.rejects(rooms.checkName('kitchen', other), /@kitchen is another room: The Kitchen/);
  assert.equal(await rooms.lock('kitchen'), null);
});

test('names are short words, whatever others call their rooms', () => {
  const names: readonly (readonly [string, string])[] = [
    ['Kitchen', 'kitchen'],
    ['  The Küche!  ', 'the-kuche'],
    ['../../etc/passwd', 'etc-passwd'],
    ['日本', 'room'],
    ['CON', 'room'],
    ['\u202eevil', 'evil'],
    ['x'.repeat(64), 'x'.repeat(28)],
  ];
  for (const [roomName, name] of names) {
    assert.equal(savedNameOf(roomName), name);
    assert.equal(checkSavedName(`@${name}`), name);
  }
  for (const bad of ['', '@', '.', '../x', 'a/b', '-a', 'a-', 'con', 'lpt1', 'x'.repeat(33)])
    assert.throws(() => checkSavedName(bad), InputError);
});

test('rooms are listed with when they were last seen, and chosen by number or name', async (context) => {
  const bob = await member();
  const rooms = new SavedRooms(folderOf(context));
  for (const name of ['kitchen', 'attic']) {
    const place = await placeFor(rooms, name, bob.identity, bob.room.id);
    await place.save(stateOf(bob), 'bob');
  }
  const list = await rooms.list();
  const nowMs = (list[0]?.head.lastSeenMs ?? 0) + 2.5 * 3_600_000;
  assert.deepEqual(roomLines(list.slice(0, 1), nowMs), ['1  @attic  The Kitchen, as bob, 2 h ago']);
  for (const [typed, name] of [
    ['1', 'attic'],
    ['@kitchen', 'kitchen'],
    ['kitchen', 'kitchen'],
  ]) {
    const answers = ['@cellar', '7', typed ?? ''];
    const front = { ask: async () => answers.shift() ?? '' };
    assert.deepEqual(await chooseRoom(list, front, nowMs), { kind: 'saved', name });
    assert.deepEqual(answers, []);
  }
  const texts = [30_000, 60_000, 59 * 60_000, 24 * 3_600_000, 3 * 24 * 3_600_000].map(ago);
  assert.deepEqual(texts, ['just now', '1 min ago', '59 min ago', '1 day ago', '3 days ago']);
});

test('a disk that takes nothing is told of once, acknowledges nothing, and is tried again', async (context) => {
  const bob = await member();
  const folder = folderOf(context);
  const rooms = new SavedRooms(folder);
  const place = await placeFor(rooms, 'kitchen', bob.identity, bob.room.id);
  const problems: string[] = [];
  const saved: number[] = [];
  const keeper = new StateKeeper({
    place,
    onSaved: ({ entries }) => void saved.push(entries),
    onProblem: (text) => void problems.push(text),
  });
  const pass = async (nowMs: number): Promise<void> => {
    keeper.tick(bob.session, nowMs);
    while (keeper.busy) await new Promise((resolve) => setImmediate(resolve));
  };
  rmSync(folder, { recursive: true });
  await pass(Date.now());
  await pass(Date.now() + 60_000);
  assert.deepEqual(saved, []);
  assert.equal(problems.length, 1);
  assert.match(
    problems[0] ?? '',
    /^This room cannot be saved: there is no such file or folder\. It is tried again/,
  );
  await rooms.lock('other');
  await pass(Date.now() + 120_000);
  assert.deepEqual(saved, [bob.session.position?.index]);
  // Nothing new, nothing written.
  const before = statSync(rooms.path('kitchen')).mtimeMs;
  await pass(Date.now() + 180_000);
  assert.deepEqual([saved.length, statSync(rooms.path('kitchen')).mtimeMs], [1, before]);
});

test('a save under way is waited for before the file is given up', async (context) => {
  const bob = await member();
  const rooms = new SavedRooms(folderOf(context));
  const place = await placeFor(rooms, 'kitchen', bob.identity, bob.room.id);
  const keeper = new StateKeeper({ place, onSaved() {}, onProblem: assert.fail });
  keeper.tick(bob.session, Date.now());
  assert.equal(keeper.busy, true);
  await keeper.idle();
  assert.equal(keeper.busy, false);
  assert.equal((await rooms.list()).length, 1);
  await place.forget();
  assert.deepEqual(await rooms.list(), []);
});

test('what a program left that was killed while it saved is taken over, and given up with the rest', async (context) => {
  const folder = folderOf(context);
  const bob = await member();
  const rooms = new SavedRooms(folder);
  const place = await placeFor(rooms, 'kitchen', bob.identity, bob.room.id);
  const left = `${rooms.path('kitchen')}.new`;
  writeFileSync(left, 'half of a state');
  await place.save(stateOf(bob), 'bob');
  assert.deepEqual(readdirSync(join(folder, 'saved')).sort(), ['kitchen.lock', 'kitchen.room']);
  writeFileSync(left, 'half of a state');
  await place.forget();
  assert.deepEqual(readdirSync(join(folder, 'saved')), ['kitchen.lock']);
});
