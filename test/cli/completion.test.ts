/** The scripts in the shells they are for. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { SHELLS, type Shell } from '../../src/cli/commands.ts';
import { completedCommands } from '../../src/cli/completion/model.ts';
import { completionScript } from '../../src/cli/completion/script.ts';
import { available } from '../helpers/tools.ts';

const folder = mkdtempSync(join(tmpdir(), 'securechat-completion-'));
after(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'an answer.txt'), '');

const scripts = new Map<Shell, string>(
  SHELLS.map((shell) => {
    const path = join(folder, `completion.${shell}`);
    writeFileSync(path, completionScript(shell));
    return [shell, path];
  }),
);

function sh(file: string, ...words: readonly string[]): readonly string[] {
  const env = { PATH: process.env['PATH'], HOME: folder, TERM: 'dumb' };
  return execFileSync(file, words, { cwd: folder, env, encoding: 'utf8' }).split('\n').filter(Boolean);
}

/** @param words the command line, the last of them being completed */
function inBash(...words: readonly string[]): readonly string[] {
  const line = words.map((word) => `'${word}'`).join(' ');
  const script = `source '${scripts.get('bash')}'; COMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
    _securechat; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return sh('bash', '--norc', '-uc', script);
}

function inFish(line: string): readonly string[] {
  const found = sh('fish', '--no-config', '-c', `source '${scripts.get('fish')}'; complete -C '${line}'`);
  return found.map((each) => each.split('\t')[0] ?? '');
}

const options = new Map(
  completedCommands().flatMap(({ names, options: all }) =>
    names.map((name) => [name, all.map((option) => `--${option.name}`)] as const),
  ),
);

if (available(['bash', '--version'], 'completion for bash')) {
  describe('bash', () => {
    test('registers itself', () => {
      const line = sh('bash', '--norc', '-c', `source '${scripts.get('bash')}'; complete -p securechat`);
      assert.deepEqual(line, ['complete -F _securechat securechat']);
    });

    test('commands', () => {
      assert.deepEqual(inBash('securechat', 'co'), ['config', 'completion']);
      assert.deepEqual(inBash('securechat', '--v'), ['--version']);
      assert.deepEqual(inBash('securechat', 'completion', ''), ['bash', 'zsh', 'fish', '--help']);
      assert.deepEqual(inBash('securechat', 'help', 'cl'), ['client']);
    });

    for (const [name, all] of options) {
      test(`all options of ${name}`, () => assert.deepEqual(inBash('securechat', name, '--'), all));
    }

    test('choices, with a space or an equals sign', () => {
      assert.deepEqual(inBash('securechat', 'c', '--bell', 'o'), ['on', 'off']);
      assert.deepEqual(inBash('securechat', 'c', '--bell', '=', 'o'), ['on', 'off']);
      assert.deepEqual(inBash('securechat', 'c', '--bell', '='), ['on', 'off', 'all']);
    });

    test('files where a file is wanted, nothing where only the person knows', () => {
      assert.deepEqual(inBash('securechat', 's', '--answer-file', 'an'), ['an answer.txt']);
      assert.deepEqual(inBash('securechat', 's', '--room', 'an'), []);
      assert.deepEqual(inBash('securechat', 'identity', 's'), ['show']);
      assert.deepEqual(inBash('securechat', 'identity', 'show', 'an'), ['an answer.txt']);
      assert.deepEqual(inBash('securechat', 'check', 'an'), ['an answer.txt']);
      assert.deepEqual(inBash('securechat', 'send', 'f', 'an'), ['an answer.txt']);
      assert.deepEqual(inBash('securechat', 'send', 'f', '--to', 'an'), []);
      assert.deepEqual(inBash('securechat', 'send', 'f', '--wa'), ['--wait']);
      assert.deepEqual(inBash('securechat', 'check', 'f', '--ow'), ['--owner']);
      assert.deepEqual(inBash('securechat', 'check', 'f', '--owner', 'an'), []);
    });
  });
}

if (available(['fish', '--version'], 'completion for fish')) {
  describe('fish', () => {
    test('commands', () => {
      assert.deepEqual(inFish('securechat co'), ['completion', 'config']);
      assert.deepEqual(inFish('securechat completion '), ['bash', 'fish', 'zsh']);
    });

    for (const [name, all] of options) {
      test(`all options of ${name}`, () =>
        assert.deepEqual([...inFish(`securechat ${name} --`)].sort(), [...all].sort()));
    }

    test('choices, and files where a file is wanted', () => {
      assert.deepEqual(inFish('securechat c --bell o'), ['off', 'on']);
      assert.deepEqual(inFish('securechat s --answer-file an'), ['an answer.txt']);
      assert.deepEqual(inFish('securechat s --room an'), []);
      assert.deepEqual(inFish('securechat identity s'), ['show']);
      assert.deepEqual(inFish('securechat identity show an'), ['an answer.txt']);
      assert.deepEqual(inFish('securechat check an'), ['an answer.txt']);
      assert.deepEqual(inFish('securechat send f an'), ['an answer.txt']);
    });
  });
}

if (available(['zsh', '--version'], 'completion for zsh')) {
  test('zsh takes the script and registers it', () => {
    const load = `autoload -Uz compinit; compinit -u -D; source '${scripts.get('zsh')}'; print $_comps[securechat]`;
    assert.deepEqual(sh('zsh', '-fc', load), ['_securechat']);
  });
}
