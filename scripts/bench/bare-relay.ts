/**
 * What a file's way through the host is compared with: a node:tls relay from one program to another that writes what it
 * reads, as fast as it is taken.
 */
import { constants, randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { makeCertificate } from '../../src/crypto/certificate.ts';
import { TLS_SETTINGS } from '../../src/transport/tls-settings.ts';
import { serve } from './calls.ts';
import { ownUsage, type Usage } from './usage.ts';

/** Who connects to which port. */
interface RelayPorts {
  readonly sender: number;
  readonly receiver: number;
}

const serial = new Uint8Array(randomBytes(16));
const { keyPem, certPem } = await makeCertificate({ nowMs: Date.now(), serial });
const ends = { sender: Promise.withResolvers<TLSSocket>(), receiver: Promise.withResolvers<TLSSocket>() };

async function listen(end: keyof typeof ends): Promise<number> {
  const server = createServer(
    {
      ...TLS_SETTINGS,
      ALPNProtocols: [...TLS_SETTINGS.ALPNProtocols],
      key: keyPem,
      cert: certPem,
      secureOptions: constants.SSL_OP_NO_TICKET,
      noDelay: true,
    },
    ends[end].resolve,
  );
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

const ports: RelayPorts = { sender: await listen('sender'), receiver: await listen('receiver') };

const calls = {
  ports: (): RelayPorts => ports,
  /** @returns once both are there */
  async join(): Promise<void> {
    const [sender, receiver] = await Promise.all([ends.sender.promise, ends.receiver.promise]);
    sender.pipe(receiver);
  },
  usage: (input: { readonly settled: boolean }): Usage => ownUsage(input),
};
export type BareRelayCalls = typeof calls;

serve(calls);
