/** Queues to slow readers have a limit together as well: a crowd of them must not cost the host its memory. */
import type { Connection } from './connection.ts';

/** @returns whose queues have to go so that the rest fits into `mostBytes`: the longest first, and no more than that. */
export function longestBeyond<Queue extends Pick<Connection, 'queuedBytes'>>(
  queues: readonly Queue[],
  mostBytes: number,
): readonly Queue[] {
  let totalBytes = queues.reduce((sum, { queuedBytes }) => sum + queuedBytes, 0);
  if (totalBytes <= mostBytes) return [];
  const longestFirst = [...queues].sort((left, right) => right.queuedBytes - left.queuedBytes);
  const kept = longestFirst.findIndex(({ queuedBytes }) => {
    if (totalBytes <= mostBytes) return true;
    totalBytes -= queuedBytes;
    return false;
  });
  return kept < 0 ? longestFirst : longestFirst.slice(0, kept);
}
