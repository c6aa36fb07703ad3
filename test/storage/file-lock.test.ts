import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { takeLock } from '../../src/storage/file-lock.ts';

const LOCK = fileURLToPath(new URL('../../src/storage/file-lock.ts', import.meta.url));

/** Takes the lock and stays. */
const HOLDER = `
  const { takeLock } = await import(process.argv[1]);
  globalThis.lock = takeLock(process.argv[2]);
  process.stdout.write(globalThis.lock === null ? 'refused' : 'held');
  setInterval(() => {}, 1_000);
`;

test('a lock is one program’s, and ends with it, however that ends', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'securechat-lock-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'kitchen.lock');

  const first = takeLock(path);
  assert.ok(first);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  assert.equal(takeLock(path), null);
  first.release();

  const words = ['--input-type=module', '--eval', HOLDER, LOCK, path];
  const other = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [said] = await once(other.stdout, 'data');
  assert.equal(String(said), 'held');
  assert.equal(takeLock(path), null);
  other.kill('SIGKILL');
  await once(other, 'close');
  const again = takeLock(path);
  assert.ok(again);
  again.release();
  assert.deepEqual(readdirSync(folder), ['kitchen.lock']);
});

/** Holds the lock until it is told to, and then lets go of it and of its file, as when a room is deleted. */
const REMOVER = `
  const { takeLock } = await import(process.argv[1]);
  const lock = takeLock(process.argv[2]);
  process.stdout.write('held');
  process.stdin.once('data', () => {
    lock.remove();
    process.exit();
  });
`;

test('whoever waited for a lock whose file was removed with it has the one that others find', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'securechat-lock-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'kitchen.lock');
  const words = ['--input-type=module', '--eval', REMOVER, LOCK, path];
  const other = spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(other.stdout, 'data');
  // It removes the file while this waits for the lock, without a turn in between.
  other.stdin.write('go');
  let lock = takeLock(path);
  while (lock === null) lock = takeLock(path);
  if (other.exitCode === null) await once(other, 'close');
  assert.equal(takeLock(path), null);
  lock.release();
});
