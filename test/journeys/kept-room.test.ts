/** Rooms that last, over the real program: what is there again after a restart, and what the disk holds of it. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import {
  does,
  ends,
  killed,
  newRoom,
  opening,
  refuses,
  reopened,
  says,
  textsOf,
  told,
} from '../helpers/kept-host.ts';
import { ANSWER, HostedRoom, journey, type Program, QUESTION, QUICK } from '../helpers/program.ts';
import { freePort } from '../helpers/relay.ts';

/** As told until now: what the host had not read for itself before it was killed, it is told after `joined`. */
function rolesIn({ events }: Program): readonly (readonly [nick: string, role: string])[] {
  const roles = new Map<string, string>();
  for (const event of events) {
    const members = event.type === 'joined' ? event.members : event.type === 'member' ? [event.member] : [];
    for (const { nick, role } of members) roles.set(nick, role);
    if (event.type === 'member' && event.change === 'removed') roles.delete(event.member.nick);
  }
  return [...roles].sort();
}

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
      await back.host.until('notice', { code: 'reconnected' });
      const joined = back.host.events.find((event) => event.type === 'joined');
      assert.deepEqual(rolesIn(back.host), [
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
    const late = stage.start('late', ['c', '--json', '--nick', 'late', ...QUICK]);
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
      ...['--keep', 'kitchen', '--room', 'Kitchen', '--listen', listen, '--no-chat', ...QUICK],
      ...['--question', QUESTION],
    ];
    const host = stage.start('host', ['s', '--json', ...first, '--answer-file', stage.file(answer)]);
    const room = new HostedRoom(host, await host.until('ready'));
    const guest = async (nick: string): Promise<Program> => {
      const program = stage.start(nick, ['c', '--json', '--nick', nick, ...QUICK]);
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
