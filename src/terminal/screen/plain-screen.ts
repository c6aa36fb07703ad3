/**
 * The same chat without drawing: one line an event, for `--plain`, pipes, programs and screen readers. It never
 * shows the prompt, since redrawing is what it is there to avoid; what is asked comes as a printed line.
 */
import { emitKeypressEvents } from 'node:readline';
import { InputError } from '../../protocol/errors.ts';
import { looksPasted } from '../editor/guessed-paste.ts';
import { edit, type Key } from '../editor/line-editor.ts';
import { type EditorState, newEditor } from '../editor/state.ts';
import { BELL } from './escapes.ts';
import { LineQueue, LineSplitter, MAX_LINE_BYTES, type SplitLine } from './line-queue.ts';
import { type ChatScreen, type ScreenInput, type ScreenOutput, setRaw } from './screen.ts';
import { WaitingLines } from './waiting-lines.ts';

export class PlainScreen implements ChatScreen {
  readonly columns = Number.POSITIVE_INFINITY;
  readonly rows = Number.POSITIVE_INFINITY;
  readonly draft = '';
  readonly isLent = false;
  readonly #input: ScreenInput;
  readonly #output: ScreenOutput;
  readonly #splitter = new LineSplitter();
  readonly #queue = new LineQueue();
  /** Present while a secret is typed on a terminal, whose own echo would show it. */
  #secret: EditorState | null = null;
  /** Present where lines may give way to newer ones. */
  readonly #waiting: WaitingLines | null;
  /** The terminal has not taken what was last written. */
  #congested = false;
  #closed = false;
  #onInterrupt: (() => void) | null = null;
  #onRefused: ((error: InputError) => void) | null = null;

  /** @param options `mayDrop`: a person reads, who can miss a line; a program that reads slowly must get them all */
  constructor(input: ScreenInput, output: ScreenOutput, options: { readonly mayDrop?: boolean } = {}) {
    this.#input = input;
    this.#output = output;
    this.#waiting = options.mayDrop ? new WaitingLines() : null;
    output.on('drain', this.#onDrain);
    input.on('data', this.#onData);
    input.on('end', this.#onInputEnd);
    input.on('error', this.#onInputEnd);
    output.on('error', this.#onOutputGone);
  }

  print(line: string): void {
    if (this.#closed) return;
    if (this.#waiting !== null && this.#congested) this.#waiting.push(line);
    else this.#write(`${line}\n`);
  }

  setPrompt(): void {}
  setAbove(): void {}

  setMasked(masked: boolean): void {
    if (!this.#input.isTTY || masked === (this.#secret !== null)) return;
    this.#secret = masked ? newEditor({ masked: true }) : null;
    setRaw(this.#input, masked);
    if (masked) {
      this.#input.off('data', this.#onData);
      this.#input.prependListener('data', this.#onSecretChunk);
      emitKeypressEvents(this.#input);
      this.#input.on('keypress', this.#onKey);
      this.#input.on('data', this.#onSecretChunkEnd);
    } else {
      this.#input.off('data', this.#onSecretChunk);
      this.#input.off('keypress', this.#onKey);
      this.#input.off('data', this.#onSecretChunkEnd);
      this.#input.on('data', this.#onData);
    }
  }

  onLine(listener: ((line: string) => void) | null): void {
    this.#queue.onLine(listener);
    if (this.#queue.isEmpty && !this.#closed) this.#input.resume();
  }

  /** On a terminal that is not in raw mode, Ctrl-C comes as SIGINT to the process and not here. */
  onInterrupt(listener: () => void): void {
    this.#onInterrupt = listener;
  }

  onEnd(listener: () => void): void {
    this.#queue.onEnd(listener);
  }

  /** Where the terminal reads lines, Ctrl-D is the end of input. */
  onLeave(): void {}

  onEdit(): void {}

  onRefused(listener: (error: InputError) => void): void {
    this.#onRefused = listener;
  }

  /** The one thing besides lines that does no harm: who reads with their ears may want it most. */
  ring(): void {
    if (this.#output.isTTY && !this.#closed && !this.#congested) this.#write(BELL);
  }

  // A plain screen writes lines and nothing else, and edits none.
  setCompleter(): void {}
  onLook(): void {}
  notify(): void {}
  clear(): void {}
  setDraft(): void {}
  forgetLines(): void {}

  copy(): boolean {
    return false;
  }

  suspend<T>(run: () => Promise<T>): Promise<T> {
    return run();
  }

  close(): void {
    this.restore();
  }

  restore(): void {
    if (this.#closed) return;
    this.setMasked(false);
    this.#closed = true;
    this.#writeWaiting();
    this.#output.off('drain', this.#onDrain);
    this.#input.off('data', this.#onData);
    this.#input.off('end', this.#onInputEnd);
    this.#input.pause();
  }

  readonly #onData = (chunk: Uint8Array | string): void => {
    this.#take(this.#splitter.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
    // Nobody asks for more yet: what was piped in waits in the pipe.
    if (!this.#queue.isEmpty) this.#input.pause();
  };

  #take(lines: readonly SplitLine[]): void {
    for (const line of lines) {
      if (line.kind === 'line') this.#queue.push(line.text);
      else this.#onRefused?.(new InputError('line-too-long', `A line is at most ${MAX_LINE_BYTES} bytes.`));
    }
  }

  /** An invitation with line breaks in it is one paste, and its later lines answer no other question. */
  readonly #onSecretChunk = (chunk: Uint8Array | string): void => {
    const text = typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString('latin1');
    if (looksPasted(text, false)) this.#press({ name: 'paste-start' });
  };

  readonly #onSecretChunkEnd = (): void => {
    if (this.#secret?.mode.kind === 'pasting') this.#press({ name: 'paste-end' });
  };

  readonly #onKey = (text: string | undefined, key: Key): void => this.#press({ ...key, text });

  #press(key: Key): void {
    if (this.#secret === null) return;
    const { state, submitted, signal } = edit(this.#secret, key);
    this.#secret = state;
    if (signal === 'interrupt') this.#onInterrupt?.();
    if (signal === 'end') this.#queue.abort();
    if (submitted === undefined) return;
    this.print('');
    this.#queue.push(submitted);
  }

  readonly #onDrain = (): void => {
    this.#congested = false;
    this.#writeWaiting();
  };

  #writeWaiting(): void {
    if (this.#waiting === null || this.#waiting.isEmpty) return;
    this.#write(
      this.#waiting
        .take()
        .map((line) => `${line}\n`)
        .join(''),
    );
  }

  #write(text: string): void {
    if (this.#output.writable && !this.#output.write(text)) this.#congested = true;
  }

  readonly #onInputEnd = (): void => {
    this.#take(this.#splitter.end());
    this.#queue.finish();
  };

  readonly #onOutputGone = (): void => {
    if (!this.#closed) this.#queue.abort();
  };
}
