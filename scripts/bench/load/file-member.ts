/**
 * A member that sends or takes files, with the product's own lines, encryption and disk, and without what decides about
 * them: that costs a few messages a file.
 */
import { randomBytes } from 'node:crypto';
import { Download } from '../../../src/app/files/download.ts';
import { type ReadableStream, STEP_BYTES, serveFile } from '../../../src/app/files/serve-file.ts';
import { openSource } from '../../../src/app/files/source.ts';
import { type Sink, takeFile } from '../../../src/app/files/take-file.ts';
import { Membership } from '../../../src/app/membership.ts';
import { generateSigningKey } from '../../../src/crypto/signature.ts';
import type { SessionEvent } from '../../../src/member/events.ts';
import type { Bytes } from '../../../src/protocol/bytes.ts';
import { bytesEqual } from '../../../src/protocol/bytes.ts';
import { decodeOffer, FILE_ID_BYTES, FILE_KEY_BYTES, FileOffer } from '../../../src/protocol/file-offer.ts';
import { hash, roomId } from '../../../src/protocol/identifiers.ts';
import { LIMITS } from '../../../src/protocol/limits.ts';
import { serve } from '../calls.ts';
import type { Entrance, RoomAddress } from '../host-process.ts';
import { ownUsage, type Usage } from '../usage.ts';
import { answersReady } from './light-answer.ts';
import { entranceOptions, personOptions } from './person-door.ts';

/** What it took to know what is offered. */
interface Offered {
  /** `FileOffer`. */
  readonly offer: Uint8Array;
  readonly tookMs: number;
  readonly cpuMs: number;
}

interface Taken {
  /** From asking for it until it has its name. */
  readonly tookMs: number;
  /** Of that, from the last byte on: it is compared with what was offered, put on the disk for good, and named. */
  readonly finishMs: number;
}

interface Served {
  readonly offer: FileOffer;
  readonly source: ReadableStream & { close(): Promise<void> };
  readonly pass: Promise<void> | null;
}

type Wanted = Extract<SessionEvent, { readonly kind: 'file-wanted' }>;

const { signal } = new AbortController();
const NAME = 'taken';

let membership: Membership | null = null;
let room = roomId(new Uint8Array(16));
let served: Served | null = null;
let begun = Promise.withResolvers<void>();

const random = (length: number): Bytes => new Uint8Array(randomBytes(length));

function here(): Membership {
  if (membership === null) throw new Error('not in a room');
  return membership;
}

const openLine = (stop: AbortSignal): ReturnType<Membership['openLine']> => here().openLine(stop);

function onWanted({ fileId, pass, fromChunk }: Wanted): void {
  if (served === null || !bytesEqual(fileId, served.offer.fileId)) return;
  const { offer, source } = served;
  const serving = serveFile({
    ...{ roomId: room, offer, source, pass, fromChunk, openLine, signal, randomBytes: random },
  });
  // Looked at when the file is withdrawn.
  serving.catch(() => {});
  served = { ...served, pass: serving };
}

/** The same bytes again and again, and no disk. */
function endlessSource(bytes: number): Served['source'] & Pick<FileOffer, 'bytes' | 'hash'> {
  const block = random(STEP_BYTES);
  return {
    bytes,
    hash: hash(new Uint8Array(32)),
    read: async (_position, lengthBytes) => block.subarray(0, lengthBytes),
    close: async () => {},
  };
}

const NOWHERE: Sink = { resumeChunk: 0, write: async () => {} };

const calls = {
  /** @returns once this member is in */
  async join(input: { readonly room: RoomAddress; readonly entrance: Entrance; readonly nick: string }) {
    await answersReady;
    const identity = await generateSigningKey('rsa');
    const live = Promise.withResolvers<void>();
    membership = new Membership({
      ...personOptions(input.room, identity, LIMITS),
      ...entranceOptions(input.entrance, input.nick),
      onEvent(event) {
        if (event.kind === 'live') live.resolve();
        else if (event.kind === 'file-wanted') onWanted(event);
        else if (event.kind === 'notice' || event.kind === 'alarm')
          console.error(`${input.nick}: ${event.code}: ${event.text}`);
      },
    });
    room = roomId(input.room.roomId);
    void membership.ended.then((ending) => live.reject(new Error(`${input.nick} is out: ${ending.kind}`)));
    await membership.join();
    await live.promise;
  },
  /** @param input.path `null`: so many bytes out of memory */
  async offer(input: { readonly path: string | null; readonly bytes: number }): Promise<Offered> {
    const before = ownUsage({ settled: false });
    const source =
      input.path === null
        ? endlessSource(input.bytes)
        : await openSource(input.path, { maxBytes: LIMITS.fileBytesMost });
    const after = ownUsage({ settled: false });
    const names = { fileId: random(FILE_ID_BYTES), key: random(FILE_KEY_BYTES) };
    const offer = { ...names, hash: source.hash, bytes: source.bytes, manifestBytes: 0, files: 0 };
    served = { offer, source, pass: null };
    here().tellOfFile('offer', offer.fileId, offer.bytes);
    const cost = { tookMs: after.atMs - before.atMs, cpuMs: after.cpuMs - before.cpuMs };
    return { offer: FileOffer.encode(offer), ...cost };
  },
  /** @returns once all that was asked for has been sent */
  async withdraw(): Promise<void> {
    if (served === null) throw new Error('nothing is offered');
    const { offer, source, pass } = served;
    await pass;
    served = null;
    here().tellOfFile('withdraw', offer.fileId, offer.bytes);
    await source.close();
  },
  /** @param input.folder where it is to lie; `null`: it is opened and let go */
  async take(input: { readonly offer: Uint8Array; readonly folder: string | null }): Promise<Taken> {
    const startMs = performance.now();
    const offer = decodeOffer(new Uint8Array(input.offer));
    begun = Promise.withResolvers();
    let finishMs = 0;
    const { folder } = input;
    const download = folder === null ? null : await Download.open({ folder, name: NAME, offer });
    await takeFile({
      ...{ roomId: room, offer, sink: download ?? NOWHERE, openLine, signal },
      onProgress: () => begun.resolve(),
      async finish() {
        const allThereMs = performance.now();
        await download?.finish();
        finishMs = performance.now() - allThereMs;
      },
    });
    return { tookMs: performance.now() - startMs, finishMs };
  },
  /** @returns once the first bytes are there of what is being taken */
  underWay: (): Promise<void> => begun.promise,
  usage: (input: { readonly settled: boolean }): Usage => ownUsage(input),
};
export type FileMemberCalls = typeof calls;

serve(calls);
