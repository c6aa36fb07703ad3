import assert from 'node:assert/strict';
import { createHash, createHmac, hkdfSync, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  chainCommitment,
  type MessageKey,
  ReceivingChain,
  SendingChain,
} from '../../src/crypto/sender-chain.ts';
import { type Bytes, toHex } from '../../src/protocol/bytes.ts';
import { LIMITS } from '../../src/protocol/limits.ts';

const chainKey = new Uint8Array(randomBytes(32));

function receiving(n = 0, key: Bytes = chainKey): ReceivingChain {
  return new ReceivingChain({ n, chainKey: key, commitment: chainCommitment(key) });
}

function sent(count: number): readonly MessageKey[] {
  const chain = SendingChain.start(chainKey);
  return Array.from({ length: count }, () => chain.next());
}

test('a step is what the specification says, computed here without our wrappers', () => {
  const hmac = (key: Uint8Array, byte: number) => createHmac('sha256', key).update(Buffer.of(byte)).digest();
  const expected = (ck: Uint8Array) => {
    const okm = Buffer.from(hkdfSync('sha256', hmac(ck, 1), '', 'sc1/msg', 44));
    const commitment = createHash('sha256').update('sc1/ck').update(ck).digest();
    return [commitment, okm.subarray(0, 32), okm.subarray(32)].map((bytes) => bytes.toString('hex'));
  };
  const [first, second] = sent(2);
  assert.ok(first !== undefined && second !== undefined);
  const hex = (step: MessageKey) => [step.commitment, step.key, step.nonce].map(toHex);
  assert.deepEqual(hex(first), expected(chainKey));
  assert.deepEqual(hex(second), expected(hmac(chainKey, 2)));
  assert.deepEqual([first.n, second.n], [0, 1]);
});

test('both ends derive the same keys, with any gaps', () => {
  const all = sent(600);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: LIMITS.ratchetJump }), { maxLength: 8 }), (gaps) => {
      const chain = receiving();
      let n = -1;
      for (const gap of gaps) {
        n += gap;
        if (n >= all.length) return;
        assert.deepEqual(chain.peek(n), all[n]);
        chain.commit(n);
        assert.equal(chain.n, n + 1);
      }
    }),
  );
});

test('someone who joins at n opens from n on', () => {
  const chain = SendingChain.start(chainKey, 7);
  chain.next();
  const { n, chainKey: current, commitment } = chain.current();
  assert.equal(n, 8);
  const late = new ReceivingChain({ n, chainKey: current, commitment });
  assert.deepEqual(late.peek(8), chain.next());
  assert.equal(late.peek(7), null);
});

test('P28: no key and nonce come twice', () => {
  const seen = new Set(sent(1_000).map((step) => toHex(step.key) + toHex(step.nonce)));
  assert.equal(seen.size, 1_000);
});

test('a peek moves nothing, so a forged message cannot cost a real one', () => {
  const chain = receiving();
  chain.peek(LIMITS.ratchetJump);
  assert.equal(chain.n, 0);
  assert.deepEqual(chain.peek(0), sent(1)[0]);
});

test('the past is gone: neither a used nor a skipped number comes back', () => {
  const chain = receiving();
  chain.commit(5);
  for (let n = 0; n <= 5; n += 1) {
    assert.equal(chain.peek(n), null);
    assert.throws(() => chain.commit(n), RangeError);
  }
});

test('a jump goes as far as its limit and no further; nonsense is no number', () => {
  const chain = receiving();
  assert.ok(chain.peek(LIMITS.ratchetJump) !== null);
  for (const n of [LIMITS.ratchetJump + 1, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 32]) {
    assert.equal(chain.peek(n), null);
    assert.throws(() => chain.commit(n), RangeError);
  }
});

test('P24: a key that its sender did not commit to is refused', () => {
  const other = new Uint8Array(randomBytes(32));
  assert.throws(() => new ReceivingChain({ n: 0, chainKey: other, commitment: chainCommitment(chainKey) }), {
    name: 'SecurityError',
    code: 'chain-commitment',
  });
  assert.throws(() => receiving(0, new Uint8Array(31)), RangeError);
});

test('an erased chain opens nothing', () => {
  const chain = receiving();
  chain.erase();
  assert.equal(chain.peek(0), null);
  assert.throws(() => chain.commit(0), RangeError);
});

test('chains keep copies: neither side can spoil the other', () => {
  const mine = new Uint8Array(chainKey);
  const sending = SendingChain.start(mine);
  const opening = receiving(0, mine);
  sending.current().chainKey.fill(0);
  mine.fill(0);
  assert.deepEqual(sending.next(), sent(1)[0]);
  assert.deepEqual(opening.peek(0), sent(1)[0]);
});
