/** What keeps a kept room from opening, over the real program, and disks that are full or can only be read. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe } from 'node:test';
import { ends, newRoom, opening, refuses, reopened, textsOf } from '../helpers/kept-host.ts';
import { ANSWER, journey, QUESTION, type Stage } from '../helpers/program.ts';
import { freePort } from '../helpers/relay.ts';
import { available } from '../helpers/tools.ts';

describe('a room that does not open', () => {
  journey('says why: another name, another identity, no home', async (stage) => {
    await ends(await newRoom(stage));
    await refuses(
      opening(stage, ['--room', 'Attic']),
      2,
      'conflict',
      /^The room kept as kitchen is called Kitchen: leave --room out\.$/,
    );
    await ends(await reopened(stage, ['--room', 'Kitchen', '--no-chat']));
    const passphrase = stage.file('three small words');
    const making = ['identity', 'new', 'ann.pem', '--sign', 'dsa', '--passphrase-file', passphrase];
    assert.equal(await stage.start('keeper', making).exit, 0);
    const identity = ['--identity', 'ann.pem', '--passphrase-file', passphrase];
    await refuses(
      opening(stage, identity),
      2,
      'conflict',
      /^The host of this room is olga, under another key: use the identity it was made with\.$/,
    );
    const misnamed = opening(stage, [], ['--keep', 'Old Kitchen']);
    assert.equal(await misnamed.exit, 2);
    assert.match(misnamed.stderr, /A kept room's name is 1 to 40 of a-z, 0-9, _ and -, and begins/);

    const homeless = stage.start('host', ['s', '--json', '--keep', 'kitchen'], ['env', 'HOME=']);
    await refuses(
      homeless,
      2,
      'no-home',
      /^This account has no home folder to keep a room in\. Set HOME and try again\.$/,
    );
  });

  journey('says why: a file that is damaged, or of a newer program', async (stage) => {
    await ends(await newRoom(stage, ['--no-chat']));
    const file = join(stage.rooms, 'kitchen.room');
    const whole = readFileSync(file);
    const newer = new DatabaseSync(file);
    newer.exec('PRAGMA user_version = 1000; PRAGMA journal_mode = DELETE');
    newer.close();
    await refuses(
      opening(stage),
      1,
      'room-newer',
      /kitchen\.room was written by a newer securechat\. Use that one, or a newer one\.$/,
    );
    const damaged = Buffer.from(whole);
    damaged.fill(0xff, 4_096, 8_192);
    for (const bytes of [damaged, whole.subarray(0, 5_000), Buffer.from('no database '.repeat(500))]) {
      writeFileSync(file, bytes);
      await refuses(
        opening(stage),
        1,
        'room-damaged',
        /kitchen\.room is damaged\. Restore a backup of it \(securechat rooms restore\), or move it away and begin anew\.$/,
      );
      assert.deepEqual(readFileSync(file), bytes);
    }
    writeFileSync(file, whole);
    await ends(await reopened(stage, ['--no-chat']));
  });
});

/** A small disk in place of the rooms' folder, for as long as the test lasts. */
function mountDisk(stage: Stage, kib: number): void {
  mkdirSync(stage.rooms, { recursive: true, mode: 0o700 });
  mount(['-t', 'tmpfs', '-o', `size=${kib}k,mode=700`, 'none', stage.rooms]);
  stage.onClose(() => spawnSync('umount', ['-l', stage.rooms]));
}

function mount(words: readonly string[]): void {
  assert.equal(spawnSync('mount', words).status, 0);
}

if (available(['unshare', '-m', 'true'], 'a disk that is full, and one that cannot be written to')) {
  describe('a disk', () => {
    journey('that is full ends the host; what anybody was told is there again, once', async (stage) => {
      mountDisk(stage, 768);
      const listen = `127.0.0.1:${await freePort()}`;
      const room = await newRoom(stage, ['--listen', listen, '--no-chat']);
      const [ann, bob] = [await stage.guest('ann', room), await stage.guest('bob', room)];
      bob.kill('SIGSTOP');
      const said: string[] = [];
      for (let number = 0; number < 60; number += 1) {
        said.push(`message ${number} `.padEnd(12_000, String(number)));
        ann.say(said.at(-1) ?? '');
      }
      const error = await room.host.until('error');
      assert.match(
        error.message,
        /^The disk is full: .*kitchen\.room cannot grow\. Nothing that was acknowledged is lost\. Free some space, and open the room again\.$/,
      );
      assert.equal(error.code, 'disk-full');
      assert.equal(await room.host.exit, 1);
      const placed = textsOf(ann).length;
      assert.ok(placed > 0 && placed < said.length, `${placed}`);
      // Still full: trying makes nothing worse.
      const inVain = opening(stage, ['--listen', listen, '--no-chat']);
      assert.equal(await inVain.exit, 1);
      assert.equal((await inVain.until('error')).code, 'disk-full');
      mount(['-o', 'remount,size=64m', stage.rooms]);
      bob.kill('SIGCONT');
      const back = await reopened(stage, ['--listen', listen, '--no-chat']);
      for (const member of [ann, bob]) {
        await member.until('message', { text: said.at(-1) ?? '' });
        assert.deepEqual(textsOf(member), said);
        assert.ok(!member.events.some((event) => event.type === 'notice' && event.level === 'alarm'));
      }
      await ends(back);
    });

    journey('that cannot be written to is told as that, and nothing on it changes', async (stage) => {
      mountDisk(stage, 8_192);
      await ends(await newRoom(stage, ['--no-chat']));
      const before = readFileSync(join(stage.rooms, 'kitchen.room'));
      mount(['-o', 'remount,ro', stage.rooms]);
      const sentence =
        /cannot be written to\. Make it and its folder writable for yourself, and try again\.$/;
      await refuses(opening(stage, ['--no-chat']), 1, 'read-only', sentence);
      const another = opening(
        stage,
        ['--no-chat', '--question', QUESTION, '--room', 'Attic', '--answer-file', stage.file(ANSWER)],
        ['--keep', 'attic'],
      );
      await refuses(another, 1, 'read-only', sentence);
      assert.deepEqual(readFileSync(join(stage.rooms, 'kitchen.room')), before);
      mount(['-o', 'remount,rw', stage.rooms]);
      await ends(await reopened(stage, ['--no-chat']));
    });
  });
}
