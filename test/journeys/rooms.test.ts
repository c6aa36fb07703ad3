/** Kept rooms from outside: listed, renamed, written down, deleted, backed up while they run, and restored. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe } from 'node:test';
import { ANSWER, HostedRoom, journey, type Program, type Stage } from '../helpers/program.ts';

/** Runs `securechat rooms` to its end. */
async function rooms(stage: Stage, ...words: readonly string[]): Promise<Program & { code: unknown }> {
  const program = stage.start('rooms', ['rooms', ...words, '--json']);
  program.end();
  return Object.assign(program, { code: await program.exit });
}

async function list(stage: Stage) {
  const { events, code } = await rooms(stage);
  assert.equal(code, 0);
  return events.flatMap((event) => (event.type === 'room-kept' ? [event] : []));
}

async function refuses(stage: Stage, words: readonly string[], exitCode: number, code: string, text: RegExp) {
  const told = await rooms(stage, ...words);
  assert.equal(told.code, exitCode, told.stdout);
  const error = await told.until('error');
  assert.equal(error.code, code);
  assert.match(error.message, text);
}

async function does(stage: Stage, ...words: readonly string[]): Promise<string> {
  const { events, code, stdout } = await rooms(stage, ...words);
  assert.equal(code, 0, stdout);
  return events.flatMap((event) => (event.type === 'notice' ? [event.text] : [])).join('\n');
}

async function keptRoom(stage: Stage): Promise<HostedRoom> {
  return stage.room(['--keep', 'kitchen', '--room', 'Kitchen']);
}

async function reopened(stage: Stage, name = 'kitchen', port = 0): Promise<HostedRoom> {
  const words = ['s', '--json', '--nick', 'olga', '--listen', `127.0.0.1:${port}`, '--keep', name];
  const host = stage.start('host', words);
  const ready = await host.until('ready');
  await host.until('joined');
  return new HostedRoom(host, ready);
}

async function ends(program: Program): Promise<void> {
  program.send({ type: 'quit' });
  assert.equal(await program.exit, 0);
}

async function says(one: Program, text: string): Promise<void> {
  one.say(text);
  await one.until('message', { text });
}

const files = (stage: Stage): readonly string[] => readdirSync(stage.rooms).sort();

describe('kept rooms', () => {
  journey('listed, written down, renamed and deleted, and left alone while open', async (stage) => {
    const room = await keptRoom(stage);
    await stage.guest('ann', room);
    await says(room.host, 'a word that nobody else may read');

    const [open, ...others] = await list(stage);
    assert.deepEqual(others, []);
    assert.deepEqual(
      [open?.name, open?.room, open?.members, open?.open, open?.file, open?.problem],
      ['kitchen', 'Kitchen', 2, true, join(stage.rooms, 'kitchen.room'), undefined],
    );
    assert.ok((open?.bytes ?? 0) > 4_096 && Number.isFinite(Date.parse(open?.openedAt ?? '')));

    for (const words of [
      ['rename', 'kitchen', 'attic'],
      ['delete', 'kitchen', '--yes'],
    ])
      await refuses(stage, words, 2, 'room-open', /open in another program/);
    await refuses(stage, ['rename', 'kitchn', 'attic'], 2, 'no-such-room', /Did you mean kitchen\?/);

    const path = join(stage.folder, 'kitchen.json');
    await does(stage, 'export', 'kitchen', path);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const text = readFileSync(path, 'utf8');
    for (const secret of [room.token, room.token.split('.')[2] ?? '', ANSWER, 'a word', 'PRIVATE KEY'])
      assert.ok(secret.length > 5 && !text.includes(secret));
    const report = JSON.parse(text);
    assert.deepEqual([report.room.name, report.room.ownerFingerprint], ['Kitchen', room.ready.fingerprint]);
    assert.deepEqual(
      report.members.map(({ nick, role }: { nick: string; role: string }) => `${nick} ${role}`).sort(),
      ['ann member', 'olga owner'],
    );
    assert.ok(
      report.invitations.some(
        (each: { state: string; usesLeft: number }) => each.usesLeft === 15 && each.state === 'open',
      ),
    );
    await refuses(stage, ['export', 'kitchen', path], 2, 'file', /left as it is/);
    assert.equal(readFileSync(path, 'utf8'), text);

    await ends(room.host);
    assert.equal((await list(stage))[0]?.open, false);
    await refuses(stage, ['rename', 'kitchen', 'Old Kitchen'], 2, 'room-name', /begins with a letter/);
    assert.match(await does(stage, 'rename', 'kitchen', 'attic'), /kept as attic from now on/);
    // What the host itself has read lies beside it.
    assert.deepEqual(files(stage), ['attic.lock', 'attic.room', 'attic.self']);
    assert.equal((await list(stage))[0]?.name, 'attic');

    await refuses(stage, ['delete', 'attic'], 2, 'not-confirmed', /--yes/);
    const terminal = stage.terminal(['rooms', 'delete', 'attic']);
    await terminal.waitFor('Type its name to delete it:');
    terminal.enter('kitchen');
    assert.equal((await terminal.left()).exitCode, 2);
    assert.equal((await list(stage)).length, 1);
    const again = stage.terminal(['rooms', 'delete', 'attic']);
    await again.waitFor('Type its name to delete it:');
    again.enter('attic');
    assert.equal((await again.left()).exitCode, 0);
    assert.deepEqual(files(stage), []);
  });

  journey('a backup of a room that talks restores it, with its invitations suspended', async (stage) => {
    const room = await keptRoom(stage);
    const ann = await stage.guest('ann', room);
    for (let number = 0; number < 20; number += 1) ann.say(`before ${number}`);
    await room.host.until('message', { text: 'before 10' });
    const path = join(stage.folder, 'kitchen.backup');
    assert.match(await does(stage, 'backup', 'kitchen', path), /checked/);
    await says(ann, 'after');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.deepEqual(
      readdirSync(stage.folder).filter((file) => /backup|\.new/.test(file)),
      ['kitchen.backup'],
    );
    await refuses(stage, ['backup', 'kitchen', path], 2, 'file', /left as it is/);
    await refuses(stage, ['restore', path], 2, 'room-taken', /is kept as kitchen already/);
    const { token } = room;
    await ends(room.host);

    await does(stage, 'delete', 'kitchen', '--yes');
    // The journal of another room, which SQLite would take for this one's.
    writeFileSync(join(stage.rooms, 'kitchen.room-wal'), 'left behind');
    const told = await does(stage, 'restore', path);
    assert.match(told, /kept as kitchen, as it was/);
    assert.match(told, /removed or banned since then is a member again, and passwords are those of then/);
    assert.match(told, /open then \(1\).*suspended/);
    assert.deepEqual(files(stage), ['kitchen.lock', 'kitchen.room']);
    assert.equal(statSync(join(stage.rooms, 'kitchen.room')).mode & 0o777, 0o600);
    // A second copy is the same room: whoever has both is told.
    assert.match(await does(stage, 'restore', path, 'spare'), /kept as kitchen too/);

    const back = await reopened(stage, 'kitchen', room.port);
    const joined = back.host.events.find((event) => event.type === 'joined');
    assert.deepEqual(joined?.members.map(({ nick }) => nick).sort(), ['ann', 'olga']);
    // Who had read on is told what is lost, and goes on from there.
    const lost = await ann.until('notice', { code: 'entries-lost' });
    assert.match(lost.text, /lost the last/);
    await ann.until('notice', { code: 'reconnected' });
    await says(ann, 'here again');
    await back.host.until('message', { text: 'here again' });

    const bob = stage.start('bob', ['c', '--json', '--nick', 'bob']);
    await bob.answer('token', token);
    assert.equal((await bob.until('closed')).code, 'suspended');
    back.host.command('/invite resume 1');
    await back.host.until('notice', { code: 'invite' });
    const again = await stage.guest('bob', back, { token });
    await says(again, 'hello from the room as it was');
    await back.host.until('message', { text: 'hello from the room as it was' });
    await ends(back.host);
  });

  journey('P14: what a killed host has committed goes along to another name', async (stage) => {
    const room = await keptRoom(stage);
    await stage.guest('ann', room);
    room.host.kill();
    await room.host.exit;
    assert.ok(existsSync(join(stage.rooms, 'kitchen.room-wal')));
    assert.deepEqual(
      (await list(stage)).map(({ members, open }) => [members, open]),
      [[2, false]],
    );
    await does(stage, 'rename', 'kitchen', 'attic');
    assert.equal((await list(stage))[0]?.members, 2);
    const back = await reopened(stage, 'attic');
    await ends(back.host);
  });

  journey('what is damaged, newer or no room is listed and told as that', async (stage) => {
    const room = await keptRoom(stage);
    await ends(room.host);
    const path = join(stage.folder, 'kitchen.backup');
    await does(stage, 'backup', 'kitchen', path);
    writeFileSync(join(stage.rooms, 'attic.room'), 'a letter that is no database at all '.repeat(30));
    await does(stage, 'restore', path, 'cellar');
    const newer = new DatabaseSync(join(stage.rooms, 'cellar.room'));
    newer.exec('PRAGMA user_version = 1000');
    newer.close();
    assert.deepEqual(
      (await list(stage)).map(({ name, problem }) => [name, problem?.code]),
      [
        ['attic', 'room-damaged'],
        ['cellar', 'room-newer'],
        ['kitchen', undefined],
      ],
    );
    const shown = stage.start('shown', ['rooms']);
    assert.equal(await shown.exit, 0);
    assert.match(shown.stdout, /^attic: .* is damaged\. Restore a backup/m);
    assert.match(shown.stdout, /^kitchen: Kitchen, 1 member, \d+ messages? waiting, \d+ KiB, opened /m);

    // In the middle, where the log is: only who reads all of it finds that.
    const bytes = readFileSync(path);
    const page = Math.floor(bytes.length / 8_192) * 4_096;
    bytes.fill(0xff, page, page + 4_096);
    writeFileSync(path, bytes);
    const before = files(stage);
    await refuses(stage, ['restore', path, 'garden'], 1, 'room-damaged', /nothing has been restored/);
    await refuses(
      stage,
      ['restore', join(stage.folder, 'nothing'), 'garden'],
      1,
      'room-file',
      /is not there/,
    );
    await refuses(
      stage,
      ['backup', 'attic', join(stage.folder, 'a.backup')],
      1,
      'room-damaged',
      /attic\.room is damaged/,
    );
    await refuses(stage, ['backup', 'kitchen', '/nowhere/at/all'], 2, 'file', /Cannot write/);
    assert.deepEqual(
      files(stage).filter((file) => file !== 'garden.lock'),
      before,
    );
    assert.ok(!existsSync(join(stage.folder, 'a.backup')));
    await does(stage, 'delete', 'attic', '--yes');
  });

  journey('another question stays, also where the host takes part for the first time', async (stage) => {
    const room = await stage.room(['--keep', 'kitchen', '--room', 'Kitchen', '--no-chat']);
    await ends(room.host);
    const words = ['s', '--json', '--nick', 'olga', '--listen', '127.0.0.1:0', '--keep', 'kitchen'];
    const other = stage.start('other', [...words, '--question', 'What stood in the hall?']);
    await other.answer('answer', 'a green clock');
    await other.until('joined');
    await ends(other);
    const again = await reopened(stage);
    assert.equal(again.ready.question, 'What stood in the hall?');
    await ends(again.host);
  });
});
