/** What a list change says in the log: nicknames and what was done to them, never keys, texts or reasons. */
import { differences, type RosterChange, type RosterMember } from '../../crypto/roster-change.ts';

const ROLE_NAMES = { owner: 'host', moderator: 'moderator', member: 'member' } as const;

/** @returns null where nothing changed that anyone can see: a key that was renewed */
export function rosterText({ epoch, added, changed, removed, settings }: RosterChange): string | null {
  const parts = [
    ...added.map(({ nick }) => `+${nick}`),
    ...removed.map(({ member, reason, by }) => `-${member.nick} (${reason}${byText(by)})`),
    ...changed.flatMap(({ before, after, by }) =>
      whatChanged(before, after).map((what) => `${after.nick} ${what}${byText(by)}`),
    ),
    ...(settings === null
      ? []
      : differences(settings.before, settings.after).map((name) => `${name} set${byText(settings.by)}`)),
  ];
  return parts.length === 0 ? null : `member list ${epoch}: ${parts.join(', ')}`;
}

function byText(by: RosterMember | null): string {
  return by === null ? '' : ` by ${by.nick}`;
}

function whatChanged(before: RosterMember, after: RosterMember): readonly string[] {
  return differences(before, after).map((name) => {
    if (name === 'nick') return `was ${before.nick}`;
    if (name === 'role') return `is ${ROLE_NAMES[after.role]}`;
    return after.muted ? 'muted' : 'unmuted';
  });
}
