/** The line protocol for programs, over standard input and output. */
import { idReference } from '../../protocol/content.ts';
import { InputError } from '../../protocol/errors.ts';
import type { DisplayCall } from '../../terminal/commands/calls.ts';
import {
  formatJsonEvent,
  type JsonEvent,
  type PromptEvent,
  parseJsonCommand,
  RefusedSayError,
} from '../../terminal/json-lines.ts';
import { PlainScreen } from '../../terminal/screen/plain-screen.ts';
import { type FrontListener, GaveUpError } from './front.ts';
import { ScreenFront } from './screen-front.ts';

export class JsonFront extends ScreenFront {
  #asked: string | null = null;
  #latestOfOthers: string | null = null;

  /** Lines wait until someone asks or listens, so that a program may write all its answers at once. */
  constructor() {
    super(new PlainScreen(process.stdin, process.stdout));
  }

  override emit(event: JsonEvent): void {
    if (event.type === 'message' && !event.own) this.#latestOfOthers = event.id;
    this.screen.print(formatJsonEvent(event));
  }

  override ask(prompt: Omit<PromptEvent, 'type'>): Promise<string> {
    return this.waitFor(() => {
      this.#asked = prompt.name;
      this.emit({ type: 'prompt', ...prompt });
      this.hear();
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
    this.hear();
  }

  override display({ name }: DisplayCall): never {
    throw new InputError('no-screen', `/${name} changes the screen, and with --json there is none.`);
  }

  /** Programs know messages by their ids. */
  override messageCalled(name: string): string | null {
    return idReference(name) === null ? null : name;
  }

  override get latestOfOthers(): string | null {
    return this.#latestOfOthers;
  }

  override showQr(): never {
    throw new InputError('no-screen', 'With --json no QR code is drawn: the event has the invitation.');
  }

  protected override hear(): void {
    this.screen.onLine((line) => this.#line(line));
  }

  #line(line: string): void {
    if (line.trim() === '') return;
    try {
      this.#obey(parseJsonCommand(line));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      const { code, message } = error;
      this.emit({
        type: 'error',
        code,
        message,
        ...(error instanceof RefusedSayError && { ref: error.ref }),
      });
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
      if (command.type === 'quit') return this.giveUp(new GaveUpError('ended'));
      const error = new InputError('not-joined', 'You are not in the room yet.');
      throw command.type === 'say' && command.ref !== undefined
        ? new RefusedSayError(error, command.ref)
        : error;
    }
    if (command.type === 'quit') listener.quit();
    else if (command.type === 'command') listener.command(command.line);
    else {
      const { text, ref = null, to, replyTo } = command;
      listener.say(text, ref, { ...(to !== undefined && { to }), ...(replyTo !== undefined && { replyTo }) });
    }
  }
}
