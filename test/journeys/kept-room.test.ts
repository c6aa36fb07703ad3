/** Rooms that last, over the real program: what is there again after a restart, and what keeps a room from opening. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe } from 'node:test';
import { ANSWER, HostedRoom, journey, type Program, QUESTION, type Stage } from '../helpers/program.ts';
import { freePort } from '../helpers/relay.ts';
import { available } from '../helpers/tools.ts';

const QUICK = ['--sign', 'dsa'] as const;

/** A room that is made now and kept as `kitchen`. */
function newRoom(stage: Stage, words: readonly string[] = []): Promise<HostedRoom> {
  return stage.room(['--keep', 'kitchen', '--room', 'Kitchen', ...QUICK, ...words]);
}

/** The same room's host once more; nothing is answered. */
function opening(
  stage: Stage,
  words: readonly string[] = [],
  keep: readonly string[] = ['--keep', 'kitchen'],
) {
  const where = words.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
  return stage.start('host', ['s', '--json', '--nick', 'olga', ...keep, ...where, ...words]);
}

async function reopened(stage: Stage, words: readonly string[] = []): Promise<HostedRoom> {
  const host = opening(stage, words);
  const ready = await host.until('ready');
  if (!words.includes('--no-chat')) await host.until('joined');
  return new HostedRoom(host, ready);
}

async function ends({ host }: HostedRoom): Promise<void> {
  host.send({ type: 'quit' });
  assert.equal(await host.exit, 0);
}

async function killed({ host }: HostedRoom): Promise<void> {
  host.kill();
  await host.exit;
}

/** It ends with this sentence and nothing else. */
async function refuses(program: Program, exitCode: number, code: string, text: RegExp): Promise<void> {
  const error = await program.until('error');
  assert.match(error.message, text);
  assert.equal(error.code, code);
  assert.equal(await program.exit, exitCode);
  assert.ok(!program.events.some(({ type }) => type === 'ready'));
}

/** What a command of the host answers with. */
async function told(program: Program, line: string, code: string, last: RegExp): Promise<readonly string[]> {
  const from = program.events.length;
  program.command(line);
  await program.until('notice', (event) => event.code === code && last.test(event.text));
  return program.events
    .slice(from)
    .flatMap((event) => (event.type === 'notice' && event.code === code ? [event.text] : []));
}

async function does(program: Program, line: string, code: string): Promise<void> {
  program.command(line);
  await program.until('notice', { code });
}

async function says(from: Program, to: Program, text: string): Promise<void> {
  from.say(text);
  await to.until('message', { text });
}

const textsOf = ({ events }: Program): readonly string[] =>
  events.flatMap((event) => (event.type === 'message' ? [event.text] : []));

describe('a room that is opened again', () => {
  journey(
    'P14: has its members, roles, invitations by number, and bans; a killed host takes nothing back',
    async (stage) => {
      const listen = `127.0.0.1:${await freePort()}`;
      const room = await newRoom(stage, ['--listen', listen, '--topic', 'bees']);
      const { host } = room;
      const ann = await stage.guest('ann', room);
      const carl = await stage.guest('carl', room);
      host.command('/invite new for Bob');
      const bobs = await host.until('invitation');
      host.command('/invite new Dora');
      await host.until('invitation');
      host.command('/op ann');
      await ann.until('member', { change: 'role' });
      host.command('/mute carl 1h');
      await ann.until('member', { change: 'muted' });
      host.command('/ban carl');
      await ann.until('member', { change: 'removed' });
      assert.equal(await carl.exit, 4);
      await does(host, '/invite resume 1', 'invite');
      await says(ann, host, 'said before');

      // What the host was told to be done is done, however soon it ends.
      const other = opening(stage);
      await refuses(
        other,
        2,
        'room-open',
        /^The room kitchen is open in another program already\. End that one first\.$/,
      );
      host.onEvent = (event) => {
        if (event.type === 'notice' && /withdrawn/.test(event.text)) host.kill();
      };
      host.command('/invite revoke 3');
      assert.equal(await host.exit, 'SIGKILL');

      const back = await reopened(stage, ['--listen', listen]);
      const opened = await back.host.until('notice', { code: 'kept' });
      assert.equal(opened.text, 'The room kitchen is open again, with 2 members.');
      const joined = back.host.events.find((event) => event.type === 'joined');
      assert.deepEqual(joined?.members.map(({ nick, role }) => [nick, role]).sort(), [
        ['ann', 'moderator'],
        ['olga', 'owner'],
      ]);
      assert.equal(joined?.room.topic, 'bees');
      assert.equal(back.ready.fingerprint, room.ready.fingerprint);
      // The latest that is open is shown again, and none is made.
      assert.deepEqual([back.ready.invitation.token, back.ready.invitation.label], [bobs.token, 'Bob']);
      const list = await told(back.host, '/invite list', 'invite', /Dora/);
      assert.equal(list.length, 3);
      assert.match(list[0] ?? '', /^1 +open +14 of 16 left/);
      assert.match(list[1] ?? '', /^2 +open +1 of 1 left .* for Bob$/);
      assert.match(list[2] ?? '', /^3 +withdrawn +1 of 1 left +for Dora$/);
      assert.match(
        (await told(back.host, '/banned', 'banned', /\/unban/))[0] ?? '',
        /^carl, until you take it back/,
      );

      await ann.until('notice', { code: 'reconnected' });
      await says(ann, back.host, 'here again');
      const bob = await stage.guest('bob', back, { token: bobs.token });
      await says(bob, ann, 'by the invitation of before');
      assert.deepEqual(textsOf(ann), ['said before', 'here again', 'by the invitation of before']);

      // A ban that is taken back is, too.
      back.host.onEvent = (event) => {
        if (event.type === 'notice' && event.code === 'unban') back.host.kill();
      };
      back.host.command('/unban carl');
      assert.equal(await back.host.exit, 'SIGKILL');
      const third = await reopened(stage, ['--listen', listen]);
      await told(third.host, '/banned', 'banned', /^Nobody is banned\.$/);
      await ends(third);
    },
  );

  journey('asks for its passphrase, or reads it from a file', async (stage) => {
    const right = ['--keep-passphrase-file', stage.file('three small words')];
    await ends(await newRoom(stage, [...right, '--no-chat']));
    const wrong = ['--keep-passphrase-file', stage.file('three other words')];
    const sentence = /^The passphrase does not open the room kitchen\. .*take it from a copy\.$/;
    await refuses(opening(stage, wrong), 2, 'passphrase', sentence);

    const guesser = opening(stage);
    for (let left = 3; left > 0; left -= 1) {
      const asked = await guesser.answer('passphrase', `guess ${left}`);
      assert.deepEqual(
        [asked.message, asked.secret, asked.triesLeft],
        ['The passphrase of the room kitchen?', true, left],
      );
    }
    await refuses(guesser, 2, 'passphrase', /^No passphrase of these opens the room kitchen\./);

    const asking = opening(stage, ['--no-chat']);
    await asking.answer('passphrase', 'three small words');
    const ready = await asking.until('ready');
    await ends(new HostedRoom(asking, ready));
    await ends(await reopened(stage, [...right, '--no-chat']));
    const useless = stage.start('host', ['s', '--json', ...right]);
    await useless.exit;
    assert.match(
      useless.stderr + useless.stdout,
      /--keep-passphrase-file is of a kept room: give --keep as well\./,
    );
  });

  journey('without a name: a new one by what it is called, the only one, or which?', async (stage) => {
    const first = await stage.room(['--keep', '--room', 'Our Kitchen', '--no-chat']);
    await first.host.until('notice', ({ text }) => text.startsWith('This room is kept as our-kitchen.'));
    await ends(first);
    const only = opening(stage, ['--no-chat'], ['--keep']);
    assert.equal((await only.until('ready')).room.id, first.ready.room.id);
    only.send({ type: 'quit' });
    assert.equal(await only.exit, 0);
    await ends(await newRoom(stage, ['--no-chat']));
    await refuses(
      opening(stage, [], ['--keep']),
      2,
      'which-room',
      /^Say which room: --keep NAME\. There are kitchen, our-kitchen\.$/,
    );
    assert.deepEqual(
      readdirSync(stage.rooms).filter((file) => file.endsWith('.room')),
      ['kitchen.room', 'our-kitchen.room'],
    );
  });

  journey('asks everyone who comes another question, once it has one', async (stage) => {
    const listen = ['--listen', `127.0.0.1:${await freePort()}`];
    const room = await newRoom(stage, listen);
    const { token } = room;
    await ends(room);
    const words = [
      ...listen,
      '--question',
      'And where did we part?',
      '--answer-file',
      stage.file('At the station'),
    ];
    const other = await reopened(stage, words);
    const late = stage.start('late', ['c', '--json', '--nick', 'late']);
    await late.answer('token', token);
    assert.equal((await late.answer('answer', ANSWER)).message.includes('And where did we part?'), true);
    assert.equal((await late.answer('answer', 'at the STATION')).triesLeft, 4);
    await late.answer('code', other.code);
    await late.until('joined');
    await says(late, other.host, 'found it');
    await ends(other);
    // From now on, without saying so again.
    const again = await reopened(stage);
    assert.equal(again.ready.question, 'And where did we part?');
    await ends(again);
  });

  journey('with chat after one without, and the other way round', async (stage) => {
    const listen = ['--listen', `127.0.0.1:${await freePort()}`];
    const room = await newRoom(stage, ['--no-chat', ...listen]);
    const { token } = room;
    await ends(room);
    const wordless = opening(stage, listen);
    // Who never took part comes in like everyone, and is told what is asked.
    await wordless.answer('answer', ANSWER);
    const asked = wordless.events.find((event) => event.type === 'notice' && event.code === 'kept');
    assert.ok(asked?.type === 'notice' && asked.text.includes(QUESTION));
    const ready = await wordless.until('ready');
    assert.equal((await wordless.until('joined')).self.nick, 'olga');
    const second = new HostedRoom(wordless, ready);
    const ann = await stage.guest('ann', second, { token });
    await says(wordless, ann, 'now I talk');
    await ends(second);
    const third = await reopened(stage, ['--no-chat']);
    third.host.say('I take no part');
    assert.equal((await third.host.until('error')).code, 'not-joined');
    await ends(third);
    const fourth = await reopened(stage);
    assert.deepEqual(
      fourth.host.events.flatMap((event) => (event.type === 'joined' ? [event.self.nick] : [])),
      ['olga'],
    );
    await ends(fourth);
  });
});

describe('a room that does not open', () => {
  journey('says why: another name, another identity, a damaged file, a newer one, no home', async (stage) => {
    await ends(await newRoom(stage));
    await refuses(
      opening(stage, ['--room', 'Attic']),
      2,
      'conflict',
      /^The room kept as kitchen is called Kitchen: leave --room out\.$/,
    );
    await ends(await reopened(stage, ['--room', 'Kitchen']));
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
    await ends(await reopened(stage));

    const homeless = stage.start('host', ['s', '--json', '--keep', 'kitchen'], ['env', 'HOME=']);
    await refuses(
      homeless,
      2,
      'no-home',
      /^This account has no home folder to keep a room in\. Set HOME and try again\.$/,
    );
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

function filesOf(folder: string): readonly string[] {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path));
  return paths.filter((path) => statSync(path).isFile());
}

/** Which of these stand anywhere in those files, as text is written down. */
function found(files: readonly (string | Buffer)[], texts: readonly string[]): readonly string[] {
  const contents = files.map((file) => (typeof file === 'string' ? readFileSync(file) : file));
  const forms = (text: string): readonly Buffer[] => {
    const bytes = Buffer.from(text);
    const encoded = [bytes.toString('base64url').slice(0, -1), bytes.toString('hex')];
    return [bytes, Buffer.from(text, 'utf16le'), ...encoded.map((form) => Buffer.from(form))];
  };
  return texts.filter((text) => contents.some((bytes) => forms(text).some((form) => bytes.includes(form))));
}

journey(
  'P16: a kept room’s disk holds no word of it, with --no-chat: open, killed and closed',
  async (stage) => {
    const answer = `Canary ${randomUUID()}`;
    const listen = `127.0.0.1:${await freePort()}`;
    const first = [
      '--keep',
      'kitchen',
      '--room',
      'Kitchen',
      '--listen',
      listen,
      '--no-chat',
      '--question',
      QUESTION,
    ];
    const host = stage.start('host', ['s', '--json', ...first, '--answer-file', stage.file(answer)]);
    const room = new HostedRoom(host, await host.until('ready'));
    const guest = async (nick: string): Promise<Program> => {
      const program = stage.start(nick, ['c', '--json', '--nick', nick]);
      await program.answer('token', room.token);
      await program.answer('answer', answer);
      await program.answer('code', room.code);
      await program.until('joined');
      return program;
    };
    const [ann, bob] = [await guest('ann'), await guest('bob')];
    const password = `canary ${randomUUID()}`;
    ann.command('/register');
    await ann.answer('password', password);
    await ann.answer('password-again', password);
    await ann.until('notice', { code: 'registered' });
    const said = Array.from({ length: 6 }, () => `canary ${randomUUID()} ends`);
    const secrets = [...said, answer, answer.toLowerCase(), password];
    const [one = '', two = '', ...others] = said;
    await says(ann, bob, one);
    await says(bob, ann, two);
    bob.kill('SIGSTOP');
    for (const text of others) ann.say(text);
    await ann.until('message', { text: others.at(-1) ?? '' });
    const onDisk = (): readonly string[] => found(filesOf(stage.rooms), secrets);
    // Ciphertext for bob waits there by now, so there was something to find.
    assert.deepEqual(onDisk(), []);
    assert.deepEqual(found(filesOf(stage.rooms), ['Kitchen', QUESTION]), ['Kitchen', QUESTION]);
    assert.deepEqual(found([Buffer.from(ann.stdout)], said), said);
    await killed(room);
    assert.deepEqual(onDisk(), []);
    bob.kill('SIGCONT');
    const back = await reopened(stage, ['--listen', listen, '--no-chat']);
    await bob.until('message', { text: others.at(-1) ?? '' });
    await says(bob, ann, 'all of it');
    assert.deepEqual(onDisk(), []);
    await ends(back);
    assert.deepEqual(onDisk(), []);
  },
);
