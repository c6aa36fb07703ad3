import type { TestContext } from 'node:test';
import { makeCertificate } from '../../src/crypto/certificate.ts';
import { type Hash, roomId } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import type { Connection } from '../../src/transport/connection.ts';
import { type DialOptions, dialTls } from '../../src/transport/tls-dialer.ts';
import { listenTls, type TlsListener, type TlsListenerOptions } from '../../src/transport/tls-listener.ts';

export const ROOM = roomId(new Uint8Array(16).fill(7));
export const CERTIFICATE = await makeCertificate({
  nowMs: Date.UTC(2026, 0, 1),
  serial: new Uint8Array(16).fill(1),
});
export const WRONG_PIN = new Uint8Array(32).fill(1) as Hash;

export interface Door {
  readonly listener: TlsListener;
  /** The next connection that a dialer made, as the host sees it. */
  accepted(): Promise<Connection>;
  readonly acceptedCount: number;
  dial(options?: Partial<DialOptions>): Promise<Connection>;
}

/** A listener on loopback that closes with the test. */
export async function openDoor(t: TestContext, options: Partial<TlsListenerOptions> = {}): Promise<Door> {
  const ready: Connection[] = [];
  const waiting: ((connection: Connection) => void)[] = [];
  let acceptedCount = 0;
  const listener = await listenTls({
    ...CERTIFICATE,
    host: '127.0.0.1',
    port: 0,
    exporterContext: ROOM,
    limits: LIMITS,
    onConnection(connection) {
      acceptedCount += 1;
      const next = waiting.shift();
      if (next === undefined) ready.push(connection);
      else next(connection);
    },
    onError: (error) => {
      throw error;
    },
    ...options,
  });
  t.after(() => listener.close());
  return {
    listener,
    accepted() {
      const connection = ready.shift();
      return connection ? Promise.resolve(connection) : new Promise((resolve) => waiting.push(resolve));
    },
    get acceptedCount() {
      return acceptedCount;
    },
    dial: (changes = {}) =>
      dialTls({
        addresses: [{ host: '127.0.0.1', port: listener.port }],
        tlsPin: CERTIFICATE.pin,
        exporterContext: ROOM,
        timeoutMs: 10_000,
        ...changes,
      }),
  };
}

/** Both ends of one connection. */
export async function connectedPair(
  t: TestContext,
  options: Partial<TlsListenerOptions> = {},
): Promise<{ readonly host: Connection; readonly member: Connection; readonly door: Door }> {
  const door = await openDoor(t, options);
  const [member, host] = await Promise.all([door.dial(), door.accepted()]);
  t.after(() => member.destroy());
  return { host, member, door };
}
