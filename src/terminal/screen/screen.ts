/**
 * The chat on a terminal: printed lines go up into the terminal's own scrollback, the line being typed stays below.
 * No alternate screen, no cursor addressing but relative to that line. House rule: every draw erases the input from
 * its first row down, writes the waiting lines, draws the input again, in one write.
 */
import { createInterface, emitKeypressEvents } from 'node:readline';
import { PassThrough } from 'node:stream';
import { cleanText } from '../../protocol/clean-text.ts';
import { InputError, unreachable } from '../../protocol/errors.ts';
import { LIMITS } from '../../protocol/limits.ts';
import { looksPasted } from '../editor/guessed-paste.ts';
import { forgetLines } from '../editor/history.ts';
import { type InputLayout, layoutInput } from '../editor/input-layout.ts';
import { edit, type Key, withText } from '../editor/line-editor.ts';
import { type EditorSignal, type EditorState, newEditor } from '../editor/state.ts';
import type { Completer } from '../editor/walk.ts';
import { addedAtEnd, changedAbove, drawInput, eraseInput, leaveInput, withRowsAbove } from './drawing.ts';
import {
  BELL,
  CLEAR_ALL,
  CLEAR_SCREEN,
  CLIPBOARD_BYTES,
  CURSOR_ON,
  clipboard,
  FOCUS_IN,
  FOCUS_OUT,
  MODES_OFF,
  MODES_ON,
  notification,
  WRAP_OFF,
  WRAP_ON,
} from './escapes.ts';
import { type JobControl, jobControl } from './job-control.ts';
import { LineQueue } from './line-queue.ts';
import { Looking } from './looking.ts';
import { WaitingLines } from './waiting-lines.ts';

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
  /** Height; infinite where nothing is drawn. */
  readonly rows: number;
  /** @param line rendered and clean; colours allowed */
  print(line: string): void;
  /** Shown before what is being typed. */
  setPrompt(text: string): void;
  /**
   * Rows above the line being typed, drawn again in place each time they are given; they give way to what is typed.
   * @param rows for a width: clean, colours allowed, none wider than that
   */
  setAbove(rows: (columns: number) => readonly string[]): void;
  /** While true, what is typed is shown as dots and kept in no history. A draft begun before comes back after. */
  setMasked(masked: boolean): void;
  /** With `null`, lines wait until somebody asks again. */
  onLine(listener: ((line: string) => void) | null): void;
  /** Ctrl-C. */
  onInterrupt(listener: () => void): void;
  /** The end of input, or an output that is gone. */
  onEnd(listener: () => void): void;
  /** Ctrl-D on an empty line of a drawn screen. Without a listener it is the end of input. */
  onLeave(listener: () => void): void;
  /** Ctrl-X Ctrl-E: the draft is wanted in an editor. */
  onEdit(listener: () => void): void;
  /** Input that is too long, `text-too-long` or `line-too-long`: say so to the person. */
  onRefused(listener: (error: InputError) => void): void;
  /** Asked at Tab; with `null`, Tab does nothing. */
  setCompleter(complete: Completer | null): void;
  /** Whether the person is looking, as far as that can be known: told when it changes, true at first. */
  onLook(listener: (looking: boolean) => void): void;
  /** The terminal's bell. */
  ring(): void;
  /** A notification of the desktop, where the terminal can. @param text it may show on a locked screen */
  notify(text: string): void;
  /** @returns false where this terminal has no clipboard or the text is too long; true once it has been asked, and it may refuse */
  copy(text: string): boolean;
  /** Takes everything off the screen and out of the scrollback; the draft stays. */
  clear(): void;
  /** What has been typed and not sent; never a secret. */
  readonly draft: string;
  setDraft(text: string): void;
  /** Lines that were sent before then do not come back by the arrow keys or Ctrl-R. */
  forgetLines(sentBeforeMs: number): void;
  /** Gives the terminal away, to an editor say, until `run` has ended. Lines wait meanwhile. */
  suspend<T>(run: () => Promise<T>): Promise<T>;
  /** Whether `suspend` has given the terminal away now. */
  readonly isLent: boolean;
  /** Prints what waits and leaves the terminal as it was found. */
  close(): void;
  /** The same without waiting lines: for `process.on('exit')`, after a crash too. Once is enough, twice is harmless. */
  restore(): void;
}

const DEFAULT_COLUMNS = 80;
const DEFAULT_ROWS = 24;
/** Escape alone is told from the beginning of a sequence by waiting this long for more. */
const ESCAPE_MS = 100;
/** Lines that came in one turn are one write, unless they are more than this many characters. */
const FLUSH_UNITS = 65_536;

/** Raw mode on or off; fails silently once the terminal has hung up, when nothing is left to restore. */
export function setRaw(input: ScreenInput, raw: boolean): void {
  try {
    input.setRawMode?.(raw);
  } catch {
    // The terminal is gone.
  }
}

/** `emitKeypressEvents` takes its timing from an interface. This one reads nothing. */
function keyTiming(): ReturnType<typeof createInterface> {
  return createInterface({ input: new PassThrough(), escapeCodeTimeout: ESCAPE_MS });
}

export class Screen implements ChatScreen {
  readonly #input: ScreenInput;
  readonly #output: ScreenOutput;
  readonly #env: NodeJS.ProcessEnv;
  readonly #jobs: JobControl | null;
  readonly #offContinue: () => void;
  readonly #wasRaw: boolean;
  readonly #queue = new LineQueue();
  readonly #looking = new Looking();
  readonly #waiting = new WaitingLines();
  #editor: EditorState = newEditor();
  /** The draft, set aside while a secret is asked for. */
  #setAside: EditorState | null = null;
  /** When each line of the history was sent. */
  #sentAtMs: readonly number[] = [];
  #completer: Completer | null = null;
  #prompt = '';
  #above: (columns: number) => readonly string[] = () => [];
  /** As they were made for the width now: a key that is pressed makes none anew. */
  #madeAbove: { readonly columns: number; readonly rows: readonly string[] } | null = null;
  #drawn: InputLayout | null = null;
  #drawScheduled = false;
  #resized = false;
  /** The terminal has not taken what was last written. */
  #congested = false;
  /** Somebody else has the terminal. */
  #away = false;
  /** By Ctrl-Z, and not by `suspend`. */
  #stopped = false;
  #lent = false;
  #guessedPaste = false;
  #closed = false;
  #onInterrupt: (() => void) | null = null;
  #onLeave: (() => void) | null = null;
  #onEdit: (() => void) | null = null;
  #onRefused: ((error: InputError) => void) | null = null;

  /** Takes the terminal over; `close` or `restore` gives it back. */
  constructor(
    input: ScreenInput,
    output: ScreenOutput,
    options: { readonly env?: NodeJS.ProcessEnv; readonly jobs?: JobControl | null } = {},
  ) {
    this.#input = input;
    this.#output = output;
    this.#env = options.env ?? process.env;
    this.#jobs = options.jobs === undefined ? jobControl() : options.jobs;
    this.#wasRaw = input.isRaw ?? false;
    input.prependListener('data', this.#onChunk);
    input.on('keypress', this.#onKey);
    emitKeypressEvents(input, keyTiming());
    input.on('data', this.#onChunkEnd);
    input.on('end', this.#onGone);
    input.on('error', this.#onGone);
    output.on('error', this.#onGone);
    output.on('resize', this.#onResize);
    output.on('drain', this.#onDrain);
    this.#offContinue = this.#jobs?.onContinue(this.#onContinue) ?? (() => {});
    this.#take();
  }

  get columns(): number {
    return this.#output.columns || DEFAULT_COLUMNS;
  }

  get rows(): number {
    return this.#output.rows || DEFAULT_ROWS;
  }

  get isLent(): boolean {
    return this.#lent;
  }

  get draft(): string {
    return (this.#setAside ?? this.#editor).text;
  }

  print(line: string): void {
    this.#waiting.push(line.replaceAll('\n', '\r\n'));
    if (this.#waiting.units > FLUSH_UNITS && this.#mayWrite) this.#draw();
    else this.#schedule();
  }

  setPrompt(text: string): void {
    if (text === this.#prompt) return;
    this.#prompt = text;
    this.#schedule();
  }

  setAbove(rows: (columns: number) => readonly string[]): void {
    this.#above = rows;
    this.#madeAbove = null;
    this.#schedule();
  }

  setMasked(masked: boolean): void {
    if (masked === this.#editor.masked) return;
    const draft = this.#setAside;
    this.#setAside = masked ? this.#editor : null;
    this.#editor = masked ? newEditor({ masked: true }) : (draft ?? newEditor());
    this.#schedule();
  }

  setCompleter(complete: Completer | null): void {
    this.#completer = complete;
  }

  setDraft(text: string): void {
    const { state, signal } = withText(this.#setAside ?? this.#editor, text);
    if (this.#setAside === null) this.#editor = state;
    else this.#setAside = state;
    this.#schedule();
    if (signal !== undefined) this.#obey(signal);
  }

  forgetLines(sentBeforeMs: number): void {
    const first = this.#sentAtMs.findIndex((sentAtMs) => sentAtMs >= sentBeforeMs);
    const count = first < 0 ? this.#sentAtMs.length : first;
    this.#sentAtMs = this.#sentAtMs.slice(count);
    if (this.#setAside === null) this.#editor = forgetLines(this.#editor, count);
    else this.#setAside = forgetLines(this.#setAside, count);
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

  onLeave(listener: () => void): void {
    this.#onLeave = listener;
  }

  onEdit(listener: () => void): void {
    this.#onEdit = listener;
  }

  onRefused(listener: (error: InputError) => void): void {
    this.#onRefused = listener;
  }

  onLook(listener: (looking: boolean) => void): void {
    this.#looking.onChange(listener);
  }

  ring(): void {
    if (this.#mayWrite) this.#write(BELL);
  }

  notify(text: string): void {
    if (this.#mayWrite && this.#knowsCommands) this.#write(notification(text, this.#insideTmux));
  }

  copy(text: string): boolean {
    const clean = cleanText(text, { multiline: true });
    if (!this.#mayWrite || !this.#knowsCommands || Buffer.byteLength(clean) > CLIPBOARD_BYTES) return false;
    this.#write(clipboard(clean, this.#insideTmux));
    return true;
  }

  clear(): void {
    if (!this.#isHere) return;
    this.#waiting.take();
    this.#write(CLEAR_ALL);
    this.#drawn = null;
    this.#schedule();
  }

  async suspend<T>(run: () => Promise<T>): Promise<T> {
    if (!this.#isHere) return run();
    this.#giveAway();
    this.#lent = true;
    try {
      return await run();
    } finally {
      this.#lent = false;
      this.#takeBack();
    }
  }

  close(): void {
    if (this.#closed) return;
    const erased = this.#drawn === null ? '' : eraseInput(this.#drawn, this.columns);
    this.#write(erased + this.#takeWaiting());
    this.#drawn = null;
    this.restore();
  }

  restore(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (!this.#away) {
      this.#write((this.#drawn === null ? '' : leaveInput(this.#drawn)) + MODES_OFF + WRAP_ON + CURSOR_ON);
      setRaw(this.#input, this.#wasRaw);
    }
    this.#looking.end();
    this.#offContinue();
    // The 'error' listeners stay: a write under way may still fail.
    this.#input.off('data', this.#onChunk);
    this.#input.off('data', this.#onChunkEnd);
    this.#input.off('keypress', this.#onKey);
    this.#input.off('end', this.#onGone);
    this.#output.off('resize', this.#onResize);
    this.#output.off('drain', this.#onDrain);
    this.#input.pause();
  }

  get #isHere(): boolean {
    return !this.#closed && !this.#away;
  }

  /** Else everything waits where it is bounded, or is left out: bells for somebody who cannot hear them. */
  get #mayWrite(): boolean {
    return this.#isHere && !this.#congested;
  }

  /** The console of Linux shows parts of what it does not know. */
  get #knowsCommands(): boolean {
    return this.#env['TERM'] !== 'linux';
  }

  get #insideTmux(): boolean {
    return this.#env['TMUX'] !== undefined;
  }

  #take(): void {
    setRaw(this.#input, true);
    this.#input.resume();
    this.#write(MODES_ON);
  }

  #giveAway(): void {
    const erased = this.#drawn === null ? '' : eraseInput(this.#drawn, this.columns);
    this.#write(erased + this.#takeWaiting() + MODES_OFF);
    this.#drawn = null;
    this.#away = true;
    this.#input.pause();
    setRaw(this.#input, this.#wasRaw);
    this.#looking.focus(false);
  }

  #takeBack(): void {
    if (!this.#away || this.#closed) return;
    this.#away = false;
    this.#take();
    this.#looking.focus(true);
    this.#schedule();
  }

  /** Ctrl-Z. Where nobody can be stopped, in a session without job control, it goes on at once. */
  #stop(): void {
    if (this.#jobs === null) return;
    this.#giveAway();
    this.#stopped = true;
    this.#jobs.stop();
    setImmediate(() => this.#goOn());
  }

  #goOn(): void {
    if (this.#stopped) this.#takeBack();
    this.#stopped = false;
  }

  /** Who was stopped from outside finds the terminal as the shell has set it, and the cursor on a row of its own. */
  readonly #onContinue = (): void => {
    if (this.#stopped) return this.#goOn();
    if (!this.#isHere) return;
    setRaw(this.#input, this.#wasRaw);
    this.#take();
    this.#drawn = null;
    this.#schedule();
  };

  readonly #onChunk = (chunk: Uint8Array | string): void => {
    const { mode } = this.#editor;
    // What is typed ahead of the question is no paste.
    if (!this.#isHere || mode.kind === 'pasting' || !this.#queue.isAsked) return;
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('latin1');
    if (!looksPasted(text, mode.kind === 'pasted')) return;
    this.#guessedPaste = true;
    this.#press({ name: 'paste-start' });
  };

  readonly #onChunkEnd = (): void => {
    if (!this.#guessedPaste) return;
    this.#guessedPaste = false;
    this.#press({ name: 'paste-end' });
  };

  readonly #onKey = (text: string | undefined, key: Key): void => {
    if (!this.#isHere) return;
    if (this.#editor.mode.kind !== 'pasting') {
      if (key.sequence === FOCUS_IN) return this.#looking.focus(true);
      if (key.sequence === FOCUS_OUT) return this.#looking.focus(false);
    }
    this.#looking.keyPressed();
    this.#press({ ...key, text });
  };

  #press(key: Key): void {
    const { state, submitted, signal } = edit(this.#editor, key, this.#completer);
    if (state.history !== this.#editor.history && !state.masked)
      this.#sentAtMs = [...this.#sentAtMs, Date.now()].slice(-state.history.length);
    this.#editor = state;
    this.#schedule();
    if (signal !== undefined) this.#obey(signal);
    if (submitted !== undefined) this.#queue.push(submitted);
  }

  #obey(signal: EditorSignal): void {
    switch (signal) {
      case 'interrupt':
        this.#onInterrupt?.();
        return;
      case 'end':
        if (this.#onLeave === null) this.#queue.abort();
        else this.#onLeave();
        return;
      case 'clear-screen':
        this.#write(CLEAR_SCREEN);
        this.#drawn = null;
        return;
      case 'suspend':
        this.#stop();
        return;
      case 'edit':
        this.#onEdit?.();
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

  readonly #onDrain = (): void => {
    this.#congested = false;
    this.#schedule();
  };

  /** However much happens in one turn of the event loop, the terminal sees one write. */
  #schedule(): void {
    if (this.#drawScheduled || !this.#mayWrite) return;
    this.#drawScheduled = true;
    setImmediate(() => {
      this.#drawScheduled = false;
      if (this.#mayWrite) this.#draw();
    });
  }

  #draw(): void {
    const { columns } = this;
    const maxRows = Math.max(1, this.rows - 1);
    const input = layoutInput(this.#editor, this.#prompt, { columns, maxRows });
    const layout = withRowsAbove(input, this.#rowsAbove(columns), maxRows);
    const unmoved = this.#waiting.isEmpty && !this.#resized ? this.#drawn : null;
    const added = unmoved === null ? null : addedAtEnd(unmoved, layout);
    const above = unmoved === null || added !== null ? null : changedAbove(unmoved, layout);
    if (above !== null) {
      if (above !== '') this.#write(above);
    } else if (added === null) {
      const erased = this.#drawn === null ? '' : eraseInput(this.#drawn, columns);
      this.#write(erased + this.#takeWaiting() + drawInput(layout));
    } else if (added !== '') this.#write(WRAP_OFF + added + WRAP_ON);
    this.#drawn = layout;
    this.#resized = false;
  }

  #rowsAbove(columns: number): readonly string[] {
    if (this.#madeAbove?.columns !== columns) this.#madeAbove = { columns, rows: this.#above(columns) };
    return this.#madeAbove.rows;
  }

  #takeWaiting(): string {
    return this.#waiting
      .take()
      .map((line) => `${line}\r\n`)
      .join('');
  }

  #write(bytes: string): void {
    if (this.#output.writable && !this.#output.write(bytes)) this.#congested = true;
  }
}
