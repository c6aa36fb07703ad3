#!/usr/bin/env node
/**
 * The program. Only here does the process get its exit code. What it needs is loaded when it needs it: asking for the
 * version costs no more than starting Node.
 */
import { VERSION } from './version.ts';

/** Output still on its way to a pipe gets this long; a handle left open must not keep the program alive. */
const DRAIN_MS = 1_000;

async function main(words: readonly string[]): Promise<void> {
  // Nobody reads what stands there, or its disk is full: no reason to end a room.
  process.stderr.on('error', () => {});
  const [{ isatty }, { run }] = await Promise.all([import('node:tty'), import('./cli/run.ts')]);
  const exitCode = await run(
    words,
    {
      host: async (options) => (await import('./app/hosting/host.ts')).runHost(options),
      join: async (options) => (await import('./app/client.ts')).runJoin(options),
      send: async (options) => (await import('./app/send-command.ts')).runSend(options),
      identity: async (options) => (await import('./app/identity-command.ts')).runIdentity(options),
      rooms: async (options) => (await import('./app/rooms/rooms-command.ts')).runRooms(options),
      check: async (options) => (await import('./app/check-command.ts')).runCheck(options),
    },
    {
      // Asked of the system: `process.stdin` would make a stream only to tell.
      stdinIsTerminal: isatty(0),
      stdoutIsTerminal: isatty(1),
      stderrColumns: process.stderr.columns,
      env: process.env,
      configPath: async () => (await import('./cli/config-path.ts')).defaultConfigPath(),
      dataFolder: async () => (await import('./cli/config-path.ts')).defaultDataFolder(),
      writeOut: (text) => process.stdout.write(text),
      writeErr: (text) => process.stderr.write(text),
      askRole: async () => (await import('./cli/ask-role.ts')).askRole(process.stdin, process.stdout),
    },
  );
  process.exitCode = exitCode;
  setTimeout(() => process.exit(exitCode), DRAIN_MS).unref();
}

/** Whoever read the output is gone, or its disk is full: there is nobody to tell on the same way. */
function onOutputError(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') process.stderr.write(`securechat: cannot write the output: ${error.code}\n`);
  process.exit(error.code === 'EPIPE' ? 0 : 1);
}

// Node would open a debugger on a local port, and whoever connects to it reads every key and every word.
process.on('SIGUSR1', () => {});
process.stdout.on('error', onOutputError);
const words = process.argv.slice(2);
if (words.length === 1 && (words[0] === '--version' || words[0] === '-V'))
  process.stdout.write(`${VERSION}\n`);
// No top-level await: the executable's bundle is CommonJS, which has none.
else void main(words);
