/** What a process has used so far. Every server the bench measures offers it as `usage`. */
import { readFileSync } from 'node:fs';

export interface Usage {
  /** User and system time of all its threads. */
  readonly cpuMs: number;
  readonly atMs: number;
  readonly residentBytes: number;
}

/** This process's own. @param settled give back first what is not in use, so that memory means what is kept */
export function ownUsage({ settled }: { readonly settled: boolean }): Usage {
  if (settled) globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  const { user, system } = process.cpuUsage();
  return {
    cpuMs: (user + system) / 1_000,
    atMs: performance.now(),
    residentBytes: process.memoryUsage.rss(),
  };
}

/** Another program's, with one thread, on Linux. */
export function usageOf(pid: number): Usage {
  const [onCpuNs = '0'] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
  const residentKib = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return {
    cpuMs: Number(onCpuNs) / 1e6,
    atMs: performance.now(),
    residentBytes: Number(residentKib) * 1_024,
  };
}
