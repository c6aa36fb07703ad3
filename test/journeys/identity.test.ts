/** One identity over several runs of the program: made, shown, joined with, come back with, banned. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonEvent } from '../../src/terminal/json-lines.ts';
import { ANSWER, type HostedRoom, journeysIn, type Program, type Stage } from '../helpers/program.ts';

const PASSPHRASE = 'three small words';

type MemberEvent = Extract<JsonEvent, { type: 'member' }>;

type IdentityEvent = Extract<JsonEvent, { type: 'identity' }>;

interface Place {
  /** As it was told when ann.pem was made. */
  readonly made: IdentityEvent;
  readonly room: HostedRoom;
}

async function open(stage: Stage): Promise<Place> {
  return { made: await newIdentity(stage, 'ann.pem'), room: await stage.room() };
}

const about =
  (change: MemberEvent['change'], nick: string) =>
  (event: MemberEvent): boolean =>
    event.change === change && event.member.nick === nick;

/** Makes an identity over `--json`. @returns what it was told to be */
async function newIdentity(stage: Stage, file: string, words: readonly string[] = []) {
  const program = stage.start('keeper', ['identity', 'new', file, '--json', ...words]);
  await program.answer('new-passphrase', PASSPHRASE);
  await program.answer('new-passphrase-again', PASSPHRASE);
  const made = await program.until('identity');
  assert.equal(await program.exit, 0);
  return made;
}

/** A guest with an identity who has answered everything but the code. */
async function atCode(stage: Stage, nick: string, room: HostedRoom, file: string): Promise<Program> {
  const words = ['--identity', file, '--passphrase-file', stage.file(PASSPHRASE)];
  const { token } = await room.invite();
  const guest = await stage.guestAtCode(nick, room, { words, token });
  await guest.answer('code', room.code);
  return guest;
}

async function quit(program: Program): Promise<void> {
  program.send({ type: 'quit' });
  assert.equal(await program.exit, 0);
}

async function texts(one: Program, other: Program, text: string): Promise<void> {
  one.say(text);
  await other.until('message', { text });
}

journeysIn<Place>('a kept identity', open, (journey) => {
  journey('is the same member after leaving, and after a crash', async ({ made, room }, stage) => {
    assert.equal(made.algorithm, 'rsa');
    const shown = stage.start('shown', ['identity', 'show', 'ann.pem', '--json']);
    await shown.answer('passphrase', PASSPHRASE);
    assert.deepEqual(await shown.until('identity'), made);
    assert.equal(await shown.exit, 0);

    const bob = await stage.guest('bob', room);
    const first = await atCode(stage, 'ann', room, 'ann.pem');
    const told = await first.until('notice', { code: 'identity' });
    assert.match(told.text, /^You join as key .* \(identity ann\.pem\)\.$/);
    const { self } = await first.until('joined');
    assert.deepEqual([self.id, self.fingerprint], [made.member, made.fingerprint]);
    await texts(first, bob, 'hello from the first run');

    await quit(first);
    await bob.until('member', about('left', 'ann'));
    const second = await atCode(stage, 'ann', room, 'ann.pem');
    assert.equal((await second.until('joined')).self.id, made.member);
    assert.equal((await bob.until('member', about('joined', 'ann'))).member.id, made.member);
    await texts(second, bob, 'hello from the second run');
    await texts(bob, second, 'welcome back');

    // Nobody leaves: the host keeps the place, and the next run takes it with keys of its own.
    second.kill();
    await bob.until('member', about('offline', 'ann'));
    const third = await atCode(stage, 'someone-else', room, 'ann.pem');
    const back = await third.until('joined');
    assert.deepEqual([back.self.id, back.self.nick], [made.member, 'ann'], 'the place, nickname and all');
    await bob.until('member', about('online', 'ann'));
    // Bob's chain was given to a run that is gone: his next message is lost on this one, which asks for the key.
    bob.say('welcome again');
    assert.match((await third.until('notice', { code: 'unopened' })).text, /of bob/);
    await texts(third, bob, 'hello from the third run');
    await texts(bob, third, 'once more, then');
    await texts(room.host, third, 'from the host too');
    for (const one of [room.host, bob, third])
      assert.ok(!one.events.some((event) => event.type === 'notice' && event.level === 'alarm'));
    for (const one of [third, bob]) await quit(one);
  });

  journey('P36: a second program with it is refused, and the first stays', async ({ room }, stage) => {
    const made = await newIdentity(stage, 'dora.pem', ['--sign', 'dsa']);
    assert.equal(made.algorithm, 'dsa');
    const first = await atCode(stage, 'dora', room, 'dora.pem');
    await first.until('joined');
    const second = await atCode(stage, 'other', room, 'dora.pem');
    assert.equal((await second.until('closed')).code, 'already-online');
    assert.equal(await second.exit, 4);
    await texts(first, room.host, 'still here');
    await quit(first);
  });

  journey('P54: a ban holds it under every nickname', async ({ room }, stage) => {
    await newIdentity(stage, 'rob.pem');
    const rob = await atCode(stage, 'rob', room, 'rob.pem');
    await rob.until('joined');
    room.host.command('/ban rob');
    assert.equal((await rob.until('closed')).code, 'removed');
    const again = await atCode(stage, 'robert', room, 'rob.pem');
    assert.equal((await again.until('closed')).code, 'banned');
    assert.equal(await again.exit, 4);
    // Another key is another member.
    await quit(await stage.guest('robert', room, { token: (await room.invite()).token }));
  });

  journey('the host may have one, and so may a room be left and opened again', async ({ made }, stage) => {
    for (const _ of ['first', 'second']) {
      const host = stage.start('host', [
        ...['s', '--json', '--nick', 'olga', '--listen', '127.0.0.1:0', '--question', 'Where?'],
        ...['--identity', 'ann.pem'],
      ]);
      // Before anything else is asked.
      await host.answer('passphrase', 'wrong');
      const again = await host.answer('passphrase', PASSPHRASE);
      assert.equal(again.triesLeft, 2);
      await host.answer('answer', ANSWER);
      assert.equal((await host.until('joined')).self.id, made.member);
      await quit(host);
    }
  });

  journey(
    'is made, used and given another passphrase at a terminal, where nothing of it shows',
    async ({ room }, stage) => {
      const size = { columns: 120, rows: 30 };
      const making = stage.terminal(['identity', 'new', 'tess.pem'], size);
      await making.waitFor('A new passphrase for tess.pem?');
      making.enter(PASSPHRASE);
      await making.waitFor('Once more?');
      making.enter(PASSPHRASE);
      const fingerprint = /fingerprint +((?:[\da-f]{4} ){7}[\da-f]{4})/.exec(
        await making.waitFor('member '),
      )?.[1];
      assert.deepEqual(await making.left(), { exitCode: 0, restored: true });

      const before = readFileSync(join(stage.folder, 'tess.pem'), 'utf8');
      const changing = stage.terminal(['identity', 'passwd', 'tess.pem'], size);
      await changing.waitFor('The passphrase of tess.pem?');
      changing.enter(PASSPHRASE);
      await changing.waitFor('A new passphrase for tess.pem?');
      changing.enter('another one');
      await changing.waitFor('Once more?');
      changing.enter('another one');
      assert.deepEqual(await changing.left(), { exitCode: 0, restored: true });
      assert.notEqual(readFileSync(join(stage.folder, 'tess.pem'), 'utf8'), before);

      const words = ['c', '--nick', 'tess', '--identity', 'tess.pem', ...stage.secrets(room)];
      const tess = stage.terminal(words, size);
      await tess.waitFor('The passphrase of tess.pem? (3 tries left)');
      tess.enter(PASSPHRASE);
      await tess.waitFor('(2 tries left)');
      tess.enter('another one');
      await tess.waitFor(`You join as key ${fingerprint} (identity tess.pem).`);
      await tess.waitFor('You are tess');
      for (const terminal of [making, changing, tess]) {
        assert.ok(!terminal.bytes.includes('small'));
        assert.ok(!terminal.bytes.includes('another one'));
      }
      tess.enter('/quit');
      await tess.left();
    },
  );

  journey('nobody is asked with --no-input, and giving up leaves no file', async (_, stage) => {
    const mute = stage.start('mute', ['c', '--identity', 'ann.pem', '--no-input']);
    assert.equal(await mute.exit, 2);
    assert.match(
      mute.stderr,
      /passphrase of ann\.pem\? Nobody .* --no-input: give it with --passphrase-file/,
    );
    const unnamed = stage.start('unnamed', ['identity', 'new', 'none.pem', '--no-input']);
    assert.equal(await unnamed.exit, 2);
    assert.match(unnamed.stderr, /give it with --passphrase-file/);
    const passwd = stage.start('passwd', [
      ...['identity', 'passwd', 'ann.pem', '--no-input'],
      ...['--passphrase-file', stage.file(PASSPHRASE)],
    ]);
    assert.equal(await passwd.exit, 2);
    assert.match(passwd.stderr, /only ever asked for/);
    const gone = stage.start('gone', ['identity', 'new', 'other.pem']);
    gone.end('a passphrase\n');
    assert.equal(await gone.exit, 4);
    assert.ok(!existsSync(join(stage.folder, 'other.pem')));
  });
});
