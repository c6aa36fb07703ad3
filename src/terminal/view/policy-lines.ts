/** What a room's policy means, in words: the same at the door, in the room and where it changes. */
import { formatDuration } from '../../protocol/duration.ts';
import type { Policy } from '../../protocol/room-settings.ts';

/** e.g. `7d` */
export function stayText(staySeconds: number): string {
  return formatDuration(staySeconds * 1_000);
}

/** Each part as a sentence, whether it is usual or not. */
export function policyLines({ staySeconds, edits, readReceipts }: Policy): readonly string[] {
  return [
    staySeconds > 0
      ? `Messages disappear after ${stayText(staySeconds)}.`
      : 'Messages stay as long as members keep them.',
    edits
      ? 'What was said may be changed or taken back later.'
      : 'Nothing that was said may be changed or taken back.',
    readReceipts ? 'Senders may be told what has been read.' : 'Nobody is told what has been read.',
  ];
}

/** What there is to say where a policy is stricter than usual, to stand in a list of rules. */
export function policyRules({ staySeconds, edits, readReceipts }: Policy): readonly string[] {
  return [
    ...(staySeconds > 0 ? [`messages disappear after ${stayText(staySeconds)}`] : []),
    ...(edits ? [] : ['nothing said is changed or taken back']),
    ...(readReceipts ? [] : ['nobody is told what was read']),
  ];
}
