/**
 * magic-wormhole, where it is installed with its two servers: all on this machine, and every byte through its transit
 * relay. Nobody else's servers are asked.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { answers, freePort } from './ports.ts';
import { type PerEnd, perEnd, type Transfer } from './transfer.ts';
import { usageOf } from './usage.ts';

const TRANSIT = 'transitrelay';
const MAILBOX = 'wormhole-mailbox';
/** Which one there is of them has the servers as plug-ins. */
const RUNNERS = ['twist', 'twist3'];
const START_MS = 20_000;
/** What a program has used is known no better than that when it ends. */
const LOOK_MS = 10;

const runner =
  process.platform === 'linux' && runs('wormhole', '--version') ? RUNNERS.find(runsServers) : null;
/** Its use of the processor is read from /proc. */
export const hasWormhole = runner != null;

function runs(...[program = '', ...words]: readonly string[]): boolean {
  return spawnSync(program, words, { stdio: 'ignore' }).status === 0;
}

function runsServers(program: string): boolean {
  return [TRANSIT, MAILBOX].every((server) => runs(program, server, '--help'));
}

/** A program of it. What it says is shown only where it fails. */
class Running {
  readonly #child: ChildProcess;
  readonly #over: Promise<void>;
  readonly #kill = (): void => void this.#child.kill();
  #said = '';
  #cpuMs = 0;

  constructor([program = '', ...words]: readonly string[], folder: string) {
    // A proxy would be asked for this machine, too.
    const env = { ...process.env, http_proxy: '', HTTP_PROXY: '' };
    this.#child = spawn(program, words, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const output of [this.#child.stdout, this.#child.stderr])
      output?.setEncoding('utf8').on('data', (text: string) => {
        this.#said += text;
      });
    // It has no channel to this process whose end would end it.
    process.once('exit', this.#kill);
    const looking = setInterval(() => this.#look(), LOOK_MS);
    this.#over = once(this.#child, 'exit').then(() => {
      clearInterval(looking);
      process.off('exit', this.#kill);
    });
  }

  get isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** So far, or until it ended. */
  get cpuMs(): number {
    if (!this.isOver) this.#look();
    return this.#cpuMs;
  }

  /** @returns once it has done what it was for */
  async done(): Promise<void> {
    await this.#over;
    if (this.#child.exitCode !== 0) throw new Error(`wormhole failed: ${this.#said}`);
  }

  async end(): Promise<void> {
    this.#kill();
    await this.#over;
  }

  #look(): void {
    try {
      this.#cpuMs = usageOf(this.#child.pid ?? 0).cpuMs;
    } catch {
      // It has ended between two looks: what was seen last stands.
    }
  }
}

export class Wormhole {
  readonly #folder: string;
  readonly #mailbox: Running;
  readonly #transit: Running;
  readonly #options: readonly string[];
  readonly #underWay = new Set<Running>();
  #transfers = 0;

  private constructor(folder: string, mailboxPort: number, transitPort: number) {
    this.#folder = folder;
    this.#mailbox = new Running(server(MAILBOX, mailboxPort), folder);
    this.#transit = new Running(server(TRANSIT, transitPort), folder);
    this.#options = [
      ...['--relay-url', `ws://127.0.0.1:${mailboxPort}/v1`],
      ...['--transit-helper', `tcp:127.0.0.1:${transitPort}`],
    ];
  }

  /** @param folder for what it keeps and what is taken */
  static async start(folder: string): Promise<Wormhole> {
    const ports = { mailbox: await freePort(), transit: await freePort() };
    const wormhole = new Wormhole(folder, ports.mailbox, ports.transit);
    try {
      await wormhole.#listening(ports.mailbox, wormhole.#mailbox);
      await wormhole.#listening(ports.transit, wormhole.#transit);
      return wormhole;
    } catch (error) {
      await wormhole.end();
      throw error;
    }
  }

  /** From starting both programs until both have ended, which is mostly not the transfer where that is short. */
  async transfer(path: string, bytes: number): Promise<Transfer> {
    this.#transfers += 1;
    const code = `${this.#transfers}-bench-bench`;
    const taken = join(this.#folder, `taken${this.#transfers}`);
    const common = ['--hide-progress', '--no-listen'];
    const relayBeforeMs = this.#transit.cpuMs;
    const startMs = performance.now();
    const sender = this.#run('send', ...common, '--code', code, path);
    const receiver = this.#run('receive', ...common, '--accept-file', '-o', taken, code);
    try {
      await Promise.all([sender.done(), receiver.done()]);
    } finally {
      await this.#endTransfer();
    }
    const tookMs = performance.now() - startMs;
    const cpuMs: PerEnd = await perEnd((end) =>
      end === 'relay' ? this.#transit.cpuMs - relayBeforeMs : { sender, receiver }[end].cpuMs,
    );
    await rm(taken);
    return { bytes, tookMs, cpuMs };
  }

  async end(): Promise<void> {
    await this.#endTransfer();
    await Promise.all([this.#mailbox.end(), this.#transit.end()]);
  }

  #run(...words: readonly string[]): Running {
    const running = new Running(['wormhole', ...this.#options, ...words], this.#folder);
    this.#underWay.add(running);
    return running;
  }

  async #endTransfer(): Promise<void> {
    const running = [...this.#underWay];
    this.#underWay.clear();
    await Promise.all(running.map((each) => each.end()));
  }

  async #listening(port: number, server: Running): Promise<void> {
    for (const untilMs = performance.now() + START_MS; performance.now() < untilMs; await pause(50)) {
      if (server.isOver) break;
      if (await answers(port)) return;
    }
    throw new Error("wormhole's servers did not start");
  }
}

function server(name: string, port: number): readonly string[] {
  return [runner ?? '', name, `--port=tcp:${port}:interface=127.0.0.1`];
}

/** What the longer one took more: starting and meeting cost both the same. */
export function beyond(longer: Transfer, shorter: Transfer): Transfer {
  const { sender, relay, receiver } = longer.cpuMs;
  return {
    bytes: longer.bytes - shorter.bytes,
    tookMs: longer.tookMs - shorter.tookMs,
    cpuMs: {
      sender: sender - shorter.cpuMs.sender,
      relay: relay - shorter.cpuMs.relay,
      receiver: receiver - shorter.cpuMs.receiver,
    },
  };
}
