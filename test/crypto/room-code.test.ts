import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { newRoomCode, stepOf } from '../../src/crypto/room-code.ts';
import { toHex, utf8 } from '../../src/protocol/bytes.ts';
import { vectors } from '../helpers/vectors.ts';

const STEP_MS = 30_000;
const NOW_MS = 1_790_000_000_000;
const TIMES = fc.integer({ min: 20 * STEP_MS, max: 4_000_000_000_000 });

test('RFC 6238: SHA-1, the last six of its eight digits', () => {
  const suite = vectors('rfc/rfc6238.json') as {
    tests: { time: number; algorithm: string; secretAscii: string; totp: string }[];
  } | null;
  for (const { time, secretAscii, totp } of suite?.tests.filter(({ algorithm }) => algorithm === 'SHA1') ??
    []) {
    const room = newRoomCode(utf8.encode(secretAscii));
    assert.equal(room.codeAt(time * 1_000).value, totp.slice(-6));
    assert.equal(room.judge(totp.slice(-6), time * 1_000), 'right');
  }
});

test('RFC 4226: the counter is the step', () => {
  const suite = vectors('rfc/rfc4226.json') as { secretAscii: string; hotp: string[] } | null;
  for (const [counter, value] of suite?.hotp.entries() ?? []) {
    const room = newRoomCode(utf8.encode(suite?.secretAscii ?? ''));
    assert.deepEqual(room.codeAt(counter * STEP_MS + 17), { value, expiresAtMs: (counter + 1) * STEP_MS });
  }
});

test('oathtool shows the same code', () => {
  if (spawnSync('oathtool', ['--version']).error) {
    assert.notEqual(process.env['CI'], 'true', 'oathtool is missing');
    console.log('left out: oathtool is not installed');
    return;
  }
  for (let i = 0; i < 8; i += 1) {
    const secret = randomBytes(20);
    const nowMs = NOW_MS + i * 12_345_678;
    const args = ['--totp', `--now=@${Math.floor(nowMs / 1_000)}`, toHex(secret)];
    assert.equal(newRoomCode(secret).codeAt(nowMs).value, execFileSync('oathtool', args).toString().trim());
  }
});

test('P12: a code is right for one step either way, then old for eight steps, then wrong', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), TIMES, (secret, nowMs) => {
      const room = newRoomCode(secret);
      const valueAt = (stepsBack: number) => room.codeAt(nowMs - stepsBack * STEP_MS).value;
      const accepted = [-1, 0, 1].map(valueAt);
      const lately = [2, 3, 4, 5, 6, 7, 8, 9, 10].map(valueAt);
      // Six digits repeat now and then: what else a code could be is asked of the codes themselves.
      const expected = (code: string) => {
        if (accepted.includes(code)) return 'right';
        return lately.includes(code) ? 'old' : 'wrong';
      };
      for (let stepsBack = -12; stepsBack <= 13; stepsBack += 1) {
        const code = valueAt(stepsBack);
        assert.equal(room.judge(code, nowMs), expected(code), `${stepsBack} steps back`);
      }
    }),
    { numRuns: 30 },
  );
});

test('anything but six digits is wrong', () => {
  const room = newRoomCode(randomBytes(20));
  const { value } = room.codeAt(NOW_MS);
  for (const code of [
    '',
    value.slice(1),
    `${value}0`,
    ` ${value.slice(1)}`,
    `${value}\n`,
    '١٢٣٤٥٦',
    'abcdef',
  ]) {
    assert.equal(room.judge(code, NOW_MS), 'wrong');
  }
});

test('the code changes exactly when it says', () => {
  const room = newRoomCode(utf8.encode('12345678901234567890'));
  const { value, expiresAtMs } = room.codeAt(NOW_MS);
  assert.equal(room.codeAt(expiresAtMs - 1).value, value);
  assert.notEqual(room.codeAt(expiresAtMs).value, value);
  assert.equal(stepOf(expiresAtMs), stepOf(NOW_MS) + 1);
});

test('the secret is copied, and has one length', () => {
  const secret = randomBytes(20);
  const room = newRoomCode(secret);
  const before = room.codeAt(NOW_MS);
  secret.fill(0);
  assert.deepEqual(room.codeAt(NOW_MS), before);
  assert.throws(() => newRoomCode(randomBytes(19)), RangeError);
});
