/** The room that `files` measures in: the host, a member who sends, one who takes, and two who talk meanwhile. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Child } from './child.ts';
import type { HostCalls } from './host-process.ts';
import type { FileMemberCalls } from './load/file-member.ts';
import type { LoadCalls } from './load/process.ts';
import { type Measured, measurableHost, type Server } from './servers.ts';
import { type End, Growth, measured, type PerEnd, type Transfer } from './transfer.ts';
import type { Usage } from './usage.ts';

export interface FileTransfer extends Transfer {
  /** What it took the sender to know what is offered. */
  readonly hashing: { readonly tookMs: number; readonly cpuMs: number };
  /** Of `tookMs`, what came after the last byte. */
  readonly finishMs: number;
}

/** `path`: from the disk and to the disk; not given: from memory to nowhere. */
export interface Carried {
  readonly bytes: number;
  readonly path?: string;
}

const TALKERS = 2;

export class FileRoom {
  readonly #folder: string;
  readonly #host = new Child<HostCalls>('host-process.ts', 'any');
  readonly #sender = new Child<FileMemberCalls>('load/file-member.ts', 'any');
  readonly #receiver = new Child<FileMemberCalls>('load/file-member.ts', 'any');
  readonly #load = new Child<LoadCalls>('load/process.ts', 'any');
  #talk: Server | null = null;
  #growth: Growth | null = null;

  /** @param folder for what is taken */
  constructor(folder: string) {
    this.#folder = join(folder, 'taken');
  }

  async begin(): Promise<void> {
    const room = await this.#host.call('address', undefined);
    for (const [nick, member] of Object.entries({ ann: this.#sender, ben: this.#receiver })) {
      const entrance = await this.#host.call('entrance', undefined);
      await member.call('join', { room, entrance, nick });
    }
    this.#talk = await measurableHost('host', this.#host, this.#load, TALKERS);
    await this.#talk.grow(TALKERS);
    this.#growth = await Growth.begin((end, settled) => this.#usage(end, settled));
  }

  async transfer({ bytes, path }: Carried): Promise<FileTransfer> {
    const { offer, ...hashing } = await this.#sender.call('offer', { path: path ?? null, bytes });
    let finishMs = 0;
    const transfer = await measured(
      (end) => this.#usage(end, false),
      bytes,
      async () => {
        const taken = await this.#take(offer, path !== undefined);
        ({ finishMs } = taken);
        return taken.tookMs;
      },
    );
    await this.#sender.call('withdraw', undefined);
    return { ...transfer, hashing, finishMs };
  }

  /** Two members talk, each message being shown to both. */
  async talk(messages: number, perSecond: number): Promise<Measured> {
    if (this.#talk === null) throw new Error('not begun');
    return await this.#talk.measure(messages, { perSecond });
  }

  /** The same while a file is on its way, again and again until all is said. */
  async talkMeanwhile({ bytes, path }: Carried, talk: () => Promise<Measured>): Promise<Measured> {
    const { offer } = await this.#sender.call('offer', { path: path ?? null, bytes });
    let isSaid = false;
    const taking = (async () => {
      while (!isSaid) await this.#take(offer, path !== undefined);
    })();
    // Looked at below.
    taking.catch(() => {});
    try {
      await Promise.race([this.#receiver.call('underWay', undefined), taking]);
      return await Promise.race([
        talk(),
        taking.then(() => Promise.reject(new Error('no file is on its way'))),
      ]);
    } finally {
      isSaid = true;
      await taking;
      await this.#sender.call('withdraw', undefined);
    }
  }

  async grownBytes(): Promise<PerEnd> {
    if (this.#growth === null) throw new Error('not begun');
    return await this.#growth.bytes();
  }

  async end(): Promise<void> {
    for (const child of [this.#load, this.#sender, this.#receiver, this.#host]) await child.end();
  }

  async #take(
    offer: Uint8Array,
    isOnDisk: boolean,
  ): Promise<{ readonly tookMs: number; readonly finishMs: number }> {
    const taken = await this.#receiver.call('take', { offer, folder: isOnDisk ? this.#folder : null });
    if (isOnDisk) await rm(this.#folder, { recursive: true });
    return taken;
  }

  #usage(end: End, settled: boolean): Promise<Usage> {
    if (end === 'relay') return this.#host.call('usage', { settled });
    return (end === 'sender' ? this.#sender : this.#receiver).call('usage', { settled });
  }
}
