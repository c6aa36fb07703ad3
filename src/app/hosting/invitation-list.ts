/** Invitations as their host reads them: what they are called, what state they are in, how long they last. */
import { formatTimeLeft } from '../../protocol/duration.ts';
import type { InvitationView } from '../../room/invitations.ts';

export interface NamedInvitation {
  /** As commands take it: 1, 2, 3. */
  readonly name: string;
  /** The host's own note on whom it is for; empty where there is none. */
  readonly label: string;
}

export type InvitationState = Pick<
  InvitationView,
  'usesLeft' | 'uses' | 'triesLeft' | 'revoked' | 'suspended' | 'expiresAtMs'
>;

const DAY_MS = 24 * 60 * 60_000;

/** e.g. `invitation 2, for Ann` */
export function namedText({ name, label }: NamedInvitation): string {
  return label === '' ? `invitation ${name}` : `invitation ${name}, for ${label}`;
}

/** Why it opens nothing now, or `open`. */
export function stateOf(invitation: InvitationState, nowMs: number): string {
  if (invitation.revoked) return 'withdrawn';
  if (invitation.expiresAtMs <= nowMs) return 'expired';
  if (invitation.usesLeft === 0) return 'used up';
  return invitation.suspended ? 'suspended' : 'open';
}

/**
 * When it ends, by the host's own clock and calendar: `23h left, until 14:05`, with the date where that is not within a
 * day.
 *
 * @param timeZone IANA name; the machine's own when left out
 */
export function lastsText(expiresAtMs: number, nowMs: number, timeZone?: string): string {
  const leftMs = expiresAtMs - nowMs;
  const date = leftMs >= DAY_MS || leftMs <= -DAY_MS;
  const until = new Intl.DateTimeFormat('en-GB', {
    ...(date && { weekday: 'short', day: 'numeric', month: 'short' }),
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    timeZone,
  }).format(expiresAtMs);
  if (leftMs <= 0) return `since ${until}`;
  return `${formatTimeLeft(leftMs)} left, until ${until}`;
}

/** One line an invitation, in columns that a screen reader can read as a sentence. */
export function invitationLines(
  invitations: readonly (NamedInvitation & InvitationState & { readonly triesMost: number })[],
  nowMs: number,
  timeZone?: string,
): readonly string[] {
  const rows = invitations.map((invitation) => {
    const { name, label, usesLeft, uses, triesLeft, triesMost, expiresAtMs } = invitation;
    const state = stateOf(invitation, nowMs);
    const tries = state === 'open' && triesLeft < triesMost ? `, ${triesLeft} tries left` : '';
    const lasts = state === 'open' || state === 'suspended' || state === 'expired';
    return {
      cells: [
        name,
        state + tries,
        `${usesLeft} of ${uses} left`,
        lasts ? lastsText(expiresAtMs, nowMs, timeZone) : '',
      ],
      label: label === '' ? '' : `for ${label}`,
    };
  });
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(0, ...rows.map(({ cells }) => cells[column]?.length ?? 0)),
  );
  return rows.map(({ cells, label }) =>
    [...cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)), label].join('  ').trimEnd(),
  );
}
