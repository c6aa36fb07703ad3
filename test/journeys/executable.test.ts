/**
 * The built executable as a thing of its own: it needs no PATH, obeys no NODE_OPTIONS and prints no warning.
 * Runs when SECURECHAT_BIN names one; from source there is nothing to check here.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { VERSION } from '../../src/version.ts';

const executable = process.env['SECURECHAT_BIN'];

function runExecutable(path: string, words: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(path, words, {
    env: { PATH: '', ...env },
    encoding: 'utf8',
    input: '',
  });
  return { status, stdout, stderr };
}

if (executable === undefined) {
  console.log('executable: not checked, SECURECHAT_BIN names none');
} else {
  describe('the executable', () => {
    const printsVersion = { status: 0, stdout: `${VERSION}\n`, stderr: '' };

    test('prints its version with nothing on PATH', () => {
      assert.deepEqual(runExecutable(executable, ['--version']), printsVersion);
    });

    test('does not obey NODE_OPTIONS', (context) => {
      const folder = mkdtempSync(join(tmpdir(), 'securechat-'));
      context.after(() => rmSync(folder, { recursive: true }));
      const mark = join(folder, 'mark');
      const script = join(folder, 'evil.cjs');
      writeFileSync(
        script,
        `require('node:fs').writeFileSync(${JSON.stringify(mark)}, ''); console.log('evil');`,
      );
      // The trap itself works: a plain Node falls into it.
      const env = { NODE_OPTIONS: `--require ${script}` };
      assert.match(runExecutable(process.execPath, ['--version'], env).stdout, /^v/);
      assert.match(runExecutable(process.execPath, ['-e', '0'], env).stdout, /^evil/);
      assert.ok(existsSync(mark));
      rmSync(mark);

      assert.deepEqual(runExecutable(executable, ['--version'], env), printsVersion);
      assert.ok(!existsSync(mark));
      assert.deepEqual(
        runExecutable(executable, ['--version'], { NODE_OPTIONS: '--no-such-option' }),
        printsVersion,
      );
    });

    test('takes the options of Node for its own, and refuses them', () => {
      const { status, stdout, stderr } = runExecutable(executable, ['--eval', 'console.log(1)']);
      assert.deepEqual({ status, stdout }, { status: 2, stdout: '' });
      assert.match(stderr, /unknown option '--eval'/);
    });

    test('shows help with nothing on standard error', () => {
      const { status, stdout, stderr } = runExecutable(executable, ['--help'], {
        NODE_PENDING_DEPRECATION: '1',
      });
      assert.deepEqual({ status, stderr }, { status: 0, stderr: '' });
      assert.match(stdout, /^Example:/);
    });
  });
}
