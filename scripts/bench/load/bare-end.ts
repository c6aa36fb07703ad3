/** One end of the bare relay: it sends bytes, or counts them. */
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { STEP_BYTES } from '../../../src/app/files/serve-file.ts';
import { TLS_SETTINGS } from '../../../src/transport/tls-settings.ts';
import { serve } from '../calls.ts';
import { ownUsage, type Usage } from '../usage.ts';

/** As the product's sender has. */
const QUEUE_BYTES = 2 * STEP_BYTES;
const BLOCK = Buffer.alloc(STEP_BYTES, 'x');

let socket: TLSSocket | null = null;

function here(): TLSSocket {
  if (socket === null) throw new Error('not connected');
  return socket;
}

const calls = {
  async connect({ port }: { readonly port: number }): Promise<void> {
    socket = connect({
      ...TLS_SETTINGS,
      ALPNProtocols: [...TLS_SETTINGS.ALPNProtocols],
      ...{ host: '127.0.0.1', port, rejectUnauthorized: false },
    });
    await once(socket, 'secureConnect');
  },
  /** @returns once the last of them is with the socket */
  async send({ bytes }: { readonly bytes: number }): Promise<void> {
    const to = here();
    for (let left = bytes; left > 0; left -= BLOCK.length) {
      to.write(BLOCK.subarray(0, left));
      if (to.writableLength > QUEUE_BYTES) await once(to, 'drain');
    }
  },
  /** @returns in ms, how long it took until so many were there */
  async receive({ bytes }: { readonly bytes: number }): Promise<number> {
    const startMs = performance.now();
    const from = here();
    let left = bytes;
    await new Promise<void>((resolve) => {
      const count = (chunk: Buffer): void => {
        left -= chunk.length;
        if (left > 0) return;
        from.off('data', count);
        resolve();
      };
      from.on('data', count);
    });
    return performance.now() - startMs;
  },
  usage: (input: { readonly settled: boolean }): Usage => ownUsage(input),
};
export type BareEndCalls = typeof calls;

serve(calls);
