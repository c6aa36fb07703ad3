/**
 * `npm run bench`: how fast the program is, as ratios to what it is compared with in the same run. Absolute figures belong to
 * the machine and the hour.
 *
 *   npm run bench -- [--json] [--quick] [--only relay|latency|join|memory|startup|crypto|terminal|kept|talk|files]
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { pinned } from './child.ts';
import { measureCrypto } from './crypto.ts';
import { measureFiles } from './files.ts';
import { measureKept } from './kept.ts';
import { measureMemory } from './memory.ts';
import { hasNgircd } from './ngircd.ts';
import { formatTable, isReached, type Row, type Topic } from './report.ts';
import { measureRoom, type RoomPlan } from './room.ts';
import { measureStartup } from './startup.ts';
import { measureTalk } from './talk.ts';
import { measureTerminal } from './terminal.ts';
import { hasWormhole } from './wormhole.ts';

const TOPICS: readonly Topic[] = [
  'startup',
  'crypto',
  'terminal',
  'memory',
  'relay',
  'latency',
  'join',
  'kept',
  'talk',
  'files',
];

const FULL = {
  startups: 15,
  cryptos: 9,
  idleMembers: 500,
  sizes: [10, 100, 1_000, 4_000],
  joinSizes: [500, 1_000, 2_000, 4_000],
  repetitions: 3,
  terminal: { startups: 15, repetitions: 5, keys: 400, lines: 10_000 },
  kept: { repetitions: 5, stretches: 21, messages: 200, waiting: 10_000, returns: 3, openings: 9 },
  talk: { sizes: [10, 100, 1_000], repetitions: 7 },
  files: { mib: 1_024, repetitions: 5, messages: 1_000 },
};
const QUICK = {
  startups: 5,
  cryptos: 3,
  idleMembers: 200,
  sizes: [1_000],
  joinSizes: [500],
  repetitions: 1,
  terminal: { startups: 5, repetitions: 1, keys: 200, lines: 2_000 },
  kept: { repetitions: 3, stretches: 9, messages: 200, waiting: 2_000, returns: 1, openings: 3 },
  talk: { sizes: [10, 100], repetitions: 3 },
  files: { mib: 128, repetitions: 3, messages: 300 },
};

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});
const topics = topicsOf(values.only);
const scale = values.quick ? QUICK : FULL;

function topicsOf(only: string | undefined): ReadonlySet<Topic> {
  if (only === undefined) return new Set(TOPICS);
  const topic = TOPICS.find((candidate) => candidate === only);
  if (topic === undefined) throw new Error(`--only takes one of ${TOPICS.join(', ')}`);
  return new Set([topic]);
}

function progress(text: string): void {
  console.error(`… ${text}`);
}

function roomPlan(): RoomPlan {
  const flows = topics.has('relay') || topics.has('latency');
  const joins = topics.has('join');
  const rivals = hasNgircd ? (['floor', 'ngircd'] as const) : (['floor'] as const);
  return {
    names: flows ? ['host', ...rivals] : ['host'],
    sizes: flows ? scale.sizes : [],
    joinSizes: joins ? scale.joinSizes : [],
    repetitions: scale.repetitions,
    topics,
  };
}

async function measure(): Promise<Row[]> {
  const rows: Row[] = [];
  if (topics.has('startup')) rows.push(...measureStartup(scale.startups));
  if (topics.has('crypto')) {
    progress('crypto');
    rows.push(...(await measureCrypto(scale.cryptos)));
  }
  if (topics.has('terminal')) rows.push(...(await measureTerminal(scale.terminal, progress)));
  if (topics.has('memory')) {
    progress('memory');
    rows.push(...(await measureMemory(scale.idleMembers)));
  }
  if (topics.has('kept')) rows.push(...(await measureKept(scale.kept, progress)));
  if (topics.has('talk')) rows.push(...(await measureTalk(scale.talk, progress)));
  if (topics.has('files')) rows.push(...(await measureFiles(scale.files, progress)));
  const plan = roomPlan();
  if (plan.sizes.length + plan.joinSizes.length > 0) rows.push(...(await measureRoom(plan, progress)));
  return rows;
}

/** Others at work make every figure here, the ratios too, say less. */
const othersAtWork = loadavg()[0] ?? 0;
const startMs = performance.now();
const rows = await measure();
const seconds = Math.round((performance.now() - startMs) / 1_000);
if (values.json) {
  const goals = (row: Row) => row.goals.map((goal) => ({ ...goal, reached: isReached(goal) }));
  const measured = rows.map((row) => ({ ...row, goals: goals(row) }));
  console.log(
    JSON.stringify(
      { node: process.version, pinned, quick: values.quick, othersAtWork, seconds, measured },
      null,
      2,
    ),
  );
} else {
  console.log(formatTable(rows));
  console.log(
    `\nNode ${process.versions.node}; ${pinned}${topics.has('files') ? ' (files: any core)' : ''}; ` +
      `medians of interleaved repetitions; ${seconds} s; load average before: ${othersAtWork.toFixed(1)}.`,
  );
  if (topics.has('files') && !hasWormhole)
    console.log('magic-wormhole with its two servers is not installed: it was left out.');
  if (!hasNgircd) console.log('ngircd is not installed: the host is compared with the floor alone.');
}
