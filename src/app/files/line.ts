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

export interface LineHandlers {
  /** Frames of files. @throws ProtocolError, which ends the line */
  readonly onFrame: (type: number, body: Bytes) => void;
  /** Once. `complete` is what it was opened for. */
  readonly onEnd: (error: LineEndedError) => void;
}

/** @param first what is asked for, said along with who asks */
export function startLine(
  { connection, hello }: { readonly connection: Connection; readonly hello: Bytes },
  first: Bytes,
  handlers: LineHandlers,
): void {
  let reason: LineClose | 'lost' = 'lost';
  connection.start({
    onFrame(frame) {
      const type = frameType(frame);
      if (type === LINE_FRAME.lineClosed) ({ reason } = LineClosed.decode(frameBody(frame)));
      // Not known here just now, or too many at the door: it is tried again.
      else if (type === ADMISSION_FRAME.refused) reason = 'lost';
      else handlers.onFrame(type, frameBody(frame));
    },
    onClose: () => handlers.onEnd(new LineEndedError(reason)),
  });
  connection.send(hello);
  connection.send(first);
}
