/** What every front shares: a screen, the question being asked, and the ways a person can go. */
import type { DisplayCall } from '../../terminal/commands/calls.ts';
import type { JsonEvent, PromptEvent } from '../../terminal/json-lines.ts';
import type { ChatScreen } from '../../terminal/screen/screen.ts';
import type { FileRow } from '../../terminal/view/file-row.ts';
import { type Front, type FrontListener, GaveUpError, type Status } from './front.ts';

/**
 * Ctrl-C arrives as a signal where no raw terminal takes it; a closed window and `kill` always do. SIGQUIT, which Ctrl-\ of
 * an editor sends, would leave a core file that holds keys.
 */
function onSignals(interrupt: () => unknown, terminate: () => void): () => void {
  const asked: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGQUIT'];
  process.on('SIGINT', interrupt);
  for (const signal of asked) process.on(signal, terminate);
  return () => {
    process.off('SIGINT', interrupt);
    for (const signal of asked) process.off(signal, terminate);
  };
}

export abstract class ScreenFront implements Front {
  protected readonly screen: ChatScreen;
  protected listener: FrontListener | null = null;
  /** The question being asked; whoever ends the input ends it as well. */
  protected pending: PromiseWithResolvers<string> | null = null;
  #gone: GaveUpError | null = null;
  /** Told, or to be told, to whoever waits for something else than an answer. */
  #gaveUp: GaveUpError | null = null;
  #onGone: (error: GaveUpError) => void = () => {};
  readonly #offSignals: () => void;

  constructor(screen: ChatScreen) {
    this.screen = screen;
    screen.onInterrupt(() => this.#interrupted());
    screen.onEnd(() => this.#ended());
    screen.onLeave(() => {
      if (this.#giveQuestionUp()) return;
      if (this.listener === null) this.#ended();
      else this.listener.leave();
    });
    screen.onRefused((error) => this.emit({ type: 'error', code: error.code, message: error.message }));
    this.#offSignals = onSignals(
      // Keys pressed in another program are meant for it, and reach this one as well.
      () => screen.isLent || this.#interrupted(),
      () => this.#terminated(),
    );
    process.once('exit', this.#restore);
  }

  abstract emit(event: JsonEvent): void;
  abstract ask(prompt: Omit<PromptEvent, 'type'>): Promise<string>;

  /** Lines go to the listener: from the start, and again once a question in the middle of the talk is over. */
  protected abstract hear(): void;

  listen(listener: FrontListener): void {
    this.listener = listener;
    if (this.#gone?.how === 'ended') listener.end();
  }

  abstract readLine(): Promise<string>;
  setStatus(_status: Status): void {}
  /** Programs are told by events. */
  setFiles(_files: readonly FileRow[]): void {}
  abstract display(call: DisplayCall): void;
  abstract messageCalled(name: string): string | null;
  abstract get latestOfOthers(): string | null;
  abstract showQr(text: string): void;

  /** Programs look at the file themselves. */
  showPicture(_path: string, _name: string): Promise<void> {
    return Promise.resolve();
  }

  copy(text: string): boolean {
    return this.screen.copy(text);
  }

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
      // After what the answer leads to, which may be the next question.
      if (this.listener !== null) setImmediate(() => this.pending === null && this.hear());
    }
  }

  readonly #restore = (): void => this.screen.restore();

  /** One who went before anybody wanted to know is told of at once. */
  set onGone(listener: (error: GaveUpError) => void) {
    this.#onGone = listener;
    if (this.#gaveUp !== null) listener(this.#gaveUp);
  }

  protected giveUp(error: GaveUpError): void {
    this.#gone = error;
    this.#gaveUp = error;
    this.pending?.reject(error);
    this.#onGone(error);
  }

  #interrupted(): void {
    if (this.#giveQuestionUp()) return;
    if (this.listener !== null) this.listener.interrupt();
    else this.giveUp(new GaveUpError('interrupted'));
  }

  /** One in the middle of the talk, and no more than that. @returns whether there was one */
  #giveQuestionUp(): boolean {
    if (this.listener === null || this.pending === null) return false;
    this.pending.reject(new GaveUpError('interrupted'));
    return true;
  }

  #terminated(): void {
    if (this.listener !== null) this.listener.quit();
    else this.giveUp(new GaveUpError('interrupted'));
  }

  /** Where nobody listens yet, the end is told once somebody does. */
  #ended(): void {
    this.#gone ??= new GaveUpError('ended');
    this.pending?.reject(this.#gone);
    this.listener?.end();
  }
}
