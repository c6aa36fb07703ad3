/**
 * The program's own log: standard error or a file, a line an event, never a secret and never what anyone said.
 */
import { appendFileSync } from 'node:fs';
import { cleanText } from '../protocol/clean-text.ts';
import { InputError } from '../protocol/errors.ts';
import type { LogLevel } from './options.ts';

const RANK: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

export interface Log {
  error(about: string, text: string): void;
  warn(about: string, text: string): void;
  info(about: string, text: string): void;
  debug(about: string, text: string): void;
}

/** @throws InputError when the file cannot be written to: better at the start than when something happens. */
export function openLog(options: { readonly logFile: string | null; readonly logLevel: LogLevel }): Log {
  const { logFile, logLevel } = options;
  try {
    if (logFile !== null) appendFileSync(logFile, '', { mode: 0o600 });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new InputError('log-file', `Cannot write the log to ${logFile}: ${why}`);
  }
  const write = (level: LogLevel, about: string, text: string): void => {
    if (RANK[level] > RANK[logLevel]) return;
    const line = `${new Date().toISOString()} ${level} ${about}: ${cleanText(text)}\n`;
    if (logFile === null) process.stderr.write(line);
    else appendFileSync(logFile, line);
  };
  return {
    error: (about, text) => write('error', about, text),
    warn: (about, text) => write('warn', about, text),
    info: (about, text) => write('info', about, text),
    debug: (about, text) => write('debug', about, text),
  };
}
