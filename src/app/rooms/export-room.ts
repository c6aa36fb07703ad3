/**
 * What a kept room's file holds, for people and programs to read: nothing that opens the door, and no ciphertext. A backup
 * is what restores.
 * @see docs/protocol.md#exported-rooms
 */
import { fromHex, toBase64url } from '../../protocol/bytes.ts';
import { ID_BYTES, idKey } from '../../protocol/identifiers.ts';
import { RosterOperation } from '../../protocol/signed-objects.ts';
import type { KeptInvitation } from '../../room/invitations.ts';
import type { KeptMember, KeptRoom } from '../../room/store.ts';
import { type RoomContents, type RoomSummary, readRoom } from '../../storage/room-look.ts';
import { escapeHidden } from '../../terminal/json-lines.ts';
import { systemMoment } from '../moment.ts';
import { checkAbsent, writePrivateFile } from '../private-file.ts';
import type { RoomFolder } from './room-folder.ts';

/** @returns what has been done @throws InputError `no-such-room` or `file`; StorageError */
export async function exportRoom(folder: RoomFolder, name: string, file: string): Promise<string> {
  const place = await folder.find(name);
  await checkAbsent(file);
  const report = roomReport(readRoom(place.file), systemMoment().nowMs);
  const lines = JSON.stringify(report, null, 2).split('\n').map(escapeHidden);
  await writePrivateFile(file, `${lines.join('\n')}\n`);
  return `What the room ${name} holds is in ${file}, without secrets and messages. To restore it some day, make a backup.`;
}

/** Times, ids and fingerprints as the line protocol writes them. */
function roomReport(room: RoomSummary & RoomContents, nowMs: number): object {
  const { kept, labels, log } = room;
  const { index, head, waitingBytes } = log;
  return {
    exportedAt: timeOf(nowMs),
    room: {
      id: toBase64url(room.id),
      name: room.roomName,
      question: room.question,
      ownerFingerprint: toBase64url(room.ownerFingerprint),
      openedAt: timeOf(room.openedAtMs),
      ...settingsOf(kept),
    },
    members: kept === null ? [] : membersOf(kept),
    invitations: (kept?.invitations ?? []).map((invitation) => ({
      id: toBase64url(invitation.id),
      label: labels.get(idKey(invitation.id)) ?? '',
      role: invitation.role,
      expiresAt: timeOf(invitation.expiresAtMs),
      uses: invitation.uses,
      usesLeft: invitation.usesLeft,
      triesLeft: invitation.triesLeft,
      state: stateOf(invitation, nowMs),
    })),
    bans: (kept?.bans ?? []).map(({ nick, untilMs, by }) => ({ nick, until: timeOf(untilMs), by })),
    log: { index, head: toBase64url(head), waiting: room.waiting, waitingBytes },
    files: (kept?.deposits ?? []).map(({ owner, bytes, cameAtMs, members }) => ({
      from: toBase64url(fromHex(owner)),
      bytes,
      since: timeOf(cameAtMs),
      waitsFor: members
        .filter(([, news]) => news === 'awaited')
        .map(([member]) => toBase64url(fromHex(member))),
    })),
  };
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}

function settingsOf(kept: KeptRoom | null): object {
  if (kept === null) return {};
  const { epoch, settings } = RosterOperation.decode(kept.roster.operation.bytes);
  return { epoch, era: kept.era, ...settings };
}

function membersOf({ roster, members, mutedUntilMs }: KeptRoom): readonly object[] {
  const known = new Map<string, KeptMember>(members.map((member) => [member.key, member]));
  const muteEnds = new Map(mutedUntilMs);
  return roster.entries.map(({ identity, nick, role, algorithm, muted }) => {
    const id = identity.subarray(0, ID_BYTES.member);
    const member = known.get(idKey(id));
    return {
      id: toBase64url(id),
      nick,
      role,
      fingerprint: toBase64url(identity),
      algorithm,
      muted,
      mutedUntil: timeOf(muteEnds.get(idKey(id)) ?? null),
      // Who wants nobody to be told is not told of.
      lastSeen: member?.prefers.lastSeen === true ? timeOf(member.offlineSinceMs) : null,
      registered: (member?.account ?? null) !== null,
      acknowledged: member?.acknowledged ?? 0,
      keysWaiting: member?.wraps.length ?? 0,
    };
  });
}

/** As `/invite list` says it. */
function stateOf(invitation: KeptInvitation, nowMs: number): string {
  if (invitation.revoked) return 'revoked';
  if (nowMs >= invitation.expiresAtMs) return 'expired';
  if (invitation.usesLeft === 0) return 'used-up';
  return invitation.suspended ? 'suspended' : 'open';
}
