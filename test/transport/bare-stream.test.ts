/** How a bare stream comes off a socket: in which pieces, from whose memory, and before which end. */
import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { encodeFrame } from '../../src/protocol/framing.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { SocketConnection } from '../../src/transport/socket-connection.ts';
import { isTalkBeside } from '../../src/transport/talk-beside.ts';

/** What Node gives a socket's reader, when and in what memory the test says. */
class FakeSocket extends EventEmitter {
  readonly writableLength = 0;
  readonly flow: string[] = [];
  setKeepAlive(): void {}
  write(): void {}
  pause(): void {
    this.flow.push('pause');
  }
  resume(): void {
    this.flow.push('resume');
  }
  end(): void {
    this.destroy();
  }
  destroy(): void {
    setImmediate(() => this.emit('close'));
  }
}

function connectionOn(socket: FakeSocket): SocketConnection {
  const start = { remoteAddress: '', channelBinding: new Uint8Array(32), limits: LIMITS };
  return new SocketConnection(socket as unknown as TLSSocket, start);
}

/** @param onBytes what the reader does with each piece */
function reading(onBytes: (length: number) => void = () => {}) {
  const socket = new FakeSocket();
  const connection = connectionOn(socket);
  const seen: string[] = [];
  connection.start({
    onFrame: () =>
      connection.stream((bytes) => {
        seen.push(`${bytes.length} bytes`);
        onBytes(bytes.length);
      }),
    onClose: ({ kind }) => seen.push(kind),
  });
  socket.emit('data', Buffer.from(encodeFrame(1, new Uint8Array(3))));
  /** Another read buffer; what it gives is emitted as one record after another. */
  const buffer = (bytes: number) => {
    const memory = new Uint8Array(bytes);
    return { memory, emit: (from: number, to: number) => socket.emit('data', memory.subarray(from, to)) };
  };
  return { socket, connection, seen, buffer };
}

test('records that follow each other in one read buffer are one piece, and the buffer is given back', async () => {
  const { seen, buffer } = reading();
  const [first, second] = [buffer(100), buffer(100)];
  first.emit(0, 40);
  first.emit(40, 99);
  assert.deepEqual(seen, []);
  first.emit(99, 100);
  assert.deepEqual([seen, first.memory.length], [['100 bytes'], 0]);
  second.emit(0, 40);
  await turn();
  second.emit(40, 70);
  second.emit(70, 100);
  assert.deepEqual(seen, ['100 bytes', '40 bytes', '60 bytes']);
  assert.equal(second.memory.length, 100, 'a piece of it was given out before');
});

test('a piece of another buffer does not wait, nor get before the first', () => {
  const { seen, buffer } = reading();
  const [first, second] = [buffer(100), buffer(50)];
  first.emit(0, 40);
  second.emit(0, 50);
  assert.deepEqual(seen, ['40 bytes', '50 bytes']);
});

for (const [how, kind] of [
  ['end', 'ended'],
  ['error', 'lost'],
  ['close', 'lost'],
] as const)
  test(`what came in the same turn as its ${how} comes before it`, async () => {
    const { socket, seen, buffer } = reading();
    buffer(100).emit(0, 40);
    socket.emit(how, new Error('reset'));
    for (let turns = 0; turns < 3; turns += 1) await turn();
    assert.deepEqual(seen.slice(0, 2), ['40 bytes', kind]);
  });

test('a reader that refuses a piece at the end of a turn ends the connection', async () => {
  const { seen, buffer } = reading(() => {
    throw new ProtocolError('too-much', 'more than there is');
  });
  const { emit } = buffer(100);
  emit(0, 40);
  for (let turns = 0; turns < 3; turns += 1) await turn();
  emit(40, 60);
  for (let turns = 0; turns < 3; turns += 1) await turn();
  assert.deepEqual(seen, ['40 bytes', 'protocol']);
});

const READ_BUFFER_BYTES = 64 * 1_024;

test('a stream gives way after 256 KiB while others talk, and goes on in the next turn', async () => {
  const { socket, seen, buffer } = reading();
  // That one's frame was talk.
  const whole = () => buffer(READ_BUFFER_BYTES).emit(0, READ_BUFFER_BYTES);
  for (let each = 0; each < 3; each += 1) whole();
  assert.deepEqual(socket.flow, []);
  whole();
  assert.deepEqual([seen.length, socket.flow], [4, ['pause']]);
  await turn();
  assert.deepEqual(socket.flow, ['pause', 'resume']);
  for (let each = 0; each < 3; each += 1) whole();
  assert.deepEqual(socket.flow, ['pause', 'resume']);
});

test('a stream of short records, which end no read buffer, gives way as well', () => {
  const { socket, buffer } = reading();
  for (let each = 0; each < 5; each += 1) buffer(READ_BUFFER_BYTES).emit(0, READ_BUFFER_BYTES - 100);
  assert.deepEqual(socket.flow, []);
  buffer(READ_BUFFER_BYTES).emit(0, 1);
  assert.deepEqual(socket.flow, ['pause']);
});

test('a stream gives way to nobody where nobody talks', (context) => {
  const { socket, seen, buffer } = reading();
  const laterMs = performance.now() + 251;
  context.mock.method(performance, 'now', () => laterMs);
  for (let each = 0; each < 8; each += 1) buffer(READ_BUFFER_BYTES).emit(0, READ_BUFFER_BYTES);
  assert.deepEqual([seen.length, socket.flow], [8, []]);
});

/** @returns whether what comes now counts as talk */
function talks(emit: () => void): boolean {
  const nowMs = performance.now();
  emit();
  return isTalkBeside(nowMs + 250);
}

test('a frame is talk for a quarter of a second, unless a bare stream goes out on its connection', () => {
  for (const carry of [
    (connection: SocketConnection) => connection.forward(new Uint8Array(1)),
    (connection: SocketConnection) => connection.sendAll([new Uint8Array(1)], () => {}),
  ]) {
    const socket = new FakeSocket();
    const connection = connectionOn(socket);
    connection.start({ onFrame: () => {}, onClose: () => {} });
    const frame = () => void socket.emit('data', Buffer.from(encodeFrame(1, new Uint8Array(3))));
    assert.equal(talks(frame), true);
    assert.equal(isTalkBeside(performance.now() + 250), false);
    carry(connection);
    assert.equal(talks(frame), false);
  }
});

test('what comes of a bare stream is no talk', () => {
  const { buffer } = reading();
  const { emit } = buffer(100);
  assert.equal(
    talks(() => emit(0, 40)),
    false,
  );
});
