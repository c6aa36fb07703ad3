/**
 * Whoever sends a file, whoever takes it and their host are killed at random places of it. Each goes on by itself when it
 * is back, nobody says anything twice, and what is there at the end is what was sent.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, statSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { repeated } from '../helpers/effort.ts';
import { numbers } from '../helpers/numbers.ts';
import { type Program, Stage } from '../helpers/program.ts';
import { freePort } from '../helpers/relay.ts';

const ROUNDS = repeated({ quick: 6, thorough: 30, slow: 300 });
/** What comes in between two kills, on average. */
const ROUND_BYTES = 6_000_000;
const ROUND_MS = 4_000;
const PASSPHRASE = 'three small words';
const SEED = Number(process.env['SEED'] ?? 20_261_128);

function sum(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

test(`P41 kill -9 of sender, receiver and host at random chunks, ${ROUNDS} rounds: the same SHA-256`, {
  timeout: 60_000 + ROUNDS * ROUND_MS,
}, async (context) => {
  context.diagnostic(`SEED=${SEED}`);
  const random = numbers(SEED);
  const stage = new Stage();
  context.signal.addEventListener('abort', () => context.diagnostic(stage.transcript().slice(-20_000)));
  try {
    const passphrase = stage.file(PASSPHRASE);
    const listen = `127.0.0.1:${await freePort()}`;
    const room = await stage.room([
      '--keep',
      'kitchen',
      '--room',
      'Kitchen',
      '--listen',
      listen,
      '--no-chat',
    ]);
    let { host } = room;
    const downloads = join(stage.folder, 'taken');
    mkdirSync(downloads, { mode: 0o700 });
    const more = {
      ann: ['--max-file', '4G'],
      bob: ['--max-file', '4G', '--auto-accept', '4G', '--downloads', downloads],
    };
    const nicks = ['ann', 'bob'] as const;
    const guests = new Map<string, Program>();
    const start = (nick: 'ann' | 'bob', words: readonly string[]): Program => {
      const usual = ['--json', '--passphrase-file', passphrase, ...more[nick]];
      const program = stage.start(nick, ['c', ...words, ...usual]);
      guests.set(nick, program);
      return program;
    };
    for (const nick of nicks) {
      const file = `${nick}.pem`;
      const making = ['identity', 'new', file, '--sign', 'dsa', '--passphrase-file', passphrase];
      assert.equal(await stage.start('keeper', making).exit, 0);
      const first = ['--nick', nick, '--identity', file, '--save-as', nick, ...stage.secrets(room)];
      await start(nick, first).until('notice', { code: 'saved' });
    }

    const bytes = ROUNDS * ROUND_BYTES;
    const content = randomBytes(bytes);
    writeFileSync(join(stage.folder, 'film.bin'), content);
    guests.get('ann')?.command('/send film.bin');

    const watcher = watch(downloads);
    stage.onClose(() => watcher.close());
    /** Of the file, in the folder of who takes it, whole or not. */
    const thereBytes = (): number => {
      const sizes = readdirSync(downloads).map(
        (name) => statSync(join(downloads, name), { throwIfNoEntry: false })?.size ?? 0,
      );
      return Math.max(0, ...sizes);
    };
    for (let round = 0; round < ROUNDS; round += 1) {
      const wanted = Math.min(bytes - 1, round * ROUND_BYTES + random(ROUND_BYTES));
      while (thereBytes() <= wanted) await once(watcher, 'change');
      const who = (['ann', 'bob', 'host'] as const)[random(3)];
      if (who === 'host') {
        host.kill();
        await host.exit;
        host = stage.start('host', ['s', '--json', '--keep', 'kitchen', '--listen', listen, '--no-chat']);
        await host.until('ready');
      } else if (who !== undefined) {
        const guest = guests.get(who);
        guest?.kill();
        await guest?.exit;
        await start(who, [`@${who}`]).until('joined');
      }
    }

    const bob = guests.get('bob');
    assert.ok(bob !== undefined);
    const path = join(downloads, 'film.bin');
    if (!readdirSync(downloads).includes('film.bin')) await bob.until('file', { state: 'done' });
    assert.equal(sum(readFileSync(path)), sum(content));
    assert.deepEqual(readdirSync(downloads), ['film.bin']);
    const problems = stage.events.filter(
      (event) => (event.type === 'notice' && event.level === 'alarm') || event.type === 'error',
    );
    assert.deepEqual(problems, []);
    assert.ok(!stage.events.some((event) => event.type === 'file' && event.state === 'failed'));
  } catch (error) {
    context.diagnostic(stage.transcript().slice(-20_000));
    throw error;
  } finally {
    await stage.close();
  }
});
