/** What was tried against rooms that last, from outside and from within, kept from reviews. @see docs/security.md#promises */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { exportRoom } from '../../src/app/rooms/export-room.ts';
import { RoomFolder } from '../../src/app/rooms/room-folder.ts';
import { HIDDEN_CHARACTERS } from '../../src/protocol/clean-text.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { copyRoom } from '../../src/storage/room-copy.ts';
import { readRoom } from '../../src/storage/room-look.ts';
import { openRoom } from '../helpers/room.ts';
import { createStore, newPath, openStore } from '../helpers/room-file.ts';

test('P49 a room that was restored, and opened often before someone comes back, alarms nobody', async () => {
  const [path, copy] = [newPath(), newPath()];
  const store = createStore(path);
  const room = await openRoom({ keeps: 'ciphertext', store });
  const alice = await room.join('alice', { keeps: 'when-saved' });
  const bob = await room.join('bob');
  room.room.save();
  store.commit();
  await copyRoom(path, copy);
  for (let number = 0; number < 20; number += 1) {
    bob.say(`lost ${number}`);
    room.advance(250);
  }
  const saved = alice.save();
  store.close();

  let { nowMs } = room.clock;
  let kept = openStore(copy);
  for (let day = 0; day < 10; day += 1) {
    nowMs += 24 * 60 * 60_000;
    await openRoom({ keeps: 'ciphertext', store: kept, startMs: nowMs });
    kept.commit();
    kept.close();
    kept = openStore(copy);
  }
  const again = await openRoom({ keeps: 'ciphertext', store: kept, startMs: nowMs + 1_000 });
  const back = await again.person('', { identity: alice.identity, saved, keeps: 'when-saved' });
  back.comeBack();
  again.pump();
  assert.equal(back.wantsReconnect, true);
  back.loseLine();
  back.comeBack();
  again.advance(1_000);
  assert.ok(back.live);
  assert.deepEqual(back.alarms, []);
  assert.match(
    back.eventsOf('notice')[0]?.text ?? '',
    /^The host restarted and lost the last \d+ entries\.$/,
  );
  kept.close();
});

test('P42 what is exported of a room is safe to look at, and decodes to the exact text', async (context) => {
  const home = mkdtempSync(join(tmpdir(), 'securechat-export-'));
  context.after(() => rmSync(home, { recursive: true }));
  const folder = new RoomFolder(home);
  await folder.make();
  const topic = 'a \u202etopic \u009b2J of a moderator \u200b';
  const store = createStore(folder.place('kitchen').file);
  await openRoom({ keeps: 'ciphertext', store, settings: { topic } });
  store.commit();
  store.close();
  const file = join(home, 'kitchen.json');
  await exportRoom(folder, 'kitchen', file);
  const text = readFileSync(file, 'utf8');
  assert.deepEqual(text.replaceAll('\n', '').match(HIDDEN_CHARACTERS), null);
  assert.equal(JSON.parse(text).room.topic, topic);
});

test('keys for someone who never comes back go with the messages that they open', async () => {
  const path = newPath();
  const store = createStore(path);
  const room = await openRoom({ keeps: 'ciphertext', store });
  const alice = await room.join('alice', { prefers: { stays: true, receipts: true, lastSeen: true } });
  const bob = await room.join('bob');
  room.advance(1_000);
  alice.loseLine();
  bob.say('for alice');
  room.advance(1_000);
  const waiting = (): readonly [number, number] => {
    room.room.save();
    store.commit();
    const { kept, waiting: messages } = readRoom(path);
    return [messages, kept?.members.flatMap(({ wraps }) => wraps).length ?? 0];
  };
  assert.deepEqual(waiting(), [1, 1]);
  room.clock.nowMs += LIMITS.backlogMs + 3 * LIMITS.chainMs;
  room.advance(1_000);
  assert.deepEqual(waiting(), [0, 0]);
  store.close();
});
