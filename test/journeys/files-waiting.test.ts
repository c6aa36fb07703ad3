/** A file for somebody who is away, with the real program: it waits at the host, its sender goes, the host begins anew. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { journey, type Program, type Stage } from '../helpers/program.ts';
import { freePort } from '../helpers/relay.ts';

const PASSPHRASE = 'three small words';
const ROOMS = '.local/share/securechat/rooms';

function sum(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

async function ended(program: Program): Promise<void> {
  program.send({ type: 'quit' });
  assert.equal(await program.exit, 0);
}

function waiting(stage: Stage): readonly string[] {
  return readdirSync(join(stage.folder, ROOMS, 'kitchen.files'));
}

journey('a file waits at the host for a member who is away, and its sender need not stay', async (stage) => {
  const passphrase = stage.file(PASSPHRASE);
  const listen = ['--listen', `127.0.0.1:${await freePort()}`];
  const room = await stage.room(['--keep', 'kitchen', '--room', 'Kitchen', ...listen, '--no-chat']);
  const start = (nick: string, words: readonly string[]): Program =>
    stage.start(nick, ['c', ...words, '--json', '--passphrase-file', passphrase]);
  const joined = async (nick: string): Promise<Program> => {
    const file = `${nick}.pem`;
    const making = ['identity', 'new', file, '--sign', 'dsa', '--passphrase-file', passphrase];
    assert.equal(await stage.start('keeper', making).exit, 0);
    const words = ['--nick', nick, '--identity', file, '--save-as', nick, ...stage.secrets(room)];
    const program = start(nick, words);
    await program.until('notice', { code: 'saved' });
    return program;
  };
  const ann = await joined('ann');
  const bob = await joined('bob');
  await ann.until('member', { change: 'joined' });
  await ended(bob);
  await ann.until('member', { change: 'offline' });

  const content = randomBytes(2_000_000);
  writeFileSync(join(stage.folder, 'report.bin'), content);
  // Of what everyone may take nobody knows for whom it is to wait.
  ann.command('/send report.bin');
  await ann.until('message', { kind: 'file' });
  ann.command('/send report.bin to bob');
  await ann.until('file', ({ takers }) => takers?.[0]?.state === 'kept');
  assert.equal(waiting(stage).length, 1);
  await ended(ann);
  room.host.kill();
  await room.host.exit;

  const host = stage.start('host', ['s', '--json', '--keep', 'kitchen', ...listen, '--no-chat']);
  await host.until('ready');
  const again = start('bob', ['@bob']);
  const offer = await again.until('message', ({ kind, direct }) => kind === 'file' && direct !== undefined);
  again.command(`/accept ${offer.file?.number ?? 0}`);
  const { path = '' } = await again.until('file', { state: 'done' });
  assert.equal(sum(readFileSync(path)), sum(content));

  // Ann's program has it again from what it had saved, and hears what became of it.
  const later = start('ann', ['@ann']);
  await later.until('file', ({ takers }) => takers?.[0]?.state === 'done');
  assert.deepEqual(waiting(stage), []);

  // The host says so once: the run after that knows it from what was saved.
  await ended(later);
  const last = start('ann', ['@ann']);
  await last.until('joined');
  last.command('/files');
  await last.until('notice', ({ code, text }) => code === 'files' && /report\.bin.*bob has it/.test(text));
});
