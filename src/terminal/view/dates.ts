/** Times and days as people read them, in the time zone of the machine or the one given. */
import type { Preferences } from './preferences.ts';

type Zone = string | undefined;

const FORMATS = {
  minutes: { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' },
  seconds: { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
  date: { day: 'numeric', month: 'short' },
  day: { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>;

/** Making one costs a hundred times what using it does. */
const made = new Map<string, Intl.DateTimeFormat>();

function format(name: keyof typeof FORMATS, zone: Zone): Intl.DateTimeFormat {
  const key = `${name} ${zone ?? ''}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  const fresh = new Intl.DateTimeFormat('en-GB', { ...FORMATS[name], timeZone: zone });
  made.set(key, fresh);
  return fresh;
}

/** @returns e.g. `14:02`, `14:02:07`, or nothing; dashes for a time that is none. */
export function clock(timeMs: number, style: Preferences['timestamps'], zone: Zone): string {
  if (style === 'off') return '';
  if (Number.isNaN(timeMs)) return style === 'minutes' ? '--:--' : '--:--:--';
  return format(style, zone).format(timeMs);
}

/** @returns e.g. `21 Nov` */
export function shortDate(timeMs: number, zone: Zone): string {
  return Number.isNaN(timeMs) ? '--' : format('date', zone).format(timeMs);
}

/** @returns e.g. `Saturday 21 November 2026`: the same for all times of a day; null for a time that is none. */
export function dayOf(timeMs: number, zone: Zone): string | null {
  return Number.isNaN(timeMs) ? null : format('day', zone).format(timeMs).replace(',', '');
}

const DAY_MS = 24 * 3_600_000;

/** When someone was last here: `14:02` within the last day, then `2 d ago`. */
export function lastSeenText(timeMs: number, nowMs: number, zone?: string): string {
  const days = Math.floor((nowMs - timeMs) / DAY_MS);
  return days < 1 ? clock(timeMs, 'minutes', zone) : `${days} d ago`;
}
