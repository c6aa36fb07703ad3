/** What a listener on the wire sees: tshark on the loopback interface. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/** Sent in the clear at the end: once tshark has seen it, it has seen all that came before. */
const LAST_WORDS = 'securechat test capture ends here';

export class Capture {
  readonly #port: number;
  readonly #file: string;
  readonly #tshark;

  /** Resolves once packets are being written. */
  static async start(port: number, file: string): Promise<Capture> {
    const capture = new Capture(port, file);
    const lines = createInterface({ input: capture.#tshark.stderr });
    const exited = once(capture.#tshark, 'exit').then(() => Promise.reject(new Error('tshark has ended')));
    const started = new Promise<void>((resolve) => {
      lines.on('line', (line) => {
        if (line.includes('Capture started')) resolve();
      });
    });
    exited.catch(() => {});
    await Promise.race([started, exited]);
    return capture;
  }

  private constructor(port: number, file: string) {
    this.#port = port;
    this.#file = file;
    const format = ['-P', '-l', '-T', 'fields', '-e', 'tcp.payload'];
    this.#tshark = spawn('tshark', ['-n', '-i', 'lo', '-f', `tcp port ${port}`, '-w', file, ...format], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  /** @returns every byte of every packet, headers and the last words included. */
  async stop(): Promise<Buffer> {
    const seen = new Promise<void>((resolve) => {
      const wanted = Buffer.from(LAST_WORDS).toString('hex');
      createInterface({ input: this.#tshark.stdout }).on('line', (line) => {
        if (line.includes(wanted)) resolve();
      });
    });
    const socket = connect(this.#port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(LAST_WORDS);
    await seen;
    socket.destroy();
    this.kill();
    if (this.#tshark.exitCode === null) await once(this.#tshark, 'exit');
    return readFileSync(this.#file);
  }

  kill(): void {
    this.#tshark.kill('SIGINT');
  }
}
