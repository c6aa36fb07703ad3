import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { type Bytes, bytesEqual, concatBytes } from '../../src/protocol/bytes.ts';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { encodeFrame, frameBody } from '../../src/protocol/framing.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import type { Connection } from '../../src/transport/connection.ts';
import { connectedPair, openDoor } from './door.ts';
import { closeOf, recorder } from './recorder.ts';

const small = (type: number) => encodeFrame(type, new Uint8Array(10));

/** A client that finishes the handshake and then never reads. */
async function stalledReader(port: number) {
  const socket = connect({ host: '127.0.0.1', port, ALPNProtocols: ['sc/1'], rejectUnauthorized: false });
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

describe('a connection over TLS', () => {
  test('carries whole frames both ways, in order, several to a write', async (t) => {
    const { host, member } = await connectedPair(t);
    const [atHost, atMember] = [recorder(), recorder()];
    host.start(atHost.handlers);
    member.start(atMember.handlers);
    member.send(small(1));
    member.send(concatBytes(small(2), small(3)), 2);
    host.send(small(4));
    await Promise.all([atHost.arrived(3), atMember.arrived(1)]);
    assert.deepEqual(atHost.types, [1, 2, 3]);
    assert.deepEqual(atMember.types, [4]);
    assert.equal(host.remoteAddress, '127.0.0.1');
    assert.equal(member.remoteAddress, '127.0.0.1');
  });

  test('keeps what arrives before start, even when the peer has ended by then', async (t) => {
    const { host, member } = await connectedPair(t);
    const atMember = recorder();
    member.start(atMember.handlers);
    for (let type = 0; type < 50; type += 1) member.send(small(type));
    member.close(small(99));
    const seen = recorder();
    host.start(seen.handlers);
    assert.deepEqual(await seen.closed, { kind: 'ended' });
    assert.deepEqual(seen.types, [...Array(50).keys(), 99]);
    assert.deepEqual(await atMember.closed, { kind: 'local' });
  });

  test('sends the last frame before it ends, even while more is coming in', async (t) => {
    const { host, member } = await connectedPair(t);
    const atMember = recorder();
    member.start(atMember.handlers);
    const closed = closeOf(host, () => host.close(small(42)));
    for (let count = 0; count < 200; count += 1) member.send(encodeFrame(1, new Uint8Array(4_000)));
    assert.deepEqual(await atMember.closed, { kind: 'ended' });
    assert.deepEqual(atMember.types, [42]);
    assert.deepEqual(await closed, { kind: 'local' });
  });

  test('close cuts a peer that never ends, after two seconds', async (t) => {
    const door = await openDoor(t);
    const [host, peer] = await Promise.all([door.accepted(), stalledReader(door.listener.port)]);
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const seen = recorder();
    host.start(seen.handlers);
    host.close(small(1));
    assert.ok(host.closed);
    t.mock.timers.tick(1_999);
    const early = await Promise.race([seen.closed, new Promise((resolve) => setImmediate(resolve, 'open'))]);
    assert.equal(early, 'open');
    t.mock.timers.tick(1);
    assert.deepEqual(await seen.closed, { kind: 'local' });
    peer.destroy();
  });

  test('after close nothing is sent and nothing throws', async (t) => {
    const { host, member } = await connectedPair(t);
    const seen = recorder();
    host.start(seen.handlers);
    member.start(recorder().handlers);
    member.destroy();
    member.send(small(1));
    member.close(small(2));
    member.destroy();
    const reason = await seen.closed;
    assert.ok(reason.kind === 'ended' || reason.kind === 'lost');
    host.send(small(3));
    assert.deepEqual(seen.types, []);
  });

  test('started after its end, it still tells the reason', async (t) => {
    const { host } = await connectedPair(t);
    host.destroy();
    assert.deepEqual(await closeOf(host, () => {}), { kind: 'local' });
  });

  const refusals = [
    { name: 'too large', bytes: Uint8Array.of(0, 1, 0, 0), code: 'frame-too-large' },
    { name: 'empty', bytes: Uint8Array.of(0, 0, 0, 0), code: 'frame-empty' },
  ];
  for (const { name, bytes, code } of refusals) {
    test(`a frame that is ${name} cuts the line`, async (t) => {
      const { host, member } = await connectedPair(t);
      const seen = recorder();
      host.start(seen.handlers);
      member.start(recorder().handlers);
      member.send(concatBytes(small(1), bytes, small(2)));
      const reason = await seen.closed;
      assert.equal(reason.kind === 'protocol' && reason.code, code);
      assert.deepEqual(seen.types, [1]);
    });
  }

  test('a protocol error of a handler cuts the line before the next frame', async (t) => {
    const { host, member } = await connectedPair(t);
    member.start(recorder().handlers);
    member.send(concatBytes(small(1), small(2)));
    let count = 0;
    const reason = await closeOf(host, () => {
      count += 1;
      throw new ProtocolError('unexpected-frame', 'not now');
    });
    assert.deepEqual(reason, { kind: 'protocol', code: 'unexpected-frame', message: 'not now' });
    assert.equal(count, 1);
  });

  test('a raised limit holds from the next frame on, within one read', async (t) => {
    const { host, member } = await connectedPair(t);
    member.start(recorder().handlers);
    const page = new Uint8Array(LIMITS.pageBytes).fill(3);
    member.send(concatBytes(small(1), encodeFrame(2, page)));
    member.close();
    const bodies: number[] = [];
    const reason = await closeOf(host, (frame) => {
      host.setFrameLimit(LIMITS.frameBytesAfterAdmission);
      bodies.push(frameBody(frame).length);
    });
    assert.deepEqual(reason, { kind: 'ended' });
    assert.deepEqual(bodies, [10, page.length]);
  });

  test('says when the system has taken what was sent at once', async (t) => {
    const { host, member } = await connectedPair(t);
    member.setFrameLimit(2 ** 20);
    member.start(recorder().handlers);
    host.start(recorder().handlers);
    const page = encodeFrame(1, new Uint8Array(LIMITS.pageBytes));
    const taken = new Promise<void>((resolve) => host.sendAll([page, page], resolve));
    assert.ok(host.queuedBytes >= 2 * LIMITS.pageBytes);
    await taken;
    assert.equal(host.queuedBytes, 0);
  });
});

describe('a bare stream', () => {
  const stream = randomBytes(3_000_000);

  /** What comes after a frame, until the end: all of it before the end is told of. */
  async function received(t: TestContext, send: (host: Connection) => void): Promise<Bytes> {
    const { host, member } = await connectedPair(t);
    const came: Bytes[] = [];
    const closed = closeOf(member, () => member.stream((bytes) => came.push(new Uint8Array(bytes))));
    host.start(recorder().handlers);
    host.send(small(1));
    send(host);
    assert.deepEqual(await closed, { kind: 'ended' });
    return concatBytes(...came);
  }

  test('comes as it was forwarded, whatever the pieces, and all of it before the end', async (t) => {
    const came = await received(t, (host) => {
      for (let at = 0, length = 1; at < stream.length; length = (length * 7) % 70_001) {
        host.forward(stream.subarray(at, at + length));
        at += length;
      }
      host.close();
    });
    assert.ok(bytesEqual(came, stream));
  });

  test('comes in order where some waits for what was sent before, and a frame goes behind all of it', async (t) => {
    const last = small(9);
    const came = await received(t, (host) => {
      for (let at = 0; at < stream.length; at += 300_000)
        host.sendAll(
          [stream.subarray(at, at + 150_000), stream.subarray(at + 150_000, at + 300_000)],
          () => {},
        );
      host.close(last);
    });
    assert.ok(bytesEqual(came, concatBytes(stream, last)));
  });
});

describe('a stalled reader (P44)', () => {
  const page = encodeFrame(1, new Uint8Array(LIMITS.pageBytes));
  const ways: Readonly<Record<string, (host: Connection) => void>> = {
    'too many bytes': (host) => host.send(page),
    'too much that was forwarded': (host) => host.forward(page),
    'too much that was sent at once': (host) => host.sendAll([page], () => {}),
  };
  for (const [what, send] of Object.entries(ways))
    test(`is cut once its queue holds ${what}, and costs no more`, async (t) => {
      const door = await openDoor(t);
      const [host, peer] = await Promise.all([door.accepted(), stalledReader(door.listener.port)]);
      const seen = recorder();
      host.start(seen.handlers);
      let mostQueued = 0;
      // Eight times what it may hold: the system's own buffers are in between.
      for (let pages = 0; !host.closed && pages < 512; pages += 1) {
        send(host);
        mostQueued = Math.max(mostQueued, host.queuedBytes);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(host.closed);
      assert.deepEqual(await seen.closed, { kind: 'overflow' });
      assert.ok(mostQueued <= LIMITS.outboundBytesPerMember, `${mostQueued} bytes queued`);
      peer.destroy();
    });

  test('is cut once its queue holds too many frames', async (t) => {
    const door = await openDoor(t);
    const [host, peer] = await Promise.all([door.accepted(), stalledReader(door.listener.port)]);
    const seen = recorder();
    host.start(seen.handlers);
    for (let count = 0; count < LIMITS.outboundFramesPerMember; count += 1) host.send(small(1));
    assert.equal(host.closed, false);
    host.send(small(1));
    assert.deepEqual(await seen.closed, { kind: 'overflow' });
    peer.destroy();
  });

  test('one that reads steadily is never cut, however many frames pass', async (t) => {
    const { host, member } = await connectedPair(t);
    const [atHost, atMember] = [recorder(), recorder()];
    host.start(atHost.handlers);
    member.start(atMember.handlers);
    const batch = concatBytes(...Array.from({ length: 100 }, () => small(1)));
    for (let count = 0; count < 100; count += 1) {
      host.send(batch, 100);
      if (count >= 5) await atMember.arrived((count - 4) * 100);
    }
    await atMember.arrived(10_000);
    assert.equal(host.closed, false);
  });
});
