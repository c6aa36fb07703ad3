/**
 * The program's own log: one JSON object a line, never a secret and never what anyone said. It has no size limit of its
 * own: each line opens the file anew, so that logrotate and its like may move it away at any time.
 */
import { appendFileSync, closeSync, constants, openSync } from 'node:fs';
import { cleanText } from '../protocol/clean-text.ts';
import { InputError } from '../protocol/errors.ts';
import type { JsonEvent } from '../terminal/json-lines.ts';
import { fileProblem } from './file-problem.ts';
import type { CommonOptions, LogLevel } from './options.ts';

const RANK: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

export interface Log {
  error(about: string, text: string): void;
  warn(about: string, text: string): void;
  info(about: string, text: string): void;
  debug(about: string, text: string): void;
}

export interface LogEntry {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly level: LogLevel;
  readonly about: string;
  readonly text: string;
}

/** The log of a run. */
export interface RunLog extends Log {
  /**
   * A drawn screen shares its terminal with standard error, and whatever else writes there tears it: from here on lines
   * for a person become notices on it.
   */
  showOn(front: { emit(event: JsonEvent): void }): void;
}

/** @throws InputError when the file cannot be written to: better at the start than when something happens. */
export function openLog(options: Pick<CommonOptions, 'logFile' | 'logLevel' | 'display'>): RunLog {
  const { logFile, logLevel, display } = options;
  let tell = (entry: LogEntry): void => {
    process.stderr.write(`${JSON.stringify(entry)}\n`);
  };
  const write =
    logFile === null ? (entry: LogEntry) => tell(entry) : fileWriter(logFile, (entry) => tell(entry));
  return {
    ...makeLog({ level: logLevel, nowMs: Date.now, write }),
    showOn(front) {
      if (display !== 'terminal' || !process.stderr.isTTY) return;
      tell = ({ level, about, text }) => {
        const shown = RANK[level] <= RANK.warn ? 'warning' : 'info';
        front.emit({ type: 'notice', level: shown, code: 'log', text: `${about}: ${text}` });
      };
    },
  };
}

/** A pipe that nobody reads, or not fast enough, is like a full disk: the room does not stand still for it. */
const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0);

function fileWriter(path: string, tell: (entry: LogEntry) => void): (entry: LogEntry) => void {
  const append = (text: string): void => {
    const file = openSync(path, APPEND, 0o600);
    try {
      appendFileSync(file, text);
    } finally {
      closeSync(file);
    }
  };
  try {
    append('');
  } catch (error) {
    throw new InputError('log-file', `Cannot write the log to ${path}: ${fileProblem(error)}.`);
  }
  return forgivingWriter(append, tell);
}

/**
 * A full disk is no reason to end a room: it is told once, and lines are lost until they can be written again.
 * @param append throws when it cannot write all of the text
 */
export function forgivingWriter(
  append: (text: string) => void,
  tell: (entry: LogEntry) => void,
): (entry: LogEntry) => void {
  let failed = false;
  return (entry) => {
    const line = `${JSON.stringify(entry)}\n`;
    try {
      // Part of the line that failed may stand there: this one begins on its own.
      append(failed ? `\n${line}` : line);
      failed = false;
    } catch (error) {
      if (!failed) {
        const text = `lines are lost until the log can be written again: ${fileProblem(error)}`;
        tell({ at: entry.at, level: 'warn', about: 'log', text });
      }
      failed = true;
    }
  };
}

/** @returns a log that writes what is at least as grave as `level`, its text made safe to show. */
export function makeLog(options: {
  readonly level: LogLevel;
  readonly nowMs: () => number;
  readonly write: (entry: LogEntry) => void;
}): Log {
  const at = (level: LogLevel) => (about: string, text: string) => {
    if (RANK[level] > RANK[options.level]) return;
    options.write({ at: new Date(options.nowMs()).toISOString(), level, about, text: cleanText(text) });
  };
  return { error: at('error'), warn: at('warn'), info: at('info'), debug: at('debug') };
}
