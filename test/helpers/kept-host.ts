/** Hosts of one kept room, `kitchen`, over the real program. */
import assert from 'node:assert/strict';
import { HostedRoom, type Program, type Stage } from './program.ts';

/** A room that is made now and kept as `kitchen`. */
export function newRoom(stage: Stage, words: readonly string[] = []): Promise<HostedRoom> {
  return stage.room(['--keep', 'kitchen', '--room', 'Kitchen', ...words]);
}

/** The same room's host once more; nothing is answered. */
export function opening(
  stage: Stage,
  words: readonly string[] = [],
  keep: readonly string[] = ['--keep', 'kitchen'],
) {
  const where = words.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
  return stage.start('host', ['s', '--json', '--nick', 'olga', ...keep, ...where, ...words]);
}

export async function reopened(stage: Stage, words: readonly string[] = []): Promise<HostedRoom> {
  const host = opening(stage, words);
  const ready = await host.until('ready');
  if (!words.includes('--no-chat')) await host.until('joined');
  return new HostedRoom(host, ready);
}

export async function ends({ host }: HostedRoom): Promise<void> {
  host.send({ type: 'quit' });
  assert.equal(await host.exit, 0);
}

export async function killed({ host }: HostedRoom): Promise<void> {
  host.kill();
  await host.exit;
}

/** It ends with this sentence and nothing else. */
export async function refuses(program: Program, exitCode: number, code: string, text: RegExp): Promise<void> {
  const error = await program.until('error');
  assert.match(error.message, text);
  assert.equal(error.code, code);
  assert.equal(await program.exit, exitCode);
  assert.ok(!program.events.some(({ type }) => type === 'ready'));
}

/** What a command of the host answers with. */
export async function told(
  program: Program,
  line: string,
  code: string,
  last: RegExp,
): Promise<readonly string[]> {
  const from = program.events.length;
  program.command(line);
  await program.until('notice', (event) => event.code === code && last.test(event.text));
  return program.events
    .slice(from)
    .flatMap((event) => (event.type === 'notice' && event.code === code ? [event.text] : []));
}

export async function does(program: Program, line: string, code: string): Promise<void> {
  program.command(line);
  await program.until('notice', { code });
}

export async function says(from: Program, to: Program, text: string): Promise<void> {
  from.say(text);
  await to.until('message', { text });
}

export const textsOf = ({ events }: Program): readonly string[] =>
  events.flatMap((event) => (event.type === 'message' ? [event.text] : []));
