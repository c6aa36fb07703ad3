/** Files from the shell, with the real program: `securechat send` into a saved room, and back out of it. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import { type HostedRoom, journey, type Program, type Stage } from '../helpers/program.ts';

const PASSPHRASE = 'three small words';
const SAVED = '.local/share/securechat/saved/kitchen.room';

/** Ann has a saved room, and has left it: the words that let her back in. */
async function annAway(stage: Stage, room: HostedRoom): Promise<readonly string[]> {
  const words = await savedFor(stage);
  const ann = await stage.guest('ann', room, { words: ['--identity', 'ann.pem', ...words, '--save'] });
  await ann.until('notice', { code: 'saved' });
  ann.send({ type: 'quit' });
  assert.equal(await ann.exit, 0);
  return words;
}

async function savedFor(stage: Stage): Promise<readonly string[]> {
  const words = ['--passphrase-file', stage.file(PASSPHRASE)];
  const made = stage.start('keeper', ['identity', 'new', 'ann.pem', '--sign', 'dsa', ...words]);
  assert.equal(await made.exit, 0);
  return words;
}

const KITCHEN = ['--room', 'Kitchen'];

/** A file in everyone's current folder. @returns its SHA-256 */
function write(stage: Stage, name: string, bytes: number): string {
  const content = randomBytes(bytes);
  writeFileSync(join(stage.folder, name), content);
  return sum(content);
}

const LARGE = ['--max-file', '1G'];

/** More than comes through before anybody can be stopped; nothing of it is on the disk. */
function writeLarge(stage: Stage): void {
  writeFileSync(join(stage.folder, 'large.bin'), '');
  truncateSync(join(stage.folder, 'large.bin'), 900_000_000);
}

/** Takes what is offered, and stands still in the middle of it. */
async function takeSome(bob: Program): Promise<void> {
  bob.command('/accept');
  await bob.until('file', ({ state, doneBytes }) => state === 'running' && doneBytes > 0);
  bob.kill('SIGSTOP');
}

function sum(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

const offersIn = (program: Program) =>
  program.events.flatMap((event) => (event.type === 'message' && event.kind === 'file' ? [event.text] : []));

const alarmsOf = (program: Program) =>
  program.events.filter((event) => event.type === 'notice' && event.level === 'alarm');

describe('securechat send', () => {
  journey('sends files and folders to a bot, and leaves the room as it was', async (stage) => {
    const room = await stage.room(KITCHEN);
    const bot = await stage.guest('bot', room, { words: ['--auto-accept', 'ann'] });
    const words = await annAway(stage, room);
    room.host.say('while ann was away', 'h1');
    await room.host.until('message', { ref: 'h1' });
    const hash = write(stage, 'report.bin', 700_000);
    mkdirSync(join(stage.folder, 'photos/old'), { recursive: true });
    const inside = write(stage, 'photos/one.jpg', 40_000);
    const deeper = write(stage, 'photos/old/two.jpg', 50_000);
    const saved = readFileSync(join(stage.folder, SAVED));

    const sending = stage.start('ann', [
      ...['send', 'report.bin', 'photos', '--to', 'bot', '--json', ...words, '@kitchen'],
    ]);
    await sending.until('file', ({ name, state }) => name === 'photos' && state === 'done');
    assert.deepEqual((await sending.until('closed')).code, 'sent');
    assert.equal(await sending.exit, 0, sending.stderr);

    const folder = join(stage.folder, 'Downloads');
    assert.equal(sum(readFileSync(join(folder, 'report.bin'))), hash);
    assert.equal(sum(readFileSync(join(folder, 'photos/one.jpg'))), inside);
    assert.equal(sum(readFileSync(join(folder, 'photos/old/two.jpg'))), deeper);
    // The messages stay, only bot has them, and nothing of the talk is shown in between.
    assert.deepEqual(offersIn(bot), ['report.bin', 'photos']);
    assert.ok(!bot.events.some(({ type }) => type === 'deleted'));
    assert.deepEqual(offersIn(room.host), []);
    assert.ok(!sending.stdout.includes('while ann was away'));
    // Nobody can take them any more, which the sender's program has told the host.
    await bot.until('file', { name: 'photos', state: 'done' });

    // What was said is there for whoever comes back.
    assert.deepEqual(readFileSync(join(stage.folder, SAVED)), saved);
    room.host.say('after', 'h2');
    const back = stage.start('ann', ['c', '@kitchen', '--json', ...words]);
    await back.until('message', { text: 'while ann was away', away: true });
    await back.until('message', { text: 'after' });
    back.say('here again', 'a1');
    await back.until('message', { ref: 'a1' });
    await room.host.until('message', { text: 'here again' });
    for (const program of [back, bot, room.host, sending]) assert.deepEqual(alarmsOf(program), []);
  });

  journey('says what became of it where it is declined, and takes it back', async (stage) => {
    const room = await stage.room(KITCHEN);
    const bob = await stage.guest('bob', room);
    const words = await annAway(stage, room);
    write(stage, 'a.bin', 10_000);
    const sending = stage.start('ann', ['send', 'a.bin', '--to', '@bob', '--plain', ...words, '@kitchen']);
    await bob.until('message', { kind: 'file', text: 'a.bin' });
    bob.command('/decline');
    assert.equal(await sending.exit, 4);
    assert.match(sending.stderr, /^securechat: bob declined "a\.bin"\.\n$/);
    await bob.until('deleted');
  });

  journey('is done in the room once somebody has it and all have decided', async (stage) => {
    const room = await stage.room(KITCHEN);
    const bob = await stage.guest('bob', room);
    const words = await annAway(stage, room);
    write(stage, 'a.bin', 10_000);
    const sending = stage.start('ann', ['send', 'a.bin', '--plain', ...words, '@kitchen']);
    await bob.until('message', { kind: 'file' });
    await room.host.until('message', { kind: 'file' });
    bob.command('/accept');
    await bob.until('file', { state: 'done' });
    room.host.command('/decline');
    assert.equal(await sending.exit, 0, sending.stderr);
    assert.match(sending.stdout, /bob has a\.bin\./);
    assert.match(sending.stdout, /not everyone has it: olga\./);
    assert.ok(!sending.stdout.includes('securechat 0'));
  });

  journey('reaches those in a conversation, and nobody else', async (stage) => {
    const room = await stage.room(KITCHEN);
    const bot = await stage.guest('bot', room, { words: ['--auto-accept', '1M'] });
    const words = await annAway(stage, room);
    const there = stage.start('ann', ['c', '@kitchen', '--json', ...words]);
    await there.until('joined');
    there.command('/new plans bot');
    await bot.until('conversation', { change: 'opened' });
    there.send({ type: 'quit' });
    assert.equal(await there.exit, 0);
    write(stage, 'a.bin', 10_000);
    const sending = stage.start('ann', ['send', 'a.bin', '--to', 'plans', '--json', ...words, '@kitchen']);
    assert.equal(await sending.exit, 0, sending.stdout);
    await bot.until('message', { kind: 'file', in: 'plans' });
    assert.deepEqual(offersIn(room.host), []);
  });

  journey('gives up where nobody takes it', async (stage) => {
    const room = await stage.room(KITCHEN);
    const words = await annAway(stage, room);
    write(stage, 'a.bin', 10_000);
    const sending = stage.start('ann', ['send', 'a.bin', '--wait', '1s', ...words, '@kitchen']);
    assert.equal(await sending.exit, 3);
    assert.match(sending.stderr, /olga has not taken "a\.bin", and nothing has moved for 1s\./);
    await room.host.until('deleted');
  });

  journey('sends nothing to a name that nobody has (P33), nor what is not there', async (stage) => {
    const room = await stage.room(KITCHEN);
    const bob = await stage.guest('bob', room);
    const words = await annAway(stage, room);
    write(stage, 'a.bin', 10_000);
    const run = (...more: readonly string[]) => stage.start('ann', ['send', ...more]);

    const unknown = run('a.bin', '--to', 'bop', ...words, '@kitchen');
    assert.equal(await unknown.exit, 2);
    assert.match(
      unknown.stderr,
      /Nothing was sent: nobody in @kitchen is called bop\. There are: (olga, bob|bob, olga)\./,
    );
    const oneself = run('a.bin', '--to', 'ann', ...words, '@kitchen');
    assert.equal(await oneself.exit, 2);
    assert.match(oneself.stderr, /Nothing was sent/);
    const conversation = run('a.bin', '--to', '#plans', ...words, '@kitchen');
    assert.equal(await conversation.exit, 2);

    // Neither a passphrase nor the room is needed to see these.
    const missing = run('a.bin', 'b.bin', '@kitchen');
    assert.equal(await missing.exit, 2);
    assert.match(missing.stderr, /Cannot send "b\.bin": there is no such file or folder/);
    const nowhere = run('a.bin', ...words, '@cellar');
    assert.equal(await nowhere.exit, 2);
    assert.match(nowhere.stderr, /There is no saved room @cellar/);

    bob.say('still here', 'b1');
    await room.host.until('message', { text: 'still here' });
    assert.deepEqual([...offersIn(bob), ...offersIn(room.host)], []);
  });

  journey('leaves the room to a program that is in it already, unless told otherwise', async (stage) => {
    const room = await stage.room(KITCHEN);
    await stage.guest('bot', room, { words: ['--auto-accept', '1M'] });
    const words = await annAway(stage, room);
    write(stage, 'a.bin', 10_000);
    const there = stage.start('ann', ['c', '@kitchen', '--json', ...words]);
    await there.until('joined');
    const refused = stage.start('ann', ['send', 'a.bin', ...words, '@kitchen']);
    assert.equal(await refused.exit, 2);
    assert.match(refused.stderr, /You are in @kitchen already, with another program\. Type \/send there/);
    const taking = stage.start('ann', [
      ...['send', 'a.bin', '--to', 'bot', '--takeover', ...words, '@kitchen'],
    ]);
    assert.equal(await there.exit, 4);
    assert.equal(await taking.exit, 0, taking.stderr);
  });

  for (const when of ['nobody takes it', 'somebody does']) {
    journey(`Ctrl-C takes it back while ${when}`, async (stage) => {
      const room = await stage.room(KITCHEN);
      const bob = await stage.guest('bob', room, { words: LARGE });
      const words = await annAway(stage, room);
      writeLarge(stage);
      const sending = stage.start('ann', [
        ...['send', 'large.bin', '--to', 'bob', '--plain', ...LARGE, ...words, '@kitchen'],
      ]);
      await bob.until('message', { kind: 'file' });
      if (when === 'somebody does') {
        await takeSome(bob);
        await sending.seen('bob takes large.bin.');
      } else await sending.seen('Waiting for bob to take it.');
      sending.kill('SIGINT');
      assert.equal(await sending.exit, 130);
      assert.match(sending.stdout, /You took back large\.bin\./);
      assert.equal(sending.stderr, '');
      bob.kill('SIGCONT');
      await bob.until('deleted');
      await bob.until('file', { state: 'withdrawn' });
      assert.ok(!existsSync(join(stage.folder, 'Downloads', 'large.bin')));
    });
  }

  journey('shows a bar on a terminal, and asks for the passphrase there', async (stage) => {
    const room = await stage.room(KITCHEN);
    const bob = await stage.guest('bob', room, { words: LARGE });
    await annAway(stage, room);
    writeLarge(stage);
    const terminal = stage.terminal(['send', 'large.bin', '--to', 'bob', ...LARGE, '@kitchen']);
    await terminal.waitFor('The passphrase of');
    terminal.type(`${PASSPHRASE}\r`);
    await terminal.waitFor('Waiting for bob to take it.');
    await bob.until('message', { kind: 'file' });
    await takeSome(bob);
    await terminal.waitFor(/large\.bin ▕.*▏ to bob \d+ %/);
    bob.kill('SIGCONT');
    assert.deepEqual(await terminal.left(), { exitCode: 0, restored: true });
    assert.match(terminal.text(), /bob has large\.bin\./);
    assert.ok(!terminal.text().includes('Not independently audited'));
  });
});
