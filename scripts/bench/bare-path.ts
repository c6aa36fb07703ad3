/** The bare relay and its two ends, each a program of its own. */
import type { BareRelayCalls } from './bare-relay.ts';
import { Child } from './child.ts';
import type { BareEndCalls } from './load/bare-end.ts';
import { type End, Growth, measured, type PerEnd, type Transfer } from './transfer.ts';
import type { Usage } from './usage.ts';

export class BarePath {
  readonly #relay = new Child<BareRelayCalls>('bare-relay.ts', 'any');
  readonly #sender = new Child<BareEndCalls>('load/bare-end.ts', 'any');
  readonly #receiver = new Child<BareEndCalls>('load/bare-end.ts', 'any');
  #growth: Growth | null = null;

  async begin(): Promise<void> {
    const ports = await this.#relay.call('ports', undefined);
    await this.#sender.call('connect', { port: ports.sender });
    await this.#receiver.call('connect', { port: ports.receiver });
    await this.#relay.call('join', undefined);
    this.#growth = await Growth.begin((end, settled) => this.#usage(end, settled));
  }

  transfer(bytes: number): Promise<Transfer> {
    return measured(
      (end) => this.#usage(end, false),
      bytes,
      async () => {
        const received = this.#receiver.call('receive', { bytes });
        const [tookMs] = await Promise.all([received, this.#sender.call('send', { bytes })]);
        return tookMs;
      },
    );
  }

  async grownBytes(): Promise<PerEnd> {
    if (this.#growth === null) throw new Error('not begun');
    return await this.#growth.bytes();
  }

  async end(): Promise<void> {
    for (const child of [this.#sender, this.#receiver, this.#relay]) await child.end();
  }

  #usage(end: End, settled: boolean): Promise<Usage> {
    const children = { sender: this.#sender, receiver: this.#receiver };
    if (end === 'relay') return this.#relay.call('usage', { settled });
    return children[end].call('usage', { settled });
  }
}
