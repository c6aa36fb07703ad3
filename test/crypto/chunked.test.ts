/** Cobblestone-256: its published vectors, and what becomes of a stream that somebody else has had in hand. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { ChunkOpener, ChunkSealer, type OpenerStart } from '../../src/crypto/chunked.ts';
import { type Bytes, bytesEqual, concatBytes, toHex, utf8 } from '../../src/protocol/bytes.ts';
import { ProtocolError } from '../../src/protocol/errors.ts';
import {
  CHUNK_BYTES,
  chunkCount,
  STREAM_HEADER_BYTES,
  STREAM_SALT_BYTES,
  sealedBytes,
  TAG_BYTES,
} from '../../src/protocol/file-stream.ts';
import { content } from '../helpers/files.ts';
import { type Fields, wycheproof } from '../helpers/wycheproof.ts';

const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
const key = Uint8Array.from({ length: 32 }, (_, at) => at);
const salt = Uint8Array.from({ length: STREAM_SALT_BYTES }, (_, at) => 200 - at);
const context = utf8.encode('a file of this room');

function sealAll(plain: Bytes, fromChunk = 0, wholeAtOnce = 3): Bytes {
  const sealer = new ChunkSealer({ key, context, salt, fromChunk });
  const pieces = [sealer.header];
  const lastAt = (chunkCount(plain.length) - 1) * CHUNK_BYTES;
  const step = wholeAtOnce * CHUNK_BYTES;
  for (let at = fromChunk * CHUNK_BYTES; at < lastAt; at += step)
    pieces.push(...sealer.seal(plain.subarray(at, Math.min(at + step, lastAt))));
  pieces.push(...sealer.last(plain.subarray(lastAt)));
  return concatBytes(...pieces);
}

interface Outcome {
  readonly released: Bytes;
  /** Of the error; `null` when all was well to the end. */
  readonly code: string | null;
}

/** @param cut lengths of the pieces, again and again */
function openAll(start: OpenerStart, sealed: Bytes, cut: readonly number[]): Outcome {
  const opener = new ChunkOpener(start);
  const released: Bytes[] = [];
  try {
    for (let at = 0, turn = 0; at < sealed.length; turn += 1) {
      const length = cut[turn % cut.length] ?? 1;
      released.push(...opener.push(sealed.subarray(at, at + length)));
      at += length;
    }
    opener.end();
    assert.ok(opener.done);
    return { released: concatBytes(...released), code: null };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    assert.ok(!opener.done);
    assert.throws(() => opener.push(sealed), error, 'it goes on failing');
    assert.throws(() => opener.end(), error);
    assert.ok(!opener.done);
    return { released: concatBytes(...released), code: error.code };
  }
}

const WHOLE = [Number.POSITIVE_INFINITY];
/** None of them ever meets a chunk's end. */
const ODD = [[99_991], [16_384], [4_099, 1, 16_383], [1_009]];
/** Shorter than a tag: no piece holds the end of two chunks, so a bad one takes no good one with it. */
const FINE = [TAG_BYTES - 1];

/** A sealed length stands for one plaintext length; what is less than a tag at the end for none. */
function plainBytes(sealed: Bytes): number {
  const payload = Math.max(sealed.length - STREAM_HEADER_BYTES, 0);
  const rest = Math.max((payload % SEALED_CHUNK_BYTES) - TAG_BYTES, 0);
  return Math.floor(payload / SEALED_CHUNK_BYTES) * CHUNK_BYTES + rest;
}

describe('vectors', () => {
  const seen = new Set<string>();
  wycheproof('c2sp_chunked_encryption_aes_256_gcm_test.json', { accepted: 10, refused: 25 }, (given) => {
    const sealed = new Uint8Array(inflateSync(given.hex('ct')));
    const valid = given.text('result') === 'valid';
    const start = { key: given.hex('key'), context: given.hex('ctx'), fromChunk: 0 };
    if (start.key.length !== 32) {
      assert.throws(() => new ChunkOpener({ ...start, bytes: plainBytes(sealed) }), RangeError);
      assert.throws(() => new ChunkSealer({ ...start, salt }), RangeError);
      return 'refused';
    }
    const lengths = valid ? [given.number('msgLength')] : claimedLengths(given, sealed);
    for (const bytes of lengths) {
      for (const cut of valid ? [WHOLE, ...ODD] : [WHOLE, ...ODD, FINE]) {
        const { released, code } = openAll({ ...start, bytes }, sealed, cut);
        if (valid || (cut === FINE && bytes === plainBytes(sealed))) checkReleased(given, released);
        if (code === null) checkValid(given, sealed, released);
        else seen.add(code);
        if (valid !== (code === null)) return valid ? 'refused' : 'accepted';
      }
    }
    return valid ? 'accepted' : 'refused';
  });

  /** Whatever length the offer names, an invalid stream is none. */
  function claimedLengths(given: Fields, sealed: Bytes): readonly number[] {
    const prefix = given.has('msgLength') ? given.number('msgLength') : 0;
    return [...new Set([plainBytes(sealed), prefix, prefix + 1, prefix + CHUNK_BYTES])];
  }

  /** All that was authenticated is given out, and it is what was sealed. */
  function checkReleased(given: Fields, released: Bytes): void {
    assert.equal(released.length, given.has('msgLength') ? given.number('msgLength') : 0);
    if (!given.has('msgSha512')) return;
    assert.equal(createHash('sha512').update(released).digest('hex'), given.text('msgSha512'));
  }

  /** Sealing it again gives the same bytes. */
  function checkValid(given: Fields, sealed: Bytes, plain: Bytes): void {
    const lastAt = plain.length - (plain.length % CHUNK_BYTES);
    const sealer = new ChunkSealer({
      key: given.hex('key'),
      context: given.hex('ctx'),
      salt: sealed.subarray(0, STREAM_SALT_BYTES),
      fromChunk: 0,
    });
    const pieces = [...sealer.seal(plain.subarray(0, lastAt)), ...sealer.last(plain.subarray(lastAt))];
    assert.ok(bytesEqual(concatBytes(sealer.header, ...pieces), sealed));
    assert.equal(sealedBytes(plain.length, 0), sealed.length);
  }

  test('each way to fail was among them', (t) => {
    if (seen.size === 0) return t.diagnostic('no vectors on this machine');
    assert.deepEqual([...seen].sort(), ['bad-chunk', 'bad-commitment', 'too-much', 'truncated']);
  });
});

const lengths = fc.oneof(
  fc
    .tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: -18, max: 18 }))
    .map(([chunks, beside]) => Math.max(chunks * CHUNK_BYTES + beside, 0)),
  fc.integer({ min: 0, max: 5 * CHUNK_BYTES }),
);
const pieceLengths = fc.array(
  fc.oneof(
    fc.integer({ min: 1, max: 100 }),
    fc.integer({ min: 1, max: 3 * CHUNK_BYTES }),
    fc.constantFrom(TAG_BYTES, STREAM_HEADER_BYTES, CHUNK_BYTES, SEALED_CHUNK_BYTES),
  ),
  { minLength: 1, maxLength: 8 },
);

test('what is sealed from any chunk on opens again, in whatever pieces it comes', () => {
  fc.assert(
    fc.property(lengths, fc.nat(), fc.integer({ min: 1, max: 4 }), pieceLengths, (bytes, from, step, cut) => {
      const plain = content(bytes);
      const fromChunk = from % chunkCount(bytes);
      const sealed = sealAll(plain, fromChunk, step);
      assert.equal(sealed.length, sealedBytes(bytes, fromChunk));
      const { released, code } = openAll({ key, context, fromChunk, bytes }, sealed, cut);
      assert.equal(code, null);
      assert.ok(bytesEqual(released, plain.subarray(fromChunk * CHUNK_BYTES)));
    }),
  );
});

/** Each stands for a stream that somebody has changed on its way. */
const CHANGES: Readonly<Record<string, (chunks: Bytes[], at: number, random: number) => Bytes[]>> = {
  flipped: (chunks, at, random) =>
    chunks.map((chunk, place) => {
      if (place !== at) return chunk;
      const changed = chunk.slice();
      const byte = random % changed.length;
      changed[byte] = (changed[byte] ?? 0) ^ (1 << (random % 8));
      return changed;
    }),
  dropped: (chunks, at) => chunks.toSpliced(at, 1),
  repeated: (chunks, at) => chunks.toSpliced(at, 0, ...chunks.slice(at, at + 1)),
  swapped: (chunks, at, random) => {
    const other = (at + 1 + (random % (chunks.length - 1))) % chunks.length;
    return chunks.map((chunk, place) => chunks[place === at ? other : place === other ? at : place] ?? chunk);
  },
  'one byte short': (chunks, at) =>
    chunks.map((chunk, place) => (place === at ? chunk.subarray(0, -1) : chunk)),
  'one byte longer': (chunks, at) =>
    chunks.map((chunk, place) => (place === at ? concatBytes(chunk, Uint8Array.of(0)) : chunk)),
  'cut off': (chunks, at) => chunks.slice(0, at),
  'ended early': (chunks, at) =>
    chunks.map((chunk, place) => (place === at ? chunk.subarray(chunk.length / 2) : chunk)),
};

describe('P39 a stream that was changed never opens to its end, and nothing wrong is given out', () => {
  for (const [name, change] of Object.entries(CHANGES)) {
    test(name, () => {
      fc.assert(
        fc.property(
          lengths,
          fc.nat(),
          fc.nat(),
          fc.nat(),
          pieceLengths,
          (bytes, from, place, random, cut) => {
            const plain = content(bytes);
            const fromChunk = from % chunkCount(bytes);
            const sealed = sealAll(plain, fromChunk);
            const chunks: Bytes[] = [];
            for (let at = STREAM_HEADER_BYTES; at < sealed.length; at += SEALED_CHUNK_BYTES)
              chunks.push(sealed.subarray(at, at + SEALED_CHUNK_BYTES));
            fc.pre(name !== 'swapped' || chunks.length > 1);
            const changed = change(chunks, place % chunks.length, random);
            const stream = concatBytes(sealed.subarray(0, STREAM_HEADER_BYTES), ...changed);
            const { released, code } = openAll({ key, context, fromChunk, bytes }, stream, cut);
            assert.ok(code !== null);
            const rest = plain.subarray(fromChunk * CHUNK_BYTES);
            assert.ok(bytesEqual(released, rest.subarray(0, released.length)));
            assert.ok(released.length % CHUNK_BYTES === 0 || released.length === rest.length);
          },
        ),
      );
    });
  }
});

test('P39 under another key, context, number or length it does not open', () => {
  const bytes = 2 * CHUNK_BYTES + 5;
  const right = { key, context, fromChunk: 1, bytes };
  const sealed = sealAll(content(bytes), 1);
  const outcome = (start: Partial<OpenerStart>) => {
    const { released, code } = openAll({ ...right, ...start }, sealed, FINE);
    return [released.length, code];
  };
  assert.deepEqual(outcome({}), [CHUNK_BYTES + 5, null]);
  assert.deepEqual(outcome({ key: key.toReversed() }), [0, 'bad-commitment']);
  assert.deepEqual(outcome({ context: context.subarray(1) }), [0, 'bad-commitment']);
  assert.deepEqual(outcome({ fromChunk: 0 }), [0, 'bad-chunk']);
  assert.deepEqual(outcome({ fromChunk: 2 }), [0, 'bad-chunk']);
  assert.deepEqual(outcome({ bytes: bytes - 1 }), [CHUNK_BYTES, 'bad-chunk']);
  assert.deepEqual(outcome({ bytes: bytes + 1 }), [CHUNK_BYTES, 'truncated']);
  assert.deepEqual(outcome({ bytes: bytes + CHUNK_BYTES }), [CHUNK_BYTES, 'truncated']);
});

test('an end that is followed by anything is no end', () => {
  const sealed = sealAll(content(3));
  const opener = new ChunkOpener({ key, context, fromChunk: 0, bytes: 3 });
  assert.equal(toHex(concatBytes(...opener.push(sealed))), toHex(content(3)));
  assert.ok(opener.done);
  assert.deepEqual(opener.push(new Uint8Array()), []);
  assert.throws(() => opener.push(Uint8Array.of(0)), { name: 'ProtocolError', code: 'too-much' });
  assert.ok(!opener.done);
});

test('the number of a chunk counts in all four bytes', () => {
  const plain = content(CHUNK_BYTES + 1);
  for (const fromChunk of [0xff, 0xffff, 0x7fff_ffff, 0xffff_fffe]) {
    const sealer = new ChunkSealer({ key, context, salt, fromChunk });
    const pieces = [
      ...sealer.seal(plain.subarray(0, CHUNK_BYTES)),
      ...sealer.last(plain.subarray(CHUNK_BYTES)),
    ];
    const sealed = concatBytes(sealer.header, ...pieces);
    const bytes = (fromChunk + 1) * CHUNK_BYTES + 1;
    const open = (first: number, length: number) =>
      openAll({ key, context, fromChunk: first, bytes: length }, sealed, [777]);
    assert.ok(bytesEqual(open(fromChunk, bytes).released, plain));
    assert.equal(open(fromChunk - 1, bytes - CHUNK_BYTES).code, 'bad-chunk');
  }
});

test('misuse is refused', () => {
  const sealer = (start: object = {}) => new ChunkSealer({ key, context, salt, fromChunk: 0, ...start });
  const opener = (start: object = {}) => new ChunkOpener({ key, context, fromChunk: 0, bytes: 3, ...start });
  for (const start of [
    { key: key.subarray(1) },
    { fromChunk: -1 },
    { fromChunk: 0.5 },
    { fromChunk: 2 ** 32 },
  ])
    for (const make of [sealer, opener]) assert.throws(() => make(start), RangeError);
  assert.throws(() => sealer({ salt: salt.subarray(1) }), RangeError);
  for (const bytes of [-1, 0.5, Number.NaN, 2 ** 32 * CHUNK_BYTES])
    assert.throws(() => opener({ bytes }), RangeError);
  assert.throws(() => opener({ fromChunk: 1 }), RangeError, 'no such chunk');
  assert.throws(() => sealedBytes(CHUNK_BYTES, 2), RangeError);
  assert.throws(() => sealer().seal(new Uint8Array(CHUNK_BYTES + 1)), RangeError);
  assert.throws(() => sealer().last(new Uint8Array(CHUNK_BYTES)), RangeError);
  const ended = sealer();
  ended.last(new Uint8Array());
  assert.throws(() => ended.last(new Uint8Array()), RangeError);
  assert.throws(() => ended.seal(new Uint8Array(CHUNK_BYTES)), RangeError);
  assert.deepEqual(ended.seal(new Uint8Array()), []);
  const full = sealer({ fromChunk: 2 ** 32 - 1 });
  full.seal(new Uint8Array(CHUNK_BYTES));
  assert.throws(() => full.last(new Uint8Array()), RangeError);
});
