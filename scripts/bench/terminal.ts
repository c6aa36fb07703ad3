/**
 * What a person at a terminal feels: the way from a key to its echo while a room talks, the time until the first prompt, and
 * what a long evening costs in memory. Run on a pseudo-terminal, beside the least that Node can do on the same one.
 */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as after } from 'node:timers/promises';
import { type IPty, spawn } from '@lydell/node-pty';
import { PROGRAM, type Program, Stage } from '../../test/helpers/program.ts';
import { onCore } from './child.ts';
import { OURS, type Row, row } from './report.ts';
import { executable } from './startup.ts';
import { percentile } from './statistics.ts';

export interface TerminalScale {
  readonly startups: number;
  readonly repetitions: number;
  /** In each repetition. */
  readonly keys: number;
  /** Received before the memory is read for the second time. */
  readonly lines: number;
}

/** The source takes several times as long to start. */
const MEASURED = existsSync(executable) ? [executable] : PROGRAM;

const FEW_LINES = 1_000;
const MESSAGES_PER_SECOND = 100;
/** Each may say 20 messages a second. */
const TALKERS = 6;
/** A fast typist's. */
const KEY_INTERVAL_MS = 25;
/** Letters that nothing else on the screen has, each one column wide; one for each key until the line is cleared. */
const FIRST_LETTER = 0x100;
const LETTERS = 64;
const CLEAR_LINE = '\u0015';
const MESSAGE = 'the quick brown fox jumps over the lazy dog';
const RAW_ECHO =
  'process.stdin.setRawMode(true).on("data", (keys) => process.stdout.write(keys)); console.log("ready")';

/** A program on a pseudo-terminal, its output as it comes. */
class Pty {
  readonly pid: number;
  readonly #pty: IPty;
  readonly #exit: Promise<void>;
  readonly #startMs = performance.now();
  #text = '';
  #wanted: { readonly text: string; readonly found: (atMs: number) => void } | null = null;
  #said = 0;

  constructor(command: readonly string[], folder: string) {
    const [program, ...args] = onCore('server', command);
    const env = { PATH: process.env['PATH'] ?? '', HOME: folder, TERM: 'xterm-256color', LANG: 'C.UTF-8' };
    this.#pty = spawn(program, args, { cols: 100, rows: 40, cwd: folder, env });
    this.pid = this.#pty.pid;
    this.#pty.onData((text) => this.#take(text));
    this.#exit = new Promise((resolve) => this.#pty.onExit(() => resolve()));
  }

  /** Lines of others that have been shown. */
  get said(): number {
    return this.#said;
  }

  type(keys: string): void {
    this.#text = '';
    this.#pty.write(keys);
  }

  /** @returns when the text came, in milliseconds since the program was started */
  async shows(text: string): Promise<number> {
    return (await this.#find(text)) - this.#startMs;
  }

  /** @returns milliseconds from the key to its letter on the terminal */
  async echo(letter: string): Promise<number> {
    const startMs = performance.now();
    this.type(letter);
    return (await this.#find(letter)) - startMs;
  }

  async exit(): Promise<number> {
    await this.#exit;
    return performance.now() - this.#startMs;
  }

  async kill(): Promise<void> {
    this.#pty.kill('SIGKILL');
    await this.#exit;
  }

  #find(text: string): Promise<number> {
    return new Promise((found) => {
      if (this.#text.includes(text)) found(performance.now());
      else this.#wanted = { text, found };
    });
  }

  #take(text: string): void {
    this.#text += text;
    this.#said += text.split(MESSAGE).length - 1;
    if (this.#wanted === null || !this.#text.includes(this.#wanted.text)) return;
    this.#wanted.found(performance.now());
    this.#wanted = null;
  }
}

/** People who talk at a steady rate until they are told to stop. */
function talk(talkers: readonly Program[], perSecond: number): () => void {
  const startMs = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - startMs) / 1_000) * perSecond);
    for (; sent < due; sent += 1) talkers[sent % talkers.length]?.say(`${sent} ${MESSAGE}`);
  }, 5);
  return () => clearInterval(timer);
}

/** @returns sorted, in milliseconds */
async function echoes(pty: Pty, keys: number): Promise<Float64Array> {
  const took = new Float64Array(keys);
  for (let key = 0; key < keys; key += 1) {
    if (key % LETTERS === 0) pty.type(CLEAR_LINE);
    await after(KEY_INTERVAL_MS);
    took[key] = await pty.echo(String.fromCodePoint(FIRST_LETTER + (key % LETTERS)));
  }
  return took.sort();
}

function residentMiB(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;
}

async function measureStart(repetitions: number, folder: string): Promise<Row> {
  const samples = new Map<string, number[]>([
    [OURS, []],
    ['node -e 0', []],
  ]);
  // The first round brings both programs into memory.
  for (let repetition = -1; repetition < repetitions; repetition += 1) {
    const ours = new Pty([...MEASURED, 'c'], folder);
    const oursMs = await ours.shows('> ');
    await ours.kill();
    const nodeMs = await new Pty([process.execPath, '-e', '0'], folder).exit();
    if (repetition < 0) continue;
    samples.get(OURS)?.push(oursMs);
    samples.get('node -e 0')?.push(nodeMs);
  }
  return row({ topic: 'terminal', what: 'start to the first prompt', unit: 'ms' }, samples, { most: 150 });
}

async function join(stage: Stage, room: Awaited<ReturnType<Stage['room']>>): Promise<Pty> {
  const pty = new Pty([...MEASURED, 'c', '--nick', 'ann'], stage.folder);
  stage.onClose(() => void pty.kill());
  await pty.shows('Paste the invitation');
  pty.type(`${room.token}\r`);
  await pty.shows('Where did we meet?');
  pty.type('The Reading Room 42\r');
  await pty.shows('six digits');
  pty.type(`${room.code}\r`);
  await pty.shows(`(${TALKERS + 2})> `);
  return pty;
}

export async function measureTerminal(
  scale: TerminalScale,
  progress: (text: string) => void,
): Promise<Row[]> {
  const stage = new Stage();
  try {
    progress('terminal: start');
    const rows = [await measureStart(scale.startups, stage.folder)];
    progress('terminal: a room is joined');
    const room = await stage.room(['--uses', String(TALKERS + 1)]);
    const talkers: Program[] = [];
    for (let talker = 0; talker < TALKERS; talker += 1)
      talkers.push(await stage.guest(`talker${talker}`, room));
    const ann = await join(stage, room);
    progress('terminal: keys');
    rows.push(...(await measureEchoes(ann, talkers, stage.folder, scale)));
    if (process.platform === 'linux') rows.push(await measureMemory(ann, talkers, scale.lines, progress));
    return rows;
  } finally {
    await stage.close();
  }
}

async function measureEchoes(
  ann: Pty,
  talkers: readonly Program[],
  folder: string,
  scale: TerminalScale,
): Promise<readonly Row[]> {
  const ours: Float64Array[] = [];
  const floors: Float64Array[] = [];
  const hush = talk(talkers, MESSAGES_PER_SECOND);
  for (let repetition = 0; repetition < scale.repetitions; repetition += 1) {
    const floor = new Pty([process.execPath, '-e', RAW_ECHO], folder);
    await floor.shows('ready');
    floors.push(await echoes(floor, scale.keys));
    await floor.kill();
    ours.push(await echoes(ann, scale.keys));
  }
  hush();
  const about = (name: string) =>
    ({
      topic: 'terminal',
      what: `key to echo, ${name}, ${MESSAGES_PER_SECOND} messages/s`,
      unit: 'ms',
    }) as const;
  const samples = (share: number) =>
    new Map([
      [OURS, ours.map((took) => percentile(took, share))],
      ['raw echo', floors.map((took) => percentile(took, share))],
    ]);
  return [row(about('median'), samples(0.5)), row(about('p99'), samples(0.99), { most: 5 })];
}

async function measureMemory(
  ann: Pty,
  talkers: readonly Program[],
  lines: number,
  progress: (text: string) => void,
): Promise<Row> {
  progress(`terminal: ${lines} lines`);
  const hush = talk(talkers, 1.5 * MESSAGES_PER_SECOND);
  while (ann.said < FEW_LINES) await after(KEY_INTERVAL_MS);
  const few = residentMiB(ann.pid);
  while (ann.said < lines) await after(KEY_INTERVAL_MS);
  const many = residentMiB(ann.pid);
  hush();
  const samples = new Map([
    [OURS, [many]],
    [`after ${FEW_LINES}`, [few]],
  ]);
  return row({ topic: 'terminal', what: `memory after ${lines} lines`, unit: 'MiB' }, samples);
}
