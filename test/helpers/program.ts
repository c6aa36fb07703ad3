/**
 * Runs the program as its users do: the executable that SECURECHAT_BIN names, or the source under this Node. A `Stage`
 * starts what one test needs, ends all of it with the test, and tells what was said when the test fails.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { after, describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { JsonCommand, JsonEvent } from '../../src/terminal/json-lines.ts';
import { COMPILE_CACHE } from './compile-cache.ts';
import { SLOW } from './effort.ts';
import { TerminalProgram, type TerminalSize } from './terminal.ts';

type EventType = JsonEvent['type'];
type EventOf<Type extends EventType> = Extract<JsonEvent, { readonly type: Type }>;
/** Fields that must be equal, or a judgement. */
type Match<Type extends EventType> = Partial<EventOf<Type>> | ((event: EventOf<Type>) => boolean);

const executable = process.env['SECURECHAT_BIN'];
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The words that start the program, before its own. */
export const PROGRAM: readonly [string, ...string[]] =
  executable === undefined ? [process.execPath, MAIN] : [resolve(executable)];

const JOURNEY_MS = SLOW ? 900_000 : 90_000;
export const ANSWER = 'The Reading Room 42';
export const QUESTION = 'Where did we meet?';
/** An RSA identity takes 0.1 to 1 s to make; where nobody asks for one, its algorithm is not what is tested. */
export const QUICK = ['--sign', 'dsa'] as const;

/** Options of one's own come first: an identity that is kept has its algorithm already. */
function quickIdentity(words: readonly string[]): readonly string[] {
  return words.includes('--sign') || words.includes('--identity') ? [] : QUICK;
}

/** Nothing of this machine's settings, and nothing that the test runner tells its children. */
function surroundings(folder: string): Record<string, string> {
  const { PATH = '' } = process.env;
  const usual = { PATH, HOME: folder, TMPDIR: folder, TERM: 'xterm-256color', LANG: 'C.UTF-8', TZ: 'UTC' };
  // The executable has its own code in one piece, and is not told anything that is for Node.
  return executable === undefined ? { ...usual, NODE_COMPILE_CACHE: COMPILE_CACHE } : usual;
}

/** Invitations and codes have no place in the log of a test run. */
function withoutSecrets(text: string): string {
  return text.replaceAll(/sc1\.[\w.-]+/g, 'sc1.…').replaceAll(/(?<!\d)\d{6}(?!\d)/g, '······');
}

interface Waiter {
  readonly what: string;
  readonly matches: (event: JsonEvent) => boolean;
  readonly resolve: (event: JsonEvent) => void;
  readonly reject: (error: Error) => void;
}

/** The program over `--json`, or with any words at all and its output read as text. */
export class Program {
  readonly name: string;
  readonly events: JsonEvent[] = [];
  /** Told of each event as it comes. */
  onEvent: (event: JsonEvent) => void = () => {};
  /** A host's, that is on its screen now. */
  code: string | null = null;
  /** Standard error, all of it so far. */
  stderr = '';
  /** Standard output as it came, all of it so far. */
  stdout = '';
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #exit: Promise<number | NodeJS.Signals>;
  /** Events that no `until` has answered with. */
  readonly #fresh: JsonEvent[] = [];
  readonly #waiters = new Set<Waiter>();
  #ended = false;

  constructor(name: string, words: readonly string[], folder: string, wrapper: readonly string[] = []) {
    this.name = name;
    const [file = '', ...rest] = [...wrapper, ...PROGRAM, ...words];
    this.#process = spawn(file, rest, { cwd: folder, env: surroundings(folder) });
    this.#process.stdin.on('error', () => {});
    this.#process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.#process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    if (words.includes('--json'))
      createInterface({ input: this.#process.stdout }).on('line', (line) => this.#take(line));
    this.#exit = new Promise((done) => {
      this.#process.once('close', (code, signal) => {
        this.#ended = true;
        for (const waiter of this.#waiters) waiter.reject(this.#endedBefore(waiter.what));
        done(code ?? signal ?? 1);
      });
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  /** Its exit code, or the signal that ended it, once all its output has been read. */
  get exit(): Promise<number | NodeJS.Signals> {
    return this.#exit;
  }

  /**
   * The first event of this type that matches and that no earlier call has had.
   * Waits for it as long as the test may run; fails when the program ends without it.
   */
  until<Type extends EventType>(type: Type, match: Match<Type> = {}): Promise<EventOf<Type>> {
    const matches = (event: JsonEvent): event is EventOf<Type> =>
      event.type === type &&
      (typeof match === 'function' ? match(event as EventOf<Type>) : hasFields(event, match));
    const at = this.#fresh.findIndex(matches);
    const found = at < 0 ? undefined : this.#fresh.splice(at, 1)[0];
    if (found !== undefined && matches(found)) return Promise.resolve(found);
    const what = `${type} ${typeof match === 'function' ? match.toString() : JSON.stringify(match)}`;
    if (this.#ended) return Promise.reject(this.#endedBefore(what));
    return new Promise((done, reject) => {
      this.#waiters.add({ what, matches, resolve: (event) => done(event as EventOf<Type>), reject });
    });
  }

  /** What has come until now is not what anybody waits for, nor in `events`. */
  forget(): void {
    this.#fresh.length = 0;
    this.events.length = 0;
  }

  /** Waits until standard output holds this text. */
  async seen(text: string): Promise<void> {
    while (!this.stdout.includes(text)) {
      if (this.#ended) throw this.#endedBefore(text);
      await Promise.race([once(this.#process.stdout, 'data'), this.#exit]);
    }
  }

  /** Waits for a question and answers it. */
  async answer(name: string, value: string): Promise<EventOf<'prompt'>> {
    const asked = await this.until('prompt', { name });
    this.send({ type: 'answer', name, value });
    return asked;
  }

  send(command: JsonCommand): void {
    this.write(`${JSON.stringify(command)}\n`);
  }

  say(text: string, ref?: string): void {
    this.send({ type: 'say', text, ...(ref !== undefined && { ref }) });
  }

  command(line: string): void {
    this.send({ type: 'command', line });
  }

  write(text: string): void {
    this.#process.stdin.write(text);
  }

  /** No more input. */
  end(text = ''): void {
    this.#process.stdin.end(text);
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#process.kill(signal);
  }

  transcript(): string {
    const lines = this.events.length > 0 ? this.events.map((event) => JSON.stringify(event)) : [this.stdout];
    const waiting = [...this.#waiters].map(({ what }) => `… waiting for ${what}`);
    return withoutSecrets(
      [...lines, this.stderr, ...waiting].map((line) => `${this.name}: ${line}`).join('\n'),
    );
  }

  #take(line: string): void {
    const event: JsonEvent = JSON.parse(line);
    this.events.push(event);
    if (event.type === 'code') this.code = event.value;
    this.onEvent(event);
    for (const waiter of this.#waiters) {
      if (!waiter.matches(event)) continue;
      this.#waiters.delete(waiter);
      return waiter.resolve(event);
    }
    this.#fresh.push(event);
  }

  #endedBefore(what: string): Error {
    return new Error(withoutSecrets(`${this.name} ended before: ${what}`));
  }
}

function hasFields(event: object, wanted: object): boolean {
  const fields = new Map<string, unknown>(Object.entries(event));
  return Object.entries(wanted).every(([name, value]) => fields.get(name) === value);
}

/** A room that the program hosts, over `--json`. */
export class HostedRoom {
  readonly host: Program;
  readonly ready: EventOf<'ready'>;

  constructor(host: Program, ready: EventOf<'ready'>) {
    this.host = host;
    this.ready = ready;
  }

  get token(): string {
    return this.ready.invitation.token;
  }

  /** The one on the host's screen now. */
  get code(): string {
    return this.host.code ?? this.ready.code.value;
  }

  get port(): number {
    return Number(this.ready.addresses[0]?.split(':').at(-1));
  }

  /** @param line of `/invite new`, or the same in another way */
  async invite(): Promise<EventOf<'invitation'>> {
    this.host.command('/invite new');
    return this.host.until('invitation');
  }
}

export class Stage {
  /** Everyone's current folder, home and temporary folder. */
  readonly folder = mkdtempSync(join(tmpdir(), 'securechat-journey-'));
  /** Where everyone's kept rooms lie. */
  readonly rooms = join(this.folder, '.local/share/securechat/rooms');
  readonly #programs: Program[] = [];
  readonly #terminals: TerminalProgram[] = [];
  readonly #closers: (() => void)[] = [];
  #files = 0;

  /** @param wrapper a command that runs the program, such as `ip netns exec NAME` */
  start(name: string, words: readonly string[], wrapper: readonly string[] = []): Program {
    const program = new Program(name, words, this.folder, wrapper);
    this.#programs.push(program);
    return program;
  }

  /**
   * @param env variables besides the usual ones, or instead of them
   * @param wrapper a command that runs the program
   */
  terminal(
    words: readonly string[],
    size?: TerminalSize,
    env: Readonly<Record<string, string>> = {},
    wrapper: readonly string[] = [],
  ): TerminalProgram {
    const terminal = new TerminalProgram([...wrapper, ...PROGRAM, ...words], {
      folder: this.folder,
      env: { ...surroundings(this.folder), ...env },
      ...(size !== undefined && { size }),
    });
    this.#terminals.push(terminal);
    return terminal;
  }

  /** A file that holds a secret, for `--token-file` and its like. */
  file(contents: string): string {
    this.#files += 1;
    const path = join(this.folder, `secret-${this.#files}`);
    writeFileSync(path, `${contents}\n`, { mode: 0o600 });
    return path;
  }

  /** A host over `--json` on a port of its own, ready; its own membership has begun unless `--no-chat` is given. */
  async room(words: readonly string[] = [], wrapper: readonly string[] = []): Promise<HostedRoom> {
    const where = words.includes('--listen') ? [] : ['--listen', '127.0.0.1:0'];
    const asked = words.includes('--question') ? [] : ['--question', QUESTION];
    const usual = ['--json', '--nick', 'olga', ...where, ...asked, ...quickIdentity(words)];
    const host = this.start('host', ['s', ...usual, ...words], wrapper);
    await host.answer('answer', ANSWER);
    const ready = await host.until('ready');
    if (!words.includes('--no-chat')) await host.until('joined');
    return new HostedRoom(host, ready);
  }

  /** A guest over `--json`, in the room. */
  async guest(nick: string, room: HostedRoom, options: GuestOptions = {}): Promise<Program> {
    const guest = await this.guestAtCode(nick, room, options);
    await guest.answer('code', room.code);
    await guest.until('joined');
    return guest;
  }

  /** A guest over `--json` who has given the answer and has not been asked for the code yet. */
  async guestAtCode(nick: string, room: HostedRoom, options: GuestOptions = {}): Promise<Program> {
    const { words = [], token = room.token, wrapper = [] } = options;
    const guest = this.start(
      nick,
      ['c', '--json', '--nick', nick, ...quickIdentity(words), ...words],
      wrapper,
    );
    await guest.answer('token', token);
    await guest.answer('answer', ANSWER);
    return guest;
  }

  /** A guest on a terminal, in the room; nothing was asked. */
  async guestOnTerminal(
    nick: string,
    room: HostedRoom,
    options: {
      readonly words?: readonly string[];
      readonly size?: TerminalSize;
      readonly env?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<TerminalProgram> {
    const { words = [], size, env } = options;
    const usual = ['--nick', nick, ...this.secrets(room), ...quickIdentity(words)];
    const terminal = this.terminal(['c', ...usual, ...words], size, env);
    await terminal.waitFor(`You are ${nick}`);
    return terminal;
  }

  /** What a guest of this room would be asked, in files. */
  secrets(room: HostedRoom): readonly string[] {
    return [
      ...['--token-file', this.file(room.token), '--answer-file', this.file(ANSWER)],
      ...['--code-file', this.file(room.code)],
    ];
  }

  /** Something else that must not outlive the test. */
  onClose(closer: () => void): void {
    this.#closers.push(closer);
  }

  /** Nobody is to be answered with what has happened until now. */
  forget(): void {
    for (const program of this.#programs) program.forget();
  }

  /** Ends everything at once. */
  async close(): Promise<void> {
    for (const close of this.#closers) close();
    for (const program of this.#programs) program.kill();
    for (const terminal of this.#terminals) terminal.kill();
    await Promise.all([...this.#programs, ...this.#terminals].map((program) => program.exit));
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Of all programs so far. */
  get events(): readonly JsonEvent[] {
    return this.#programs.flatMap(({ events }) => events);
  }

  transcript(): string {
    const screens = this.#terminals.map((terminal) => withoutSecrets(terminal.text()));
    return [...this.#programs.map((program) => program.transcript()), ...screens].join('\n\n');
  }
}

interface GuestOptions {
  readonly words?: readonly string[];
  readonly token?: string;
  readonly wrapper?: readonly string[];
}

/** A test with a stage of its own. */
export function journey(name: string, play: (stage: Stage, context: TestContext) => Promise<void>): void {
  test(name, { timeout: JOURNEY_MS }, async (context) => {
    const stage = new Stage();
    try {
      await told(stage, context, () => play(stage, context));
    } finally {
      await stage.close();
    }
  });
}

/**
 * Journeys in one place, one after the other: most of what a journey costs is to start its programs. Each leaves everyone as it found
 * them, and begins with no event left over. After one that failed the place is made anew.
 *
 * @param open makes the place
 * @param tell tells the journeys
 */
export function journeysIn<Place>(
  name: string,
  open: (stage: Stage) => Promise<Place>,
  tell: (journey: (name: string, play: (place: Place, stage: Stage) => Promise<void>) => void) => void,
): void {
  describe(name, () => {
    let here: { readonly stage: Stage; readonly place: Promise<Place> } | null = null;
    after(() => here?.stage.close());
    tell((journeyName, play) => {
      test(journeyName, { timeout: JOURNEY_MS }, async (context) => {
        if (here === null) {
          const stage = new Stage();
          here = { stage, place: open(stage) };
        }
        const { stage, place } = here;
        const forsake = (): void => {
          if (here?.stage === stage) here = null;
        };
        // The next one begins before this one knows that its time is over.
        context.signal.addEventListener('abort', forsake);
        try {
          await told(stage, context, async () => {
            const opened = await place;
            stage.forget();
            await play(opened, stage);
          });
        } catch (error) {
          forsake();
          await stage.close();
          throw error;
        } finally {
          context.signal.removeEventListener('abort', forsake);
        }
      });
    });
  });
}

/** What was said is told when it fails, or takes too long: then it is over, whatever it still waits for. */
async function told(stage: Stage, context: TestContext, play: () => Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const stop = (): void => late.reject(context.signal.reason);
  context.signal.addEventListener('abort', stop);
  try {
    await Promise.race([play(), late.promise]);
  } catch (error) {
    context.diagnostic(stage.transcript());
    throw error;
  } finally {
    context.signal.removeEventListener('abort', stop);
  }
}
