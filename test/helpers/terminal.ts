/**
 * The program on a real pseudo-terminal, its screen interpreted by xterm. A shell around it notes the terminal's
 * settings before and after, so that a test sees what the program left behind.
 */
import { type IPty, spawn } from '@lydell/node-pty';
import xterm from '@xterm/headless';

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** How the program left. */
export interface Left {
  readonly exitCode: number;
  /** Whether the terminal's settings (raw mode, echo) and modes (cursor, paste, wrapping) are as they were. */
  readonly restored: boolean;
}

const USUAL_SIZE: TerminalSize = { columns: 100, rows: 40 };
/** The shell survives Ctrl-C; a trap that does something is not inherited by the program. */
const SHELL = `trap : INT; before=$(stty -g); "$@"; code=$?; [ "$before" = "$(stty -g)" ] && same=yes || same=no
printf '\\nleft with %s, settings kept: %s\\n' "$code" "$same"`;
const LEFT = /^left with (\d+), settings kept: (yes|no)$/m;

interface Waiter {
  readonly pattern: string | RegExp;
  readonly resolve: (text: string) => void;
  readonly reject: (error: Error) => void;
}

export class TerminalProgram {
  readonly #pty: IPty;
  readonly #terminal: xterm.Terminal;
  readonly #chunks: Buffer[] = [];
  readonly #waiters = new Set<Waiter>();
  readonly #exit: Promise<void>;
  #ended = false;

  constructor(
    words: readonly string[],
    options: {
      readonly folder: string;
      readonly env: Record<string, string>;
      readonly size?: TerminalSize;
    },
  ) {
    const { columns, rows } = options.size ?? USUAL_SIZE;
    this.#terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 5_000, allowProposedApi: true });
    this.#pty = spawn('/bin/sh', ['-c', SHELL, 'sh', ...words], {
      name: 'xterm-256color',
      cols: columns,
      rows,
      cwd: options.folder,
      env: options.env,
      encoding: null,
    });
    // Without an encoding these are buffers, whatever the types say.
    this.#pty.onData((data: string | Buffer) => {
      const bytes = Buffer.from(data);
      this.#chunks.push(bytes);
      this.#terminal.write(bytes, () => this.#check());
    });
    this.#exit = new Promise((resolve) => {
      this.#pty.onExit(() => {
        this.#terminal.write('', () => {
          this.#ended = true;
          this.#check();
          for (const { pattern, reject } of this.#waiters)
            reject(new Error(`the terminal closed before it showed ${pattern}`));
          resolve();
        });
      });
    });
  }

  get exit(): Promise<void> {
    return this.#exit;
  }

  /** Everything the program has written. */
  get bytes(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }

  /** Keys as a keyboard sends them. */
  type(keys: string): void {
    this.#pty.write(keys);
  }

  /** A line and Enter. */
  enter(line: string): void {
    this.type(`${line}\r`);
  }

  resize({ columns, rows }: TerminalSize): void {
    this.#terminal.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  /** Waits, as long as the test may run, until this stands anywhere on the screen or in what has scrolled off it. */
  waitFor(pattern: string | RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiters.add({ pattern, resolve, reject });
      this.#check();
      if (this.#ended) reject(new Error(`the terminal closed before it showed ${pattern}`));
    });
  }

  /** The rows now on the screen. */
  screen(): readonly string[] {
    const { baseY } = this.#terminal.buffer.active;
    return Array.from({ length: this.#terminal.rows }, (_, row) => this.#row(baseY + row));
  }

  /** Everything shown, scrolled off or not; a line that the terminal folded is one line again. */
  text(): string {
    const buffer = this.#terminal.buffer.active;
    let text = '';
    for (let row = 0; row < buffer.length; row += 1) {
      if (row > 0 && buffer.getLine(row)?.isWrapped !== true) text += '\n';
      text += this.#row(row);
    }
    return text.trimEnd();
  }

  /** Waits until the program has ended. */
  async left(): Promise<Left> {
    const [, exitCode, same] = LEFT.exec(await this.waitFor(LEFT)) ?? [];
    const { bracketedPasteMode, wraparoundMode, applicationCursorKeysMode } = this.#terminal.modes;
    const { bytes } = this;
    const cursorOn = bytes.lastIndexOf('\u001b[?25l') <= bytes.lastIndexOf('\u001b[?25h');
    const modesKept = !bracketedPasteMode && wraparoundMode && !applicationCursorKeysMode && cursorOn;
    return { exitCode: Number(exitCode), restored: same === 'yes' && modesKept };
  }

  kill(): void {
    if (!this.#ended) this.#pty.kill('SIGKILL');
  }

  #row(row: number): string {
    return this.#terminal.buffer.active.getLine(row)?.translateToString(true) ?? '';
  }

  #check(): void {
    if (this.#waiters.size === 0) return;
    const text = this.text();
    for (const waiter of this.#waiters) {
      const { pattern } = waiter;
      if (typeof pattern === 'string' ? !text.includes(pattern) : !pattern.test(text)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(text);
    }
  }
}
