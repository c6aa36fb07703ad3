/** How often a receiver tells of what it has taken: each time costs three programs some work. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { takeFile } from '../../../src/app/files/take-file.ts';
import { ChunkSealer } from '../../../src/crypto/chunked.ts';
import { fileContext } from '../../../src/crypto/file-context.ts';
import { type Bytes, concatBytes } from '../../../src/protocol/bytes.ts';
import { LINE_FRAME, lineFrame, Stream, Taken } from '../../../src/protocol/file-frames.ts';
import { CHUNK_BYTES, TAG_BYTES } from '../../../src/protocol/file-stream.ts';
import { frameBody, frameType } from '../../../src/protocol/framing.ts';
import { roomId } from '../../../src/protocol/identifiers.ts';
import { memoryPair } from '../../../src/transport/memory-pair.ts';
import { fileOffer } from '../../helpers/files.ts';

const SEALED = CHUNK_BYTES + TAG_BYTES;
const room = roomId(new Uint8Array(16));

/** A file of 200 chunks on its way to a disk that takes what it is given when it is told to. */
async function taking() {
  const plain = new Uint8Array(randomBytes(200 * CHUNK_BYTES + 5));
  const offer = fileOffer(plain);
  const context = fileContext(room, offer.fileId);
  const sealer = new ChunkSealer({ key: offer.key, context, salt: randomBytes(24), fromChunk: 0 });
  const header = sealer.header.slice();
  const sealed = concatBytes(header, ...sealer.seal(plain.subarray(0, 200 * CHUNK_BYTES)));
  const [near, host] = memoryPair();
  const told: number[] = [];
  const isReceived = Promise.withResolvers<void>();
  host.start({
    onFrame(frame) {
      if (frameType(frame) === LINE_FRAME.taken) told.push(Taken.decode(frameBody(frame)).streamBytes);
      else if (frameType(frame) === LINE_FRAME.received) isReceived.resolve();
    },
    onClose() {},
  });
  let nowMs = 0;
  let isBusy = false;
  let goOn = (): void => {};
  const taken = takeFile({
    ...{ roomId: room, offer, now: () => nowMs, signal: new AbortController().signal },
    sink: {
      resumeChunk: 0,
      async write() {
        if (!isBusy) return;
        await new Promise<void>((resolve) => {
          goOn = resolve;
        });
      },
    },
    openLine: async () => ({ connection: near, hello: new Uint8Array() }),
    onProgress() {},
    finish: async () => {},
  });
  host.send(lineFrame('stream', Stream, {}));
  let sent = 0;
  const settled = async (): Promise<void> => {
    for (let turns = 0; turns < 10; turns += 1) await turn();
  };
  return {
    told,
    /** Chunks that come together. */
    async come(chunks: number): Promise<void> {
      const from = sent === 0 ? 0 : header.length + sent * SEALED;
      sent += chunks;
      host.forward(sealed.subarray(from, header.length + sent * SEALED));
      await settled();
    },
    /** From here on each write takes until `written`. */
    busy(): void {
      isBusy = true;
    },
    written(): Promise<void> {
      goOn();
      return settled();
    },
    idle(): Promise<void> {
      isBusy = false;
      return this.written();
    },
    pass(ms: number): void {
      nowMs += ms;
    },
    async end(): Promise<void> {
      const rest: Bytes = sealed.subarray(sent === 0 ? 0 : header.length + sent * SEALED);
      host.forward(rest);
      for (const piece of sealer.last(plain.subarray(200 * CHUNK_BYTES))) host.forward(piece);
      await Promise.all([taken, isReceived.promise]);
    },
    upTo: (chunks: number) => header.length + chunks * SEALED,
    totalBytes: sealed.length + 5 + TAG_BYTES,
  };
}

test('one that waits for more tells of 96 KiB, and of less after a second', async () => {
  const file = await taking();
  await file.come(5);
  assert.deepEqual(file.told, []);
  await file.come(1);
  assert.deepEqual(file.told, [file.upTo(6)]);
  await file.come(1);
  file.pass(999);
  await file.come(1);
  assert.equal(file.told.length, 1);
  file.pass(1);
  await file.come(1);
  assert.deepEqual(file.told, [file.upTo(6), file.upTo(9)]);
  await file.end();
  assert.equal(file.told.at(-1), file.totalBytes);
});

test('one that is busy tells of 384 KiB', async () => {
  const file = await taking();
  file.busy();
  // While one is written the next ones come.
  await file.come(3);
  await file.come(20);
  await file.written();
  await file.come(1);
  await file.written();
  await file.come(1);
  assert.deepEqual(file.told, [], '23 chunks are 368 KiB');
  await file.written();
  assert.deepEqual(file.told, [file.upTo(24)]);
  await file.idle();
  await file.come(100);
  assert.deepEqual(file.told, [file.upTo(24), file.upTo(125)]);
  await file.end();
  assert.equal(file.told.at(-1), file.totalBytes);
});
