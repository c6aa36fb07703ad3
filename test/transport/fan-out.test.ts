import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Bytes } from '../../src/protocol/bytes.ts';
import { encodeFrame, FrameReader, frameBody } from '../../src/protocol/framing.ts';
import { FanOut, type FanOutClock, type Subscriber } from '../../src/transport/fan-out.ts';

/** Time moves only when a test says so. */
class ManualClock implements FanOutClock {
  nowMs = 0;
  timer: { readonly delayMs: number; readonly fire: () => void } | null = null;

  now(): number {
    return this.nowMs;
  }

  setTimer(delayMs: number, fire: () => void): () => void {
    assert.equal(this.timer, null, 'one timer at a time');
    this.timer = { delayMs, fire };
    return () => {
      this.timer = null;
    };
  }

  /** Waits for the timer that is set. @returns how long that took */
  runTimer(): number {
    assert.ok(this.timer !== null, 'a timer is set');
    const { delayMs, fire } = this.timer;
    this.timer = null;
    this.nowMs += delayMs;
    fire();
    return delayMs;
  }
}

class Recorder implements Subscriber {
  readonly batches: Bytes[] = [];
  readonly numbers: number[] = [];
  onBatch: () => void = () => {};

  sendBatch(batch: Bytes, frames: number): void {
    this.batches.push(batch);
    const before = this.numbers.length;
    new FrameReader(1_000_000).push(batch, (frame) => this.numbers.push(numberOf(frame)));
    assert.equal(this.numbers.length - before, frames, 'the count is that of the batch');
    this.onBatch();
  }
}

function numbered(number: number, padding = 0): Bytes {
  const body = new Uint8Array(4 + padding);
  new DataView(body.buffer).setUint32(0, number);
  return encodeFrame(1, body);
}

function numberOf(frame: Bytes): number {
  const body = frameBody(frame);
  return new DataView(body.buffer, body.byteOffset).getUint32(0);
}

function room(size: number): { clock: ManualClock; fanOut: FanOut; members: Recorder[] } {
  const clock = new ManualClock();
  const fanOut = new FanOut(clock);
  const members = Array.from({ length: size }, () => new Recorder());
  for (const member of members) fanOut.add(member);
  return { clock, fanOut, members };
}

describe('a flush', () => {
  test('gives every subscriber one write of one shared buffer', () => {
    const { clock, fanOut, members } = room(3);
    for (let number = 0; number < 5; number += 1) fanOut.push(numbered(number));
    assert.equal(clock.runTimer(), 0, 'sent at the end of the turn');
    for (const member of members) {
      assert.deepEqual(member.numbers, [0, 1, 2, 3, 4]);
      assert.equal(member.batches.length, 1);
      assert.equal(member.batches[0], members[0]?.batches[0]);
    }
  });

  test('copies a single frame for nobody', () => {
    const { clock, fanOut, members } = room(2);
    const frame = numbered(7);
    fanOut.push(frame);
    clock.runTimer();
    assert.equal(members[1]?.batches[0]?.buffer, frame.buffer);
  });

  test('with nothing pending does nothing', () => {
    const { clock, fanOut, members } = room(1);
    fanOut.flushNow();
    assert.deepEqual(members[0]?.batches, []);
    fanOut.push(numbered(1));
    fanOut.flushNow();
    assert.equal(clock.timer, null, 'its timer is cancelled');
    assert.deepEqual(members[0]?.numbers, [1]);
  });

  test('comes early when much is pending', () => {
    const { clock, fanOut, members } = room(1);
    for (let number = 0; number < 5; number += 1) fanOut.push(numbered(number, 60 * 1_024));
    assert.deepEqual(members[0]?.numbers, [0, 1, 2, 3, 4]);
    assert.equal(clock.timer, null);
  });

  test('takes frames pushed meanwhile into the next', () => {
    const { clock, fanOut, members } = room(2);
    const [first] = members;
    if (first !== undefined) {
      first.onBatch = () => {
        if (first.numbers.length === 1) fanOut.push(numbered(2));
      };
    }
    fanOut.push(numbered(1));
    clock.runTimer();
    for (const member of members) assert.deepEqual(member.numbers, [1]);
    clock.runTimer();
    for (const member of members) assert.deepEqual(member.numbers, [1, 2]);
  });

  test('is not asked for where nobody listens', () => {
    const { clock, fanOut } = room(0);
    fanOut.push(numbered(1));
    assert.equal(clock.timer, null);
  });
});

describe('the pace', () => {
  const FLUSH_MS = 10;

  /** A room whose flush takes `flushMs`. `flush` pushes so many frames at once and returns how long they waited. */
  function slowRoom(flushMs = FLUSH_MS): { clock: ManualClock; flush(frames: number): number } {
    const { clock, fanOut, members } = room(1);
    for (const member of members) {
      member.onBatch = () => {
        clock.nowMs += flushMs;
      };
    }
    return {
      clock,
      flush(frames) {
        for (let number = 0; number < frames; number += 1) fanOut.push(numbered(number));
        return clock.runTimer();
      },
    };
  }

  test('leaves the first few flushes after quiet undelayed', () => {
    const { clock, flush } = slowRoom();
    for (let count = 0; count < 5; count += 1) assert.equal(flush(1), 0);
    for (let count = 0; count < 50; count += 1) flush(4);
    clock.nowMs += 200;
    for (let count = 0; count < 5; count += 1) assert.equal(flush(1), 0);
  });

  test('in a busy room waits three times what the flush took, which leaves flushing a quarter of a core', () => {
    const { flush } = slowRoom();
    for (let count = 0; count < 10; count += 1) flush(4);
    for (let count = 0; count < 50; count += 1) assert.equal(flush(4), 3 * FLUSH_MS);
  });

  test('counts what has passed since the flush toward the wait', () => {
    const { clock, flush } = slowRoom();
    for (let count = 0; count < 10; count += 1) flush(8);
    clock.nowMs += 12;
    assert.equal(flush(8), 3 * FLUSH_MS - 12);
  });

  test('never delays a room that a flush for every frame leaves half a core', () => {
    const { clock, flush } = slowRoom();
    for (let count = 0; count < 200; count += 1) {
      assert.equal(flush(1), 0);
      clock.nowMs += 1.5 * FLUSH_MS;
    }
  });

  test('waits 50 ms at most, however long a flush took', () => {
    const { flush } = slowRoom(5_000);
    flush(1);
    assert.equal(flush(1), 50);
  });
});

describe('order', () => {
  test('a private frame lies between what was pushed before and after, in the same write', () => {
    const { clock, fanOut, members } = room(2);
    const [first, second] = members;
    assert.ok(first !== undefined && second !== undefined);
    fanOut.push(numbered(1));
    fanOut.sendPrivate(first, numbered(100));
    fanOut.sendPrivate(first, numbered(101));
    fanOut.push(numbered(2));
    fanOut.sendPrivate(first, numbered(102));
    clock.runTimer();
    assert.deepEqual(first.numbers, [1, 100, 101, 2, 102]);
    assert.equal(first.batches.length, 1);
    assert.deepEqual(second.numbers, [1, 2]);
  });

  test('a private frame alone is written to its one subscriber', () => {
    const { clock, fanOut, members } = room(2);
    const [first, second] = members;
    assert.ok(first !== undefined && second !== undefined);
    fanOut.sendPrivate(first, numbered(100));
    clock.runTimer();
    assert.deepEqual(first.numbers, [100]);
    assert.equal(second.batches.length, 0);
  });

  test('a private frame for someone not added goes at once', () => {
    const { fanOut } = room(1);
    const stranger = new Recorder();
    fanOut.sendPrivate(stranger, numbered(5));
    assert.deepEqual(stranger.numbers, [5]);
  });

  test('everyone gets exactly what was called while they were in, in the order of the calls', () => {
    const call = fc.oneof(
      fc.record({ kind: fc.constant('push' as const) }),
      fc.record({ kind: fc.constant('flush' as const) }),
      fc.record({ kind: fc.constantFrom('add', 'delete', 'private'), who: fc.nat(3) }),
    );
    fc.assert(
      fc.property(fc.array(call, { maxLength: 60 }), (calls) => {
        const { clock, fanOut, members } = room(0);
        const everyone = Array.from({ length: 4 }, () => new Recorder());
        const present = new Set<Recorder>();
        const expected = new Map<Recorder, number[]>(everyone.map((member) => [member, []]));
        calls.forEach((step, number) => {
          if (step.kind === 'push') {
            fanOut.push(numbered(number));
            for (const member of present) expected.get(member)?.push(number);
            return;
          }
          if (step.kind === 'flush') {
            if (clock.timer !== null) clock.runTimer();
            return;
          }
          const member = everyone[step.who];
          assert.ok(member !== undefined);
          if (step.kind === 'private') {
            fanOut.sendPrivate(member, numbered(number));
            expected.get(member)?.push(number);
          } else if (step.kind === 'add') {
            fanOut.add(member);
            present.add(member);
          } else {
            fanOut.delete(member);
            present.delete(member);
          }
        });
        fanOut.flushNow();
        assert.equal(members.length, 0);
        for (const member of everyone) assert.deepEqual(member.numbers, expected.get(member));
      }),
    );
  });
});
