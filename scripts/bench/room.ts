/** One room that grows: what a join costs on the way, and at each size what passing messages on costs and how long it takes. */

import type { ServerName } from './load/fleet.ts';
import type { Pace } from './load/traffic.ts';
import { OURS, type Row, row, type Topic } from './report.ts';
import { type Measured, type Server, Servers } from './servers.ts';
import { median } from './statistics.ts';

export interface RoomPlan {
  readonly names: readonly ServerName[];
  readonly sizes: readonly number[];
  readonly joinSizes: readonly number[];
  readonly repetitions: number;
  readonly topics: ReadonlySet<Topic>;
}

interface Mode {
  readonly name: 'quiet' | 'busy' | 'saturated';
  readonly text: string;
  readonly pace: Pace;
  readonly messages: (size: number) => number;
}

const MODES: readonly Mode[] = [
  { name: 'quiet', text: 'quiet, 20 a second', pace: { perSecond: 20 }, messages: () => 40 },
  {
    name: 'busy',
    text: 'busy, 200 a second',
    pace: { perSecond: 200 },
    messages: (size) => (size > 1_000 ? 200 : 300),
  },
  {
    name: 'saturated',
    text: 'saturated',
    pace: { inFlight: 256 },
    messages: (size) => (size > 1_000 ? 500 : 1_200),
  },
];

/** ngircd tells everyone about everyone at each join: beyond this it would take minutes to fill its channel. */
const NGIRCD_MOST = 1_000;
const WARM_SIZE = 10;
const JOINS_A_SAMPLE = 100;
const JOIN_SAMPLES = 3;
/** The size that most goals are for. */
const GOAL_SIZE = 1_000;
const JOIN_MS_MOST = 6;

type Samples = Map<ServerName, Measured[]>;

export async function measureRoom(plan: RoomPlan, progress: (text: string) => void): Promise<Row[]> {
  const rows: Row[] = [];
  const stops = [...new Set([...plan.sizes, ...plan.joinSizes])].sort((left, right) => left - right);
  const membersMost = Math.max(...stops);
  progress('starting the servers');
  const servers = await Servers.start({ names: plan.names, membersMost });
  try {
    await warmUp(servers.all);
    const joins = new Map<number, readonly number[]>();
    const quiet = new Map<number, number>();
    for (const size of stops) {
      progress(`${size} members`);
      for (const server of servers.all) {
        if (!serves(server, size)) continue;
        const sampled = server.name === 'host' && plan.joinSizes.includes(size);
        if (sampled) joins.set(size, await growSampling(server, size));
        else await server.grow(size);
      }
      if (!plan.sizes.includes(size)) continue;
      const present = servers.all.filter((server) => serves(server, size));
      for (const mode of MODES) {
        if (!plan.topics.has('relay') && mode.name === 'saturated') continue;
        const samples = await sample(present, mode, size, plan.repetitions);
        if (plan.topics.has('relay')) rows.push(...relayRows(mode, size, samples));
        if (plan.topics.has('latency')) rows.push(...latencyRows(mode, size, samples));
        if (mode.name === 'quiet') quiet.set(size, median((samples.get('host') ?? []).map(perDelivery)));
      }
    }
    if (plan.topics.has('relay')) rows.push(...growthRows(quiet));
    if (plan.topics.has('join')) rows.push(...joinRows(joins));
    return rows;
  } finally {
    await servers.end();
  }
}

function serves(server: Server, size: number): boolean {
  return server.name !== 'ngircd' || size <= NGIRCD_MOST;
}

/** Compiles the paths, and is not reported. */
async function warmUp(servers: readonly Server[]): Promise<void> {
  for (const server of servers) {
    await server.grow(WARM_SIZE);
    await server.measure(1_000, { inFlight: 64 });
  }
}

/** Grows by the last few hundred in samples around and up to `size`. @returns host CPU in ms a join */
async function growSampling(server: Server, size: number): Promise<readonly number[]> {
  await server.grow(Math.max(server.size, size - JOIN_SAMPLES * JOINS_A_SAMPLE));
  const samples: number[] = [];
  while (server.size < size) {
    const from = server.size;
    const before = await server.usage(false);
    await server.grow(Math.min(size, from + JOINS_A_SAMPLE));
    const after = await server.usage(false);
    samples.push((after.cpuMs - before.cpuMs) / (server.size - from));
  }
  return samples;
}

/** Each repetition measures all servers one after the other. */
async function sample(
  servers: readonly Server[],
  mode: Mode,
  size: number,
  repetitions: number,
): Promise<Samples> {
  const samples: Samples = new Map(servers.map(({ name }) => [name, []]));
  for (let repetition = 0; repetition < repetitions; repetition += 1) {
    for (const server of servers) {
      samples.get(server.name)?.push(await server.measure(mode.messages(size), mode.pace));
    }
  }
  return samples;
}

function perDelivery({ cpuMs, deliveries }: Measured): number {
  return (cpuMs * 1_000) / deliveries;
}

function valuesOf(samples: Samples, value: (measured: Measured) => number): Map<string, number[]> {
  return new Map(
    [...samples].map(([name, measured]) => [name === 'host' ? OURS : name, measured.map(value)]),
  );
}

const CPU_GOALS = {
  quiet: [{ to: 'floor', most: 1.25 }],
  busy: [{ to: 'floor', most: 0.5 }],
  saturated: [
    { to: 'floor', most: 1.5 },
    { to: 'ngircd', most: 1 },
  ],
} as const;

function relayRows(mode: Mode, size: number, samples: Samples): Row[] {
  const isGoal = size === GOAL_SIZE;
  const what = `host CPU a delivery, ${size} members, ${mode.text}`;
  const rows = [
    row(
      { topic: 'relay', what, unit: 'µs' },
      valuesOf(samples, perDelivery),
      isGoal ? { ratios: CPU_GOALS[mode.name] } : {},
    ),
  ];
  if (mode.name === 'busy') {
    const share = {
      topic: 'relay',
      what: `host's share of a core, ${size} members, ${mode.text}`,
      unit: '%',
    } as const;
    rows.push(
      row(
        share,
        valuesOf(samples, ({ load }) => load * 100),
        isGoal ? { most: 60 } : {},
      ),
    );
  }
  return rows;
}

function latencyRows(mode: Mode, size: number, samples: Samples): Row[] {
  if (mode.name === 'saturated') return [];
  const isGoal = size === GOAL_SIZE;
  const isQuiet = mode.name === 'quiet';
  const about = (what: string) =>
    ({ topic: 'latency', what: `${what}, ${size} members, ${mode.text}`, unit: 'ms' }) as const;
  const p99Goal = isQuiet ? { ratios: [{ to: 'floor', most: 1.5 }] } : { most: 100 };
  return [
    row(
      about('latency p50'),
      valuesOf(samples, ({ p50Ms }) => p50Ms),
      isGoal && isQuiet ? { ratios: [{ to: 'floor', most: 1.3 }] } : {},
    ),
    row(
      about('latency p99'),
      valuesOf(samples, ({ p99Ms }) => p99Ms),
      isGoal ? p99Goal : {},
    ),
  ];
}

/** What one message costs a recipient in the largest room, beside what it does in the room of the goals. */
function growthRows(quiet: ReadonlyMap<number, number>): Row[] {
  const largest = Math.max(...quiet.keys());
  const [ours, base] = [quiet.get(largest), quiet.get(GOAL_SIZE)];
  if (ours === undefined || base === undefined || largest === GOAL_SIZE) return [];
  const name = `${GOAL_SIZE} members`;
  const what = `host CPU a delivery, ${largest} members against ${name}, quiet`;
  const samples = new Map([
    [OURS, [ours]],
    [name, [base]],
  ]);
  return [row({ topic: 'relay', what, unit: 'µs' }, samples, { ratios: [{ to: name, most: 2 }] })];
}

function joinRows(joins: ReadonlyMap<number, readonly number[]>): Row[] {
  const [[smallest, base] = [0, []]] = joins;
  return [...joins].map(([size, samples]) => {
    const what = `host CPU a join, up to ${size} members`;
    const name = `${smallest} members`;
    if (size === smallest)
      return row({ topic: 'join', what, unit: 'ms' }, new Map([[OURS, samples]]), { most: JOIN_MS_MOST });
    const both = new Map([
      [OURS, [median(samples)]],
      [name, [median(base)]],
    ]);
    const goals = { ratios: [{ to: name, most: 1.3 }], most: JOIN_MS_MOST };
    return row({ topic: 'join', what, unit: 'ms' }, both, size === 4_000 ? goals : { most: JOIN_MS_MOST });
  });
}
