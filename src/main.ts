#!/usr/bin/env node
/**
 * The program. Only here does the process get its exit code.
 */
import { isatty } from 'node:tty';
import { run } from './cli/run.ts';

/** Output still on its way to a pipe gets this long; a handle left open must not keep the program alive. */
const DRAIN_MS = 1_000;

// No top-level await: the executable's bundle is CommonJS, which has none.
void run(
  process.argv.slice(2),
  {
    // Loaded only when needed, so that --help and --version start at once.
    host: async (options) => (await import('./app/host.ts')).runHost(options),
    join: async (options) => (await import('./app/client.ts')).runJoin(options),
  },
  {
    // Asked of the system: `process.stdin` would make a stream only to tell.
    stdinIsTerminal: isatty(0),
    stdoutIsTerminal: isatty(1),
    env: process.env,
    writeOut: (text) => process.stdout.write(text),
    writeErr: (text) => process.stderr.write(text),
    askRole: async () => (await import('./cli/ask-role.ts')).askRole(process.stdin, process.stdout),
  },
).then((exitCode) => {
  process.exitCode = exitCode;
  setTimeout(() => process.exit(exitCode), DRAIN_MS).unref();
});
