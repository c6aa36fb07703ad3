/**
 * Pictures that somebody else has sent, decoded where it does no harm: in a thread of their own, with bounds on the file, its
 * pixels, its time and its memory. The decoders are WebAssembly, which sees nothing of the thread but its own memory.
 */
import { Worker } from 'node:worker_threads';
import type { Bytes } from '../../protocol/bytes.ts';
import { loadAsset } from '../assets.ts';
import { type PictureHeader, readPictureHeader } from './picture-header.ts';
import type { DecodedPicture, PictureJob } from './picture-jobs.ts';

/** Four times what the largest picture takes on two slow cores. */
const DECODE_MS_MOST = 5_000;
/** Of JavaScript's memory; that of WebAssembly is bounded by the pixels that the header may claim. */
const HEAP_MIB_MOST = 256;
/** Each takes up to 20 MiB while it waits; whoever sends more at once has the others left undrawn. */
const WAITING_MOST = 4;

export class PictureThread {
  readonly #msMost: number;
  #worker: Worker | null = null;
  #waiting = 0;
  /** The one before: they come one after the other. */
  #last: Promise<unknown> = Promise.resolve();
  #ended = false;

  /** @param msMost what one may take */
  constructor(msMost: number = DECODE_MS_MOST) {
    this.#msMost = msMost;
  }

  /**
   * @param bytes the whole file
   * @returns null for what is no picture, is damaged, or takes more than it may: nothing is thrown, whatever is in the file
   */
  decode(bytes: Bytes, most: PictureJob['most']): Promise<DecodedPicture | null> {
    const header = readPictureHeader(bytes);
    if (header === null || this.#waiting >= WAITING_MOST) return Promise.resolve(null);
    this.#waiting += 1;
    const decoded = this.#last.then(async () => {
      const picture = this.#ended ? null : await this.#run({ kind: header.kind, bytes, most });
      this.#waiting -= 1;
      return picture !== null && isOf(picture, header, most) ? picture : null;
    });
    this.#last = decoded;
    return decoded;
  }

  /** Nobody wants them any more. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#worker?.terminate();
  }

  /** A thread for each: what it has used goes back with its end. */
  async #run(job: PictureJob): Promise<DecodedPicture | null> {
    const { promise, resolve } = Promise.withResolvers<DecodedPicture | null>();
    const worker = startWorker(job);
    this.#worker = worker;
    worker.once('message', (picture: DecodedPicture) => resolve(picture));
    worker.once('error', () => resolve(null));
    worker.once('exit', () => resolve(null));
    const limit = setTimeout(() => resolve(null), this.#msMost);
    const picture = await promise;
    clearTimeout(limit);
    await worker.terminate();
    this.#worker = null;
    return picture;
  }
}

function startWorker(job: PictureJob): Worker {
  // Of its own: a view would take all of the buffer it is of along.
  const bytes = new Uint8Array(job.bytes);
  const workerData: PictureJob = { ...job, bytes };
  const code = loadAsset('picture-worker.js');
  const options = {
    workerData,
    transferList: [bytes.buffer],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB_MOST },
    // It has nothing to say on this terminal, and no business with the variables.
    stdout: true,
    stderr: true,
    env: {},
  };
  return code === null
    ? new Worker(new URL('./picture-worker.ts', import.meta.url), options)
    : new Worker(code, { eval: true, ...options });
}

/** What comes out must be what was let in: a camera's turn is the only difference. */
function isOf(
  { width, height, bitmap }: DecodedPicture,
  header: PictureHeader,
  most: PictureJob['most'],
): boolean {
  return (
    width * height === header.width * header.height &&
    bitmap.width <= most.width &&
    bitmap.height <= most.height &&
    bitmap.data.length === bitmap.width * bitmap.height * 4
  );
}
