import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Front } from '../../src/app/front/front.ts';
import { readSecret } from '../../src/app/secret.ts';

const nobody = {} as Front;

test('a secret is the file without the white space around it', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'secret-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'answer');
  writeFileSync(path, '  in the library\r\n');
  assert.equal(await readSecret({ kind: 'file', path }, nobody), 'in the library');
});

test('a file that never ends is refused after a few kilobytes', async () => {
  await assert.rejects(readSecret({ kind: 'file', path: '/dev/zero' }, nobody), { code: 'file' });
});

test('a file that cannot be read is named', async () => {
  await assert.rejects(readSecret({ kind: 'file', path: '/nonexistent/answer' }, nobody), (error: Error) =>
    error.message.includes('/nonexistent/answer: there is no such file or folder.'),
  );
});
