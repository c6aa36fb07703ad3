/** What a process has used so far. Every server the bench measures offers it as `usage`. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

export interface Usage {
  /** User and system time of all its threads. */
  readonly cpuMs: number;
  readonly atMs: number;
  readonly residentBytes: number;
  /** The most that it ever was, since it was last settled where the system can tell. */
  readonly peakBytes: number;
}

/** From here on Linux counts the most anew. */
const FORGET_PEAK = { path: '/proc/self/clear_refs', text: '5' };

/** This process's own. @param settled give back first what is not in use, so that memory means what is kept */
export function ownUsage({ settled }: { readonly settled: boolean }): Usage {
  if (settled) settle();
  const { user, system } = process.cpuUsage();
  return {
    cpuMs: (user + system) / 1_000,
    atMs: performance.now(),
    residentBytes: process.memoryUsage.rss(),
    peakBytes: process.resourceUsage().maxRSS * 1_024,
  };
}

function settle(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  if (process.platform === 'linux') writeFileSync(FORGET_PEAK.path, FORGET_PEAK.text);
}

/** Another program's, on Linux; of its threads those that are there. @throws Error when it has ended */
export function usageOf(pid: number): Usage {
  const threads = readdirSync(`/proc/${pid}/task`);
  const onCpuNs = threads.map(
    (thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0],
  );
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const bytesOf = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? '0') * 1_024;
  return {
    cpuMs: onCpuNs.reduce((sum, nanoseconds) => sum + Number(nanoseconds), 0) / 1e6,
    atMs: performance.now(),
    residentBytes: bytesOf('VmRSS'),
    peakBytes: bytesOf('VmHWM'),
  };
}
