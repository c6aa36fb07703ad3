/**
 * Buffers of much that passes through are garbage at once, and lie outside of V8's heap. V8 takes them for growth of the heap: left
 * alone it begins a whole collection for every 16 MiB, each of which looks through all that lives. While much passes, a
 * short collection every few megabytes keeps memory small, and whole ones wait until the heap has really grown.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Measured: with 4 MiB a file costs a thirtieth more CPU, and takes 4 MiB less memory; with none at all chat waits longer. */
const STEP_BYTES = 16 * 1_024 * 1_024;
/**
 * A whole collection when the heap is three times what lives: V8 itself waits for up to four times, unless it finds us busy, which we
 * are. And short ones on this thread alone: they have little to do, and for others they would wait until a core is free.
 */
const MEANWHILE = [
  '--heap-growing-percent=200',
  '--no-parallel-scavenge',
  '--no-concurrent-array-buffer-sweeping',
];
const ELSE = ['--heap-growing-percent=0', '--parallel-scavenge', '--concurrent-array-buffer-sweeping'];
/** Then it is over, and V8 is to do as it does for everybody. */
const OVER_MS = 5_000;

type Collect = (options: { readonly type: 'minor' }) => void;

let collect: Collect | null = null;
let sinceBytes = 0;
let over: NodeJS.Timeout | null = null;

/** So many bytes more have passed through this process. */
export function carried(bytes: number): void {
  sinceBytes += bytes;
  if (sinceBytes < STEP_BYTES) return;
  sinceBytes = 0;
  if (over === null) begin();
  else over.refresh();
  collect ??= collector();
  collect({ type: 'minor' });
}

function begin(): void {
  for (const flag of MEANWHILE) setFlagsFromString(flag);
  over = setTimeout(() => {
    for (const flag of ELSE) setFlagsFromString(flag);
    over = null;
  }, OVER_MS).unref();
}

function collector(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}
