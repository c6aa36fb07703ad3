/**
 * The room code: six digits that the host's screen shows, new every 30 seconds. The only file that knows `otpauth`.
 */
import { Secret, TOTP } from 'otpauth';
import type { Bytes } from '../protocol/bytes.ts';

type CodeVerdict = 'right' | 'wrong' | 'old';

export interface RoomCode {
  /** @returns six digits, and when the screen changes (it is still accepted for one step more). */
  codeAt(nowMs: number): { readonly value: string; readonly expiresAtMs: number };
  /** @returns `old` for a code that was right within the last five minutes, so that the refusal can say so. */
  judge(code: string, nowMs: number): CodeVerdict;
}

const STEP_MS = 30_000;
const SECRET_BYTES = 20;
/** One step either way of the host's clock. */
const WINDOW_STEPS = 1;
/** Steps 2 to 10 back, as otpauth counts: a centre and as many steps on either side of it. */
const OLD_CENTRE_STEPS = 6;
const OLD_WINDOW_STEPS = 4;

/** The step that a time falls in: the host makes a new secret when this runs backwards. */
export function stepOf(nowMs: number): number {
  return Math.floor(nowMs / STEP_MS);
}

/**
 * @param secret 20 random bytes, new at each start and never stored.
 * @throws RangeError when the secret has another length.
 * @see docs/protocol.md#admission
 */
export function newRoomCode(secret: Bytes): RoomCode {
  if (secret.length !== SECRET_BYTES) throw new RangeError(`a code secret is ${SECRET_BYTES} bytes`);
  const totp = new TOTP({
    secret: new Secret({ buffer: Uint8Array.from(secret).buffer }),
    algorithm: 'SHA1',
    digits: 6,
    period: STEP_MS / 1_000,
  });
  // `validate` answers with the distance in steps, which is 0 for the present code.
  const matches = (token: string, timestamp: number, window: number) =>
    totp.validate({ token, timestamp, window }) !== null;
  return {
    codeAt(nowMs) {
      return { value: totp.generate({ timestamp: nowMs }), expiresAtMs: (stepOf(nowMs) + 1) * STEP_MS };
    },
    judge(code, nowMs) {
      if (!/^[0-9]{6}$/.test(code)) return 'wrong';
      if (matches(code, nowMs, WINDOW_STEPS)) return 'right';
      return matches(code, nowMs - OLD_CENTRE_STEPS * STEP_MS, OLD_WINDOW_STEPS) ? 'old' : 'wrong';
    },
  };
}
