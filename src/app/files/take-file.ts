/** Takes a file from a line: opens what comes, and hands it to the disk. What the disk has not taken yet is bounded by credit. */
import { ChunkOpener } from '../../crypto/chunked.ts';
import { fileContext } from '../../crypto/file-context.ts';
import { type Bytes, freeNow } from '../../protocol/bytes.ts';
import { ProtocolError } from '../../protocol/errors.ts';
import { Fetch, LINE_FRAME, lineFrame, Received, Stream, Taken } from '../../protocol/file-frames.ts';
import type { FileOffer } from '../../protocol/file-offer.ts';
import { CHUNK_BYTES, chunkCount, sealedBytes } from '../../protocol/file-stream.ts';
import type { RoomId } from '../../protocol/identifiers.ts';
import { LIMITS } from '../../protocol/limits.ts';
import { carried } from '../carried.ts';
import { type OpenLine, onLine } from './line.ts';

/** Where what comes is put. */
export interface Sink {
  /** So many whole chunks are there already. */
  readonly resumeChunk: number;
  /** @param pieces gone once it is done: what is kept of them is copied */
  write(pieces: readonly Bytes[]): Promise<void>;
}

export interface TakeOptions {
  readonly roomId: RoomId;
  readonly offer: FileOffer;
  readonly sink: Sink;
  readonly openLine: OpenLine;
  readonly signal: AbortSignal;
  /** Plaintext that is there, what was there before included. */
  readonly onProgress: (doneBytes: number) => void;
  /** All is there: to be compared with what was offered, and named. */
  readonly finish: () => Promise<void>;
  /** Milliseconds from any origin. */
  readonly now?: () => number;
}

/**
 * @throws LineEndedError when the line ends before that, ProtocolError when what comes is not what was sealed, and whatever
 *   the sink throws
 */
export async function takeFile(options: TakeOptions): Promise<void> {
  const { roomId, offer, sink, onProgress, now = () => performance.now() } = options;
  const { resumeChunk: fromChunk } = sink;
  const { fileId, key, bytes } = offer;
  const opener = new ChunkOpener({ key, context: fileContext(roomId, fileId), fromChunk, bytes });
  await onLine(options, (line) => {
    const { connection } = line;
    const totalBytes = sealedBytes(bytes, fromChunk);
    let doneBytes = fromChunk * CHUNK_BYTES;
    let cameBytes = 0;
    let takenBytes = 0;
    let toldBytes = 0;
    let toldAtMs = now();
    let waiting: Bytes[] = [];
    let isWriting = false;

    const tell = (): void => {
      toldBytes = takenBytes;
      toldAtMs = now();
      connection.send(lineFrame('taken', Taken, { streamBytes: takenBytes }));
    };
    /** Each time costs three programs some work. So whoever is busy tells of much at once, and whoever waits for more, of less. */
    const tellWhenIdle = (): void => {
      setImmediate(() => {
        if (isWriting) return;
        const untoldBytes = takenBytes - toldBytes;
        const isLate = now() - toldAtMs >= LIMITS.transferProgressMs;
        if (untoldBytes >= (isLate ? CHUNK_BYTES : LIMITS.transferTakenBytes)) tell();
      });
    };
    const write = async (): Promise<void> => {
      if (isWriting) return;
      isWriting = true;
      while (waiting.length > 0) {
        const pieces = waiting;
        const upTo = cameBytes;
        waiting = [];
        await sink.write(pieces);
        for (const piece of pieces) {
          doneBytes += piece.length;
          freeNow(piece);
        }
        onProgress(doneBytes);
        takenBytes = upTo;
        if (takenBytes - toldBytes >= LIMITS.transferTakenAtOnceBytes) tell();
      }
      isWriting = false;
      if (!opener.done) return tellWhenIdle();
      // Nothing of an empty file, or of an empty last chunk, had to be written.
      takenBytes = totalBytes;
      if (toldBytes < totalBytes) tell();
      await options.finish();
      if (!connection.closed) connection.send(lineFrame('received', Received, {}));
      // Nobody says a word on the line while the disk is at work, and what lies on the way may have forgotten it.
      else await tellReceived(options);
      line.done();
    };
    const onBytes = (piece: Bytes): void => {
      cameBytes += piece.length;
      carried(piece.length);
      const opened = opener.push(piece);
      for (const each of opened) if (each.length > 0) waiting.push(each);
      if (waiting.length > 0 || opener.done) write().catch(line.fail);
    };
    line.ask(
      lineFrame('fetch', Fetch, { fileId, fromChunk }),
      (type, body) => {
        checkStream(type, body);
        connection.stream((piece) => {
          try {
            onBytes(piece);
          } catch (error) {
            line.fail(error);
            throw error;
          }
        });
      },
      (error) => {
        // What came is still being written and compared.
        if (!opener.done) line.fail(error);
      },
    );
  });
}

/** @throws ProtocolError unless the bare stream begins */
function checkStream(type: number, body: Bytes): void {
  if (type !== LINE_FRAME.stream) throw new ProtocolError('unexpected-frame', `frame ${type} before STREAM`);
  Stream.decode(body);
}

/** All is there, and the host does not know: the last chunk is taken once more, on a line that lives. Else the sender never hears. */
async function tellReceived({ offer, openLine, signal }: TakeOptions): Promise<void> {
  const fromChunk = chunkCount(offer.bytes) - 1;
  const totalBytes = sealedBytes(offer.bytes, fromChunk);
  let cameBytes = 0;
  try {
    await onLine({ openLine, signal }, ({ connection, ask, done }) => {
      ask(
        lineFrame('fetch', Fetch, { fileId: offer.fileId, fromChunk }),
        (type, body) => {
          checkStream(type, body);
          connection.stream((piece) => {
            cameBytes += piece.length;
            if (cameBytes !== totalBytes) return;
            connection.send(lineFrame('taken', Taken, { streamBytes: totalBytes }));
            connection.send(lineFrame('received', Received, {}));
          });
        },
        done,
      );
    });
  } catch {
    // The sender is told less than there is to tell; the file is there all the same.
  }
}
