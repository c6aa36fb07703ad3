/** What people read when a file cannot be had. */
import assert from 'node:assert/strict';
import { mkdtempDisposableSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileProblem } from '../../src/app/file-problem.ts';

function problemOf(path: string): string {
  try {
    readFileSync(path);
  } catch (error) {
    return fileProblem(error);
  }
  return 'none';
}

test("the system's own errors are told in words", () => {
  using folder = mkdtempDisposableSync(join(tmpdir(), 'file-problem-'));
  const circle = join(folder.path, 'circle');
  symlinkSync(circle, circle);
  assert.equal(problemOf(join(folder.path, 'none')), 'there is no such file or folder');
  assert.equal(problemOf(folder.path), 'it is a folder, not a file');
  assert.equal(problemOf(circle), 'its links lead in a circle');
  assert.equal(problemOf(join(folder.path, 'x'.repeat(300))), 'the name is too long');
});

test('what has no words of ours keeps its own', () => {
  assert.equal(fileProblem(Object.assign(new Error('odd'), { code: 'EODD' })), 'odd');
  assert.equal(fileProblem(Object.assign(new Error('odd'), { code: 'constructor' })), 'odd');
  assert.equal(fileProblem('odd'), 'odd');
});
