/** How a room may be set: what each text and number may be, and how a room is where nobody set anything. */
import { utf8 } from './bytes.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { InputError } from './errors.ts';
import { LIMITS, type Limits } from './limits.ts';
import type { RoomSettings } from './signed-objects.ts';

export const PLAIN_ROOM: RoomSettings = {
  topic: '',
  motd: '',
  slowSeconds: 0,
  locked: false,
  approval: false,
  staySeconds: 0,
  edits: true,
  readReceipts: true,
};

/** What becomes of what is said: the part of the settings that is shown at the door. */
export type Policy = Pick<RoomSettings, 'staySeconds' | 'edits' | 'readReceipts'>;

export function policyOf({ staySeconds, edits, readReceipts }: Policy): Policy {
  return { staySeconds, edits, readReceipts };
}

/** How long a host holds a message: what it keeps by itself, and no longer than messages stay. */
export function heldMs(staySeconds: number, retentionMs: number): number {
  return staySeconds === 0 ? retentionMs : Math.min(retentionMs, staySeconds * 1_000);
}

type SettingLimits = Pick<
  Limits,
  'topicBytes' | 'motdBytes' | 'slowSecondsMost' | 'stayMsLeast' | 'stayMsMost'
>;

/** @returns what is wrong, `text-too-long` or `bad-setting`; `null` where each is within its limit */
export function settingsProblem(
  { topic = '', motd = '', slowSeconds = 0, staySeconds = 0 }: Partial<RoomSettings>,
  limits: SettingLimits = LIMITS,
): InputError | null {
  const { topicBytes, motdBytes, slowSecondsMost } = limits;
  if (utf8.encode(topic).length > topicBytes)
    return new InputError('text-too-long', `A topic is at most ${topicBytes} bytes of UTF-8.`);
  if (utf8.encode(motd).length > motdBytes)
    return new InputError('text-too-long', `A message of the day is at most ${motdBytes} bytes of UTF-8.`);
  if (!Number.isInteger(slowSeconds) || slowSeconds < 0 || slowSeconds > slowSecondsMost)
    return new InputError('bad-setting', `Slow mode is 0 to ${slowSecondsMost} seconds.`);
  return mayStay(staySeconds, limits) ? null : stayProblem(limits);
}

/**
 * How long messages stay as people write it, `off` for as long as members keep them.
 * @returns seconds
 * @throws InputError `bad-duration` or `bad-setting`
 */
export function parseStay(text: string): number {
  if (text.trim().toLowerCase() === 'off') return 0;
  const staySeconds = parseDuration(text, LIMITS.stayMsMost) / 1_000;
  if (!mayStay(staySeconds, LIMITS)) throw stayProblem(LIMITS);
  return staySeconds;
}

function mayStay(staySeconds: number, { stayMsLeast, stayMsMost }: SettingLimits): boolean {
  const stayMs = staySeconds * 1_000;
  return (
    staySeconds === 0 || (Number.isInteger(staySeconds) && stayMs >= stayMsLeast && stayMs <= stayMsMost)
  );
}

function stayProblem({ stayMsLeast, stayMsMost }: SettingLimits): InputError {
  const range = `${formatDuration(stayMsLeast)} to ${formatDuration(stayMsMost)}`;
  return new InputError('bad-setting', `Messages stay ${range}, or as long as members keep them.`);
}
