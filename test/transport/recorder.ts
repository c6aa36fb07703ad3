import type { Bytes } from '../../src/protocol/bytes.ts';
import { frameType } from '../../src/protocol/framing.ts';
import type { CloseReason, Connection, ConnectionHandlers } from '../../src/transport/connection.ts';

export interface Recording {
  readonly handlers: ConnectionHandlers;
  readonly types: readonly number[];
  /** Anything reported after the close is an error. */
  readonly closed: Promise<CloseReason>;
  /** Resolves once `count` frames have arrived. */
  arrived(count: number): Promise<void>;
}

/** Keeps what a connection reports. */
export function recorder(onFrame: (frame: Bytes) => void = () => {}): Recording {
  const types: number[] = [];
  const waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const { promise: closed, resolve } = Promise.withResolvers<CloseReason>();
  let isClosed = false;
  const refuseAfterClose = (): void => {
    if (isClosed) throw new Error('reported after the close');
  };
  return {
    types,
    closed,
    arrived(count) {
      if (types.length >= count) return Promise.resolve();
      return new Promise((done) => waiting.push({ count, resolve: done }));
    },
    handlers: {
      onFrame(frame) {
        refuseAfterClose();
        types.push(frameType(frame));
        for (const { count, resolve: done } of waiting) if (types.length >= count) done();
        onFrame(frame);
      },
      onClose(reason) {
        refuseAfterClose();
        isClosed = true;
        // Late enough that a second call, if there is one, has come.
        setImmediate(() => resolve(reason));
      },
    },
  };
}

/** Starts a connection and waits for its end. */
export function closeOf(connection: Connection, onFrame: (frame: Bytes) => void): Promise<CloseReason> {
  const seen = recorder(onFrame);
  connection.start(seen.handlers);
  return seen.closed;
}
