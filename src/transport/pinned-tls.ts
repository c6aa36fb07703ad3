import { createHash, timingSafeEqual } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import type { Bytes } from '../protocol/bytes.ts';
import { SecurityError } from '../protocol/errors.ts';
import type { Hash, RoomId } from '../protocol/identifiers.ts';
import type { Connection } from './connection.ts';
import { DialError } from './errors.ts';
import { type ConnectionLimits, SocketConnection } from './socket-connection.ts';
import { ALPN_PROTOCOL, channelBindingOf, TLS_SETTINGS } from './tls-settings.ts';

export interface PinnedTlsOptions {
  /** SHA-256 of the SubjectPublicKeyInfo that the host's certificate must hold. */
  readonly tlsPin: Hash;
  readonly exporterContext: RoomId;
  readonly limits: ConnectionLimits;
}

/**
 * Runs the TLS handshake over an open stream, direct or through a proxy. Owns the stream from here on.
 * Of the certificate only the key counts, and it is checked before anything of ours is sent.
 * @param remoteAddress what to call the other end
 * @param signal its abort destroys the stream
 * @throws SecurityError `pin-mismatch`: whoever answered does not hold the host's key.
 * @throws DialError `not-securechat`: it speaks something else.
 * @throws Error with the system's code when the line broke first, or the signal's reason.
 * @see docs/protocol.md#transport
 */
export function connectPinned(
  stream: Duplex,
  remoteAddress: string,
  signal: AbortSignal,
  { tlsPin, exporterContext, limits }: PinnedTlsOptions,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...TLS_SETTINGS,
      ALPNProtocols: [...TLS_SETTINGS.ALPNProtocols],
      socket: stream,
      servername: '',
      // The pin stands in for both: there is no authority and no name to check.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    const leave = (): void => {
      signal.removeEventListener('abort', onAbort);
      socket.off('close', onClose);
    };
    const fail = (error: unknown): void => {
      leave();
      socket.destroy();
      stream.destroy();
      reject(error);
    };
    const onAbort = (): void => fail(signal.reason);
    const onClose = (): void => fail(new Error('the connection closed during the handshake'));
    // These two stay: an error that follows the failure must not be an unhandled one.
    stream.on('error', fail);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      const speaksOtherwise = /^ERR_(SSL|TLS)_/.test(error.code ?? '');
      fail(speaksOtherwise ? new DialError('not-securechat', 'not a securechat host') : error);
    });
    socket.on('close', onClose);
    socket.once('secureConnect', () => {
      if (!holdsPinnedKey(socket, tlsPin)) {
        fail(new SecurityError('pin-mismatch', 'the key there is not the one in the invitation'));
      } else if (socket.alpnProtocol !== ALPN_PROTOCOL) {
        fail(new DialError('not-securechat', 'not a securechat host'));
      } else {
        leave();
        const channelBinding = channelBindingOf(socket, exporterContext);
        resolve(new SocketConnection(socket, { remoteAddress, channelBinding, limits }));
      }
    });
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}

function holdsPinnedKey(socket: TLSSocket, tlsPin: Hash): boolean {
  const spki = peerKey(socket);
  return spki !== null && timingSafeEqual(createHash('sha256').update(spki).digest(), tlsPin);
}

/** @returns the peer's SubjectPublicKeyInfo in DER, or `null` where the certificate holds no key that Node can read. */
function peerKey(socket: TLSSocket): Bytes | null {
  try {
    return socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' }) ?? null;
  } catch {
    return null;
  }
}
