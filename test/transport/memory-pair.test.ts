import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { concatBytes } from '../../src/protocol/bytes.ts';
import { ProtocolError } from '../../src/protocol/errors.ts';
import { encodeFrame, frameType } from '../../src/protocol/framing.ts';
import { LIMITS } from '../../src/protocol/limits.ts';
import { memoryPair } from '../../src/transport/memory-pair.ts';
import { closeOf, recorder } from './recorder.ts';

const small = (type: number) => encodeFrame(type, new Uint8Array(10));

describe('a pair in memory', () => {
  test('shares one random channel binding, and no two pairs the same', () => {
    const [left, right] = memoryPair();
    const [other] = memoryPair();
    assert.deepEqual(left.channelBinding, right.channelBinding);
    assert.equal(left.channelBinding.length, 32);
    assert.notDeepEqual(left.channelBinding, other.channelBinding);
    assert.equal(left.remoteAddress, 'in-process');
  });

  test('delivers in order, later, frame by frame, what came before start included', async () => {
    const [left, right] = memoryPair();
    left.send(small(1));
    left.send(concatBytes(small(2), small(3)));
    const seen = recorder();
    right.start(seen.handlers);
    left.start(recorder().handlers);
    left.send(small(4));
    assert.deepEqual(seen.types, [], 'not within the call');
    assert.ok(left.queuedBytes > 0);
    left.close(small(5));
    left.send(small(6));
    assert.deepEqual(await seen.closed, { kind: 'ended' });
    assert.deepEqual(seen.types, [1, 2, 3, 4, 5]);
    assert.equal(left.queuedBytes, 0);
  });

  test('tells each end once, and in its own terms, that it is over', async () => {
    const [left, right] = memoryPair();
    const [atLeft, atRight] = [recorder(), recorder()];
    left.start(atLeft.handlers);
    right.start(atRight.handlers);
    left.destroy();
    left.close();
    assert.ok(left.closed);
    assert.deepEqual(await atLeft.closed, { kind: 'local' });
    assert.deepEqual(await atRight.closed, { kind: 'ended' });
    assert.ok(right.closed);
  });

  test('a frame past the limit, or one that its handler refuses, ends it as a protocol error', async () => {
    const [left, right] = memoryPair();
    const seen = recorder();
    right.start(seen.handlers);
    left.send(encodeFrame(1, new Uint8Array(LIMITS.frameBytesBeforeAdmission)));
    const reason = await seen.closed;
    assert.equal(reason.kind === 'protocol' && reason.code, 'frame-too-large');

    const [from, to] = memoryPair();
    const closed = closeOf(to, () => {
      throw new ProtocolError('unexpected-frame', 'not now');
    });
    from.send(concatBytes(small(1), small(2)));
    assert.deepEqual(await closed, { kind: 'protocol', code: 'unexpected-frame', message: 'not now' });
  });

  test('a raised limit lets large frames through', async () => {
    const [left, right] = memoryPair();
    right.setFrameLimit(LIMITS.frameBytesAfterAdmission);
    const types: number[] = [];
    const closed = closeOf(right, (frame) => types.push(frameType(frame)));
    left.close(encodeFrame(9, new Uint8Array(LIMITS.pageBytes)));
    await closed;
    assert.deepEqual(types, [9]);
  });

  test('says when the other end has taken what was sent at once', async () => {
    const [left, right] = memoryPair();
    right.setFrameLimit(LIMITS.frameBytesAfterAdmission);
    right.start(recorder().handlers);
    left.start(recorder().handlers);
    const page = encodeFrame(1, new Uint8Array(LIMITS.pageBytes));
    const taken = new Promise<void>((resolve) => left.sendAll([page, page], resolve));
    assert.ok(left.queuedBytes >= 2 * LIMITS.pageBytes);
    await taken;
    assert.equal(left.queuedBytes, 0);
  });

  test('a reader that never starts costs no more than the queue limit', async () => {
    const [left, right] = memoryPair();
    const seen = recorder();
    left.start(seen.handlers);
    const page = encodeFrame(1, new Uint8Array(LIMITS.pageBytes));
    for (let count = 0; count < 100; count += 1) left.send(page);
    assert.deepEqual(await seen.closed, { kind: 'overflow' });
    assert.ok(left.queuedBytes <= LIMITS.outboundBytesPerMember);
    assert.equal(right.closed, false, 'it learns of it once it reads');
  });
});
