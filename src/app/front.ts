/**
 * Where the program meets a person or a program: events out, answers and lines in. On a terminal events are drawn, over
 * `--json` they are lines; everything above is the same for both.
 */
import { InputError } from '../protocol/errors.ts';
import {
  formatJsonEvent,
  type JsonEvent,
  type PromptEvent,
  parseJsonCommand,
} from '../terminal/json-lines.ts';
import { makePalette, type Palette } from '../terminal/palette.ts';
import { PlainScreen } from '../terminal/plain-screen.ts';
import { askLine, openScreen } from '../terminal/prompt.ts';
import { bannerLines, promptText } from '../terminal/ready-panel.ts';
import { renderEvent } from '../terminal/render.ts';
import type { ChatScreen } from '../terminal/screen.ts';
import { VERSION } from '../version.ts';
import type { CommonOptions } from './options.ts';

/** The person, or the program, has gone: standard input ended, or Ctrl-C. */
export class GaveUpError extends Error {
  override readonly name = 'GaveUpError';
  readonly how: 'ended' | 'interrupted';

  constructor(how: 'ended' | 'interrupted') {
    super(how === 'ended' ? 'standard input ended at a question' : 'interrupted');
    this.how = how;
  }
}

export interface FrontListener {
  say(text: string, ref: string | null): void;
  /** A slash command with its slash. */
  command(line: string): void;
  quit(): void;
  /** Standard input ended. */
  end(): void;
  interrupt(): void;
}

/** What stands before the line being typed. */
export interface Status {
  readonly room: string;
  readonly online: number;
  readonly code?: { readonly value: string; readonly expiresAt: string };
}

export interface Front {
  emit(event: JsonEvent): void;
  /** @throws GaveUpError when nobody is there to answer any more. */
  ask(prompt: Omit<PromptEvent, 'type'>): Promise<string>;
  /** One line of standard input, asked for by nobody: a secret that was redirected. */
  readLine(): Promise<string>;
  /** From now on lines are said; what was typed ahead comes first. */
  listen(listener: FrontListener): void;
  setStatus(status: Status): void;
  /** Called when the person goes while nobody listens and nothing is asked: someone waits for something else. */
  onGone: (error: GaveUpError) => void;
  close(): void;
}

export function openFront(options: Pick<CommonOptions, 'display' | 'color' | 'mayAsk'>): Front {
  return options.display === 'json' ? new JsonFront() : new TerminalFront(options);
}

/** Ctrl-C arrives as a signal where no raw terminal takes it; a closed window and `kill` always do. */
function onSignals(interrupt: () => void, terminate: () => void): () => void {
  const asked: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP'];
  process.on('SIGINT', interrupt);
  for (const signal of asked) process.on(signal, terminate);
  return () => {
    process.off('SIGINT', interrupt);
    for (const signal of asked) process.off(signal, terminate);
  };
}

abstract class ScreenFront implements Front {
  protected readonly screen: ChatScreen;
  protected listener: FrontListener | null = null;
  /** The question being asked; whoever ends the input ends it as well. */
  protected pending: PromiseWithResolvers<string> | null = null;
  #gone: GaveUpError | null = null;
  readonly #offSignals: () => void;

  constructor(screen: ChatScreen) {
    this.screen = screen;
    screen.onInterrupt(() => this.#interrupted());
    screen.onEnd(() => this.#ended());
    screen.onRefused((error) => this.emit({ type: 'error', code: error.code, message: error.message }));
    this.#offSignals = onSignals(
      () => this.#interrupted(),
      () => this.#terminated(),
    );
    process.once('exit', this.#restore);
  }

  abstract emit(event: JsonEvent): void;
  abstract ask(prompt: Omit<PromptEvent, 'type'>): Promise<string>;

  listen(listener: FrontListener): void {
    this.listener = listener;
    if (this.#gone?.how === 'ended') listener.end();
  }

  abstract readLine(): Promise<string>;
  setStatus(_status: Status): void {}

  close(): void {
    this.#offSignals();
    process.off('exit', this.#restore);
    this.screen.close();
  }

  protected async waitFor(start: (pending: PromiseWithResolvers<string>) => void): Promise<string> {
    if (this.#gone !== null) throw this.#gone;
    const pending = Promise.withResolvers<string>();
    this.pending = pending;
    start(pending);
    try {
      return await pending.promise;
    } finally {
      if (this.pending === pending) this.pending = null;
    }
  }

  readonly #restore = (): void => this.screen.restore();

  #interrupted(): void {
    if (this.listener !== null) this.listener.interrupt();
    else this.#giveUp(new GaveUpError('interrupted'));
  }

  #terminated(): void {
    if (this.listener !== null) this.listener.quit();
    else this.#giveUp(new GaveUpError('interrupted'));
  }

  /** Where nobody listens yet, the end is told once somebody does. */
  #ended(): void {
    this.#gone ??= new GaveUpError('ended');
    if (this.listener !== null) this.listener.end();
    else this.pending?.reject(this.#gone);
  }

  #giveUp(error: GaveUpError): void {
    this.#gone = error;
    this.pending?.reject(error);
    this.onGone(error);
  }

  onGone: (error: GaveUpError) => void = () => {};
}

class TerminalFront extends ScreenFront {
  readonly #palette: Palette;
  readonly #draws: boolean;
  readonly #mayAsk: boolean;
  #status: Status | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: Pick<CommonOptions, 'display' | 'color' | 'mayAsk'>) {
    const plain = options.display === 'plain';
    const screen = openScreen(process.stdin, process.stdout, { plain });
    super(screen);
    this.#draws = !(screen instanceof PlainScreen);
    this.#palette = makePalette({ color: options.color });
    this.#mayAsk = options.mayAsk;
    if (this.#draws)
      for (const line of bannerLines({ version: VERSION, palette: this.#palette })) screen.print(line);
  }

  override emit(event: JsonEvent): void {
    // The prompt line counts the code down already.
    if (event.type === 'code' && this.#draws) return;
    const view = { palette: this.#palette, columns: this.screen.columns, nowMs: Date.now() };
    for (const line of renderEvent(event, view)) this.screen.print(line);
  }

  override async ask(prompt: Omit<PromptEvent, 'type'>): Promise<string> {
    if (!this.#mayAsk) {
      throw new InputError(
        'no-input',
        `${prompt.message} Nobody can be asked with --no-input: give it as an option.`,
      );
    }
    this.emit({ type: 'prompt', ...prompt });
    return this.#line(prompt.secret);
  }

  override readLine(): Promise<string> {
    return this.#line(false);
  }

  override listen(listener: FrontListener): void {
    super.listen(listener);
    this.screen.onLine((line) => {
      if (line === '/quit' || line === '/exit') listener.quit();
      else if (line.startsWith('/') && !line.startsWith('//')) listener.command(line);
      else if (line.trim() !== '') listener.say(line.startsWith('//') ? line.slice(1) : line, null);
    });
    this.#timer = setInterval(() => this.#drawStatus(), 1_000);
    this.#drawStatus();
  }

  override setStatus(status: Status): void {
    this.#status = status;
    this.#drawStatus();
  }

  override close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    super.close();
  }

  #line(masked: boolean): Promise<string> {
    return this.waitFor((pending) => {
      void askLine(this.screen, { prompt: '> ', masked }).then((line) => {
        this.screen.setPrompt('');
        pending.resolve(line);
      });
    });
  }

  #drawStatus(): void {
    if (this.#status === null || this.listener === null) return;
    this.screen.setPrompt(promptText({ ...this.#status, nowMs: Date.now(), columns: this.screen.columns }));
  }
}

class JsonFront extends ScreenFront {
  #asked: string | null = null;

  /** Lines wait until someone asks or listens, so that a program may write all its answers at once. */
  constructor() {
    super(new PlainScreen(process.stdin, process.stdout));
  }

  override emit(event: JsonEvent): void {
    this.screen.print(formatJsonEvent(event));
  }

  override ask(prompt: Omit<PromptEvent, 'type'>): Promise<string> {
    return this.waitFor(() => {
      this.#asked = prompt.name;
      this.emit({ type: 'prompt', ...prompt });
      this.#take();
    });
  }

  /** Standard input carries commands here; a secret from it would be one of them. */
  override readLine(): Promise<string> {
    return Promise.reject(
      new InputError('usage', 'With --json a secret cannot be read from standard input with "-".'),
    );
  }

  override listen(listener: FrontListener): void {
    super.listen(listener);
    this.#take();
  }

  #take(): void {
    this.screen.onLine((line) => this.#line(line));
  }

  #line(line: string): void {
    if (line.trim() === '') return;
    try {
      this.#obey(parseJsonCommand(line));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.emit({ type: 'error', code: error.code, message: error.message });
    }
  }

  #obey(command: ReturnType<typeof parseJsonCommand>): void {
    const { listener } = this;
    if (command.type === 'answer') {
      if (this.pending === null || this.#asked !== command.name) {
        throw new InputError('not-asked', `Nobody asked for "${command.name}".`);
      }
      this.#asked = null;
      // What follows may be meant for the next question: it waits until that is asked.
      this.screen.onLine(null);
      return this.pending.resolve(command.value);
    }
    if (listener === null) {
      if (command.type === 'quit') return this.quitEarly();
      throw new InputError('not-joined', 'You are not in the room yet.');
    }
    if (command.type === 'quit') listener.quit();
    else if (command.type === 'command') listener.command(command.line);
    else if (command.to !== undefined)
      throw new InputError('bad-command', 'Direct messages are not part of this version.');
    else listener.say(command.text, command.ref ?? null);
  }

  quitEarly(): void {
    const error = new GaveUpError('ended');
    this.pending?.reject(error);
    this.onGone(error);
  }
}
