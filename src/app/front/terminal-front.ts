/** Events drawn for a person, on a terminal or as plain lines. */
import { cleanText } from '../../protocol/clean-text.ts';
import { InputError } from '../../protocol/errors.ts';
import { TokenBucket } from '../../room/token-bucket.ts';
import type { DisplayCall } from '../../terminal/commands/calls.ts';
import { completeLine, pathsFrom } from '../../terminal/commands/completion.ts';
import { linesAsText } from '../../terminal/editor/paste.ts';
import type { JsonEvent, MessageEvent, PromptEvent } from '../../terminal/json-lines.ts';
import { pictureProtocol } from '../../terminal/picture/protocol.ts';
import { PlainScreen } from '../../terminal/screen/plain-screen.ts';
import { askLine, openScreen } from '../../terminal/screen/prompt.ts';
import { adjust } from '../../terminal/view/adjust.ts';
import { barSigns } from '../../terminal/view/bar.ts';
import type { RenderView } from '../../terminal/view/entry.ts';
import type { FileRow } from '../../terminal/view/file-row.ts';
import { makePalette, type Palette } from '../../terminal/view/palette.ts';
import type { Preferences } from '../../terminal/view/preferences.ts';
import { ProgressLines } from '../../terminal/view/progress-lines.ts';
import { progressRows } from '../../terminal/view/progress-rows.ts';
import { qrLines, qrSize } from '../../terminal/view/qr.ts';
import { bannerLines, promptText } from '../../terminal/view/ready-panel.ts';
import { Scroll } from '../../terminal/view/scroll.ts';
import { VERSION } from '../../version.ts';
import type { CommonOptions, HostOptions } from '../options.ts';
import { editText } from './editor.ts';
import type { FrontListener, Status } from './front.ts';
import { PictureViewer } from './picture-viewer.ts';
import { ScreenFront } from './screen-front.ts';
import { SeldomDone } from './seldom.ts';

const PROMPT = '> ';

/** `@ann text`, where that is for ann alone; without a text it is for nobody. */
const AT_NICK = /^@\S/u;

/** Folded lines, day changes and the code's seconds are due in steps of this. */
const TICK_MS = 1_000;
/** Progress is drawn again this often at most: more could not be read. */
const PROGRESS_MS = 200;
/** One member can name another twenty times a second: more than this tells nothing more. */
const BELLS = { perSecond: 1, burst: 3 };
const NOTIFICATIONS = { perSecond: 0.2, burst: 3 };

type FrontOptions = Pick<CommonOptions, 'display' | 'color' | 'colors' | 'preferences' | 'mayAsk'> &
  Partial<Pick<HostOptions, 'qr' | 'clipboard'>> & { readonly banner?: boolean };

export class TerminalFront extends ScreenFront {
  readonly #options: FrontOptions;
  readonly #draws: boolean;
  readonly #scroll = new Scroll();
  #palette: Palette;
  #preferences: Preferences;
  #self: { readonly id: string; readonly nick: string } | null = null;
  readonly #bells = new TokenBucket(BELLS.burst, Date.now());
  readonly #notifications = new TokenBucket(NOTIFICATIONS.burst, Date.now());
  #looking = true;
  /** The latest message that stands on the screen while nobody has been told that it was seen. */
  #unseen: string | null = null;
  /** How long messages stay; 0: as long as members keep them. */
  #staySeconds = 0;
  #status: Status | null = null;
  #timer: NodeJS.Timeout | null = null;
  #editing: AbortController | null = null;
  #files: readonly FileRow[] = [];
  readonly #progress = new ProgressLines();
  readonly #drawFiles = new SeldomDone(PROGRESS_MS, () => this.#drawProgress());
  readonly #pictures: PictureViewer;

  constructor(options: FrontOptions) {
    const plain = options.display === 'plain';
    const screen = openScreen(process.stdin, process.stdout, { plain });
    super(screen);
    this.#options = options;
    this.#preferences = options.preferences;
    this.#draws = !(screen instanceof PlainScreen);
    this.#palette = this.#makePalette();
    const { color, colors } = options;
    this.#pictures = new PictureViewer(pictureProtocol(process.env, { draws: this.#draws, color, colors }));
    screen.onLook((looking) => {
      this.#looking = looking;
      this.#scroll.look(looking);
      this.#see();
    });
    if (this.#draws && options.banner !== false)
      this.#print(bannerLines({ version: VERSION, ...this.#view }));
  }

  override emit(event: JsonEvent): void {
    // The prompt line counts the code down already.
    if (event.type === 'code' && this.#draws) return;
    this.#follow(event);
    this.#print(this.#scroll.lines(event, this.#view));
    if (event.type !== 'message' || event.own || this.#scroll.isIgnored(event.from.id)) return;
    this.#unseen = event.id;
    this.#see();
    this.#call(event);
  }

  /** Lines in a file are not looked at. */
  #see(): void {
    const isScreen = this.#draws || process.stdout.isTTY;
    if (this.#unseen === null || !this.#looking || !isScreen || this.listener === null) return;
    this.listener.seen(this.#unseen);
    this.#unseen = null;
  }

  override async ask(prompt: Omit<PromptEvent, 'type'>): Promise<string> {
    if (!this.#options.mayAsk) {
      throw new InputError('no-input', unaskedText(prompt));
    }
    // Before the question stands there: whoever types at once would see it echoed by a terminal that is not drawn on.
    this.screen.setMasked(prompt.secret);
    this.emit({ type: 'prompt', ...prompt });
    const line = await this.#line(prompt.secret);
    // What was typed leaves the screen with the line; the question keeps its answer.
    if (this.#draws) this.screen.print(answerLine(prompt, line));
    return line;
  }

  /** What comes this way is a secret: on a terminal it is not shown. */
  override readLine(): Promise<string> {
    return this.#line(true);
  }

  override listen(listener: FrontListener): void {
    super.listen(listener);
    this.hear();
    this.#see();
    this.screen.onEdit(() => this.#edit(this.screen.draft));
    this.screen.setCompleter((line, cursor) =>
      completeLine(line, cursor, { ...listener.known, paths: pathsFrom }),
    );
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  protected override hear(): void {
    // A secret that was begun and given up is gone.
    this.screen.setMasked(false);
    this.screen.onLine((line) => {
      if (line.startsWith('/')) this.listener?.command(line);
      else if (this.#preferences.atDirect && AT_NICK.test(line)) this.listener?.command(`/msg ${line}`);
      else if (line.trim() !== '') this.listener?.say(line, null);
    });
    this.#drawStatus();
  }

  override setStatus(status: Status): void {
    this.#status = status;
    this.#drawStatus();
  }

  override setFiles(files: readonly FileRow[]): void {
    const isNews = files.length !== this.#files.length;
    this.#files = files;
    if (!this.#draws) return this.#print(this.#progress.lines(files, this.#view));
    // What begins or is over is not kept waiting.
    if (isNews) this.#drawFiles.now();
    else if (files.length > 0) this.#drawFiles.soon();
  }

  #drawProgress(): void {
    const files = this.#files;
    const signs = barSigns(process.env);
    this.screen.setAbove((columns) => progressRows(files, { columns, palette: this.#palette, signs }));
  }

  /** Lines, a sentence, or a change of how things look: nobody else learns of it. */
  override display(call: DisplayCall): void {
    switch (call.name) {
      case 'clear':
        this.#needsDrawing(call.name);
        this.#scroll.clear();
        return this.screen.clear();
      case 'edit':
        return this.#edit(call.text);
      case 'search':
        return this.#print(this.#scroll.search(call.words, this.#view));
      case 'ignore':
        return this.#ignore(call.nick);
      case 'unignore':
        if (!this.#scroll.unignore(call.nick))
          throw new InputError('not-ignored', `${call.nick} is not ignored. /ignore shows who is.`);
        return this.#tell(call.name, `${call.nick} is shown again.`);
      default: {
        if (call.name === 'notify') this.#needsDrawing(call.name);
        const { preferences, text } = adjust(this.#preferences, call);
        const { theme } = this.#preferences;
        this.#preferences = preferences;
        if (preferences.theme !== theme) this.#palette = this.#makePalette();
        return this.#tell(call.name, text);
      }
    }
  }

  /** By the numbers of this screen. */
  override messageCalled(name: string): string | null {
    return /^\d+$/.test(name) ? this.#scroll.idOf(Number(name)) : null;
  }

  override get latestOfOthers(): string | null {
    return this.#scroll.latestOfOthers;
  }

  override copy(text: string): boolean {
    return this.#options.clipboard !== false && super.copy(text);
  }

  override showQr(text: string): void {
    if (!this.#draws)
      throw new InputError('no-screen', 'A QR code needs a terminal to be drawn on, without --plain.');
    const { columns, rows } = this.screen;
    const { theme } = this.#preferences;
    const lines = qrLines(text, { columns, rows }, { palette: this.#palette, theme });
    if (lines === null) {
      const needed = qrSize(text);
      throw new InputError(
        'too-small',
        `The QR code takes ${needed.columns} columns and ${needed.rows} rows; this window has ${columns} and ${rows}. Make it larger, or its font smaller; or write the invitation into a file with /invite save ID FILE.`,
      );
    }
    this.#print(lines);
  }

  override async showPicture(path: string, name: string): Promise<void> {
    if (this.#preferences.pictures === 'off') return;
    const window = () => ({ view: this.#view, screenRows: this.screen.rows });
    this.#print(await this.#pictures.lines(path, name, window));
  }

  override close(): void {
    void this.#pictures.end();
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#editing?.abort();
    this.#drawFiles.end();
    super.close();
  }

  get #view(): RenderView {
    return {
      palette: this.#palette,
      preferences: this.#preferences,
      columns: this.screen.columns,
      // Without its rows nothing draws a code unasked.
      ...(this.#options.qr !== false && { rows: this.screen.rows }),
      nowMs: Date.now(),
      self: this.#self?.nick ?? null,
    };
  }

  #makePalette(): Palette {
    const { color, colors } = this.#options;
    return makePalette({ color, colors, theme: this.#preferences.theme });
  }

  /** Who this person is, and how long what they say stays. */
  #follow(event: JsonEvent): void {
    if (event.type === 'joined' || event.type === 'room') this.#staySeconds = event.room.staySeconds;
    if (event.type === 'joined') this.#self = event.self;
    const renamed = event.type === 'member' && event.change === 'renamed';
    if (renamed && event.member.id === this.#self?.id) this.#self = event.member;
  }

  /** Bell and notification: who spoke, never what was said. */
  #call({ mention, from, direct }: MessageEvent): void {
    const isForYou = mention || direct !== undefined;
    const { bell, notify } = this.#preferences;
    const nowMs = Date.now();
    const rings = bell === 'all' || (bell === 'on' && isForYou);
    if (rings && this.#bells.take(1, BELLS, nowMs) === 0) this.screen.ring();
    const isNews = notify && isForYou && !this.#looking;
    if (isNews && this.#notifications.take(1, NOTIFICATIONS, nowMs) === 0)
      this.screen.notify(`securechat: ${from.nick} ${direct === undefined ? 'mentions' : 'writes to'} you`);
  }

  #ignore(nick: string | null): void {
    if (nick === null) {
      const { ignored } = this.#scroll;
      return this.#tell(
        'ignore',
        ignored.length === 0 ? 'Nobody is ignored.' : `Ignored: ${ignored.join(', ')}.`,
      );
    }
    if (nick === this.#self?.nick) throw new InputError('not-allowed', 'You cannot ignore yourself.');
    const outcome = this.#scroll.ignore(nick);
    if (outcome === 'too-many')
      throw new InputError(
        'too-many',
        `You ignore ${this.#scroll.ignored.length} members already, the most there may be. /unignore someone first.`,
      );
    if (outcome === 'nobody')
      throw new InputError('no-such-member', `Nobody here is called ${nick}. /names shows who is.`);
    this.#tell('ignore', `What ${nick} says is left out here; /unignore ${nick} shows it again.`);
  }

  #edit(draft: string): void {
    this.#needsDrawing('edit');
    if (this.#editing !== null) throw new InputError('editor', 'The editor is open already.');
    const editing = new AbortController();
    this.#editing = editing;
    this.screen
      .suspend(() => editText(draft, process.env, editing.signal))
      .then(
        (text) => this.screen.setDraft(linesAsText(text)),
        (error: unknown) => {
          if (editing.signal.aborted) return;
          this.screen.setDraft(draft);
          const code = error instanceof InputError ? error.code : 'editor';
          const message = error instanceof Error ? error.message : String(error);
          this.emit({ type: 'error', code, message });
        },
      )
      .finally(() => {
        this.#editing = null;
      });
  }

  /** @throws InputError `no-screen` where lines are all there is. */
  #needsDrawing(command: string): void {
    if (!this.#draws)
      throw new InputError(
        'no-screen',
        `/${command} needs a terminal that can be drawn on, without --plain.`,
      );
  }

  #tell(code: string, text: string): void {
    this.emit({ type: 'notice', level: 'info', code, text });
  }

  #print(lines: readonly string[]): void {
    for (const line of lines) this.screen.print(line);
  }

  #line(masked: boolean): Promise<string> {
    return this.waitFor((pending) => {
      void askLine(this.screen, { prompt: PROMPT, masked }).then((line) => {
        this.screen.setPrompt('');
        pending.resolve(line);
      });
    });
  }

  #tick(): void {
    if (this.#staySeconds > 0) this.screen.forgetLines(Date.now() - this.#staySeconds * 1_000);
    this.#print(this.#scroll.tick(this.#view));
    this.#drawStatus();
  }

  #drawStatus(): void {
    if (this.#status === null || this.listener === null || this.pending !== null) return;
    this.screen.setPrompt(promptText({ ...this.#status, nowMs: Date.now(), columns: this.screen.columns }));
  }
}

/** What answers a question beforehand. */
const ANSWERED_BY: Readonly<Record<string, string>> = {
  answer: '--answer-file',
  code: '--code-file',
  nick: '--nick',
  password: '--password-file',
  question: '--question',
  room: '--room',
  token: '--token-file',
  passphrase: '--passphrase-file',
  'new-passphrase': '--passphrase-file',
};

/** Asked a second time, what the option gave was wrong. */
function unaskedText({ name, message, problem }: Omit<PromptEvent, 'type'>): string {
  const option = ANSWERED_BY[name] ?? 'an option';
  const why = problem === undefined ? message : cleanText(problem);
  return `${why} Nobody can be asked with --no-input: give it with ${option}.`;
}

/** A secret leaves only that it was given. */
function answerLine({ secret, default: usual = '' }: Omit<PromptEvent, 'type'>, line: string): string {
  return PROMPT + (secret ? '(not shown)' : cleanText(line.trim() === '' ? usual : line));
}
