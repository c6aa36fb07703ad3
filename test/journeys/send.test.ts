/** Files from the shell, with the real program: `securechat send` into a saved room, and back out of it. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type HostedRoom, journeysIn, type Program, type Stage } from '../helpers/program.ts';

const PASSPHRASE = 'three small words';
const SAVED = '.local/share/securechat/saved/kitchen.room';

interface Kitchen {
  readonly room: HostedRoom;
  /** Takes what Ann sends, without being asked. */
  readonly bot: Program;
  readonly bob: Program;
  /** Ann has the room saved, and has left it: the words that let her back in. */
  readonly words: readonly string[];
}

async function kitchen(stage: Stage): Promise<Kitchen> {
  const room = await stage.room(['--room', 'Kitchen']);
  const bot = await stage.guest('bot', room, { words: ['--auto-accept', 'ann'] });
  const bob = await stage.guest('bob', room, { words: LARGE });
  const words = ['--passphrase-file', stage.file(PASSPHRASE)];
  const made = stage.start('keeper', ['identity', 'new', 'ann.pem', '--sign', 'dsa', ...words]);
  assert.equal(await made.exit, 0);
  const ann = await stage.guest('ann', room, { words: ['--identity', 'ann.pem', ...words, '--save'] });
  await ann.until('notice', { code: 'saved' });
  await quit(ann);
  return { room, bot, bob, words };
}

async function quit(program: Program): Promise<void> {
  program.send({ type: 'quit' });
  assert.equal(await program.exit, 0);
}

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
  truncateSync(join(stage.folder, 'large.bin'), 300_000_000);
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

journeysIn<Kitchen>('securechat send', kitchen, (journey) => {
  journey('sends files and folders to a bot, and leaves the room as it was', async (place, stage) => {
    const { room, bot, words } = place;
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
    await quit(back);
    for (const program of [back, bot, room.host, sending]) assert.deepEqual(alarmsOf(program), []);
  });

  journey('says what became of it where it is declined, and takes it back', async ({ bob, words }, stage) => {
    write(stage, 'a.bin', 10_000);
    const sending = stage.start('ann', ['send', 'a.bin', '--to', '@bob', '--plain', ...words, '@kitchen']);
    await bob.until('message', { kind: 'file', text: 'a.bin' });
    bob.command('/decline');
    assert.equal(await sending.exit, 4);
    assert.match(sending.stderr, /^securechat: bob declined "a\.bin"\.\n$/);
    await bob.until('deleted');
  });

  journey('is done in the room once somebody has it and all have decided', async (place, stage) => {
    const { room, bob, words } = place;
    write(stage, 'b.bin', 10_000);
    const sending = stage.start('ann', ['send', 'b.bin', '--plain', ...words, '@kitchen']);
    await bob.until('message', { kind: 'file' });
    await room.host.until('message', { kind: 'file' });
    await sending.seen('bot has b.bin.');
    bob.command('/accept');
    await bob.until('file', { state: 'done' });
    room.host.command('/decline');
    assert.equal(await sending.exit, 0, sending.stderr);
    assert.match(sending.stdout, /bob has b\.bin\./);
    assert.match(sending.stdout, /not everyone has it: olga\./);
    assert.ok(!sending.stdout.includes('securechat 0'));
  });

  journey('reaches those in a conversation, and nobody else', async ({ room, bot, bob, words }, stage) => {
    const there = stage.start('ann', ['c', '@kitchen', '--json', ...words]);
    await there.until('joined');
    there.command('/new plans bot');
    await bot.until('conversation', { change: 'opened' });
    await quit(there);
    write(stage, 'c.bin', 10_000);
    const sending = stage.start('ann', ['send', 'c.bin', '--to', 'plans', '--json', ...words, '@kitchen']);
    assert.equal(await sending.exit, 0, sending.stdout);
    await bot.until('message', { kind: 'file', in: 'plans' });
    for (const other of [room.host, bob]) assert.deepEqual(offersIn(other), []);
  });

  journey('gives up where nobody takes it', async ({ room, words }, stage) => {
    write(stage, 'd.bin', 10_000);
    const sending = stage.start('ann', [
      'send',
      'd.bin',
      '--to',
      'olga',
      '--wait',
      '1s',
      ...words,
      '@kitchen',
    ]);
    assert.equal(await sending.exit, 3);
    assert.match(sending.stderr, /olga has not taken "d\.bin", and nothing has moved for 1s\./);
    await room.host.until('deleted');
  });

  journey('sends nothing to a name that nobody has (P33), nor what is not there', async (place, stage) => {
    const { room, bot, bob, words } = place;
    write(stage, 'e.bin', 10_000);
    const run = (...more: readonly string[]) => stage.start('ann', ['send', ...more]);

    const unknown = run('e.bin', '--to', 'bop', ...words, '@kitchen');
    assert.equal(await unknown.exit, 2);
    const [, listed = ''] =
      /Nothing was sent: nobody in @kitchen is called bop\. There are: (.*)\.$/m.exec(unknown.stderr) ?? [];
    assert.deepEqual(listed.split(', ').sort(), ['bob', 'bot', 'olga']);
    const oneself = run('e.bin', '--to', 'ann', ...words, '@kitchen');
    assert.equal(await oneself.exit, 2);
    assert.match(oneself.stderr, /Nothing was sent/);
    const conversation = run('e.bin', '--to', '#plots', ...words, '@kitchen');
    assert.equal(await conversation.exit, 2);

    // Neither a passphrase nor the room is needed to see these.
    const missing = run('e.bin', 'f.bin', '@kitchen');
    assert.equal(await missing.exit, 2);
    assert.match(missing.stderr, /Cannot send "f\.bin": there is no such file or folder/);
    const nowhere = run('e.bin', ...words, '@cellar');
    assert.equal(await nowhere.exit, 2);
    assert.match(nowhere.stderr, /There is no saved room @cellar/);

    bob.say('still here', 'b1');
    for (const each of [room.host, bot]) await each.until('message', { text: 'still here' });
    for (const each of [bob, bot, room.host]) assert.deepEqual(offersIn(each), []);
  });

  journey(
    'leaves the room to a program that is in it already, unless told otherwise',
    async (place, stage) => {
      const { words } = place;
      write(stage, 'g.bin', 10_000);
      const there = stage.start('ann', ['c', '@kitchen', '--json', ...words]);
      await there.until('joined');
      const refused = stage.start('ann', ['send', 'g.bin', ...words, '@kitchen']);
      assert.equal(await refused.exit, 2);
      assert.match(refused.stderr, /You are in @kitchen already, with another program\. Type \/send there/);
      const taking = stage.start('ann', [
        ...['send', 'g.bin', '--to', 'bot', '--takeover', ...words, '@kitchen'],
      ]);
      assert.equal(await there.exit, 4);
      assert.equal(await taking.exit, 0, taking.stderr);
    },
  );

  for (const when of ['nobody takes it', 'somebody does']) {
    journey(`Ctrl-C takes it back while ${when}`, async ({ bob, words }, stage) => {
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

  journey('shows a bar on a terminal, and asks for the passphrase there', async ({ bob }, stage) => {
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
