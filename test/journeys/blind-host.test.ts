/**
 * P16: a host that takes no part holds nothing of what is said, in its memory or on its disk. The search is proved on a
 * process that does hold it.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe } from 'node:test';
import { journey } from '../helpers/program.ts';
import { available } from '../helpers/tools.ts';

const CHUNK_BYTES = 16 * 1_024 * 1_024;
const WRITABLE = /^([0-9a-f]+)-([0-9a-f]+) rw/;

/** As V8 holds text: one byte a character, UTF-8, or two. */
function encodings(text: string): readonly Buffer[] {
  return [Buffer.from(text, 'utf8'), Buffer.from(text, 'utf16le')];
}

/** @returns which of the texts stand anywhere in what the process can write to. */
function foundInMemory(pid: number, texts: readonly string[]): readonly string[] {
  const wanted = texts.map((text) => ({ text, forms: encodings(text) }));
  const overlap = Math.max(...wanted.flatMap(({ forms }) => forms.map((form) => form.length)));
  const found = new Set<string>();
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to] = WRITABLE.exec(line) ?? [];
      if (from === undefined || to === undefined) continue;
      const end = BigInt(`0x${to}`);
      for (let at = BigInt(`0x${from}`); at < end; at += BigInt(CHUNK_BYTES - overlap)) {
        const length = Number(end - at < BigInt(CHUNK_BYTES) ? end - at : BigInt(CHUNK_BYTES));
        const bytes = readOrNone(memory, chunk, length, at);
        for (const { text, forms } of wanted) if (forms.some((form) => bytes.includes(form))) found.add(text);
      }
    }
  } finally {
    closeSync(memory);
  }
  return [...found];
}

function readOrNone(file: number, chunk: Buffer, length: number, position: bigint): Buffer {
  try {
    return chunk.subarray(0, readSync(file, chunk, 0, length, position));
  } catch {
    // Reserved and never used: there is nothing in it.
    return chunk.subarray(0, 0);
  }
}

function foundOnDisk(folder: string, texts: readonly string[]): readonly string[] {
  const paths = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path));
  const contents = paths.filter((path) => statSync(path).isFile()).map((path) => readFileSync(path));
  return texts.filter((text) =>
    contents.some((bytes) => encodings(text).some((form) => bytes.includes(form))),
  );
}

if (available(['test', '-r', '/proc/1/mem'], 'the memory of a host that takes no part')) {
  describe('a host with --no-chat', () => {
    journey('P16: holds no word of what is said, in memory or on disk', async (stage) => {
      const room = await stage.room(['--no-chat', '--log-level', 'debug', '--log-file', 'host.log']);
      const ann = await stage.guest('ann', room);
      const bob = await stage.guest('bob', room);
      const canaries = Array.from({ length: 6 }, () => `canary ${randomUUID()} ends`);
      const [first = '', second = '', emote = '', ...burst] = canaries;

      ann.say(first);
      await bob.until('message', { text: first });
      bob.say(second);
      await ann.until('message', { text: second });
      ann.command(`/me ${emote}`);
      await bob.until('message', { text: emote });
      // While messages are under way the host holds the most.
      for (const text of burst) ann.say(text);
      assert.deepEqual(foundInMemory(room.host.pid, canaries), []);
      await bob.until('message', { text: burst.at(-1) ?? '' });

      assert.deepEqual([...foundInMemory(ann.pid, canaries)].sort(), [...canaries].sort());
      assert.deepEqual([...foundInMemory(room.host.pid, ['Where did we meet?'])], ['Where did we meet?']);
      assert.deepEqual(foundInMemory(room.host.pid, canaries), []);
      room.host.command('/kick bob');
      await ann.until('member', { change: 'removed' });
      assert.deepEqual(foundInMemory(room.host.pid, canaries), []);
      assert.deepEqual(foundOnDisk(stage.folder, canaries), []);
      assert.ok(!room.host.stdout.includes('canary') && !room.host.stderr.includes('canary'));

      room.host.say('I take no part');
      assert.equal((await room.host.until('error')).code, 'not-joined');
    });
  });
}
