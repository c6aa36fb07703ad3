/** Sends a file along a line, as far as there is room for it at the other end. */
import { ChunkSealer } from '../../crypto/chunked.ts';
import { fileContext } from '../../crypto/file-context.ts';
import { type Bytes, freeNow } from '../../protocol/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { Credit, LINE_FRAME, lineFrame, Upload } from '../../protocol/file-frames.ts';
import type { FileOffer } from '../../protocol/file-offer.ts';
import { CHUNK_BYTES, STREAM_SALT_BYTES, TAG_BYTES } from '../../protocol/file-stream.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import { type OpenLine, onLine } from './line.ts';

/** Where what is sent comes from. */
export interface ReadableStream {
  /**
   * Up to so many bytes at a position of the plaintext.
   * @param into what they may be read into: it is used again once they are sealed
   * @throws InputError when it is not what was offered
   */
  read(position: number, lengthBytes: number, into: Bytes): Promise<Bytes>;
}

export interface ServeOptions {
  readonly roomId: RoomId;
  readonly offer: FileOffer;
  readonly source: ReadableStream;
  readonly pass: number;
  readonly fromChunk: number;
  readonly openLine: OpenLine;
  readonly randomBytes: (length: number) => Bytes;
  readonly signal: AbortSignal;
}

/** Of one read, one write: smaller ones cost more of a core than the encryption does. */
const STEP_CHUNKS = 31;
export const STEP_BYTES: number = STEP_CHUNKS * CHUNK_BYTES;
/** What waits in our own memory for the line to take it: with one step more, the line never waits for the disk. */
const QUEUE_BYTES = 2 * STEP_BYTES;

/** @throws LineEndedError when the line ends before all is sent, or whatever the source throws */
export async function serveFile(options: ServeOptions): Promise<void> {
  const { roomId, offer, source, pass, fromChunk } = options;
  const { fileId, key, bytes } = offer;
  const salt = options.randomBytes(STREAM_SALT_BYTES);
  const sealer = new ChunkSealer({ key, context: fileContext(roomId, fileId), salt, fromChunk });
  await onLine(options, (line) => {
    const { connection } = line;
    // A new one each time would be most of what a read costs.
    const buffer: Bytes = new Uint8Array(Math.min(STEP_BYTES, bytes));
    let position = fromChunk * CHUNK_BYTES;
    let sentBytes = 0;
    let upTo = 0;
    let hasHeader = false;
    let isSending = false;
    let isSent = false;

    const go = (): void => void pump().catch(line.fail);
    const send = (pieces: readonly Bytes[]): void => {
      for (const { length } of pieces) sentBytes += length;
      connection.sendAll(pieces, go);
    };
    /** Plaintext that may be sent now: whole chunks as far as there is room, or the rest that ends the stream. */
    const stepBytes = (): number => {
      const room = upTo - sentBytes - (hasHeader ? 0 : sealer.header.length);
      const left = bytes - position;
      const chunks = Math.min(STEP_CHUNKS, Math.floor(Math.max(0, room) / (CHUNK_BYTES + TAG_BYTES)));
      if (left < CHUNK_BYTES) return room >= left + TAG_BYTES ? left : -1;
      return chunks === 0 ? -1 : Math.min(chunks, Math.floor(left / CHUNK_BYTES)) * CHUNK_BYTES;
    };
    const pump = async (): Promise<void> => {
      if (isSending || isSent) return;
      isSending = true;
      for (let step = stepBytes(); step >= 0; step = stepBytes()) {
        if (connection.queuedBytes >= QUEUE_BYTES || connection.closed) break;
        const plain = step === 0 ? new Uint8Array() : await source.read(position, step, buffer);
        if (plain.length !== step) throw new Error('a source that gives less than it has');
        const isLast = step < CHUNK_BYTES;
        const sealed = isLast ? sealer.last(plain) : sealer.seal(plain);
        send(hasHeader ? sealed : [sealer.header, ...sealed]);
        for (const piece of sealed) freeNow(piece);
        hasHeader = true;
        position += step;
        isSent = isLast;
        if (isSent) break;
      }
      isSending = false;
    };
    line.ask(
      lineFrame('upload', Upload, { fileId, pass }),
      (type, body) => {
        if (type !== LINE_FRAME.credit)
          throw new ProtocolError('unexpected-frame', `frame ${type} on an upload`);
        upTo = Math.max(upTo, Credit.decode(body).upTo);
        go();
      },
      (error) => {
        if (error.reason === 'complete') line.done();
        else line.fail(error);
      },
    );
  });
}
