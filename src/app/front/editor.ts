/** `/edit`: the draft in the person's own editor, by way of a file that only they can read and that is gone after. */
import { spawn } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../../protocol/errors.ts';
import { LIMITS } from '../../protocol/limits.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Past this it is no message: twice what one may hold, so that its end can be told to be left out. */
const FILE_BYTES_MOST = 2 * LIMITS.textBytes;

/** As git and mail programs choose: what is set for a full screen first. */
export function editorOf(env: Environment, platform: NodeJS.Platform): string {
  return env['VISUAL']?.trim() || env['EDITOR']?.trim() || (platform === 'win32' ? 'notepad' : 'vi');
}

/**
 * The terminal must have been given away before.
 * @returns the text as it was saved, without the line feed at its end
 * @throws InputError `editor` when it cannot be started or ends with a failure: the draft is as it was
 */
export async function editText(draft: string, env: Environment = process.env): Promise<string> {
  // Where there is one, a folder in memory that belongs to this person alone.
  const folder = await mkdtemp(join(env['XDG_RUNTIME_DIR'] || tmpdir(), 'securechat-')).catch(() =>
    mkdtemp(join(tmpdir(), 'securechat-')),
  );
  const path = join(folder, 'message.txt');
  try {
    await writeFile(path, draft === '' ? '' : `${draft}\n`, { mode: 0o600, flag: 'wx' });
    await run(editorOf(env, process.platform), path);
    return await readBack(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An editor may come with arguments of its own: the shell takes it apart, and gets the path as a word of its own. */
function run(editor: string, path: string): Promise<void> {
  const child =
    process.platform === 'win32'
      ? spawn(`${editor} "${path}"`, { stdio: 'inherit', shell: true })
      : spawn('/bin/sh', ['-c', `${editor} "$@"`, 'sh', path], { stdio: 'inherit' });
  const failed = (why: string): InputError =>
    new InputError(
      'editor',
      `The editor "${editor}" ${why}. Set VISUAL or EDITOR to another; the draft is as it was.`,
    );
  return new Promise((resolve, reject) => {
    child.once('error', (error) => reject(failed(`could not be started: ${error.message}`)));
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(failed(code === 127 ? 'is not there' : `ended with ${signal ?? `code ${code}`}`));
    });
  });
}

async function readBack(path: string): Promise<string> {
  const file = await open(path, 'r').catch(() => {
    throw new InputError('editor', 'The editor left no file. The draft is as it was.');
  });
  try {
    const buffer = Buffer.alloc(FILE_BYTES_MOST);
    const { bytesRead } = await file.read(buffer, 0, FILE_BYTES_MOST, 0);
    return buffer.toString('utf8', 0, bytesRead).replaceAll('\r\n', '\n').replace(/\n$/, '');
  } finally {
    await file.close();
  }
}
