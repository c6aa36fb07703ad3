/** The last line of a room: the host's own words for why it closed the connection, and what can be done now. */
import type { CloseReason } from '../../protocol/reasons.ts';

const NEXT: Readonly<Record<CloseReason, string>> = {
  bye: 'To come back, join again with an invitation.',
  protocol:
    'Use the same version of securechat on both sides. If you do, tell the host: one of the two is at fault.',
  removed: 'If that was a mistake, ask the host another way; to come back takes their yes and an invitation.',
  replaced: 'Go on there. If that is not you, ask the host another way to remove that member.',
  'host-closing': 'If there is to be another, ask the host for its invitation.',
  silent: 'Nothing needs to be done: this program tries again by itself.',
  paused:
    'Nothing needs to be done: the room is kept, your place stays, and this program tries again by itself.',
  'slow-reader': 'Nothing needs to be done: this program tries again by itself.',
};

/** @param code as the event has it: of a reason that is not known, nothing is said but the words */
export function closedText({ code, reason }: { readonly code: string; readonly reason: string }): string {
  const next = Object.entries(NEXT).find(([name]) => name === code)?.[1];
  if (next === undefined) return `Closed: ${reason}`;
  return `Closed: ${reason}${/[.!?]$/u.test(reason) ? '' : '.'} ${next}`;
}
