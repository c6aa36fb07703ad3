import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Server, type Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { type ConnectionOptions, connect, createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { SecurityError } from '../../src/protocol/errors.ts';
import { encodeFrame } from '../../src/protocol/framing.ts';
import { roomId } from '../../src/protocol/identifiers.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { DialError, ListenError } from '../../src/transport/errors.ts';
import { dialTls } from '../../src/transport/tls-dialer.ts';
import { listenTls } from '../../src/transport/tls-listener.ts';
import { CERTIFICATE, openDoor, ROOM, WRONG_PIN } from './door.ts';
import { recorder } from './recorder.ts';

const TLS_SERVER: TlsOptions = {
  key: CERTIFICATE.keyPem,
  cert: CERTIFICATE.certPem,
  minVersion: 'TLSv1.3',
  ALPNProtocols: ['sc/1'],
};

async function listening(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

function dialPort(port: number, tlsPin = CERTIFICATE.pin) {
  const addresses = [{ host: '127.0.0.1', port }];
  return dialTls({ addresses, tlsPin, exporterContext: ROOM, timeoutMs: 10_000 });
}

/** Unlike `once`, does not mind an error before. */
function closeEvent(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

/** @returns whether TLS came up, and how the attempt ended. */
async function tryTls(port: number, options: ConnectionOptions): Promise<{ up: boolean; code: string }> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  let up = false;
  let code = '';
  socket.on('secureConnect', () => {
    up = true;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    code = error.code ?? '';
  });
  socket.resume();
  await closeEvent(socket);
  return { up, code };
}

function isDialError(code: string, message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof DialError && error.code === code && message.test(error.message);
}

describe('the channel', () => {
  test('binds both ends to one handshake and one room', async (t) => {
    const door = await openDoor(t);
    const [member, host] = await Promise.all([door.dial(), door.accepted()]);
    assert.equal(host.channelBinding.length, 32);
    assert.deepEqual(host.channelBinding, member.channelBinding);
    const otherRoom = roomId(new Uint8Array(16).fill(8));
    const [stranger, again] = await Promise.all([door.dial({ exporterContext: otherRoom }), door.accepted()]);
    assert.notDeepEqual(stranger.channelBinding, again.channelBinding);
    assert.notDeepEqual(again.channelBinding, host.channelBinding);
    member.destroy();
    stranger.destroy();
  });

  test('is TLS 1.3 with a hybrid key exchange, and names no server', async (t) => {
    const names: (string | false | null)[] = [];
    const server = createTlsServer({ ...TLS_SERVER, ecdhCurve: 'X25519MLKEM768' }, (socket) => {
      names.push(socket.servername);
      assert.equal(socket.getProtocol(), 'TLSv1.3');
      socket.destroy();
    });
    const met = once(server, 'secureConnection');
    const member = await dialPort(await listening(t, server));
    await met;
    member.destroy();
    assert.deepEqual(names, [false]);
  });

  test('P1: with another key there, not one application byte leaves, and the dialer says so', async (t) => {
    let applicationBytes = 0;
    const impostor = createTlsServer(TLS_SERVER, (socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        applicationBytes += chunk.length;
      });
    });
    // In front of it, a tap on the wire: a TLS record begins with type, version and length, five bytes in all.
    const { promise: wire, resolve } = Promise.withResolvers<Buffer>();
    const tap = createServer((raw) => {
      const chunks: Buffer[] = [];
      raw.on('error', () => {});
      raw.on('close', () => resolve(Buffer.concat(chunks)));
      const onward = connectTcp(impostorPort, '127.0.0.1');
      onward.on('error', () => {});
      onward.pipe(raw);
      raw.pipe(onward);
      raw.on('data', (chunk: Buffer) => chunks.push(chunk));
    });
    const impostorPort = await listening(t, impostor);
    await assert.rejects(
      dialPort(await listening(t, tap), WRONG_PIN),
      (error) => error instanceof SecurityError && error.code === 'pin-mismatch',
    );
    const records: number[] = [];
    const sent = await wire;
    for (let offset = 0; offset < sent.length; offset += 5 + sent.readUInt16BE(offset + 3)) {
      records.push(sent.readUInt8(offset));
    }
    // 22 is handshake in the clear: the ClientHello. Even the end of the handshake was not worth sending.
    assert.deepEqual(records, [22]);
    assert.equal(applicationBytes, 0);
  });

  test('P2: older TLS, other ciphers, other protocols and none do not get in', async (t) => {
    const door = await openDoor(t);
    const { port } = door.listener;
    const refused: readonly ConnectionOptions[] = [
      { ALPNProtocols: ['sc/1'], maxVersion: 'TLSv1.2' },
      { ALPNProtocols: ['sc/1'], ciphers: 'TLS_AES_128_GCM_SHA256' },
      { ALPNProtocols: ['sc/1'], ecdhCurve: 'P-521' },
      { ALPNProtocols: ['h2'] },
    ];
    for (const options of refused) {
      const { up, code } = await tryTls(port, options);
      assert.equal(up, false);
      assert.match(code, /ALERT/);
    }
    // Without any ALPN the handshake itself succeeds: the host hangs up after it.
    await tryTls(port, {});
    const plain = connectTcp(port, '127.0.0.1');
    plain.on('error', () => {});
    plain.end('GET / HTTP/1.1\r\n\r\n').resume();
    await closeEvent(plain);
    assert.equal(door.acceptedCount, 0);
  });

  test('P2: the dialer refuses hosts with older TLS, other protocols and none', async (t) => {
    const servers = [
      createTlsServer({ ...TLS_SERVER, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }),
      createTlsServer({ ...TLS_SERVER, ALPNProtocols: ['h2'] }),
      createTlsServer({ key: CERTIFICATE.keyPem, cert: CERTIFICATE.certPem }),
      createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-example\r\n')),
    ];
    for (const server of servers) {
      server.on('secureConnection', (socket) => socket.on('error', () => {}));
      const port = await listening(t, server);
      await assert.rejects(dialPort(port), isDialError('not-securechat', /not a securechat host/));
    }
  });

  test('P3: no session is resumed', async (t) => {
    const door = await openDoor(t);
    const options = { host: '127.0.0.1', port: door.listener.port, ALPNProtocols: ['sc/1'] };
    const first = connect({ ...options, rejectUnauthorized: false });
    // The tickets come with the first bytes after the handshake.
    const sessions: Buffer[] = [];
    first.on('session', (session) => sessions.push(session));
    const host = await door.accepted();
    host.start(recorder().handlers);
    host.close(encodeFrame(1, new Uint8Array(1)));
    first.resume();
    await closeEvent(first);
    assert.ok(sessions.length > 0, 'there is something to try');
    for (const session of sessions) {
      const again = connect({ ...options, session, rejectUnauthorized: false });
      await once(again, 'secureConnect');
      assert.equal(again.isSessionReused(), false);
      again.destroy();
    }
  });
});

describe('the listener', () => {
  test('a taken port is an error that names --listen', async (t) => {
    const door = await openDoor(t);
    const options = { ...CERTIFICATE, host: '127.0.0.1', port: door.listener.port, exporterContext: ROOM };
    await assert.rejects(
      listenTls({ ...options, limits: LIMITS, onConnection() {}, onError() {} }),
      (error) =>
        error instanceof ListenError && error.code === 'port-taken' && error.message.includes('--listen'),
    );
  });

  test('an address of another machine is an error that names it', async () => {
    const options = { ...CERTIFICATE, host: '192.0.2.1', port: 0, exporterContext: ROOM, limits: LIMITS };
    await assert.rejects(
      listenTls({ ...options, onConnection() {}, onError() {} }),
      (error) =>
        error instanceof ListenError && error.code === 'bad-address' && error.message.includes('192.0.2.1'),
    );
  });

  test('on :: takes IPv4 as well and writes it as IPv4', async (t) => {
    const addresses: string[] = [];
    const door = await openDoor(t, {
      host: '::',
      onRawConnection(address) {
        addresses.push(address);
        return true;
      },
    });
    const [member, host] = await Promise.all([door.dial(), door.accepted()]);
    assert.equal(host.remoteAddress, '127.0.0.1');
    assert.deepEqual(addresses, ['127.0.0.1']);
    member.destroy();
  });

  test('counts each TCP connection before its handshake, and says when it is gone', async (t) => {
    const events: string[] = [];
    const { promise: allGone, resolve } = Promise.withResolvers<void>();
    let open = 0;
    const door = await openDoor(t, {
      onRawConnection(_address, socketId) {
        if (events.length >= 2) return false;
        events.push(`in ${socketId}`);
        open += 1;
        return true;
      },
      onRawClose(socketId) {
        events.push(`out ${socketId}`);
        open -= 1;
        if (open === 0) resolve();
      },
    });
    const silent = connectTcp(door.listener.port, '127.0.0.1');
    await once(silent, 'connect');
    const [member, host] = await Promise.all([door.dial(), door.accepted()]);
    await assert.rejects(door.dial(), isDialError('unreachable', /hung up before the handshake/));
    silent.destroy();
    member.destroy();
    await allGone;
    assert.ok(host.closed || host.queuedBytes === 0);
    assert.deepEqual(
      events.slice(2).sort(),
      events
        .slice(0, 2)
        .map((event) => event.replace('in', 'out'))
        .sort(),
    );
  });

  test('cuts one connection by its id, before or after the handshake', async (t) => {
    const ids: number[] = [];
    const door = await openDoor(t, {
      onRawConnection(_address, socketId) {
        ids.push(socketId);
        return true;
      },
    });
    const silent = connectTcp(door.listener.port, '127.0.0.1');
    silent.on('error', () => {});
    await once(silent, 'connect');
    const [member, host] = await Promise.all([door.dial(), door.accepted()]);
    const [atMember, atHost] = [recorder(), recorder()];
    member.start(atMember.handlers);
    host.start(atHost.handlers);
    const silentClosed = closeEvent(silent.resume());
    for (const id of [...ids, 0]) door.listener.destroySocket(id);
    await silentClosed;
    assert.deepEqual(await atHost.closed, { kind: 'local' });
    assert.ok(['ended', 'lost'].includes((await atMember.closed).kind));
  });

  test('hangs up on whoever does not finish the handshake in time', async (t) => {
    const door = await openDoor(t, { limits: { ...LIMITS, strangerMs: 20 } });
    const silent = connectTcp(door.listener.port, '127.0.0.1');
    silent.on('error', () => {});
    await closeEvent(silent.resume());
    assert.equal(door.acceptedCount, 0);
  });

  test('close drops unfinished handshakes and ends the others with what is queued', async (t) => {
    const door = await openDoor(t);
    const silent = connectTcp(door.listener.port, '127.0.0.1');
    silent.on('error', () => {});
    await once(silent, 'connect');
    const [member, host] = await Promise.all([door.dial(), door.accepted()]);
    const [atMember, atHost] = [recorder(), recorder()];
    member.start(atMember.handlers);
    host.start(atHost.handlers);
    host.send(encodeFrame(5, new Uint8Array(5_000)));
    const silentClosed = closeEvent(silent.resume());
    await Promise.all([door.listener.close(), door.listener.close(), silentClosed]);
    assert.deepEqual(await atMember.closed, { kind: 'ended' });
    assert.deepEqual(atMember.types, [5]);
    await assert.rejects(door.dial(), isDialError('unreachable', /refused/));
  });
});

describe('the dialer', () => {
  /** A port of loopback on which nothing listens. */
  async function deadPort(): Promise<number> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    return port;
  }

  /** A port that takes connections and says nothing, and the end of the first that it took. */
  async function silentPort(t: TestContext): Promise<{ port: number; closed: Promise<void> }> {
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('close', resolve);
      socket.resume();
    });
    return { port: await listening(t, server), closed };
  }

  test('goes on to the next address when one refuses, is silent or is no host, and hangs up there', async (t) => {
    const door = await openDoor(t);
    const impostor = createTlsServer({ ...TLS_SERVER, ALPNProtocols: ['h2'] });
    const good = { host: '127.0.0.1', port: door.listener.port };
    const silent = await silentPort(t);
    for (const port of [await deadPort(), silent.port, await listening(t, impostor)]) {
      const member = await door.dial({ addresses: [{ host: '127.0.0.1', port }, good] });
      member.destroy();
    }
    await silent.closed;
  });

  test('keeps one connection, however many addresses answer', async (t) => {
    const door = await openDoor(t);
    const good = { host: '127.0.0.1', port: door.listener.port };
    const member = await door.dial({ addresses: [good, good, good] });
    const host = await door.accepted();
    const closed = recorder();
    host.start(closed.handlers);
    assert.equal(door.acceptedCount, 1);
    member.destroy();
    await closed.closed;
  });

  test('lists each address and what happened there', async () => {
    const port = await deadPort();
    const addresses = [
      { host: '127.0.0.1', port },
      { host: '::1', port },
    ];
    await assert.rejects(
      dialTls({ addresses, tlsPin: WRONG_PIN, exporterContext: ROOM, timeoutMs: 10_000 }),
      (error) =>
        isDialError('unreachable', /127\.0\.0\.1:\d+: refused, nothing listens there; \[::1\]:\d+: /)(error),
    );
  });

  test('gives up in time', async (t) => {
    const silent = await silentPort(t);
    const addresses = [{ host: '127.0.0.1', port: silent.port }];
    await assert.rejects(
      dialTls({ addresses, tlsPin: WRONG_PIN, exporterContext: ROOM, timeoutMs: 20 }),
      isDialError('unreachable', /timed out, no answer/),
    );
    await silent.closed;
  });

  test('stops when told to, before or during', async (t) => {
    const addresses = [{ host: '127.0.0.1', port: (await silentPort(t)).port }];
    const options = { addresses, tlsPin: WRONG_PIN, exporterContext: ROOM, timeoutMs: 10_000 };
    const reason = new Error('changed my mind');
    await assert.rejects(dialTls({ ...options, signal: AbortSignal.abort(reason) }), reason);
    const stop = new AbortController();
    const dialed = dialTls({ ...options, signal: stop.signal });
    setImmediate(() => stop.abort(reason));
    await assert.rejects(dialed, reason);
  });
});
