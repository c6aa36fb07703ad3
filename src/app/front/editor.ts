/** `/edit`: the draft in the person's own editor, by way of a file that only they can read and that is gone after. */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../../protocol/errors.ts';
import { LIMITS } from '../../protocol/limits.ts';
import { fileProblem } from '../file-problem.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Past this it is no message: twice what one may hold, so that its end can be told to be left out. */
const FILE_BYTES_MOST = 2 * LIMITS.textBytes;

/** As git and mail programs choose: what is set for a full screen first. */
export function editorOf(env: Environment, platform: NodeJS.Platform): string {
  return env['VISUAL']?.trim() || env['EDITOR']?.trim() || (platform === 'win32' ? 'notepad' : 'vi');
}

/**
 * The terminal must have been given away before. Whatever ends the program, or `over`, ends the editor too, and leaves no
 * file behind.
 * @param over nobody wants the text any more
 * @returns the text as it was saved, without the line feed at its end
 * @throws InputError `editor` when it cannot be started or ends with a failure: the draft is as it was
 */
export async function editText(
  draft: string,
  env: Environment = process.env,
  over: AbortSignal = new AbortController().signal,
): Promise<string> {
  let folder: string | null = null;
  const ending = new AbortController();
  // In this order: an editor that is ended saves what it can, and finds no folder for it.
  const end = (): void => {
    if (folder !== null) rmSync(folder, { recursive: true, force: true });
    ending.abort();
  };
  over.addEventListener('abort', end);
  process.once('exit', end);
  try {
    folder = await makeFolder(env);
    over.throwIfAborted();
    const path = join(folder, 'message.txt');
    await writeFile(path, draft === '' ? '' : `${draft}\n`, { mode: 0o600, flag: 'wx' });
    await run(editorOf(env, process.platform), path, ending.signal);
    return await readBack(path);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(
      'editor',
      `The draft cannot be put into a file: ${fileProblem(error)}. It is as it was.`,
    );
  } finally {
    over.removeEventListener('abort', end);
    process.off('exit', end);
    // One that cannot be removed now could not be later.
    if (folder !== null) await rm(folder, { recursive: true, force: true }).catch(() => {});
  }
}

/** Where there is one, in memory that belongs to this person alone. */
function makeFolder(env: Environment): Promise<string> {
  const inTemporary = (): Promise<string> => mkdtemp(join(tmpdir(), 'securechat-'));
  const runtime = env['XDG_RUNTIME_DIR'];
  return runtime ? mkdtemp(join(runtime, 'securechat-')).catch(inTemporary) : inTemporary();
}

/** An editor may come with arguments of its own: the shell takes it apart, and gets the path as a word of its own. */
function run(editor: string, path: string, ended: AbortSignal): Promise<void> {
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
    // As when the window is closed: editors take their leave of the terminal.
    const hangUp = (): void => void child.kill('SIGHUP');
    ended.addEventListener('abort', hangUp);
    if (ended.aborted) hangUp();
    child.once('exit', (code, signal) => {
      ended.removeEventListener('abort', hangUp);
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
