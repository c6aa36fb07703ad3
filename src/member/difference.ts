/** What changed while a member was too far behind to be told entry by entry: shown all the same. */
import { type Roster, type RosterChange, sameSettings } from '../crypto/roster.ts';
import { bytesEqual } from '../protocol/bytes.ts';

/**
 * @returns `null` when nothing did. Who asked for it is gone with the entries: all of it is shown as the owner's. So is
 *   how somebody went: by themselves or removed.
 */
export function difference(before: Roster, now: Roster): RosterChange | null {
  const by = null;
  const added = now.members.filter(({ key }) => before.member(key) === undefined);
  const removed = before.members
    .filter(({ key }) => now.member(key) === undefined)
    .map((member) => ({ member, reason: 'unseen' as const, by }));
  const changed = now.members.flatMap((after) => {
    const was = before.member(after.key);
    return was === undefined || bytesEqual(was.encoded, after.encoded) ? [] : [{ before: was, after, by }];
  });
  const settings = sameSettings(before.settings, now.settings)
    ? null
    : { before: before.settings, after: now.settings, by };
  const isSame = added.length + removed.length + changed.length === 0 && settings === null;
  return isSame ? null : { epoch: now.epoch, atMs: 0, added, changed, removed, settings };
}
