import { connect, type Socket } from 'node:net';
import { SecurityError } from '../protocol/errors.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { Connection } from './connection.ts';
import { DialError } from './errors.ts';
import { connectPinned, type PinnedTlsOptions } from './pinned-tls.ts';

/** An address that does not answer delays the next one by this much. */
const STAGGER_MS = 300;

interface DialAddress {
  /** A name or an IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface DialOptions extends Omit<PinnedTlsOptions, 'limits'> {
  /** Tried in this order, each a little after the one before; the first that proves to be the host wins. */
  readonly addresses: readonly DialAddress[];
  /** For everything together. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly limits?: PinnedTlsOptions['limits'];
}

interface Failure extends DialAddress {
  readonly error: unknown;
}

/**
 * @throws SecurityError `pin-mismatch` when no address worked and one answered with another key.
 * @throws DialError `unreachable`, or `not-securechat` when that is what was found everywhere.
 * @throws the reason of `signal`, once aborted.
 * @see docs/protocol.md#transport
 */
export async function dialTls(options: DialOptions): Promise<Connection> {
  const { addresses, timeoutMs, signal, limits = LIMITS } = options;
  const stop = new AbortController();
  const cancel = (): void => stop.abort(signal?.reason);
  const timer = setTimeout(() => stop.abort(errorWithCode('ETIMEDOUT')), timeoutMs);
  signal?.addEventListener('abort', cancel);
  if (signal?.aborted === true) cancel();

  let winner: Connection | null = null;
  const failures: Failure[] = [];
  const attempts: Promise<void>[] = [];
  const attempt = async (address: DialAddress): Promise<void> => {
    try {
      const socket = await openTcp(address, stop.signal);
      const remoteAddress = socket.remoteAddress ?? address.host;
      const connection = await connectPinned(socket, remoteAddress, stop.signal, { ...options, limits });
      if (stop.signal.aborted) {
        connection.destroy();
      } else {
        winner = connection;
        stop.abort();
      }
    } catch (error) {
      failures.push({ ...address, error });
    }
  };
  for (const address of addresses) {
    if (stop.signal.aborted) break;
    const latest = attempt(address);
    attempts.push(latest);
    await Promise.race([latest, pause(STAGGER_MS, stop.signal)]);
  }
  await Promise.all(attempts);

  clearTimeout(timer);
  signal?.removeEventListener('abort', cancel);
  if (winner !== null) return winner;
  signal?.throwIfAborted();
  throw failureOf(failures);
}

function openTcp({ host, port }: DialAddress, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    const onAbort = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort);
    const leave = (): void => signal.removeEventListener('abort', onAbort);
    socket.once('connect', () => {
      leave();
      resolve(socket);
    });
    socket.on('error', (error) => {
      leave();
      reject(error);
    });
  });
}

/** Ends early, and without an error, when the signal is aborted. */
function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, delayMs);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}

function failureOf(failures: readonly Failure[]): SecurityError | DialError {
  const found = failures.map(
    ({ host, port, error }) => `${formatAddress(host, port)}: ${inPlainWords(error)}`,
  );
  const list = found.join('; ');
  if (failures.some(({ error }) => error instanceof SecurityError)) {
    return new SecurityError('pin-mismatch', `Whoever answered is not the host of this invitation. ${list}.`);
  }
  if (failures.length > 0 && failures.every(({ error }) => error instanceof DialError)) {
    return new DialError('not-securechat', `No securechat host answered. ${list}.`);
  }
  const next =
    'Ask the host whether the room is still open, and whether it can be reached from where you are.';
  return new DialError(
    'unreachable',
    `The host cannot be reached. ${list || 'No address was given'}. ${next}`,
  );
}

function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function inPlainWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  switch ((error as NodeJS.ErrnoException).code) {
    case 'ECONNREFUSED':
      return 'refused, nothing listens there';
    case 'ETIMEDOUT':
      return 'timed out, no answer';
    case 'ENOTFOUND':
      return 'no such name';
    case 'EAI_AGAIN':
      return 'the name could not be looked up, check your network';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return 'no way there from this network';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'it hung up before the handshake was done';
    default:
      return error.message;
  }
}

function errorWithCode(code: string): Error {
  return Object.assign(new Error(code), { code });
}
