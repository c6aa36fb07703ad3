/** Files between people and programs, with the real program: offered, taken, gone on with, and never where they should not be. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  watch,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import { encodePng } from '../../src/terminal/picture/png.ts';
import { SLOW } from '../helpers/effort.ts';
import { gradient } from '../helpers/pictures.ts';
import { journey, type Program, type Stage } from '../helpers/program.ts';

/** A file in everyone's current folder. @returns its SHA-256 */
function write(stage: Stage, name: string, bytes: number): string {
  const content = randomBytes(bytes);
  writeFileSync(join(stage.folder, name), content);
  return sum(content);
}

function sum(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Waits until the folder holds these and nothing else. */
async function holds(folder: string, names: readonly string[]): Promise<void> {
  const watcher = watch(folder);
  try {
    while (`${readdirSync(folder).sort()}` !== `${names}`) await once(watcher, 'change');
  } finally {
    watcher.close();
  }
}

function offered(program: Program, name: string) {
  return program.until('message', ({ kind, text }) => kind === 'file' && text === name);
}

describe('files', () => {
  journey('are offered, and taken by whoever wants them', async (stage) => {
    const room = await stage.room();
    const ann = await stage.guest('ann', room);
    const bob = await stage.guest('bob', room);
    await ann.until('member', { change: 'joined' });
    const hash = write(stage, 'report.bin', 3_000_000);

    ann.command('/send report.bin');
    const offer = await offered(bob, 'report.bin');
    assert.equal(offer.file?.bytes, 3_000_000);
    await offered(room.host, 'report.bin');
    // Nothing is written before anyone says yes.
    assert.ok(!existsSync(join(stage.folder, 'Downloads')));

    bob.command('/accept');
    const done = await bob.until('file', { state: 'done' });
    const path = join(stage.folder, 'Downloads', 'report.bin');
    assert.equal(done.path, path);
    assert.equal(sum(readFileSync(path)), hash);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    await ann.until('file', ({ takers }) =>
      (takers ?? []).some(({ member, state }) => member.nick === 'bob' && state === 'done'),
    );
    // The host's own program takes it as everyone does, under a name that is free.
    room.host.command('/accept 1');
    const second = await room.host.until('file', { state: 'done' });
    assert.equal(second.path, join(stage.folder, 'Downloads', 'report (2).bin'));
    assert.equal(sum(readFileSync(second.path ?? '')), hash);
    assert.deepEqual(readdirSync(join(stage.folder, 'Downloads')).sort(), ['report (2).bin', 'report.bin']);
  });

  journey('folders come with all that is in them, links left out', async (stage) => {
    const room = await stage.room();
    const ann = await stage.guest('ann', room, { words: ['--auto-accept', '10M'] });
    const folder = join(stage.folder, 'photos');
    mkdirSync(join(folder, 'summer', 'empty'), { recursive: true });
    const hash = write(stage, 'photos/summer/sea.jpg', 70_000);
    writeFileSync(join(folder, 'notes.txt'), '');
    symlinkSync('/etc/passwd', join(folder, 'passwd'));

    room.host.command('/send photos');
    const { path = '' } = await ann.until('file', { state: 'done' });
    assert.equal(path, join(stage.folder, 'Downloads', 'photos'));
    assert.deepEqual(readdirSync(path, { recursive: true }).sort(), [
      'notes.txt',
      'summer',
      'summer/sea.jpg',
    ]);
    assert.equal(sum(readFileSync(join(path, 'summer/sea.jpg'))), hash);
    assert.equal(statSync(join(path, 'notes.txt')).size, 0);
  });

  journey(
    'go to one member alone, or into a conversation, and nowhere for a name that is unknown',
    async (stage) => {
      const room = await stage.room();
      const ann = await stage.guest('ann', room);
      const bob = await stage.guest('bob', room);
      const carl = await stage.guest('carl', room);
      await ann.until('member', ({ change, member }) => change === 'joined' && member.nick === 'carl');
      const hash = write(stage, 'a secret.txt', 1_000);

      ann.command('/send "a secret.txt" to nobody');
      assert.equal((await ann.until('error')).code, 'no-such-member');
      ann.command('/send missing.txt to bob');
      assert.equal((await ann.until('error')).code, 'file');
      ann.command('/send "a secret.txt" to bob');
      const offer = await offered(bob, 'a secret.txt');
      assert.equal(offer.direct?.nick, 'ann');
      bob.command('/accept');
      const { path = '' } = await bob.until('file', { state: 'done' });
      assert.equal(sum(readFileSync(path)), hash);

      ann.command('/new plans bob');
      await ann.until(
        'conversation',
        ({ change, conversation }) => change === 'opened' && conversation.kind === 'group',
      );
      ann.command('/send "a secret.txt" to plans');
      assert.equal((await offered(bob, 'a secret.txt')).in, 'plans');
      // What was said since has come to everyone in the room.
      ann.command('/join room');
      ann.say('that was all');
      await carl.until('message', { text: 'that was all' });
      assert.ok(!carl.events.some((event) => event.type === 'message' && event.kind === 'file'));
    },
  );

  journey('are declined, cancelled and taken back, and everyone is told', async (stage) => {
    const room = await stage.room();
    const ann = await stage.guest('ann', room);
    const bob = await stage.guest('bob', room);
    await ann.until('member', { change: 'joined' });
    for (const name of ['one.bin', 'two.bin']) write(stage, name, 1_000);

    ann.command('/send one.bin two.bin');
    await offered(bob, 'two.bin');
    bob.command('/decline 1');
    await bob.until('file', { state: 'declined', number: 1 });
    await ann.until('file', ({ takers }) => takers?.[0]?.state === 'declined');
    // Its name stays what it was offered as.
    ann.command('/fix another name');
    assert.equal((await ann.until('error')).code, 'is-file');
    ann.command('/cancel 2');
    await ann.until('file', { state: 'cancelled', number: 2 });
    await bob.until('file', { state: 'withdrawn', number: 2 });
    await bob.until('deleted');
    bob.command('/accept 2');
    assert.equal((await bob.until('error')).code, 'no-such-file');
    // Whoever has said no may think again.
    bob.command('/accept 1');
    await bob.until('file', { state: 'done', number: 1 });

    // What was sent is what was offered, or nothing.
    ann.command('/send two.bin');
    await offered(bob, 'two.bin');
    writeFileSync(join(stage.folder, 'two.bin'), 'something else');
    bob.command('/accept 3');
    const failed = await ann.until('file', { state: 'failed' });
    assert.match(failed.problem ?? '', /changed/);
    await bob.until('file', { state: 'withdrawn', number: 3 });
    await holds(join(stage.folder, 'Downloads'), ['one.bin']);
  });

  journey('go on for one while another one stalls', async (stage) => {
    const room = await stage.room();
    const words = ['--auto-accept', '100M'];
    const ann = await stage.guest('ann', room, { words: [...words, '--downloads', 'anns'] });
    const bob = await stage.guest('bob', room, { words: [...words, '--downloads', 'bobs'] });
    await ann.until('member', { change: 'joined' });
    const hash = write(stage, 'film.bin', 90_000_000);

    room.host.command('/send film.bin');
    await bob.until('file', { state: 'running' });
    bob.kill('SIGSTOP');
    const { path = '' } = await ann.until('file', { state: 'done' });
    assert.equal(sum(readFileSync(path)), hash);
    bob.kill('SIGCONT');
    const late = await bob.until('file', { state: 'done' });
    assert.equal(sum(readFileSync(late.path ?? '')), hash);
    await room.host.until('file', ({ takers }) => takers?.every(({ state }) => state === 'done') ?? false);
  });

  journey('show on a terminal how far they are, and where they lie', async (stage) => {
    const room = await stage.room();
    const ann = await stage.guest('ann', room);
    const bob = await stage.guestOnTerminal('bob', room);
    write(stage, 'film.bin', 60_000_000);

    ann.command('/send film.bin');
    await bob.waitFor('<ann> offers film.bin, 57.2 MiB. /accept 1 takes it');
    bob.enter('/accept');
    // Stopped in the middle of it: the bar stands still.
    await bob.waitFor(/film\.bin ▕█[█ ░▏▎▍▌▋▊▉]*▏ \d+ %/);
    ann.kill('SIGSTOP');
    bob.type('still typing');
    await bob.waitFor(/film\.bin ▕[^\n]* %[^\n]*\n[^\n]*still typing/);
    ann.kill('SIGCONT');
    await bob.waitFor(`film.bin is here: ${join(stage.folder, 'Downloads', 'film.bin')}`);
    await bob.waitUntil('no bar', (text) => !text.includes('▕') && text.includes('still typing'));
    bob.type('\u0015');
    bob.enter('/files');
    await bob.waitFor(/1 film\.bin {2}57\.2 MiB, from ann, here/);
  });

  journey('that are pictures are drawn once they are taken, and not before', async (stage) => {
    const room = await stage.room();
    const ann = await stage.guest('ann', room);
    const bob = await stage.guestOnTerminal('bob', room);
    const calm = await stage.guestOnTerminal('calm', room, { words: ['--pictures', 'off'] });
    writeFileSync(join(stage.folder, 'face.png'), encodePng(gradient(64, 48)));
    writeFileSync(join(stage.folder, 'none.png'), 'a text that is called a picture');

    ann.command('/send face.png none.png');
    await bob.waitFor('<ann> offers none.png');
    assert.ok(!bob.text().includes('▀'));
    bob.enter('/accept all');
    await bob.waitFor('[picture face.png 64×48]');
    await bob.waitFor(/\| ▀{20}/);
    await bob.waitFor('none.png is here');
    assert.ok(!bob.text().includes('[picture none.png'));
    calm.enter('/accept all');
    await calm.waitFor('face.png is here');
    calm.enter('the end');
    await calm.waitFor('<calm> the end');
    assert.ok(!calm.text().includes('▀') && !calm.text().includes('[picture'));
  });
});

/** Minutes of work: with SLOW=1. */
if (SLOW)
  describe('large files', () => {
    journey('a sparse file of 5 GiB comes whole', async (stage) => {
      const room = await stage.room();
      const words = ['--max-file', '6G', '--auto-accept', '6G'];
      const ann = await stage.guest('ann', room, { words: ['--max-file', '6G'] });
      const bob = await stage.guest('bob', room, { words });
      await ann.until('member', { change: 'joined' });
      const bytes = 5 * 2 ** 30 + 1;
      writeFileSync(join(stage.folder, 'sparse.bin'), '');
      truncateSync(join(stage.folder, 'sparse.bin'), bytes);
      ann.command('/send sparse.bin');
      const { path = '' } = await bob.until('file', { state: 'done' });
      assert.equal(statSync(path).size, bytes);
    });
  });
