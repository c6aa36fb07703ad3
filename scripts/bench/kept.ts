/**
 * What it costs to keep a room: beside inserts into a bare database, beside the same room in memory, and for whoever comes
 * back to it.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BareCalls } from './bare-inserts.ts';
import { Child } from './child.ts';
import { measureOpening } from './kept-opening.ts';
import { measureReturn } from './kept-return.ts';
import { OURS, type Row, row } from './report.ts';
import { type Measured, Servers } from './servers.ts';

export interface KeptScale {
  readonly repetitions: number;
  /** Each of so many acknowledged messages, or bare rows. */
  readonly stretches: number;
  readonly messages: number;
  /** Messages for a member who is absent, and how often they come back. */
  readonly waiting: number;
  readonly returns: number;
  readonly openings: number;
}

/** Who talks, and how many messages are on their way at most: one where someone waits for each, or as a program sends. */
const TALKS = [
  { who: 'one sender', senders: 1, inFlight: 1, least: 0.5 },
  { who: 'one sender, 20 on their way', senders: 1, inFlight: 20, least: 0.5 },
  { who: '20 senders', senders: 20, inFlight: 20, least: 0.9 },
] as const;
/** Of the room that talks while it is kept, beside the one in memory. */
const BUSY = { members: 100, perSecond: 200, messages: 600 } as const;
const MEMORY = 'in memory';
const BARE = 'bare inserts';

export async function measureKept(scale: KeptScale, progress: (text: string) => void): Promise<Row[]> {
  return [
    ...(await measureKeeping(scale, progress)),
    ...(await measureReturn(scale, progress)),
    ...(await measureOpening(scale.openings, progress)),
  ];
}

async function measureKeeping(scale: KeptScale, progress: (text: string) => void): Promise<Row[]> {
  progress('kept: starting the servers');
  const folder = await mkdtemp(join(tmpdir(), 'securechat-bench-'));
  const bare = new Child<BareCalls>('bare-inserts.ts', 'server', join(folder, 'bare'));
  const servers = await Servers.start({ names: ['host', 'kept'], membersMost: BUSY.members });
  try {
    const rows: Row[] = [];
    for (const talk of TALKS) {
      progress(`kept: acknowledged to ${talk.who}`);
      rows.push(...(await measureRate(servers, bare, talk, scale)));
    }
    progress(`kept: a busy room of ${BUSY.members}`);
    rows.push(...(await measureBusy(servers, scale.repetitions)));
    return rows;
  } finally {
    await servers.end();
    await bare.end();
    await rm(folder, { recursive: true });
  }
}

/**
 * The next message is said when one has come back to its sender. In short stretches that take turns: how fast a disk is
 * changes within seconds.
 */
async function measureRate(
  servers: Servers,
  bare: Child<BareCalls>,
  { who, senders, inFlight, least }: (typeof TALKS)[number],
  { messages, stretches }: KeptScale,
): Promise<Row[]> {
  const names = [OURS, BARE, MEMORY];
  const rates = new Map(names.map((name) => [name, [] as number[]]));
  const shares: number[] = [];
  for (const server of servers.all) {
    await server.grow(senders);
    await server.measure(messages, { inFlight }, 'sender');
  }
  for (let stretch = 0; stretch < stretches; stretch += 1) {
    for (const server of servers.all) {
      const measured = await server.measure(messages, { inFlight }, 'sender');
      rates.get(server.name === 'kept' ? OURS : MEMORY)?.push((messages * 1_000) / measured.elapsedMs);
      if (server.name === 'kept') shares.push(measured.load * 100);
    }
    rates.get(BARE)?.push(await bare.call('insert', { rows: messages }));
  }
  const about = { topic: 'kept', what: `acknowledged messages, kept room, ${who}`, unit: '/s' } as const;
  const share = { topic: 'kept', what: `host's share of a core meanwhile, ${who}`, unit: '%' } as const;
  return [row(about, rates, { ratios: [{ to: BARE, least }] }), row(share, new Map([[OURS, shares]]))];
}

async function measureBusy(servers: Servers, repetitions: number): Promise<Row[]> {
  const samples = new Map(servers.all.map(({ name }) => [name, [] as Measured[]]));
  for (const server of servers.all) {
    await server.grow(BUSY.members);
    await server.measure(BUSY.messages, BUSY);
  }
  for (let repetition = 0; repetition < repetitions; repetition += 1)
    for (const server of servers.all)
      samples.get(server.name)?.push(await server.measure(BUSY.messages, BUSY));
  const beside = (value: (measured: Measured) => number) =>
    new Map([
      [OURS, samples.get('kept')?.map(value) ?? []],
      [MEMORY, samples.get('host')?.map(value) ?? []],
    ]);
  const where = `kept room of ${BUSY.members}, ${BUSY.perSecond} a second`;
  const about = (what: string, unit: string) => ({ topic: 'kept', what: `${what}, ${where}`, unit }) as const;
  return [
    row(
      about('host CPU a delivery', 'µs'),
      beside(({ cpuMs, deliveries }) => (cpuMs * 1_000) / deliveries),
    ),
    row(
      about('latency p50', 'ms'),
      beside(({ p50Ms }) => p50Ms),
    ),
    row(
      about('latency p99', 'ms'),
      beside(({ p99Ms }) => p99Ms),
    ),
  ];
}
