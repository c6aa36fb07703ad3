/** Members whose program ends, and who come back with what it had saved. */
import assert from 'node:assert/strict';
import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import type { JsonEvent } from '../../src/terminal/json-lines.ts';
import { type HostedRoom, journey, journeysIn, type Program, type Stage } from '../helpers/program.ts';

const PASSPHRASE = 'three small words';
const SAVED = '.local/share/securechat/saved';

type MemberEvent = Extract<JsonEvent, { type: 'member' }>;

const about =
  (change: MemberEvent['change'], nick: string) =>
  (event: MemberEvent): boolean =>
    event.change === change && event.member.nick === nick;

async function newIdentity(stage: Stage): Promise<string> {
  const passphrase = stage.file(PASSPHRASE);
  const words = ['identity', 'new', 'ann.pem', '--sign', 'dsa', '--passphrase-file', passphrase];
  assert.equal(await stage.start('keeper', words).exit, 0);
  return passphrase;
}

interface Kitchen {
  readonly room: HostedRoom;
  readonly bob: Program;
  /** The file that holds the passphrase of Ann's identity. */
  readonly passphrase: string;
}

async function kitchen(stage: Stage): Promise<Kitchen> {
  const passphrase = await newIdentity(stage);
  const room = await stage.room(['--room', 'Kitchen']);
  return { room, passphrase, bob: await stage.guest('bob', room) };
}

/** Ann, in the room by an invitation, which is saved. */
async function ann(stage: Stage, { room, passphrase }: Omit<Kitchen, 'bob'>): Promise<Program> {
  const words = ['--identity', 'ann.pem', '--passphrase-file', passphrase, '--save'];
  const program = await stage.guest('ann', room, { words });
  const told = await program.until('notice', { code: 'saved' });
  assert.match(told.text, /^This room is saved: securechat c @kitchen comes back to it\./);
  return program;
}

/** Gives up the place that was saved, so that whoever is next begins without one. */
async function leave(program: Program, place: Kitchen): Promise<void> {
  program.command('/leave');
  assert.equal(await program.exit, 0);
  await gone('left', place);
}

/** Nobody is to hear of it later. */
async function gone(how: 'left' | 'removed', { room, bob }: Kitchen): Promise<void> {
  for (const each of [room.host, bob]) await each.until('member', about(how, 'ann'));
}

function comeBack(stage: Stage, passphrase: string, words: readonly string[] = []): Program {
  return stage.start('ann', ['c', '@kitchen', '--json', '--passphrase-file', passphrase, ...words]);
}

/** Waits until what one has said is shown at both. */
async function said(from: Program, to: Program, text: string): Promise<void> {
  from.say(text);
  await Promise.all([...new Set([from, to])].map((program) => program.until('message', { text })));
}

const textsOf = (program: Program) =>
  program.events.flatMap((event) => (event.type === 'message' ? [event.text] : []));
const alarmsOf = (program: Program) =>
  program.events.filter((event) => event.type === 'notice' && event.level === 'alarm');

journeysIn<Kitchen>('a saved room', kitchen, (journey) => {
  journey('is not made without a wish, nor without an identity to open it', async (place, stage) => {
    const { room, passphrase } = place;
    const words = ['--identity', 'ann.pem', '--passphrase-file', passphrase];
    const plain = await stage.guest('ann', room, { words });
    plain.send({ type: 'quit' });
    assert.equal((await plain.until('closed')).code, 'left');
    await gone('left', place);
    // This journey is the first here: those that save leave their folder behind.
    assert.ok(!existsSync(join(stage.folder, SAVED)));
    const unopenable = stage.start('bob', ['c', '--save', '--no-input']);
    assert.equal(await unopenable.exit, 2);
    assert.match(unopenable.stderr, /opened by an identity: give --identity as well/);
  });

  journey(
    'is come back to after kill -9: all that was said meanwhile, once, in order, marked',
    async (place, stage) => {
      const { room, bob, passphrase } = place;
      const first = await ann(stage, place);
      await said(bob, first, 'before');
      await said(first, bob, 'hello');
      // On the disk, and so acknowledged, before the program is killed.
      const file = join(stage.folder, SAVED, 'kitchen.room');
      while (!existsSync(file)) await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(statSync(file).mode & 0o777, 0o600);
      assert.equal(statSync(join(stage.folder, SAVED)).mode & 0o777, 0o700);
      first.kill();
      await bob.until('member', about('offline', 'ann'));

      const meanwhile: string[] = [];
      for (let place = 0; place < 30; place += 1) {
        const [from, to] = place % 2 === 0 ? [bob, room.host] : [room.host, bob];
        meanwhile.push(`meanwhile ${place}`);
        await said(from, to, `meanwhile ${place}`);
      }
      // New chains: someone comes, and goes for good.
      const carl = await stage.guest('carl', room);
      meanwhile.push('from someone new');
      await said(carl, bob, 'from someone new');
      carl.send({ type: 'quit' });
      await bob.until('member', about('left', 'carl'));
      meanwhile.push('last');
      await said(bob, room.host, 'last');

      const second = comeBack(stage, passphrase);
      const joined = await second.until('joined');
      assert.deepEqual([joined.self.nick, joined.room.name], ['ann', 'Kitchen']);
      await second.until('message', { text: 'last' });
      await second.until('notice', { code: 'reconnected' });
      // What was read and not saved before the end may be shown once more.
      const shown = textsOf(second).filter((text) => text !== 'before');
      assert.deepEqual(shown, meanwhile);
      for (const event of second.events)
        if (event.type === 'message' && meanwhile.includes(event.text)) assert.equal(event.away, true);
      await bob.until('member', about('online', 'ann'));
      await said(second, bob, 'back again');
      await said(bob, second, 'welcome back');
      for (const program of [room.host, bob, second]) assert.deepEqual(alarmsOf(program), []);

      // Quitting keeps the place; leaving gives it up.
      second.send({ type: 'quit' });
      assert.deepEqual((await second.until('closed')).code, 'away');
      assert.equal(await second.exit, 0);
      await bob.until('member', about('offline', 'ann'));
      const third = comeBack(stage, passphrase);
      await third.until('joined');
      await third.until('notice', { code: 'reconnected' });
      await leave(third, place);
      assert.ok(!existsSync(file));
      const fourth = comeBack(stage, passphrase);
      assert.equal(await fourth.exit, 2);
      assert.match(JSON.stringify(fourth.events), /There is no saved room @kitchen/);
    },
  );

  journey('tells a program its conversations as it comes back, as their events did', async (place, stage) => {
    const { room, passphrase } = place;
    const first = await ann(stage, place);
    assert.deepEqual(
      (first.events.find((event) => event.type === 'joined') ?? assert.fail()).conversations,
      [],
    );
    first.command('/new plans olga');
    const { conversation: plans } = await first.until('conversation', { change: 'opened' });
    first.say('in plans', 'a1');
    await first.until('message', { ref: 'a1' });
    first.send({ type: 'say', text: 'just you', to: 'olga', ref: 'a2' });
    const { conversation: direct } = await first.until('message', { ref: 'a2' });
    first.send({ type: 'quit' });
    assert.equal(await first.exit, 0);

    const second = comeBack(stage, passphrase);
    const { conversations } = await second.until('joined');
    assert.deepEqual(
      conversations.find(({ kind }) => kind === 'group'),
      plans,
    );
    const other = conversations.find(({ kind }) => kind === 'direct') ?? assert.fail('no direct one');
    assert.deepEqual([other.id, other.with?.nick, conversations.length], [direct, 'olga', 2]);
    second.send({ type: 'say', text: 'in plans again', to: plans.id });
    await room.host.until('message', { text: 'in plans again', in: 'plans' });
    await leave(second, place);
  });

  journey('P36: two programs are never in it at once, and --takeover moves it', async (place, stage) => {
    const { room, passphrase } = place;
    const first = await ann(stage, place);
    await said(room.host, first, 'to the first');
    const second = comeBack(stage, passphrase);
    assert.equal(await second.exit, 2);
    const refused = second.events.find((event) => event.type === 'error');
    assert.match(refused?.message ?? '', /open in another program .* securechat c @kitchen --takeover$/);

    const third = comeBack(stage, passphrase, ['--takeover']);
    assert.equal((await first.until('closed')).code, 'replaced');
    assert.equal(await first.exit, 4);
    await third.until('notice', { code: 'reconnected' });
    await said(room.host, third, 'to the one that goes on');
    await said(third, room.host, 'here');
    // What the first had shown is not shown again.
    assert.deepEqual(textsOf(third), ['to the one that goes on', 'here']);
    for (const program of [room.host, first, third]) assert.deepEqual(alarmsOf(program), []);
    assert.ok(!room.host.events.some((event) => event.type === 'member' && event.change === 'left'));
    await leave(third, place);
  });

  journey(
    'is chosen at a terminal, where the passphrase is asked for and the rest is known',
    async (place, stage) => {
      const { room } = place;
      const first = await ann(stage, place);
      await said(room.host, first, 'seen');
      first.send({ type: 'quit' });
      assert.equal(await first.exit, 0);
      await said(room.host, room.host, 'sent while ann was away');
      const terminal = stage.terminal(['c'], { columns: 100, rows: 30 });
      await terminal.waitFor(/1 +@kitchen +Kitchen, as ann, just now/);
      terminal.enter('1');
      await terminal.waitFor('The passphrase of');
      terminal.enter(PASSPHRASE);
      await terminal.waitFor('--- sent while you were away ---');
      await terminal.waitFor('sent while ann was away');
      await terminal.waitFor('Back in the room.');
      terminal.enter('/quit');
      await terminal.waitFor('Your place is kept. To come back: securechat c @kitchen');
      assert.deepEqual(await terminal.left(), { exitCode: 0, restored: true });
      room.host.command('/kick ann');
      await gone('removed', place);
      rmSync(join(stage.folder, SAVED, 'kitchen.room'));
    },
  );
});

describe('a saved room', () => {
  journey('is tried for while the host is away, with Ctrl-C to give up', async (stage) => {
    const passphrase = await newIdentity(stage);
    const room = await stage.room(['--room', 'Kitchen']);
    const first = await ann(stage, { room, passphrase });
    await said(room.host, first, 'on the disk soon');
    first.send({ type: 'quit' });
    assert.equal(await first.exit, 0);
    room.host.kill('SIGKILL');
    await room.host.exit;
    const waiting = comeBack(stage, passphrase);
    await waiting.until('notice', { code: 'host-away' });
    waiting.kill('SIGINT');
    assert.equal(await waiting.exit, 130);
    assert.ok(existsSync(join(stage.folder, SAVED, 'kitchen.room')));
  });
});
