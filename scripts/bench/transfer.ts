/** What it took to bring bytes from one program to another, through a third. */
import type { Usage } from './usage.ts';

export const ENDS = ['sender', 'relay', 'receiver'] as const;
export type End = (typeof ENDS)[number];

export type PerEnd = Readonly<Record<End, number>>;

export interface Transfer {
  readonly bytes: number;
  readonly tookMs: number;
  /** Of each program. */
  readonly cpuMs: PerEnd;
}

export async function perEnd(value: (end: End) => number | Promise<number>): Promise<PerEnd> {
  const [sender, relay, receiver] = await Promise.all([value('sender'), value('relay'), value('receiver')]);
  return { sender, relay, receiver };
}

/** Measures what all three use while something is brought. */
export async function measured(
  usage: (end: End) => Promise<Usage>,
  bytes: number,
  bring: () => Promise<number>,
): Promise<Transfer> {
  const used = async (end: End): Promise<number> => (await usage(end)).cpuMs;
  const before = await perEnd(used);
  const tookMs = await bring();
  const after = await perEnd(used);
  return { bytes, tookMs, cpuMs: await perEnd((end) => after[end] - before[end]) };
}

/** Of the three programs, how much more memory each came to have than it had idle. */
export class Growth {
  readonly #usage: (end: End, settled: boolean) => Promise<Usage>;
  readonly #idle: PerEnd;

  private constructor(usage: (end: End, settled: boolean) => Promise<Usage>, idle: PerEnd) {
    this.#usage = usage;
    this.#idle = idle;
  }

  /** Now they are idle. */
  static async begin(usage: (end: End, settled: boolean) => Promise<Usage>): Promise<Growth> {
    return new Growth(usage, await perEnd(async (end) => (await usage(end, true)).residentBytes));
  }

  bytes(): Promise<PerEnd> {
    return perEnd(async (end) => (await this.#usage(end, false)).peakBytes - this.#idle[end]);
  }
}
