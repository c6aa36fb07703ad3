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
import { type HostedRoom, journey, journeysIn, type Program, type Stage } from '../helpers/program.ts';
import type { TerminalProgram } from '../helpers/terminal.ts';

interface Place {
  readonly room: HostedRoom;
  readonly ann: Program;
  readonly bob: Program;
  /** On terminals; the second one shows no pictures. */
  readonly tess: TerminalProgram;
  readonly calm: TerminalProgram;
}

async function open(stage: Stage): Promise<Place> {
  const room = await stage.room();
  const words = ['--auto-accept', 'olga:100M'];
  const ann = await stage.guest('ann', room, { words: [...words, '--downloads', 'anns'] });
  const bob = await stage.guest('bob', room, { words });
  const tess = await stage.guestOnTerminal('tess', room);
  const calm = await stage.guestOnTerminal('calm', room, { words: ['--pictures', 'off'] });
  for (const each of [room.host, ann, bob])
    await each.until('member', ({ change, member }) => change === 'joined' && member.nick === 'calm');
  return { room, ann, bob, tess, calm };
}

/** A file in everyone's current folder. @returns its SHA-256 */
function write(stage: Stage, name: string, bytes: number): string {
  const content = randomBytes(bytes);
  writeFileSync(join(stage.folder, name), content);
  return sum(content);
}

function sum(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function inDownloads(stage: Stage): readonly string[] {
  const folder = join(stage.folder, 'Downloads');
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** Waits until the folder holds these and nothing else, in any order. */
async function holds(folder: string, names: readonly string[]): Promise<void> {
  const watcher = watch(folder);
  try {
    while (`${readdirSync(folder).sort()}` !== `${names.toSorted()}`) await once(watcher, 'change');
  } finally {
    watcher.close();
  }
}

function offered(program: Program, name: string) {
  return program.until('message', ({ kind, text }) => kind === 'file' && text === name);
}

/** @returns the number that it has there */
async function numberOf(program: Program, name: string): Promise<number> {
  return (await offered(program, name)).file?.number ?? assert.fail(name);
}

/** Whoever takes all that there is in a later journey takes none of this. */
function takeBackAll(sender: Program): void {
  sender.command('/cancel all');
}

journeysIn<Place>('files', open, (journey) => {
  journey('are offered, and taken by whoever wants them', async ({ room, ann, bob }, stage) => {
    const hash = write(stage, 'report.bin', 3_000_000);

    ann.command('/send report.bin');
    const offer = await offered(bob, 'report.bin');
    assert.equal(offer.file?.bytes, 3_000_000);
    const number = await numberOf(room.host, 'report.bin');
    // Nothing is written before anyone says yes.
    assert.ok(!existsSync(join(stage.folder, 'Downloads')));

    bob.command('/accept');
    const done = await bob.until('file', { name: 'report.bin', state: 'done' });
    const path = join(stage.folder, 'Downloads', 'report.bin');
    assert.equal(done.path, path);
    assert.equal(sum(readFileSync(path)), hash);
    assert.equal(statSync(path).mode & 0o777, 0o600);
    await ann.until('file', ({ takers }) =>
      (takers ?? []).some(({ member, state }) => member.nick === 'bob' && state === 'done'),
    );
    // The host's own program takes it as everyone does, under a name that is free.
    room.host.command(`/accept ${number}`);
    const second = await room.host.until('file', { name: 'report.bin', state: 'done' });
    assert.equal(second.path, join(stage.folder, 'Downloads', 'report (2).bin'));
    assert.equal(sum(readFileSync(second.path ?? '')), hash);
    assert.deepEqual(readdirSync(join(stage.folder, 'Downloads')).sort(), ['report (2).bin', 'report.bin']);
    takeBackAll(ann);
  });

  journey('folders come with all that is in them, links left out', async ({ room, bob }, stage) => {
    const folder = join(stage.folder, 'photos');
    mkdirSync(join(folder, 'summer', 'empty'), { recursive: true });
    const hash = write(stage, 'photos/summer/sea.jpg', 70_000);
    writeFileSync(join(folder, 'notes.txt'), '');
    symlinkSync('/etc/passwd', join(folder, 'passwd'));

    room.host.command('/send photos');
    await offered(room.host, 'photos');
    const { path = '' } = await bob.until('file', { name: 'photos', state: 'done' });
    assert.equal(path, join(stage.folder, 'Downloads', 'photos'));
    assert.deepEqual(readdirSync(path, { recursive: true }).sort(), [
      'notes.txt',
      'summer',
      'summer/sea.jpg',
    ]);
    assert.equal(sum(readFileSync(join(path, 'summer/sea.jpg'))), hash);
    assert.equal(statSync(join(path, 'notes.txt')).size, 0);
    takeBackAll(room.host);
  });

  journey(
    'go to one member alone, or into a conversation, and nowhere for a name that is unknown',
    async ({ room, ann, bob, calm }, stage) => {
      const hash = write(stage, 'a secret.txt', 1_000);

      ann.command('/send "a secret.txt" to nobody');
      assert.equal((await ann.until('error')).code, 'no-such-member');
      ann.command('/send missing.txt to bob');
      assert.equal((await ann.until('error')).code, 'file');
      ann.command('/send "a secret.txt" to bob');
      const offer = await offered(bob, 'a secret.txt');
      assert.equal(offer.direct?.nick, 'ann');
      bob.command('/accept');
      const { path = '' } = await bob.until('file', { name: 'a secret.txt', state: 'done' });
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
      await room.host.until('message', { text: 'that was all' });
      assert.ok(!room.host.events.some((event) => event.type === 'message' && event.kind === 'file'));
      await calm.waitFor('<ann> that was all');
      assert.ok(!calm.text().includes('a secret.txt'));
      takeBackAll(ann);
    },
  );

  journey('are declined, cancelled and taken back, and everyone is told', async ({ ann, bob }, stage) => {
    const before = inDownloads(stage);
    for (const name of ['one.bin', 'two.bin']) write(stage, name, 1_000);

    ann.command('/send one.bin two.bin');
    const one = await numberOf(bob, 'one.bin');
    const { id, file } = await offered(bob, 'two.bin');
    const two = file?.number ?? assert.fail();
    bob.command(`/decline ${one}`);
    await bob.until('file', { state: 'declined', number: one });
    await ann.until('file', ({ name, takers }) => name === 'one.bin' && takers?.[0]?.state === 'declined');
    // Its name stays what it was offered as.
    ann.command('/fix another name');
    assert.equal((await ann.until('error')).code, 'is-file');
    const own = await numberOf(ann, 'two.bin');
    ann.command(`/cancel ${own}`);
    await ann.until('file', { state: 'cancelled', number: own });
    await bob.until('file', { state: 'withdrawn', number: two });
    await bob.until('deleted', { id });
    bob.command(`/accept ${two}`);
    assert.equal((await bob.until('error')).code, 'no-such-file');
    // Whoever has said no may think again.
    bob.command(`/accept ${one}`);
    await bob.until('file', { state: 'done', number: one });

    // What was sent is what was offered, or nothing.
    ann.command('/send two.bin');
    const again = await numberOf(bob, 'two.bin');
    writeFileSync(join(stage.folder, 'two.bin'), 'something else');
    bob.command(`/accept ${again}`);
    const failed = await ann.until('file', { name: 'two.bin', state: 'failed' });
    assert.match(failed.problem ?? '', /changed/);
    await bob.until('file', { state: 'withdrawn', number: again });
    await holds(join(stage.folder, 'Downloads'), [...before, 'one.bin']);
    takeBackAll(ann);
  });

  journey('go on for one while another one stalls', async ({ room, ann, bob }, stage) => {
    const hash = write(stage, 'film.bin', 60_000_000);

    room.host.command('/send film.bin');
    await bob.until('file', { name: 'film.bin', state: 'running' });
    bob.kill('SIGSTOP');
    const { path = '' } = await ann.until('file', { name: 'film.bin', state: 'done' });
    assert.equal(sum(readFileSync(path)), hash);
    assert.ok(
      !bob.events.some(
        (event) => event.type === 'file' && event.name === 'film.bin' && event.state === 'done',
      ),
    );
    bob.kill('SIGCONT');
    const late = await bob.until('file', { name: 'film.bin', state: 'done' });
    assert.equal(sum(readFileSync(late.path ?? '')), hash);
    await room.host.until(
      'file',
      ({ name, takers = [] }) =>
        name === 'film.bin' && takers.length === 2 && takers.every(({ state }) => state === 'done'),
    );
    takeBackAll(room.host);
  });

  journey('show on a terminal how far they are, and where they lie', async ({ ann, tess }, stage) => {
    write(stage, 'reel.bin', 60_000_000);

    ann.command('/send reel.bin');
    const offer = /<ann> offers reel\.bin, 57\.2 MiB\. \/accept (\d+) takes it/;
    const [, number] = offer.exec(await tess.waitFor(offer)) ?? assert.fail();
    tess.enter('/accept');
    // Stopped in the middle of it: the bar stands still.
    await tess.waitFor(/reel\.bin ▕█[█ ░▏▎▍▌▋▊▉]*▏ \d+ %/);
    ann.kill('SIGSTOP');
    tess.type('still typing');
    await tess.waitFor(/reel\.bin ▕[^\n]* %[^\n]*\n[^\n]*still typing/);
    ann.kill('SIGCONT');
    await tess.waitFor(`reel.bin is here: ${join(stage.folder, 'Downloads', 'reel.bin')}`);
    await tess.waitUntil('no bar', (text) => !text.includes('▕') && text.includes('still typing'));
    tess.type('\u0015');
    tess.enter('/files');
    await tess.waitFor(new RegExp(`\\b${number} reel\\.bin {2}57\\.2 MiB, from ann, here`));
    takeBackAll(ann);
  });

  journey(
    'that are pictures are drawn once they are taken, and not before',
    async ({ ann, tess, calm }, stage) => {
      writeFileSync(join(stage.folder, 'face.png'), encodePng(gradient(64, 48)));
      writeFileSync(join(stage.folder, 'none.png'), 'a text that is called a picture');

      ann.command('/send face.png none.png');
      await tess.waitFor('<ann> offers none.png');
      assert.ok(!tess.text().includes('▀'));
      tess.enter('/accept all');
      await tess.waitFor('[picture face.png 64×48]');
      await tess.waitFor(/\| ▀{20}/);
      await tess.waitFor('none.png is here');
      assert.ok(!tess.text().includes('[picture none.png'));
      calm.enter('/accept all');
      await calm.waitFor('face.png is here');
      calm.enter('the end');
      await calm.waitFor('<calm> the end');
      assert.ok(!calm.text().includes('▀') && !calm.text().includes('[picture'));
    },
  );
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
