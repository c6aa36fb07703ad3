/** Events drawn for a person, on a terminal or as plain lines. */
import { InputError } from '../protocol/errors.ts';
import type { JsonEvent, PromptEvent } from '../terminal/json-lines.ts';
import { makePalette, type Palette } from '../terminal/palette.ts';
import { PlainScreen } from '../terminal/plain-screen.ts';
import type { Preferences } from '../terminal/preferences.ts';
import { askLine, openScreen } from '../terminal/prompt.ts';
import { bannerLines, promptText } from '../terminal/ready-panel.ts';
import { renderEvent } from '../terminal/render.ts';
import { VERSION } from '../version.ts';
import type { FrontListener, Status } from './front.ts';
import type { CommonOptions } from './options.ts';
import { ScreenFront } from './screen-front.ts';

const PREFERENCES: Preferences = {
  timestamps: 'minutes',
  quiet: false,
  bell: 'on',
  notify: false,
  theme: 'auto',
};

export class TerminalFront extends ScreenFront {
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
    const view = {
      palette: this.#palette,
      preferences: PREFERENCES,
      columns: this.screen.columns,
      nowMs: Date.now(),
      self: null,
    };
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

  /** What comes this way is a secret: on a terminal it is not shown. */
  override readLine(): Promise<string> {
    return this.#line(true);
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
