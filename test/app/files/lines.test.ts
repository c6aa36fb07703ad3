/** A file over real lines through a real host: sealed where it is sent, opened where it is taken, and nowhere between. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { LineEndedError, type OpenLine } from '../../../src/app/files/line.ts';
import { serveFile } from '../../../src/app/files/serve-file.ts';
import { takeFile } from '../../../src/app/files/take-file.ts';
import { sha256 } from '../../../src/crypto/hash.ts';
import { type Bytes, bytesEqual } from '../../../src/protocol/bytes.ts';
import { InputError } from '../../../src/protocol/errors.ts';
import type { FileOffer } from '../../../src/protocol/file-offer.ts';
import { CHUNK_BYTES } from '../../../src/protocol/file-stream.ts';
import { memoryPair } from '../../../src/transport/memory-pair.ts';
import { type HostedMember, HostedRoom } from '../../helpers/hosted-room.ts';

const random = (length: number): Bytes => new Uint8Array(randomBytes(length));

function offerOf(content: Bytes): FileOffer {
  const [fileId, key] = [random(16), random(32)];
  return { fileId, key, hash: sha256(content), bytes: content.length, manifestBytes: 0, files: 0 };
}

describe('a file over lines of its own', () => {
  let room: HostedRoom;
  let ann: HostedMember;
  let bob: HostedMember;

  before(async () => {
    room = await HostedRoom.open();
    ann = await room.join('ann');
    bob = await room.join('bob');
  });
  after(() => room.close());

  /** Ann serves whatever she is asked for. @returns what became of each pass */
  function serving(
    offer: FileOffer,
    read: (position: number, length: number) => Promise<Bytes>,
  ): { readonly passes: Promise<void>[] } {
    const passes: Promise<void>[] = [];
    ann.onEvent = (event) => {
      if (event.kind !== 'file-wanted' || !bytesEqual(event.fileId, offer.fileId)) return;
      const { signal } = new AbortController();
      const { pass, fromChunk } = event;
      const served = serveFile({
        ...{
          roomId: room.host.roomId,
          offer,
          source: { read },
          pass,
          fromChunk,
          signal,
          randomBytes: random,
        },
        openLine: (stop) => ann.membership.openLine(stop),
      });
      // Looked at by the test, later.
      served.catch(() => {});
      passes.push(served);
    };
    ann.membership.tellOfFile('offer', offer.fileId, offer.bytes);
    return { passes };
  }

  /** @returns the plaintext that has come, from that chunk on */
  async function taking(
    offer: FileOffer,
    {
      by = bob,
      resumeChunk = 0,
      write = async (): Promise<void> => {},
      openLine = ((stop) => by.membership.openLine(stop)) as OpenLine,
      signal = new AbortController().signal,
      finish = async (): Promise<void> => {},
    } = {},
  ): Promise<Buffer> {
    const came: Bytes[] = [];
    await takeFile({
      roomId: room.host.roomId,
      offer,
      sink: {
        resumeChunk,
        async write(pieces) {
          came.push(...pieces.map((piece) => new Uint8Array(piece)));
          await write();
        },
      },
      ...{ openLine, signal, finish },
      onProgress() {},
    });
    return Buffer.concat(came);
  }

  function readFrom(content: Bytes): (position: number, length: number) => Promise<Bytes> {
    return (position, length) => Promise.resolve(content.subarray(position, position + length));
  }

  for (const bytes of [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3_000_000, 20_000_000])
    test(`comes as it was sent: ${bytes} bytes`, async () => {
      const content = random(bytes);
      const offer = offerOf(content);
      const { passes } = serving(offer, readFrom(content));
      const came = await taking(offer);
      assert.equal(sum(came), sum(content));
      await Promise.all(passes);
    });

  test('goes on from a chunk', async () => {
    const content = random(2_000_000);
    const offer = offerOf(content);
    serving(offer, readFrom(content));
    const came = await taking(offer, { resumeChunk: 100 });
    assert.equal(sum(came), sum(content.subarray(100 * CHUNK_BYTES)));
  });

  test('goes up once for two who ask at the same time', async () => {
    const carl = await room.join('carl');
    const content = random(9_000_000);
    const offer = offerOf(content);
    const { passes } = serving(offer, readFrom(content));
    const both = await Promise.all([taking(offer), taking(offer, { by: carl })]);
    for (const came of both) assert.equal(sum(came), sum(content));
    assert.equal(passes.length, 1);
  });

  test('is not read further than a window beyond what has been taken', async () => {
    const content = random(20_000_000);
    const offer = offerOf(content);
    let readBytes = 0;
    const stuck = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    serving(offer, (position, length) => {
      readBytes = position + length;
      return readFrom(content)(position, length);
    });
    let writes = 0;
    const took = taking(offer, {
      async write() {
        writes += 1;
        if (writes === 2) reached.resolve();
        if (writes > 1) await stuck.promise;
      },
    });
    await reached.promise;
    // Whatever was going to be sent has been: the host answers on another line only after it.
    const small = random(100_000);
    const other = offerOf(small);
    serving(other, readFrom(small));
    await taking(other);
    assert.ok(readBytes < 5_000_000, `${readBytes} bytes were read`);
    stuck.resolve();
    assert.equal(sum(await took), sum(content));
  });

  test('that nobody serves, or whose sender is away, ends the line with the reason', async () => {
    await assert.rejects(taking(offerOf(random(10))), (error) => {
      assert.ok(error instanceof LineEndedError);
      return error.reason === 'unknown';
    });
  });

  test('that changes while it is sent ends for both, and what has come stays', async () => {
    const content = random(8_000_000);
    const offer = offerOf(content);
    const { passes } = serving(offer, (position, length) => {
      if (position > 4_000_000) throw new InputError('file-changed', 'it has changed');
      return readFrom(content)(position, length);
    });
    await assert.rejects(taking(offer), LineEndedError);
    await assert.rejects(Promise.all(passes), { code: 'file-changed' });
  });

  test('whose line is lost while the disk is at work is told of on another one', async () => {
    const content = random(100_000);
    const offer = offerOf(content);
    serving(offer, readFrom(content));
    const lines: Awaited<ReturnType<OpenLine>>[] = [];
    await taking(offer, {
      async openLine(stop) {
        const line = await bob.membership.openLine(stop);
        lines.push(line);
        return line;
      },
      finish: async () => lines[0]?.connection.destroy(),
    });
    assert.equal(lines.length, 2);
    await ann.until(
      (event) =>
        event.kind === 'file-progress' && event.state === 'done' && bytesEqual(event.fileId, offer.fileId),
    );
  });

  test('and where nobody answers on that one, it ends with the program', async () => {
    const content = random(100_000);
    const offer = offerOf(content);
    serving(offer, readFrom(content));
    const over = new AbortController();
    const first = Promise.withResolvers<Awaited<ReturnType<OpenLine>>>();
    let opened = 0;
    const took = taking(offer, {
      signal: over.signal,
      async openLine(stop) {
        opened += 1;
        if (opened === 1) {
          first.resolve(await bob.membership.openLine(stop));
          return first.promise;
        }
        over.abort(new LineEndedError('lost'));
        return { connection: memoryPair()[0], hello: new Uint8Array() };
      },
      finish: async () => (await first.promise).connection.destroy(),
    });
    await assert.rejects(took, LineEndedError);
    assert.equal(opened, 2);
  });

  test('P39 under another key is not opened at all', async () => {
    const content = random(100_000);
    const offer = offerOf(content);
    serving({ ...offer, key: random(32) }, readFrom(content));
    await assert.rejects(taking(offer), { code: 'bad-commitment' });
  });
});

function sum(bytes: Bytes): string {
  return createHash('sha256').update(bytes).digest('hex');
}
