import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as acts from '../../src/protocol/acts.ts';
import * as admission from '../../src/protocol/admission-frames.ts';
import { type Bytes, concatBytes, toHex } from '../../src/protocol/bytes.ts';
import type { Codec } from '../../src/protocol/codec.ts';
import * as content from '../../src/protocol/content.ts';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { FrameReader, frameBody } from '../../src/protocol/framing.ts';
import * as session from '../../src/protocol/session-frames.ts';
import * as signed from '../../src/protocol/signed-objects.ts';
import {
  FUZZ_TIMEOUT,
  FUZZED_FRAMES,
  fuzzedFrame,
  livelyRoom,
  mutated,
  seededRandom,
  withinBounds,
} from '../helpers/fuzz.ts';

const codecs = new Map<string, Codec<unknown>>();
for (const module of [acts, admission, content, session, signed]) {
  for (const [name, value] of Object.entries(module)) if (isCodec(value)) codecs.set(name, value);
}

function isCodec(value: unknown): value is Codec<unknown> {
  return typeof value === 'object' && value !== null && 'decode' in value && 'encode' in value;
}

/** For each codec, bytes that it decodes. */
const samples = new Map<string, Bytes[]>();
let corpus: Bytes[] = [];

function collect(bytes: Bytes): void {
  for (const [name, codec] of codecs) {
    const known = samples.get(name) ?? [];
    if (known.length >= 8) continue;
    try {
      codec.decode(bytes);
      samples.set(name, [...known, bytes]);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
    }
  }
}

/** Byte fields inside a decoded value, which often are encoded structures themselves. */
function bytesWithin(value: unknown): Bytes[] {
  if (value instanceof Uint8Array) return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(bytesWithin);
}

before(async () => {
  const { fromHost, fromMembers, members } = await livelyRoom();
  corpus = [...fromHost, ...fromMembers];
  const bodies = corpus.map((frame) => frameBody(frame));
  for (const body of bodies) collect(body);
  for (const known of [...samples]) {
    const [name, found] = known;
    for (const bytes of found)
      for (const inner of bytesWithin(codecs.get(name)?.decode(bytes))) collect(inner);
  }
  // What only ever travels inside a box or a ciphertext.
  for (const { welcome } of members) if (welcome !== null) collect(admission.Welcome.encode(welcome));
  collect(content.SealedContent.encode({ salt: new Uint8Array(16), ...content.said('text', 'hello') }));
});

test(
  'P43 every decoder survives: only a ProtocolError, and what it takes it would write the same',
  FUZZ_TIMEOUT,
  () => {
    const random = seededRandom(43);
    const names = [...codecs.keys()];
    withinBounds(() => {
      for (let turn = 0; turn < FUZZED_FRAMES; turn += 1) {
        const name = names[turn % names.length] ?? assert.fail();
        const codec = codecs.get(name) ?? assert.fail();
        const known = samples.get(name) ?? [];
        const other = frameBody(corpus[random(corpus.length)] ?? assert.fail());
        const start = known[random(known.length)] ?? other;
        const bytes = mutated(start, random, other);
        let value: unknown;
        try {
          value = codec.decode(bytes);
        } catch (error) {
          assert.ok(error instanceof ProtocolError, `${name}: ${error} for ${toHex(bytes)}`);
          continue;
        }
        assert.equal(toHex(codec.encode(value)), toHex(bytes), name);
      }
    });
    assert.ok(samples.size > codecs.size / 2, `${samples.size} of ${codecs.size} have a real start`);
  },
);

test(
  'P43 the frame reader survives any stream, however it is cut, and never holds more than one frame',
  FUZZ_TIMEOUT,
  () => {
    const random = seededRandom(44);
    const limitBytes = 8 * 1_024;
    withinBounds(() => {
      for (let turn = 0; turn < FUZZED_FRAMES / 10; turn += 1) {
        const reader = new FrameReader(limitBytes);
        const frames = Array.from({ length: 10 }, () => fuzzedFrame(corpus, random)).filter(
          ({ length }) => length <= limitBytes,
        );
        let stream = concatBytes(...frames);
        const damaged = random(2) === 0;
        if (damaged) stream = mutated(stream, random, frames[0] ?? stream);
        const got: Bytes[] = [];
        try {
          for (let offset = 0; offset < stream.length; ) {
            const end = offset + 1 + random(random(4) === 0 ? 20 : 4_000);
            reader.push(stream.subarray(offset, end), (frame) => got.push(frame.slice()));
            offset = end;
          }
        } catch (error) {
          assert.ok(damaged && error instanceof ProtocolError, String(error));
        }
        for (const frame of got) assert.ok(frame.length <= limitBytes + 4);
        if (!damaged) assert.deepEqual(concatBytes(...got), concatBytes(...frames));
      }
    });
  },
);
