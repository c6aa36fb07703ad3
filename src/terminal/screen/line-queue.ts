/** Lines on their way from a stream to whoever asks for the next one. */
import { StringDecoder } from 'node:string_decoder';

/** A message in JSON with every character escaped stays under this. */
export const MAX_LINE_BYTES = 64 * 1_024;

export type SplitLine = { readonly kind: 'line'; readonly text: string } | { readonly kind: 'too-long' };

/** Cuts bytes into lines (LF or CR LF, both left out) and holds no more than one line of the greatest length. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #maxBytes: number;
  #partial = '';
  #partialBytes = 0;
  #skipping = false;

  constructor(maxBytes: number = MAX_LINE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** @returns the lines this chunk finishes; one that is too long is reported once, when it passes the limit */
  push(chunk: Uint8Array): readonly SplitLine[] {
    const done: SplitLine[] = [];
    const [rest = '', ...following] = this.#decoder.write(chunk).split('\n');
    this.#append(rest, done);
    for (const text of following) {
      this.#finish(done);
      this.#append(text, done);
    }
    return done;
  }

  /** @returns the last line, if it had no line feed */
  end(): readonly SplitLine[] {
    const done: SplitLine[] = [];
    this.#append(this.#decoder.end(), done);
    if (this.#partial !== '') this.#finish(done);
    return done;
  }

  #append(text: string, done: SplitLine[]): void {
    if (this.#skipping) return;
    this.#partialBytes += Buffer.byteLength(text);
    if (this.#partialBytes <= this.#maxBytes) {
      this.#partial += text;
      return;
    }
    this.#partial = '';
    this.#skipping = true;
    done.push({ kind: 'too-long' });
  }

  #finish(done: SplitLine[]): void {
    if (!this.#skipping) done.push({ kind: 'line', text: this.#partial.replace(/\r$/, '') });
    this.#partial = '';
    this.#partialBytes = 0;
    this.#skipping = false;
  }
}

/**
 * Keeps lines while nobody asks, so that answers piped in ahead of their prompts wait for them.
 * The end waits behind the lines, and for someone to ask in vain.
 */
export class LineQueue {
  readonly #lines: string[] = [];
  #onLine: ((line: string) => void) | null = null;
  #onEnd: (() => void) | null = null;
  #finished = false;
  #endTold = false;
  #delivering = false;

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  /** Whether somebody waits for a line. */
  get isAsked(): boolean {
    return this.#onLine !== null;
  }

  push(line: string): void {
    this.#lines.push(line);
    this.#deliver();
  }

  /** No line will follow. */
  finish(): void {
    this.#finished = true;
    this.#deliver();
  }

  /** Tells of an end at once, whatever waits. */
  abort(): void {
    this.#onEnd?.();
  }

  onLine(listener: ((line: string) => void) | null): void {
    this.#onLine = listener;
    this.#deliver();
  }

  onEnd(listener: () => void): void {
    this.#onEnd = listener;
    this.#deliver();
  }

  #deliver(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      for (;;) {
        const line = this.#onLine === null ? undefined : this.#lines.shift();
        if (line === undefined) break;
        this.#onLine?.(line);
      }
    } finally {
      this.#delivering = false;
    }
    if (!this.#finished || this.#endTold || this.#onLine === null || this.#onEnd === null) return;
    this.#endTold = true;
    this.#onEnd();
  }
}
