/**
 * Numbers that only grow, over restarts as well, where nothing remembers the last one: chains and generations of an
 * identity that is kept in a file.
 */
const STEP_MS = 250;
/** 2026-01-01T00:00:00Z */
const SINCE_MS = 1_767_225_600_000;

/** @returns quarter seconds since 2026: no two runs get in within one, and 32 bits last until 2060 */
export function growingNumber(nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - SINCE_MS) / STEP_MS));
}
