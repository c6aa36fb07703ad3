/** Durations as people write and read them: `90s`, `15m`, `1d12h`. */
import { InputError } from './errors.ts';

const SECOND_MS = 1_000;
const UNITS = [
  ['d', 24 * 60 * 60 * SECOND_MS],
  ['h', 60 * 60 * SECOND_MS],
  ['m', 60 * SECOND_MS],
  ['s', SECOND_MS],
] as const;
const DURATION = /^(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?$/;

/**
 * @param text days, hours, minutes and seconds in that order, each optional
 * @param mostMs the longest duration accepted
 * @returns milliseconds, at least 1,000
 * @throws InputError `bad-duration`
 */
export function parseDuration(text: string, mostMs: number): number {
  const parts = DURATION.exec(text.trim().toLowerCase());
  const durationMs = UNITS.reduce(
    (sum, [, unitMs], index) => sum + unitMs * Number(parts?.[index + 1] ?? 0),
    0,
  );
  if (durationMs === 0) {
    throw new InputError('bad-duration', 'Write a duration such as 90s, 15m, 24h or 7d.');
  }
  if (durationMs > mostMs) {
    throw new InputError('bad-duration', `Write a shorter duration: at most ${formatDuration(mostMs)}.`);
  }
  return durationMs;
}

/** What is left of hours or days, where the seconds would only distract: from a minute on in whole minutes. */
export function formatTimeLeft(leftMs: number): string {
  const minuteMs = 60 * SECOND_MS;
  return formatDuration(leftMs < minuteMs ? leftMs : Math.round(leftMs / minuteMs) * minuteMs);
}

/** @returns the two largest units that it has, rounded up to whole seconds: `1d12h`, `15m`, `1s` */
export function formatDuration(durationMs: number): string {
  let restMs = Math.max(SECOND_MS, Math.ceil(durationMs / SECOND_MS) * SECOND_MS);
  const parts: string[] = [];
  for (const [letter, unitMs] of UNITS) {
    const count = Math.floor(restMs / unitMs);
    restMs -= count * unitMs;
    if (count > 0) parts.push(`${count}${letter}`);
  }
  return parts.slice(0, 2).join('');
}
