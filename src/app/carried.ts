/**
 * Buffers of much that passes through are garbage at once, and lie outside of V8's heap: so little is made inside of it that
 * nothing would collect them until there are tens of megabytes, and then in the longest kind of pause. A short collection
 * every few megabytes keeps both small.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const STEP_BYTES = 8 * 1_024 * 1_024;

type Collect = (options: { readonly type: 'minor' }) => void;

let collect: Collect | null = null;
let sinceBytes = 0;

/** So many bytes more have passed through this process. */
export function carried(bytes: number): void {
  sinceBytes += bytes;
  if (sinceBytes < STEP_BYTES) return;
  sinceBytes = 0;
  collect ??= collector();
  collect({ type: 'minor' });
}

function collector(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}
