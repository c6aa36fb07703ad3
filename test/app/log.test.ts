import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { forgivingWriter, type LogEntry, makeLog, openLog } from '../../src/app/log.ts';
import { InputError } from '../../src/protocol/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'securechat-log-'));
after(() => rmSync(folder, { recursive: true }));

const NOON_MS = Date.UTC(2026, 0, 1, 12);

test('writes what is grave enough, with its time and made safe to show', () => {
  const entries: LogEntry[] = [];
  const log = makeLog({ level: 'warn', nowMs: () => NOON_MS, write: (entry) => entries.push(entry) });
  log.error('room', 'one\u001b[2J\ntwo');
  log.warn('line', 'lost');
  log.info('line', 'back');
  log.debug('line', 'detail');
  const at = '2026-01-01T12:00:00.000Z';
  assert.deepEqual(entries, [
    { at, level: 'error', about: 'room', text: 'one␛[2J␊two' },
    { at, level: 'warn', about: 'line', text: 'lost' },
  ]);
});

test('a file gets one JSON object a line, and is for its owner only', () => {
  const path = join(folder, 'a.log');
  for (const text of ['first', 'second'])
    openLog({ logFile: path, logLevel: 'info', display: 'plain' }).info('room', text);
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).text),
    ['first', 'second'],
  );
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a file that cannot be written to is told at the start', () => {
  const options = { logFile: join(folder, 'none', 'a.log'), logLevel: 'info', display: 'plain' } as const;
  assert.throws(
    () => openLog(options),
    (error: unknown) =>
      error instanceof InputError &&
      /^Cannot write the log to .*: there is no such file or folder\.$/.test(error.message),
  );
});

test('a pipe that nobody reads holds nothing up', () => {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  assert.throws(() => openLog({ logFile: path, logLevel: 'info', display: 'plain' }), InputError);
});

test('a full disk is told once, and the first line after it stands alone', () => {
  let full = true;
  let written = '';
  const told: LogEntry[] = [];
  const write = forgivingWriter(
    (text) => {
      written += full ? text.slice(0, 5) : text;
      if (full) throw Object.assign(new Error('write'), { code: 'ENOSPC' });
    },
    (entry) => told.push(entry),
  );
  const entry = (text: string): LogEntry => ({ at: '', level: 'info', about: 'x', text });
  write(entry('one'));
  write(entry('two'));
  full = false;
  write(entry('three'));
  write(entry('four'));
  assert.deepEqual(
    told.map(({ about, text }) => [about, text]),
    [['log', 'lines are lost until the log can be written again: the disk is full']],
  );
  assert.deepEqual(
    written
      .split('\n')
      .slice(-3, -1)
      .map((line) => JSON.parse(line).text),
    ['three', 'four'],
  );
});
