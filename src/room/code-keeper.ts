/**
 * Keeps the room code's secret in step with the host's clock. A clock that goes back would make old codes good again,
 * so then a new secret is made.
 * @see docs/protocol.md#admission
 */
import { newRoomCode, type RoomCode, stepOf } from '../crypto/room-code.ts';
import type { Moment } from '../protocol/moment.ts';

const SECRET_BYTES = 20;

export interface ShownCode {
  readonly value: string;
  readonly expiresAtMs: number;
}

export class CodeKeeper {
  #code: RoomCode;
  #highestStep: number;
  #shown: ShownCode;

  constructor(moment: Moment) {
    this.#code = newRoomCode(moment.randomBytes(SECRET_BYTES));
    this.#highestStep = stepOf(moment.nowMs);
    this.#shown = this.#code.codeAt(moment.nowMs);
  }

  get shown(): ShownCode {
    return this.#shown;
  }

  judge(code: string, moment: Moment): 'right' | 'wrong' | 'old' {
    this.#keepUp(moment);
    return this.#code.judge(code, moment.nowMs);
  }

  /** @returns whether the code to show has changed. */
  update(moment: Moment): boolean {
    this.#keepUp(moment);
    const now = this.#code.codeAt(moment.nowMs);
    const changed = now.value !== this.#shown.value || now.expiresAtMs !== this.#shown.expiresAtMs;
    this.#shown = now;
    return changed;
  }

  #keepUp(moment: Moment): void {
    const step = stepOf(moment.nowMs);
    if (step < this.#highestStep - 1) {
      this.#code = newRoomCode(moment.randomBytes(SECRET_BYTES));
      this.#highestStep = step;
    }
    this.#highestStep = Math.max(this.#highestStep, step);
  }
}
