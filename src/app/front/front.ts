/**
 * Where the program meets a person or a program: events out, answers and lines in. On a terminal events are drawn, over
 * `--json` they are lines; everything above is the same for both.
 */
import type { DisplayCall } from '../../terminal/commands/calls.ts';
import type { CompletionSources } from '../../terminal/commands/completion.ts';
import type { JsonEvent, PromptEvent } from '../../terminal/json-lines.ts';
import type { FileRow } from '../../terminal/view/file-row.ts';

/** The person, or the program, has gone: standard input ended, or Ctrl-C. */
export class GaveUpError extends Error {
  override readonly name = 'GaveUpError';
  readonly how: 'ended' | 'interrupted';

  constructor(how: 'ended' | 'interrupted') {
    super(how === 'ended' ? 'standard input ended at a question' : 'interrupted');
    this.how = how;
  }
}

/** Where a text goes that does not simply go where one is. */
export interface SayOptions {
  /** A nickname, or a conversation's id. */
  readonly to?: string;
  /** The id of the message that it answers, wherever that was said. */
  readonly replyTo?: string;
}

export interface FrontListener {
  say(text: string, ref: string | null, options?: SayOptions): void;
  /** A message of somebody else stands on a screen, and somebody looks at it. */
  seen(id: string): void;
  /** A slash command with its slash. */
  command(line: string): void;
  quit(): void;
  /** Standard input ended. */
  end(): void;
  /** Ctrl-D on an empty line: more may be typed. */
  leave(): void;
  interrupt(): void;
  /** For completion: what this person may do, and whom and what they may name. */
  readonly known: Omit<CompletionSources, 'paths'>;
}

/** What stands before the line being typed. */
export interface Status {
  readonly room: string;
  readonly online: number;
  /** Where what is typed goes, if not to the room. */
  readonly place?: string;
  /** Messages elsewhere since one was last there. */
  readonly unread?: number;
  /** `false` while the line to the host is lost. */
  readonly connected: boolean;
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
  /** All files that are under way now: none of them, once nothing is. */
  setFiles(files: readonly FileRow[]): void;
  /** A command that changes only the screen. @throws InputError `no-screen` where there is none to change. */
  display(call: DisplayCall): void;
  /** @returns the id of the message that the person calls so; `null` where none is called so */
  messageCalled(name: string): string | null;
  /** The id of the latest message of somebody else that was shown, if there is one. */
  readonly latestOfOthers: string | null;
  /** Hands a text to the clipboard. @returns whether the terminal may have taken it. */
  copy(text: string): boolean;
  /** @throws InputError `no-screen` where nothing can be drawn, `too-small` where it does not fit. */
  showQr(text: string): void;
  /**
   * Shows a file that is a picture, as well as the screen can, and nothing where it is none. Only after it has been accepted,
   * and is whole. Takes seconds at worst, and fails never.
   * @param name as it was offered
   */
  showPicture(path: string, name: string): Promise<void>;
  /**
   * Called when the person goes while nobody listens and nothing is asked: someone waits for something else. At once when
   * they are gone already.
   */
  set onGone(listener: (error: GaveUpError) => void);
  close(): void;
}
