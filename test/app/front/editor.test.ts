import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { editorOf, editText } from '../../../src/app/front/editor.ts';
import { InputError } from '../../../src/protocol/errors.ts';

/** A folder for everything, and an editor that is a shell script in it: `$1` is the file. */
function bench(script: string): { readonly folder: string; readonly env: Record<string, string> } {
  const folder = mkdtempSync(join(tmpdir(), 'securechat editor-'));
  const editor = join(folder, 'my editor');
  writeFileSync(editor, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
  return { folder, env: { EDITOR: `'${editor}' --wait`, XDG_RUNTIME_DIR: folder, PATH: '/usr/bin:/bin' } };
}

const isEditorError = (error: unknown): boolean => error instanceof InputError && error.code === 'editor';

describe('editorOf', () => {
  test('the one for a full screen first, then the plain one, then the platform', () => {
    assert.equal(editorOf({ VISUAL: 'emacs', EDITOR: 'ed' }, 'linux'), 'emacs');
    assert.equal(editorOf({ VISUAL: ' ', EDITOR: 'ed' }, 'linux'), 'ed');
    assert.equal(editorOf({}, 'darwin'), 'vi');
    assert.equal(editorOf({}, 'win32'), 'notepad');
  });
});

describe('editText', () => {
  test('the draft goes in, what was saved comes out, and no file is left', async (context) => {
    const { folder, env } = bench(
      'cat "$2" > "$0.seen"; stat -c %a "$2" > "$0.mode"; printf "two\\r\\nlines\\n" > "$2"',
    );
    context.after(() => rmSync(folder, { recursive: true }));
    assert.equal(await editText('a draft', env), 'two\nlines');
    assert.deepEqual(readdirSync(folder).sort(), ['my editor', 'my editor.mode', 'my editor.seen']);
    const read = (name: string) => readFileSync(join(folder, name), 'utf8');
    assert.equal(read('my editor.seen'), 'a draft\n');
    assert.equal(read('my editor.mode'), '600\n');
  });

  test('an editor that fails, or is not there, is named; the file is gone all the same', async (context) => {
    const { folder, env } = bench('exit 3');
    context.after(() => rmSync(folder, { recursive: true }));
    await assert.rejects(editText('draft', env), isEditorError);
    await assert.rejects(editText('draft', { ...env, EDITOR: 'no-such-editor-here' }), /is not there/);
    assert.deepEqual(readdirSync(folder), ['my editor']);
  });

  test('an editor that removes the file is no empty message', async (context) => {
    const { folder, env } = bench('rm "$2"');
    context.after(() => rmSync(folder, { recursive: true }));
    await assert.rejects(editText('draft', env), isEditorError);
  });
});
