/**
 * A file through the host, from disk to disk: how fast, and at whose cost. In turns with it the same bytes through a bare
 * relay, the same without the disk, and magic-wormhole through its own relay. Then what two who talk in that room notice.
 */
import { randomFillSync } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BarePath } from './bare-path.ts';
import { type Carried, FileRoom, type FileTransfer } from './file-room.ts';
import { inTime } from './in-time.ts';
import { OURS, type Row, row } from './report.ts';
import type { Measured } from './servers.ts';
import { ENDS, type End, type PerEnd, type Transfer } from './transfer.ts';
import { beyond, hasWormhole, Wormhole } from './wormhole.ts';

export interface FilesScale {
  readonly mib: number;
  /** After one that is not counted. */
  readonly repetitions: number;
  /** Of each of those who talk meanwhile. */
  readonly messages: number;
}

const MIB = 1_024 * 1_024;
const GIB = 1_024 * MIB;
const BARE = 'bare relay';
const NO_DISK = 'without disk';
const WORMHOLE = 'wormhole';
const NO_FILE = 'no file on its way';
const BARE_MEANWHILE = 'bare relay beside it';
/** As a lively room does. */
const MESSAGES_PER_SECOND = 100;
/** A slow disk and a slow machine together. */
const STALLED_MS = 600_000;
const GOALS = {
  rate: [
    { to: BARE, least: 0.9 },
    { to: WORMHOLE, least: 1.2 },
  ],
  noDiskRate: [{ to: BARE, least: 0.9 }],
  cpu: [{ to: WORMHOLE, most: 0.8 }],
  grownMib: 64,
  p99: [{ to: NO_FILE, most: 2 }],
} as const;

/** Made side by side. */
interface Sample {
  readonly ours: FileTransfer;
  readonly noDisk: FileTransfer;
  readonly bare: Transfer;
  readonly wormhole: Transfer | null;
}

/** Made side by side. */
type Talk = Readonly<Record<'ours' | 'quiet' | 'bare', Measured>>;

interface Setup {
  readonly room: FileRoom;
  readonly bare: BarePath;
  readonly wormhole: Wormhole | null;
  readonly file: Carried & { readonly path: string };
  /** What takes wormhole as long as nothing does. */
  readonly tiny: string;
}

export async function measureFiles(scale: FilesScale, progress: (text: string) => void): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'securechat-bench-'));
  const room = new FileRoom(folder);
  const bare = new BarePath();
  let wormhole: Wormhole | null = null;
  try {
    progress(`files: ${scale.mib} MiB, a room, a bare relay${hasWormhole ? ' and a wormhole' : ''}`);
    const [path, tiny] = [join(folder, 'file'), join(folder, 'tiny')];
    await writeRandom(path, scale.mib * MIB);
    await writeRandom(tiny, 1);
    await inTime('a room', STALLED_MS, Promise.all([room.begin(), bare.begin()]));
    if (hasWormhole) wormhole = await Wormhole.start(folder);
    const setup = { room, bare, wormhole, tiny, file: { path, bytes: scale.mib * MIB } };
    progress('files: transfers');
    const transfers = await repeat(scale.repetitions, () => sampleTransfers(setup));
    // Before anybody talks: the host keeps for a while what is said.
    const memory = memoryRows(await room.grownBytes(), await bare.grownBytes());
    progress('files: talk meanwhile');
    const talks = await repeat(scale.repetitions, () => sampleTalk(setup, scale.messages));
    return [...transferRows(`file of ${scale.mib} MiB`, transfers), ...memory, ...talkRows(talks)];
  } finally {
    await wormhole?.end();
    await room.end();
    await bare.end();
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeRandom(path: string, bytes: number): Promise<void> {
  await using file = await open(path, 'wx');
  const block = new Uint8Array(Math.min(bytes, MIB));
  for (let written = 0; written < bytes; written += block.length) await file.writeFile(randomFillSync(block));
  // Else it is written while the first transfers are measured.
  await file.sync();
}

/** The first is not counted. */
async function repeat<Result>(repetitions: number, step: () => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let repetition = 0; repetition <= repetitions; repetition += 1)
    results.push(await inTime('a transfer', STALLED_MS, step()));
  return results.slice(1);
}

/** One after the other: each is to have the machine for itself. */
async function sampleTransfers({ room, bare, wormhole, file, tiny }: Setup): Promise<Sample> {
  const { bytes, path } = file;
  return {
    ours: await room.transfer(file),
    bare: await bare.transfer(bytes),
    noDisk: await room.transfer({ bytes }),
    wormhole:
      wormhole === null
        ? null
        : beyond(await wormhole.transfer(path, bytes), await wormhole.transfer(tiny, 1)),
  };
}

async function sampleTalk({ room, bare, file }: Setup, messages: number): Promise<Talk> {
  const say = (): Promise<Measured> => room.talk(messages, MESSAGES_PER_SECOND);
  return {
    quiet: await say(),
    ours: await room.talkMeanwhile(file, say),
    bare: await talkBesideBare(bare, file.bytes, say),
  };
}

/** The same load on the machine, and none of it the host's. */
async function talkBesideBare(
  bare: BarePath,
  bytes: number,
  say: () => Promise<Measured>,
): Promise<Measured> {
  let isSaid = false;
  const carrying = (async () => {
    while (!isSaid) await bare.transfer(bytes);
  })();
  const said = say().finally(() => {
    isSaid = true;
  });
  const [measured] = await Promise.all([said, carrying]);
  return measured;
}

function transferRows(what: string, samples: readonly Sample[]): Row[] {
  const beside = (value: (transfer: Transfer | FileTransfer) => number): Map<string, readonly number[]> => {
    const wormholes = samples.flatMap(({ wormhole }) => (wormhole === null ? [] : [value(wormhole)]));
    return new Map([
      [OURS, samples.map(({ ours }) => value(ours))],
      [BARE, samples.map(({ bare }) => value(bare))],
      [NO_DISK, samples.map(({ noDisk }) => value(noDisk))],
      ...(wormholes.length === 0 ? [] : ([[WORMHOLE, wormholes]] as const)),
    ]);
  };
  const ours = (value: (transfer: FileTransfer) => number): Map<string, readonly number[]> =>
    new Map([[OURS, samples.map((sample) => value(sample.ours))]]);
  const perGib = (ms: number, { bytes }: Transfer): number => (ms / 1_000) * (GIB / bytes);
  const cpu = (name: string): Pick<Row, 'topic' | 'what' | 'unit'> =>
    about(`${what}: CPU a GiB, ${name}`, 's');
  const end = (name: string, of: End): Row =>
    row(
      cpu(name),
      beside((transfer) => perGib(transfer.cpuMs[of], transfer)),
    );
  return [
    row(about(`${what}: rate, from asking for it to its name`, 'MiB/s'), beside(rate), {
      ratios: GOALS.rate,
    }),
    row(
      about(`${what}: rate without a disk at either end, as the bare relay`, 'MiB/s'),
      new Map([
        [OURS, samples.map(({ noDisk }) => rate(noDisk))],
        [BARE, samples.map(({ bare }) => rate(bare))],
      ]),
      { ratios: GOALS.noDiskRate },
    ),
    row(
      about(`${what}: of that after the last byte`, 'ms'),
      ours(({ finishMs }) => finishMs),
    ),
    row(
      about(`${what}: before it is offered, a GiB`, 's'),
      ours((transfer) => perGib(transfer.hashing.tookMs, transfer)),
    ),
    row(
      cpu('in all, before it is offered included'),
      beside((transfer) => perGib(cpuInAll(transfer), transfer)),
      { ratios: GOALS.cpu },
    ),
    row(
      cpu('sender before it is offered'),
      ours((transfer) => perGib(transfer.hashing.cpuMs, transfer)),
    ),
    end('sender', 'sender'),
    end('host', 'relay'),
    end('receiver', 'receiver'),
  ];
}

/** In MiB a second. */
function rate({ bytes, tookMs }: Transfer): number {
  return bytes / MIB / (tookMs / 1_000);
}

function cpuInAll(transfer: Transfer | FileTransfer): number {
  const hashingMs = 'hashing' in transfer ? transfer.hashing.cpuMs : 0;
  return ENDS.reduce((sum, end) => sum + transfer.cpuMs[end], hashingMs);
}

/** The most over all repetitions. */
function memoryRows(ours: PerEnd, bare: PerEnd): Row[] {
  const one = (name: string, end: End): Row =>
    row(
      about(`memory at the most above idle, ${name}`, 'MiB'),
      new Map([
        [OURS, [ours[end] / MIB]],
        [BARE, [bare[end] / MIB]],
      ]),
      { most: GOALS.grownMib },
    );
  return [one('sender', 'sender'), one('host', 'relay'), one('receiver', 'receiver')];
}

function talkRows(talks: readonly Talk[]): Row[] {
  const beside = (value: (measured: Measured) => number): Map<string, readonly number[]> =>
    new Map([
      [OURS, talks.map(({ ours }) => value(ours))],
      [NO_FILE, talks.map(({ quiet }) => value(quiet))],
      [BARE_MEANWHILE, talks.map(({ bare }) => value(bare))],
    ]);
  const where = `two who talk while a file is on its way, ${MESSAGES_PER_SECOND} messages a second`;
  return [
    row(
      about(`latency p50, ${where}`, 'ms'),
      beside(({ p50Ms }) => p50Ms),
    ),
    row(
      about(`latency p99, ${where}`, 'ms'),
      beside(({ p99Ms }) => p99Ms),
      { ratios: GOALS.p99 },
    ),
  ];
}

function about(what: string, unit: string): Pick<Row, 'topic' | 'what' | 'unit'> {
  return { topic: 'files', what, unit };
}
