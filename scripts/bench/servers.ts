/** The servers side by side, all on one core, with the load that drives them on the other. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child } from './child.ts';
import { ENTRANCE_USES } from './entrance.ts';
import type { FloorCalls } from './floor-relay.ts';
import type { HostCalls } from './host-process.ts';
import type { Hearers, HostName, ServerName } from './load/fleet.ts';
import type { LoadCalls } from './load/process.ts';
import type { Flow, Pace } from './load/traffic.ts';
import { Ngircd } from './ngircd.ts';
import type { Usage } from './usage.ts';

/** What a window cost the server. */
export interface Measured extends Flow {
  readonly cpuMs: number;
  /** Of a core, over the whole window. */
  readonly load: number;
}

export interface Server {
  readonly name: ServerName;
  readonly size: number;
  usage(settled: boolean): Promise<Usage>;
  /** Lets more members in. */
  grow(to: number): Promise<void>;
  /** @param hearers who has to get each message; not given: everyone */
  measure(messages: number, pace: Pace, hearers?: Hearers): Promise<Measured>;
}

export class Servers {
  readonly all: readonly Server[];
  readonly load: Child<LoadCalls>;
  readonly #end: readonly (() => Promise<void>)[];

  static async start(plan: {
    readonly names: readonly ServerName[];
    readonly membersMost: number;
  }): Promise<Servers> {
    const load = new Child<LoadCalls>('load/process.ts', 'load');
    const servers: Server[] = [];
    const end: (() => Promise<void>)[] = [() => load.end()];
    for (const name of plan.names) {
      const [server, stop] = await START[name](load, plan.membersMost);
      servers.push(server);
      end.push(stop);
    }
    return new Servers(servers, load, end);
  }

  private constructor(all: readonly Server[], load: Child<LoadCalls>, end: readonly (() => Promise<void>)[]) {
    this.all = all;
    this.load = load;
    this.#end = end;
  }

  async end(): Promise<void> {
    for (const end of this.#end) await end();
  }
}

type Start = (load: Child<LoadCalls>, membersMost: number) => Promise<readonly [Server, () => Promise<void>]>;

const START: Readonly<Record<ServerName, Start>> = {
  async host(load, membersMost) {
    const host = new Child<HostCalls>('host-process.ts', 'server');
    return [await measurableHost('host', host, load, membersMost), () => host.end()];
  },

  async kept(load, membersMost) {
    const folder = await mkdtemp(join(tmpdir(), 'securechat-bench-'));
    const host = new Child<HostCalls>('host-process.ts', 'server', join(folder, 'bench.room'));
    const end = async (): Promise<void> => {
      await host.end();
      await rm(folder, { recursive: true });
    };
    return [await measurableHost('kept', host, load, membersMost), end];
  },

  async floor(load) {
    const floor = new Child<FloorCalls>('floor-relay.ts', 'server');
    await load.call('beginFloor', await floor.call('address', undefined));
    const server = new Measurable('floor', load, {
      usage: (settled) => floor.call('usage', { settled }),
      grow: (count) => load.call('growFloor', { count }),
      prepare: async () => {},
    });
    return [server, () => floor.end()];
  },

  async ngircd(load) {
    const ngircd = await Ngircd.start();
    await load.call('beginIrc', { port: ngircd.port });
    const server = new Measurable('ngircd', load, {
      usage: async () => ngircd.usage(),
      grow: (count) => load.call('growIrc', { count }),
      prepare: async () => {},
    });
    return [server, () => ngircd.end()];
  },
};

export async function measurableHost(
  name: HostName,
  host: Child<HostCalls>,
  load: Child<LoadCalls>,
  membersMost: number,
): Promise<Server> {
  await load.call('beginHost', { name, room: await host.call('address', undefined), membersMost });
  return new Measurable(name, load, {
    usage: (settled) => host.call('usage', { settled }),
    grow: (count) => growHost(name, host, load, count),
    prepare: async () => load.call('see', { name, position: await host.call('position', undefined) }),
  });
}

/** Lets so many more members of the load in. */
export async function growHost(
  name: HostName,
  host: Child<HostCalls>,
  load: Child<LoadCalls>,
  count: number,
): Promise<void> {
  for (let left = count; left > 0; left -= ENTRANCE_USES) {
    const entrance = await host.call('entrance', undefined);
    await load.call('growHost', { name, entrance, count: Math.min(left, ENTRANCE_USES) });
  }
}

interface Parts {
  usage(settled: boolean): Promise<Usage>;
  grow(count: number): Promise<void>;
  prepare(): Promise<void>;
}

class Measurable implements Server {
  readonly name: ServerName;
  readonly #load: Child<LoadCalls>;
  readonly #parts: Parts;
  #size = 0;

  constructor(name: ServerName, load: Child<LoadCalls>, parts: Parts) {
    this.name = name;
    this.#load = load;
    this.#parts = parts;
  }

  get size(): number {
    return this.#size;
  }

  usage(settled: boolean): Promise<Usage> {
    return this.#parts.usage(settled);
  }

  async grow(to: number): Promise<void> {
    await this.#parts.grow(to - this.#size);
    this.#size = to;
  }

  async measure(messages: number, pace: Pace, hearers: Hearers = 'everyone'): Promise<Measured> {
    await this.#parts.prepare();
    await this.#load.call('prepare', { server: this.name, messages, hearers });
    const before = await this.#parts.usage(false);
    const flow = await this.#load.call('run', { server: this.name, messages, pace });
    const after = await this.#parts.usage(false);
    const cpuMs = after.cpuMs - before.cpuMs;
    return { ...flow, cpuMs, load: cpuMs / (after.atMs - before.atMs) };
  }
}
