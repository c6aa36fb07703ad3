/** A member who was absent: what waits for them on the disk, and what it takes to come back to it. */
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { openDatabase } from '../../src/storage/room-database.ts';
import { lookAt } from '../../src/storage/room-look.ts';
import { Child } from './child.ts';
import type { HostCalls } from './host-process.ts';
import type { PersonCalls } from './load/person-process.ts';
import { OURS, type Row, row } from './report.ts';

const MIB = 1_024 * 1_024;
/** What the goal is for, and what a room keeps at the most. */
const GOAL_MESSAGES = 10_000;
const RETURN_MS_MOST = 3_000;
const LOOK_MS = 250;

interface Scale {
  /** Messages for whoever is absent. */
  readonly waiting: number;
  readonly returns: number;
}

export async function measureReturn(scale: Scale, progress: (text: string) => void): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'securechat-bench-'));
  const file = join(folder, 'bench.room');
  const host = new Child<HostCalls>('host-process.ts', 'server', file);
  const person = async (nick: string): Promise<Child<PersonCalls>> => {
    await mkdir(join(folder, nick), { recursive: true });
    return new Child<PersonCalls>('load/person-process.ts', 'load', join(folder, nick));
  };
  const ann = await person('ann');
  const ben = await person('ben');
  try {
    const { waiting: messages } = scale;
    const room = await host.call('address', undefined);
    for (const [nick, child] of Object.entries({ ann, ben }))
      await child.call('join', {
        ...{ room, nick, isKept: true },
        entrance: await host.call('entrance', undefined),
      });
    await ben.call('quit', undefined);
    await ben.end();
    const samples: Sample[] = [];
    for (let repetition = 0; repetition < scale.returns; repetition += 1) {
      progress(`kept: ${messages} messages for someone absent`);
      await settled(file);
      const usedBefore = usedBytes(file);
      await ann.call('say', { messages });
      const waitingBytes = usedBytes(file) - usedBefore;
      const back = await person('ben');
      const before = await host.call('usage', { settled: false });
      const returned = await back.call('comeBack', { room, messages });
      const { cpuMs } = await host.call('usage', { settled: false });
      await settled(file);
      samples.push({
        ...{ returned, bytes: waitingBytes / messages, hostMs: cpuMs - before.cpuMs },
        fileMiB: (await stat(file)).size / MIB,
      });
      await back.call('quit', undefined);
      await back.end();
    }
    await host.call('close', undefined);
    return rowsOf(samples, messages);
  } finally {
    await ann.end();
    await host.end();
    await rm(folder, { recursive: true });
  }
}

interface Sample {
  readonly returned: { readonly tookMs: number; readonly cpuMs: number; readonly grownBytes: number };
  readonly bytes: number;
  readonly hostMs: number;
  readonly fileMiB: number;
}

function rowsOf(samples: readonly Sample[], messages: number): Row[] {
  const back = `return after ${messages} messages`;
  const one = (what: string, unit: string, value: (sample: Sample) => number, of = samples): Row =>
    row(
      { topic: 'kept', what, unit },
      new Map([[OURS, of.map(value)]]),
      what === back && messages === GOAL_MESSAGES ? { most: RETURN_MS_MOST } : {},
    );
  const first = samples.slice(0, 1);
  return [
    one(back, 'ms', ({ returned }) => returned.tookMs),
    one(`${back}: CPU`, 'ms', ({ returned }) => returned.cpuMs),
    one(`${back}: memory at the most`, 'MiB', ({ returned }) => returned.grownBytes / MIB),
    one(`${back}: host CPU`, 'ms', ({ hostMs }) => hostMs),
    // Later ones take the place of what has been delivered.
    one('database bytes a waiting message of 200, the first', 'bytes', ({ bytes }) => bytes, first),
    one(`file after ${messages} were delivered`, 'MiB', ({ fileMiB }) => fileMiB, first),
    one('file after the last were delivered', 'MiB', ({ fileMiB }) => fileMiB, samples.slice(-1)),
  ];
}

/** Everyone has everything, and the journal has been emptied. */
async function settled(file: string): Promise<void> {
  for (;;) {
    const journal = await stat(`${file}-wal`);
    if (lookAt(file).waiting === 0 && journal.size === 0) return;
    await after(LOOK_MS);
  }
}

/** Of the file's pages, those that hold something; what is in the journal is counted. */
function usedBytes(file: string): number {
  const database = openDatabase(file, 'look');
  try {
    const number = (pragma: string): number =>
      Number(Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]);
    return (number('page_count') - number('freelist_count')) * number('page_size');
  } finally {
    database.close();
  }
}
