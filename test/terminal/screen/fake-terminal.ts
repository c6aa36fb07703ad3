/** A terminal in memory: what the screen writes is interpreted by xterm, what a test types arrives as bytes. */
import { PassThrough, Writable } from 'node:stream';
import xterm from '@xterm/headless';
import type { ScreenInput, ScreenOutput } from '../../../src/terminal/screen/screen.ts';

class FakeInput extends PassThrough {
  readonly isTTY: boolean;
  isRaw = false;

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  setRawMode(raw: boolean): this {
    this.isRaw = raw;
    return this;
  }
}

class FakeOutput extends Writable {
  readonly isTTY: boolean;
  columns: number;
  rows: number;
  readonly writes: string[] = [];
  readonly #terminal: xterm.Terminal;
  #held: (() => void)[] | null = null;

  constructor(terminal: xterm.Terminal, isTTY: boolean) {
    super();
    this.#terminal = terminal;
    this.isTTY = isTTY;
    this.columns = terminal.cols;
    this.rows = terminal.rows;
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.writes.push(chunk.toString('utf8'));
    this.emit('wrote');
    const take = (): void => this.#terminal.write(chunk, () => done());
    if (this.#held === null) take();
    else this.#held.push(take);
  }

  /** From here on nothing is taken, as by a terminal that is stopped or far away. */
  hold(): void {
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const take of held) take();
  }
}

export class FakeTerminal {
  readonly terminal: xterm.Terminal;
  readonly input: FakeInput;
  readonly output: FakeOutput;

  constructor(size: { readonly columns: number; readonly rows: number }, isTTY = true) {
    this.terminal = new xterm.Terminal({
      cols: size.columns,
      rows: size.rows,
      scrollback: 20_000,
      allowProposedApi: true,
      // A tty's line discipline turns line feeds into CR LF outside raw mode.
      convertEol: !isTTY,
    });
    this.input = new FakeInput(isTTY);
    this.output = new FakeOutput(this.terminal, isTTY);
  }

  get streams(): readonly [ScreenInput, ScreenOutput] {
    return [this.input, this.output];
  }

  /** Bytes as a keyboard sends them, handled and drawn when this returns. */
  async type(bytes: string): Promise<void> {
    this.input.write(bytes);
    await this.settle();
  }

  async resize(columns: number, rows: number): Promise<void> {
    this.terminal.resize(columns, rows);
    this.output.columns = columns;
    this.output.rows = rows;
    this.output.emit('resize');
    await this.settle();
  }

  /** Turns of the event loop until nothing is scheduled, then until xterm has read everything. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    await new Promise<void>((resolve) => this.terminal.write('', resolve));
  }

  /** Every row from the first of the scrollback, ends trimmed, empty rows at the end left out. */
  rows(): readonly string[] {
    const buffer = this.terminal.buffer.active;
    const rows = Array.from(
      { length: buffer.length },
      (_, row) => buffer.getLine(row)?.translateToString(true).trimEnd() ?? '',
    );
    while (rows.at(-1) === '') rows.pop();
    return rows;
  }

  cursor(): { readonly row: number; readonly column: number } {
    const buffer = this.terminal.buffer.active;
    return { row: buffer.baseY + buffer.cursorY, column: buffer.cursorX };
  }
}
