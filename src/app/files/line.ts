/** One line for a file: who opens it, what is asked for on it, and how it ended. */
import { ADMISSION_FRAME } from '../../protocol/admission-frames.ts';
import type { Bytes } from '../../protocol/bytes.ts';
import { LINE_FRAME, type LineClose, LineClosed } from '../../protocol/file-frames.ts';
import { frameBody, frameType } from '../../protocol/framing.ts';
import type { Connection } from '../../transport/connection.ts';

/** Opens a line to the host. */
export type OpenLine = (
  signal: AbortSignal,
) => Promise<{ readonly connection: Connection; readonly hello: Bytes }>;

/** The host has ended the line, or it was lost: nothing is wrong with what is carried. */
export class LineEndedError extends Error {
  override readonly name = 'LineEndedError';
  readonly reason: LineClose | 'lost';

  constructor(reason: LineClose | 'lost') {
    super(`the line ended: ${reason}`);
    this.reason = reason;
  }
}

/** A line for one thing, and how that ends. */
export interface Line {
  readonly connection: Connection;
  /** @param first what is asked for, said along with who asks @param onFrame frames of files. @throws ProtocolError */
  ask(
    first: Bytes,
    onFrame: (type: number, body: Bytes) => void,
    onEnd: (error: LineEndedError) => void,
  ): void;
  /** What it was opened for is done. */
  done(): void;
  fail(error: unknown): void;
}

/**
 * Opens a line, and closes it however that ends.
 * @throws what made it fail: `signal`'s reason, or what `fail` was given
 */
export async function onLine(
  { openLine, signal }: { readonly openLine: OpenLine; readonly signal: AbortSignal },
  use: (line: Line) => void,
): Promise<void> {
  const { connection, hello } = await openLine(signal);
  const over = Promise.withResolvers<void>();
  const stop = (): void => over.reject(signal.reason);
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  try {
    use({
      connection,
      ask(first, onFrame, onEnd) {
        let reason: LineClose | 'lost' = 'lost';
        connection.start({
          onFrame(frame) {
            const type = frameType(frame);
            if (type === LINE_FRAME.lineClosed) ({ reason } = LineClosed.decode(frameBody(frame)));
            // Not known here just now, or too many at the door: it is tried again.
            else if (type === ADMISSION_FRAME.refused) reason = 'lost';
            else onFrame(type, frameBody(frame));
          },
          onClose: () => onEnd(new LineEndedError(reason)),
        });
        connection.send(hello);
        connection.send(first);
      },
      done: over.resolve,
      fail: over.reject,
    });
    await over.promise;
  } finally {
    signal.removeEventListener('abort', stop);
    connection.close();
  }
}
