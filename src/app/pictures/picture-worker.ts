/**
 * Entry of a worker thread that decodes one picture that somebody else has sent. Whatever it throws, or however it dies, its
 * end is the answer: there is no picture.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Bitmap } from '../../terminal/picture/bitmap.ts';
import type { DecodedPicture, PictureJob } from './picture-jobs.ts';
import { scaleDown } from './scale-down.ts';

/** A class of browsers that both decoders make their results with. */
class ImageData {
  readonly data: Uint8ClampedArray;
  readonly width: number;
  readonly height: number;

  constructor(data: Uint8ClampedArray, width: number, height: number) {
    this.data = data;
    this.width = width;
    this.height = height;
  }
}

async function decode({ kind, bytes }: PictureJob): Promise<Bitmap> {
  if (kind === 'png') return (await import('./png-decoder.ts')).decodePng(bytes);
  return (await import('./jpeg-decoder.ts')).decodeJpeg(bytes);
}

async function run(job: PictureJob): Promise<void> {
  Reflect.set(globalThis, 'ImageData', ImageData);
  const whole = await decode(job);
  const { width, height } = whole;
  const reply: DecodedPicture = { width, height, bitmap: scaleDown(whole, job.most) };
  parentPort?.postMessage(reply);
}

void run(workerData as PictureJob);
