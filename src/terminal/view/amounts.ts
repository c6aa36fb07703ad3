/** Sizes, times and shares as people read them: one way everywhere. */

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB'] as const;
const DIGITS = 3;
const SECOND_MS = 1_000;

/** @returns e.g. `1 byte`, `512 bytes`, `2.4 MiB`: three digits that count, and no zeros behind them */
export function sizeText(bytes: number): string {
  if (bytes === 1) return '1 byte';
  let amount = bytes;
  let unit = 0;
  // What would be rounded to 1024 of a unit is one of the next.
  while (unit < UNITS.length - 1 && Math.round(amount) >= 1_024) {
    amount /= 1_024;
    unit += 1;
  }
  const shown = amount >= 1_000 ? Math.round(amount) : Number(amount.toPrecision(DIGITS));
  return `${shown} ${UNITS[unit]}`;
}

/** @returns e.g. `1.2 MiB/s` */
export function rateText(bytesPerSecond: number): string {
  return `${sizeText(Math.round(bytesPerSecond))}/s`;
}

/** @returns e.g. `0:31`, `12:05`, `1:02:03`; what has begun of a second counts as one */
export function timeText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / SECOND_MS));
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  const two = (number: number): string => String(number).padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** How much of it is there, in whole hundredths: a hundred only when that is all. */
export function percentOf(doneBytes: number, bytes: number): number {
  if (doneBytes >= bytes) return 100;
  return Math.max(0, Math.min(99, Math.floor((doneBytes / bytes) * 100)));
}
