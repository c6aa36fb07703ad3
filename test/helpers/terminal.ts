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
  /** Whether the terminal's settings (raw mode, echo) and modes (cursor, paste, focus, wrapping) are as they were. */
  readonly restored: boolean;
}

const USUAL_SIZE: TerminalSize = { columns: 100, rows: 40 };
/** The shell survives Ctrl-C; a trap that does something is not inherited by the program. */
const SHELL = `trap : INT; before=$(stty -g); "$@"; code=$?; [ "$before" = "$(stty -g)" ] && same=yes || same=no
printf '\\nleft with %s, settings kept: %s\\n' "$code" "$same"`;
const LEFT = /^left with (\d+), settings kept: (yes|no)$/m;

/** One cell of the screen: what stands in it, and its colours as numbers of the 256, null for the terminal's own. */
export interface Cell {
  /** Empty for the second half of a wide character. */
  readonly text: string;
  readonly ink: number | null;
  readonly paper: number | null;
}

interface Waiter {
  readonly what: string;
  readonly matches: (text: string) => boolean;
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
  /** How often it has rung. */
  bells = 0;
  /** Titles and notifications it was told, clipboards it was given as their text. */
  readonly told: string[] = [];

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
    this.#terminal.onBell(() => {
      this.bells += 1;
    });
    this.#terminal.onTitleChange((title) => this.told.push(`title ${title}`));
    this.#tells(9, (data) => `notification ${data}`);
    this.#tells(52, (data) => `clipboard ${Buffer.from(data.replace(/^c;/, ''), 'base64')}`);
    this.#pty = spawn('/bin/sh', ['-c', SHELL, 'sh', ...words], {
      name: options.env['TERM'] ?? 'xterm-256color',
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
          for (const { what, reject } of this.#waiters)
            reject(new Error(`the terminal closed before it showed ${what}`));
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

  /** The same, and waits until the line being typed was drawn anew for it. */
  async resized(size: TerminalSize): Promise<void> {
    const before = this.bytes.length;
    this.resize(size);
    await this.waitUntil('a new draw', () => this.bytes.includes('\u001b[J', before));
  }

  /** Waits, as long as the test may run, until this stands anywhere on the screen or in what has scrolled off it. */
  waitFor(pattern: string | RegExp): Promise<string> {
    const matches = (text: string): boolean =>
      typeof pattern === 'string' ? text.includes(pattern) : pattern.test(text);
    return this.waitUntil(`${pattern}`, matches);
  }

  /**
   * Waits, as long as the test may run, until this is so; asked again whenever something was written.
   * @param what for the message of a failure
   * @returns everything shown
   */
  waitUntil(what: string, matches: (text: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiters.add({ what, matches, resolve, reject });
      this.#check();
      if (this.#ended) reject(new Error(`the terminal closed before it showed ${what}`));
    });
  }

  /** All rows that were ever shown, from the first in the scrollback, each by itself and without the spaces at its end. */
  rows(): readonly string[] {
    return Array.from({ length: this.#terminal.buffer.active.length }, (_, row) => this.#row(row));
  }

  /** The cells of a row, by its place in `rows`. */
  cells(row: number): readonly Cell[] {
    const line = this.#terminal.buffer.active.getLine(row);
    return Array.from({ length: line?.length ?? 0 }, (_, column) => {
      const cell = line?.getCell(column);
      const ink = cell === undefined || cell.isFgDefault() ? null : cell.getFgColor();
      const paper = cell === undefined || cell.isBgDefault() ? null : cell.getBgColor();
      return { text: cell?.getChars() ?? '', ink, paper };
    });
  }

  /** Where the cursor is: its place in `rows`, its column, and what stands before it in its row. */
  cursor(): { readonly row: number; readonly column: number; readonly before: string } {
    const { baseY, cursorX, cursorY } = this.#terminal.buffer.active;
    const row = baseY + cursorY;
    const before = this.#terminal.buffer.active.getLine(row)?.translateToString(false, 0, cursorX) ?? '';
    return { row, column: cursorX, before };
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
    const { bracketedPasteMode, wraparoundMode, applicationCursorKeysMode, sendFocusMode } =
      this.#terminal.modes;
    const { bytes } = this;
    const cursorOn = bytes.lastIndexOf('\u001b[?25l') <= bytes.lastIndexOf('\u001b[?25h');
    const modesOff = !bracketedPasteMode && !applicationCursorKeysMode && !sendFocusMode;
    return { exitCode: Number(exitCode), restored: same === 'yes' && modesOff && wraparoundMode && cursorOn };
  }

  kill(): void {
    if (!this.#ended) this.#pty.kill('SIGKILL');
  }

  #tells(command: number, describe: (data: string) => string): void {
    this.#terminal.parser.registerOscHandler(command, (data) => {
      this.told.push(describe(data));
      return true;
    });
  }

  #row(row: number): string {
    return this.#terminal.buffer.active.getLine(row)?.translateToString(true) ?? '';
  }

  #check(): void {
    if (this.#waiters.size === 0) return;
    const text = this.text();
    for (const waiter of this.#waiters) {
      if (!waiter.matches(text)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(text);
    }
  }
}
