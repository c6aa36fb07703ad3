/**
 * The floor that the host is compared with: a raw node:tls relay that checks and keeps nothing. What arrives in one turn
 * of the event loop goes to everyone in one write each.
 */
import { constants, randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { makeCertificate } from '../../src/crypto/certificate.ts';
import { TLS_SETTINGS } from '../../src/transport/tls-settings.ts';
import { serve } from './calls.ts';
import { ownUsage, type Usage } from './usage.ts';

const certificate = await makeCertificate({ nowMs: Date.now(), serial: new Uint8Array(randomBytes(16)) });
const members = new Set<TLSSocket>();
let pending: Buffer[] = [];

function flush(): void {
  const batch = Buffer.concat(pending);
  pending = [];
  for (const member of members) member.write(batch);
}

const server = createServer(
  {
    ...TLS_SETTINGS,
    ALPNProtocols: [...TLS_SETTINGS.ALPNProtocols],
    key: certificate.keyPem,
    cert: certificate.certPem,
    secureOptions: constants.SSL_OP_NO_TICKET,
    noDelay: true,
  },
  (member) => {
    members.add(member);
    member.on('data', (chunk: Buffer) => {
      if (pending.length === 0) setImmediate(flush);
      pending.push(chunk);
    });
    member.on('error', () => members.delete(member));
    member.on('close', () => members.delete(member));
  },
);
await new Promise<void>((resolve) => {
  server.listen(0, '127.0.0.1', resolve);
});

const calls = {
  address: (): { readonly port: number; readonly tlsPin: Uint8Array } => ({
    port: (server.address() as AddressInfo).port,
    tlsPin: certificate.pin,
  }),
  usage: (input: { readonly settled: boolean }): Usage => ownUsage(input),
};
export type FloorCalls = typeof calls;

serve(calls);
