import assert from 'node:assert/strict';
import { createCipheriv } from 'node:crypto';
import { test } from 'node:test';
import { freeNow } from '../../src/protocol/bytes.ts';

test('what lies alone in its memory is gone once it is let go', () => {
  const sealed = createCipheriv('aes-256-gcm', new Uint8Array(32), new Uint8Array(12)).update(
    new Uint8Array(16_384),
  );
  freeNow(sealed);
  assert.equal(sealed.length, 0);
});

test('what shares its memory stays', () => {
  const whole = new Uint8Array(10).fill(1);
  freeNow(whole.subarray(0, 9));
  freeNow(whole.subarray(1));
  assert.deepEqual(whole, new Uint8Array(10).fill(1));
  const shared = new Uint8Array(new SharedArrayBuffer(10));
  freeNow(shared);
  assert.equal(shared.length, 10);
});
