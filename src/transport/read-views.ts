import type { Bytes } from '../protocol/bytes.ts';

/**
 * Views of one memory that follow each other there, as one: Node hands on each TLS record by itself, and four of them lie behind each
 * other in what it has read.
 */
export class ReadViews {
  #memory: ArrayBufferLike | null = null;
  #from = 0;
  #to = 0;

  /** Nothing can follow: here its memory ends. */
  get reachesEnd(): boolean {
    return this.#memory?.byteLength === this.#to;
  }

  /** @returns false when it does not follow what is here: then nothing has changed */
  add({ buffer, byteOffset, byteLength }: Bytes): boolean {
    if (this.#memory === null) {
      this.#memory = buffer;
      this.#from = byteOffset;
    } else if (buffer !== this.#memory || byteOffset !== this.#to) return false;
    this.#to = byteOffset + byteLength;
    return true;
  }

  /** @returns all that was added since the last time; `null` for nothing */
  take(): Bytes | null {
    const memory = this.#memory;
    this.#memory = null;
    return memory === null ? null : new Uint8Array(memory, this.#from, this.#to - this.#from);
  }
}
