/** The program on a pseudo-terminal of its own, its screen kept as xterm understands it. */
import { join, resolve } from 'node:path';
import { type IPty, spawn } from '@lydell/node-pty';
import xterm, { type IBufferLine } from '@xterm/headless';

export const ROOT: string = resolve(import.meta.dirname, '../..');

export type PaneOptions = {
  readonly words: readonly string[];
  readonly columns: number;
  readonly rows: number;
  /** A folder without anybody's settings. */
  readonly home: string;
};

/** What a camera would see now. */
export type Shot = { readonly columns: number; readonly lines: readonly IBufferLine[] };

export class Pane {
  readonly #columns: number;
  readonly #terminal: xterm.Terminal;
  readonly #pty: IPty;
  readonly #exit: Promise<void>;
  #onText: () => void = () => {};
  #onExit: () => void = () => {};

  constructor({ words, columns, rows, home }: PaneOptions) {
    this.#columns = columns;
    this.#terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 1_000, allowProposedApi: true });
    const { PATH = '' } = process.env;
    this.#pty = spawn(process.execPath, [join(ROOT, 'src/main.ts'), ...words], {
      cols: columns,
      rows,
      cwd: home,
      env: { PATH, HOME: home, TERM: 'xterm-256color', TZ: 'UTC', LANG: 'C.UTF-8' },
    });
    this.#pty.onData((data) => this.#terminal.write(data, () => this.#onText()));
    this.#exit = new Promise((done) =>
      this.#pty.onExit(() => {
        this.#onExit();
        done();
      }),
    );
  }

  enter(text: string): void {
    this.#pty.write(`${text}\r`);
  }

  /** @returns the first match on the screen or above it, as soon as it is there. @throws Error when the program ends. */
  see(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((found, failed) => {
      this.#onExit = () => failed(new Error(`it ended before it showed ${pattern}:\n${this.#text()}`));
      this.#onText = () => {
        const match = pattern.exec(this.#text());
        if (match !== null) found(match);
      };
      this.#onText();
    });
  }

  /**
   * @param from the first row to show; all of them when left out
   * @returns the rows down to the last that holds anything
   */
  shot(from?: RegExp): Shot {
    const { active } = this.#terminal.buffer;
    const lines = Array.from({ length: active.length }, (_, row) => active.getLine(row)).filter(
      (line) => line !== undefined,
    );
    const texts = lines.map((line) => line.translateToString(true));
    const first = from === undefined ? 0 : texts.findLastIndex((text) => from.test(text));
    const last = texts.findLastIndex((text) => text.trim() !== '');
    return { columns: this.#columns, lines: lines.slice(Math.max(0, first), last + 1) };
  }

  async quit(): Promise<void> {
    this.enter('/quit');
    await this.#exit;
  }

  /** A line that the terminal folded is one line again. */
  #text(): string {
    const { active } = this.#terminal.buffer;
    let text = '';
    for (let row = 0; row < active.length; row += 1) {
      const line = active.getLine(row);
      if (row > 0 && line?.isWrapped !== true) text += '\n';
      text += line?.translateToString(true) ?? '';
    }
    return text;
  }
}
