import { constants } from 'node:crypto';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import type { RoomId } from '../protocol/identifiers.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Connection } from './connection.ts';
import { ListenError } from './errors.ts';
import { type ConnectionLimits, SocketConnection } from './socket-connection.ts';
import { ALPN_PROTOCOL, channelBindingOf, TLS_SETTINGS } from './tls-settings.ts';

export interface TlsListenerOptions {
  readonly keyPem: string;
  readonly certPem: string;
  /** An IP address or name without brackets; `::` means both families, or IPv4 alone where there is no IPv6. */
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly exporterContext: RoomId;
  readonly limits: ConnectionLimits & Pick<Limits, 'strangerMs'>;
  /** A handshake is done and both ends speak this protocol. `start` it at once or later; no frame is lost. */
  onConnection(connection: Connection, socketId: number): void;
  /** The listening socket itself is in trouble. What strangers do wrong at the door is not an error. */
  onError(error: Error): void;
  /**
   * Every TCP connection, before the first byte of its handshake.
   * @param socketId unique in this process
   * @returns false to close it at once
   */
  onRawConnection?(address: string, socketId: number): boolean;
  /** Once for every connection that `onRawConnection` let in, however far it came. */
  onRawClose?(socketId: number): void;
}

export interface TlsListener {
  readonly port: number;
  /** Cuts a connection, handshake done or not; unknown ids are ignored. */
  destroySocket(socketId: number): void;
  /**
   * Takes no more connections, drops unfinished handshakes and closes the rest as `Connection.close` does.
   * @returns when every socket is gone, after two seconds at most
   */
  close(): Promise<void>;
}

interface Arrival {
  readonly raw: Socket;
  readonly id: number;
  connection: Connection | null;
}

let lastSocketId = 0;

/**
 * @throws ListenError when the address cannot be listened on.
 * @see docs/protocol.md#transport
 */
export async function listenTls(options: TlsListenerOptions): Promise<TlsListener> {
  const arrivals = new Map<number, Arrival>();
  // The TLS server never listens: connections are counted first and then handed to it.
  const secure = createTlsServer({
    ...TLS_SETTINGS,
    ALPNProtocols: [...TLS_SETTINGS.ALPNProtocols],
    key: options.keyPem,
    cert: options.certPem,
    secureOptions: constants.SSL_OP_NO_TICKET,
    handshakeTimeout: options.limits.strangerMs,
  });
  const byPeer = new Map<string, Arrival>();

  secure.on('tlsClientError', (_error, socket) => {
    // After a timeout Node leaves the socket open.
    socket.destroy();
  });
  secure.on('secureConnection', (socket) => {
    const arrival = byPeer.get(peerOf(socket));
    if (arrival === undefined || socket.alpnProtocol !== ALPN_PROTOCOL) {
      socket.destroy();
      return;
    }
    arrival.connection = new SocketConnection(socket, {
      remoteAddress: plainAddress(arrival.raw.remoteAddress ?? ''),
      channelBinding: channelBindingOf(socket, options.exporterContext),
      limits: options.limits,
    });
    options.onConnection(arrival.connection, arrival.id);
  });

  const door = createServer({ noDelay: true }, (raw) => {
    raw.on('error', ignore);
    const id = ++lastSocketId;
    const address = raw.remoteAddress;
    if (address === undefined || options.onRawConnection?.(plainAddress(address), id) === false) {
      raw.destroy();
      return;
    }
    const arrival: Arrival = { raw, id, connection: null };
    const peer = peerOf(raw);
    arrivals.set(id, arrival);
    byPeer.set(peer, arrival);
    raw.once('close', () => {
      arrivals.delete(id);
      if (byPeer.get(peer) === arrival) byPeer.delete(peer);
      options.onRawClose?.(id);
    });
    secure.emit('connection', raw);
  });

  await bind(door, options.host, options.port);
  door.on('error', (error) => options.onError(error));
  let closing: Promise<void> | null = null;
  return {
    port: (door.address() as AddressInfo).port,
    destroySocket(socketId) {
      const arrival = arrivals.get(socketId);
      (arrival?.connection ?? arrival?.raw)?.destroy();
    },
    close() {
      closing ??= new Promise((resolve) => {
        door.close(() => resolve());
        for (const { raw, connection } of arrivals.values()) {
          if (connection === null) raw.destroy();
          else connection.close();
        }
      });
      return closing;
    },
  };
}

function ignore(): void {}

/** A TLS server does not say which TCP connection a finished handshake came by; its two ends do. */
function peerOf(socket: Socket | TLSSocket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress}`;
}

/** An IPv4 address that came by a socket of both families is written as IPv4. */
function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/, '');
}

async function bind(server: Server, host: string, port: number): Promise<void> {
  const hosts = host === '::' ? ['::', '0.0.0.0'] : [host];
  for (const candidate of hosts) {
    const error = await tryListen(server, candidate, port);
    if (error === null) return;
    const hasNoIpv6 = error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL';
    if (!hasNoIpv6 || candidate === hosts.at(-1)) throw listenError(error, host, port);
  }
}

/**
 * Whether the address can be listened on, before anyone is asked for what goes with it.
 * @throws ListenError when it cannot be
 */
export async function checkListen({
  host,
  port,
}: {
  readonly host: string;
  readonly port: number;
}): Promise<void> {
  const server = createServer();
  await bind(server, host, port);
  await new Promise((resolve) => server.close(resolve));
}

function tryListen(server: Server, host: string, port: number): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const onListening = (): void => {
      server.off('error', onError);
      resolve(null);
    };
    const onError = (error: Error): void => {
      server.off('listening', onListening);
      resolve(error);
    };
    server.once('listening', onListening);
    server.once('error', onError);
    server.listen({ host, port });
  });
}

/** The same place one port further, as it is typed. */
function elsewhere(host: string, port: number): string {
  const next = port < 65_535 ? port + 1 : port - 1;
  return host.includes(':') ? `[${host}]:${next}` : `${host}:${next}`;
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): ListenError {
  switch (error.code) {
    case 'EADDRINUSE':
      return new ListenError(
        'port-taken',
        `Port ${port} is already in use, perhaps by another room of yours. Close that, or choose another port: --listen ${elsewhere(host, port)}.`,
      );
    case 'EACCES':
    case 'EPERM':
      return new ListenError(
        'port-forbidden',
        `This account may not listen on port ${port}. Choose a port above 1024 with --listen ADDRESS:PORT.`,
      );
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ListenError(
        'bad-address',
        `${host} is not an address of this machine. Choose another with --listen ADDRESS:PORT.`,
      );
    default:
      return new ListenError('listen-failed', `Cannot listen on ${host}, port ${port}: ${error.message}.`);
  }
}
