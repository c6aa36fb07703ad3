import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
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

  test('neither a file nor the editor is left when the program ends while it is open', async (context) => {
    // Tells its number, ends the program, and would stay.
    const { folder, env } = bench('echo $$ > "$0.pid"; kill -TERM "$PPID"; exec sleep 50');
    context.after(() => rmSync(folder, { recursive: true }));
    const editor = new URL('../../../src/app/front/editor.ts', import.meta.url);
    const script = `import { editText } from ${JSON.stringify(editor.href)};
process.on('SIGTERM', () => process.exit(7));
await editText('a draft', process.env);`;
    // The shell in between is replaced by the editor: its parent is the program. What it has of the pipe ends with it.
    const program = spawn(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...env, EDITOR: `exec ${env['EDITOR']}` },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    program.stdout.resume();
    const [exitCode] = await once(program, 'close');
    assert.equal(exitCode, 7);
    assert.deepEqual(readdirSync(folder).sort(), ['my editor', 'my editor.pid']);
  });

  test('neither is left when nobody wants the text any more', async (context) => {
    const { folder, env } = bench('touch "$0.open"; exec sleep 50');
    context.after(() => rmSync(folder, { recursive: true }));
    const over = new AbortController();
    const opened = new Promise<void>((resolve) => {
      const watcher = watch(folder, (_, name) => {
        if (name !== 'my editor.open') return;
        watcher.close();
        resolve();
      });
    });
    const edited = assert.rejects(editText('a draft', env, over.signal), isEditorError);
    await opened;
    over.abort();
    assert.deepEqual(readdirSync(folder).sort(), ['my editor', 'my editor.open']);
    await edited;
  });

  test('where no file can be made, that is said', async (context) => {
    const { folder, env } = bench('true');
    context.after(() => rmSync(folder, { recursive: true }));
    const temporary = process.env['TMPDIR'];
    context.after(() => {
      if (temporary === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = temporary;
    });
    process.env['TMPDIR'] = join(folder, 'not-there');
    const nowhere = { ...env, XDG_RUNTIME_DIR: join(folder, 'nor-this') };
    await assert.rejects(editText('draft', nowhere), isEditorError);
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
