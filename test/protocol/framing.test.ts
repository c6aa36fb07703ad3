import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Bytes, concatBytes, u32 } from '../../src/protocol/bytes.ts';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { encodeFrame, FrameReader, frameBody, frameType } from '../../src/protocol/framing.ts';

const LIMIT_BYTES = 8 * 1024;

/** Copies at once, because an emitted frame may be a view of the chunk. */
function collect(reader: FrameReader, chunks: readonly Bytes[]): Bytes[] {
  const frames: Bytes[] = [];
  for (const chunk of chunks) reader.push(chunk, (frame) => frames.push(Uint8Array.from(frame)));
  return frames;
}

function byteByByte(bytes: Bytes): Bytes[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => error instanceof ProtocolError && error.code === code;
}

const ignore = (): void => {};
const hello = encodeFrame(1, Uint8Array.of(10, 20, 30));
const bare = encodeFrame(255, new Uint8Array(0));
const large = encodeFrame(7, new Uint8Array(5_000).fill(9));

describe('a frame', () => {
  test('is the length of type and body, the type, the body', () => {
    assert.deepEqual(hello, Uint8Array.of(0, 0, 0, 4, 1, 10, 20, 30));
    assert.deepEqual(bare, Uint8Array.of(0, 0, 0, 1, 255));
    assert.equal(frameType(hello), 1);
    assert.deepEqual(frameBody(hello), Uint8Array.of(10, 20, 30));
    assert.equal(frameBody(hello).buffer, hello.buffer);
    assert.equal(frameBody(bare).length, 0);
  });
});

const cases: readonly { name: string; stream: Bytes; frames: readonly Bytes[] }[] = [
  { name: 'one frame', stream: hello, frames: [hello] },
  { name: 'a frame without body', stream: bare, frames: [bare] },
  { name: 'three frames', stream: concatBytes(hello, large, bare), frames: [hello, large, bare] },
  { name: 'a frame and part of a length', stream: concatBytes(hello, Uint8Array.of(0, 0)), frames: [hello] },
  {
    name: 'a frame and part of the next',
    stream: concatBytes(bare, large.subarray(0, 4_000)),
    frames: [bare],
  },
];

describe('FrameReader', () => {
  for (const { name, stream, frames } of cases) {
    test(`${name}, whole`, () => assert.deepEqual(collect(new FrameReader(LIMIT_BYTES), [stream]), frames));
    test(`${name}, byte by byte`, () =>
      assert.deepEqual(collect(new FrameReader(LIMIT_BYTES), byteByByte(stream)), frames));
  }

  test('gives the same frames however the stream is cut', () => {
    const bodies = fc.array(fc.tuple(fc.nat(255), fc.uint8Array({ maxLength: 3_000 })), { maxLength: 12 });
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(4_000)), (sent, cuts) => {
        const frames = sent.map(([type, body]) => encodeFrame(type, body));
        const stream = concatBytes(...frames);
        const edges = [...cuts.filter((cut) => cut < stream.length).sort((a, b) => a - b), stream.length];
        let from = 0;
        const chunks = edges.map((to) => {
          const chunk = stream.subarray(from, to);
          from = to;
          return chunk;
        });
        assert.deepEqual(collect(new FrameReader(LIMIT_BYTES), chunks), frames);
      }),
    );
  });

  test('emits views of a chunk that holds whole frames', () => {
    const stream = concatBytes(hello, large);
    new FrameReader(LIMIT_BYTES).push(stream, (frame) => assert.equal(frame.buffer, stream.buffer));
  });

  test('refuses a length above the limit, and takes one at it', () => {
    const atLimit = encodeFrame(1, new Uint8Array(LIMIT_BYTES - 1));
    assert.deepEqual(collect(new FrameReader(LIMIT_BYTES), [atLimit]), [atLimit]);
    for (const length of [LIMIT_BYTES + 1, 0xffffffff]) {
      assert.throws(() => collect(new FrameReader(LIMIT_BYTES), [u32(length)]), hasCode('frame-too-large'));
      assert.throws(
        () => collect(new FrameReader(LIMIT_BYTES), byteByByte(u32(length))),
        hasCode('frame-too-large'),
      );
    }
  });

  test('refuses a length of zero', () => {
    assert.throws(() => collect(new FrameReader(LIMIT_BYTES), [hello, u32(0)]), hasCode('frame-empty'));
  });

  test('stays stopped after a refusal', () => {
    const reader = new FrameReader(LIMIT_BYTES);
    assert.throws(() => reader.push(u32(0), ignore));
    assert.deepEqual(collect(reader, [hello]), []);
  });

  test('a limit raised by a frame holds for the next frame of the same push', () => {
    const reader = new FrameReader(16);
    const types: number[] = [];
    reader.push(concatBytes(hello, large), (frame) => {
      types.push(frameType(frame));
      reader.limitBytes = LIMIT_BYTES;
    });
    assert.deepEqual(types, [1, 7]);
  });

  test('stopped by a frame, it drops the rest of that push and every later one', () => {
    const reader = new FrameReader(LIMIT_BYTES);
    let count = 0;
    const stopAtFirst = (): void => {
      count += 1;
      reader.stop();
    };
    reader.push(concatBytes(hello, bare, large.subarray(0, 100)), stopAtFirst);
    reader.push(large.subarray(100), stopAtFirst);
    assert.equal(count, 1);
  });

  test('a declared length alone costs at most a kilobyte', () => {
    const body = 120 * 1024;
    const declared = encodeFrame(1, new Uint8Array(body)).subarray(0, 5);
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 1_000 }, () => new FrameReader(body + 1));
    for (const reader of readers) reader.push(declared, ignore);
    const grownBytes = process.memoryUsage().arrayBuffers - before;
    assert.ok(grownBytes < 2 * 1024 * readers.length, `${grownBytes} bytes for ${readers.length} lengths`);
  });

  test('a large frame survives byte by byte', () => {
    const frame = encodeFrame(
      1,
      Uint8Array.from({ length: 120 * 1024 }, (_, index) => index % 251),
    );
    assert.deepEqual(collect(new FrameReader(128 * 1024), byteByByte(frame)), [frame]);
  });
});
