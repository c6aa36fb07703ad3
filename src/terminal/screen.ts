/**
 * The chat on a terminal: printed lines go up into the terminal's own scrollback, the line being typed stays below.
 * No alternate screen, no cursor addressing but relative to that line. House rule: every draw erases the input from
 * its first row down, writes the waiting lines, draws the input again, in one write.
 */
import { emitKeypressEvents } from 'node:readline';
import { InputError, unreachable } from '../protocol/errors.ts';
import { LIMITS } from '../protocol/limits.ts';
import { columnsOf } from './graphemes.ts';
import { type InputLayout, layoutInput } from './input-layout.ts';
import { type EditorSignal, type EditorState, edit, type Key, newEditor } from './line-editor.ts';
import { LineQueue } from './line-queue.ts';

/** Standard input, or what a test puts in its place. */
export type ScreenInput = NodeJS.ReadableStream & {
  readonly isTTY?: boolean;
  readonly isRaw?: boolean;
  setRawMode?(raw: boolean): unknown;
};

/** Standard output, or what a test puts in its place. Emits `resize` when its size changes. */
export type ScreenOutput = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** What `app/` talks to. Each `on…` holds one listener: the latest. */
export interface ChatScreen {
  /** Width to render for; infinite where lines are not to be wrapped. */
  readonly columns: number;
  /** @param line rendered and clean; colours allowed */
  print(line: string): void;
  /** Shown before what is being typed. */
  setPrompt(text: string): void;
  /** While true, what is typed is shown as dots and kept in no history. A draft begun before comes back after. */
  setMasked(masked: boolean): void;
  /** With `null`, lines wait until somebody asks again. */
  onLine(listener: ((line: string) => void) | null): void;
  /** Ctrl-C. */
  onInterrupt(listener: () => void): void;
  /** Ctrl-D on an empty line, the end of input, or an output that is gone. */
  onEnd(listener: () => void): void;
  /** Input that is too long, `text-too-long` or `line-too-long`: say so to the person. */
  onRefused(listener: (error: InputError) => void): void;
  /** Prints what waits and leaves the terminal as it was found. */
  close(): void;
  /** The same without waiting lines: for `process.on('exit')`, after a crash too. Once is enough, twice is harmless. */
  restore(): void;
}

const ESC = '\u001b';
const PASTE_ON = `${ESC}[?2004h`;
const PASTE_OFF = `${ESC}[?2004l`;
/** Rows are cut by us: a terminal that finds a character wider than we do must not add a row of its own. */
const WRAP_OFF = `${ESC}[?7l`;
const WRAP_ON = `${ESC}[?7h`;
const CURSOR_ON = `${ESC}[?25h`;
const CLEAR_DOWN = `${ESC}[J`;
const CLEAR_SCREEN = `${ESC}[H${ESC}[2J`;
const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;

const up = (rows: number): string => (rows > 0 ? `${ESC}[${rows}A` : '');
const down = (rows: number): string => (rows > 0 ? `${ESC}[${rows}B` : '');

function isCursorAtEnd({ rows, cursorRow, beforeCursor }: InputLayout): boolean {
  return cursorRow === rows.length - 1 && beforeCursor === rows.at(-1);
}

function drawInput(layout: InputLayout): string {
  const below = layout.rows.length - 1 - layout.cursorRow;
  const toCursor = isCursorAtEnd(layout) ? '' : `${up(below)}\r${layout.beforeCursor}`;
  return `${WRAP_OFF}${layout.rows.join('\r\n')}${toCursor}${WRAP_ON}`;
}

/**
 * What to add where only the end has grown, as when somebody types: less flicker, and a screen reader hears the
 * letter instead of the line. Null where more has changed.
 */
function addedAtEnd(before: InputLayout, after: InputLayout): string | null {
  if (!isCursorAtEnd(before) || !isCursorAtEnd(after) || before.rows.length !== after.rows.length)
    return null;
  const grown = before.rows.every((row, index) => index === before.cursorRow || row === after.rows[index]);
  return grown && after.beforeCursor.startsWith(before.beforeCursor)
    ? after.beforeCursor.slice(before.beforeCursor.length)
    : null;
}

/** Raw mode on or off; fails silently once the terminal has hung up, when nothing is left to restore. */
export function setRaw(input: ScreenInput, raw: boolean): void {
  try {
    input.setRawMode?.(raw);
  } catch {
    // The terminal is gone.
  }
}

export class Screen implements ChatScreen {
  readonly #input: ScreenInput;
  readonly #output: ScreenOutput;
  readonly #wasRaw: boolean;
  readonly #queue = new LineQueue();
  #editor: EditorState = newEditor();
  /** The draft, set aside while a secret is asked for. */
  #setAside: EditorState | null = null;
  #prompt = '';
  #waiting: string[] = [];
  #drawn: InputLayout | null = null;
  #drawScheduled = false;
  #resized = false;
  #closed = false;
  #onInterrupt: (() => void) | null = null;
  #onRefused: ((error: InputError) => void) | null = null;

  /** Takes the terminal over; `close` or `restore` gives it back. */
  constructor(input: ScreenInput, output: ScreenOutput) {
    this.#input = input;
    this.#output = output;
    this.#wasRaw = input.isRaw ?? false;
    setRaw(input, true);
    emitKeypressEvents(input);
    input.on('keypress', this.#onKey);
    input.on('end', this.#onGone);
    input.on('error', this.#onGone);
    output.on('error', this.#onGone);
    output.on('resize', this.#onResize);
    input.resume();
    this.#write(PASTE_ON);
  }

  get columns(): number {
    return this.#output.columns || DEFAULT_COLUMNS;
  }

  print(line: string): void {
    this.#waiting.push(line.replaceAll('\n', '\r\n'));
    this.#schedule();
  }

  setPrompt(text: string): void {
    if (text === this.#prompt) return;
    this.#prompt = text;
    this.#schedule();
  }

  setMasked(masked: boolean): void {
    if (masked === this.#editor.masked) return;
    const draft = this.#setAside;
    this.#setAside = masked ? this.#editor : null;
    this.#editor = masked ? newEditor({ masked: true }) : (draft ?? newEditor());
    this.#schedule();
  }

  onLine(listener: ((line: string) => void) | null): void {
    this.#queue.onLine(listener);
  }

  onInterrupt(listener: () => void): void {
    this.#onInterrupt = listener;
  }

  onEnd(listener: () => void): void {
    this.#queue.onEnd(listener);
  }

  onRefused(listener: (error: InputError) => void): void {
    this.#onRefused = listener;
  }

  close(): void {
    if (this.#closed) return;
    this.#write(this.#eraseInput() + this.#takeWaiting());
    this.#drawn = null;
    this.restore();
  }

  restore(): void {
    if (this.#closed) return;
    this.#closed = true;
    const drawn = this.#drawn;
    const leaveInput = drawn === null ? '' : `${down(drawn.rows.length - 1 - drawn.cursorRow)}\r\n`;
    this.#write(leaveInput + PASTE_OFF + WRAP_ON + CURSOR_ON);
    setRaw(this.#input, this.#wasRaw);
    // The 'error' listeners stay: a write under way may still fail.
    this.#input.off('keypress', this.#onKey);
    this.#input.off('end', this.#onGone);
    this.#output.off('resize', this.#onResize);
    this.#input.pause();
  }

  readonly #onKey = (text: string | undefined, key: Key): void => {
    const { state, submitted, signal } = edit(this.#editor, { ...key, text });
    this.#editor = state;
    this.#schedule();
    if (signal !== undefined) this.#obey(signal);
    if (submitted !== undefined) this.#queue.push(submitted);
  };

  #obey(signal: EditorSignal): void {
    switch (signal) {
      case 'interrupt':
        this.#onInterrupt?.();
        return;
      case 'end':
        this.#queue.abort();
        return;
      case 'clear-screen':
        this.#write(CLEAR_SCREEN);
        this.#drawn = null;
        return;
      case 'full':
        this.#onRefused?.(
          new InputError(
            'text-too-long',
            `A message is at most ${LIMITS.textBytes} bytes; the rest was left out.`,
          ),
        );
        return;
      default:
        unreachable(signal);
    }
  }

  readonly #onGone = (): void => {
    if (!this.#closed) this.#queue.abort();
  };

  readonly #onResize = (): void => {
    this.#resized = true;
    this.#schedule();
  };

  /** However much happens in one turn of the event loop, the terminal sees one write. */
  #schedule(): void {
    if (this.#drawScheduled || this.#closed) return;
    this.#drawScheduled = true;
    setImmediate(() => {
      this.#drawScheduled = false;
      if (!this.#closed) this.#draw();
    });
  }

  #draw(): void {
    const maxRows = Math.max(1, (this.#output.rows || DEFAULT_ROWS) - 1);
    const layout = layoutInput(this.#editor, this.#prompt, { columns: this.columns, maxRows });
    const unmoved = this.#waiting.length === 0 && !this.#resized ? this.#drawn : null;
    const added = unmoved === null ? null : addedAtEnd(unmoved, layout);
    if (added === null) this.#write(this.#eraseInput() + this.#takeWaiting() + drawInput(layout));
    else if (added !== '') this.#write(WRAP_OFF + added + WRAP_ON);
    this.#drawn = layout;
    this.#resized = false;
  }

  #takeWaiting(): string {
    const lines = this.#waiting;
    this.#waiting = [];
    return lines.map((line) => `${line}\r\n`).join('');
  }

  /**
   * From the cursor to the first row of the input, and clear. Terminals that were made narrower fold the rows above
   * the cursor's; whether they fold the cursor's own differs, and going up too far would eat a printed line, so its
   * folds are not counted.
   */
  #eraseInput(): string {
    if (this.#drawn === null) return '';
    const { rows, cursorRow } = this.#drawn;
    const rowsAbove = rows
      .slice(0, cursorRow)
      .reduce((sum, row) => sum + Math.max(1, Math.ceil(columnsOf(row) / this.columns)), 0);
    return `${up(rowsAbove)}\r${CLEAR_DOWN}`;
  }

  #write(bytes: string): void {
    if (this.#output.writable) this.#output.write(bytes);
  }
}
