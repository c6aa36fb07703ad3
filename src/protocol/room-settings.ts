/** How a room may be set: what each text and number may be at most. */
import { utf8 } from './bytes.ts';
import { InputError } from './errors.ts';
import { LIMITS, type Limits } from './limits.ts';
import type { RoomSettings } from './signed-objects.ts';

/** @returns what is wrong, `text-too-long` or `bad-setting`; `null` where each is within its limit */
export function settingsProblem(
  { topic = '', motd = '', slowSeconds = 0 }: Partial<RoomSettings>,
  limits: Pick<Limits, 'topicBytes' | 'motdBytes' | 'slowSecondsMost'> = LIMITS,
): InputError | null {
  const { topicBytes, motdBytes, slowSecondsMost } = limits;
  if (utf8.encode(topic).length > topicBytes)
    return new InputError('text-too-long', `A topic is at most ${topicBytes} bytes of UTF-8.`);
  if (utf8.encode(motd).length > motdBytes)
    return new InputError('text-too-long', `A message of the day is at most ${motdBytes} bytes of UTF-8.`);
  if (!Number.isInteger(slowSeconds) || slowSeconds < 0 || slowSeconds > slowSecondsMost)
    return new InputError('bad-setting', `Slow mode is 0 to ${slowSecondsMost} seconds.`);
  return null;
}
