/** What `/names`, `/whois`, `/room` and `/policy` say: facts in, sentences out. */
import type { RoomCheck } from '../crypto/room-check.ts';
import type { ShownMember } from '../member/events.ts';
import { formatDuration } from '../protocol/duration.ts';
import { formatFingerprint, shortCode } from '../protocol/fingerprint.ts';
import type { Hash } from '../protocol/identifiers.ts';
import type { Policy } from '../protocol/room-settings.ts';
import type { PresenceState } from '../protocol/session-frames.ts';
import type { RoomSettings } from '../protocol/signed-objects.ts';
import { lastSeenText } from '../terminal/view/dates.ts';
import { policyLines, policyRules } from '../terminal/view/policy-lines.ts';

const ROLE_NAMES = { owner: 'host', moderator: 'moderator', member: 'member' } as const;

const ORDER: readonly PresenceState[] = ['online', 'away', 'offline'];

/** e.g. `offline, last seen 14:02`; `null` of who is simply online */
function whereText({ presence, lastSeenMs }: ShownMember, nowMs: number): string | null {
  if (presence === 'online') return null;
  return lastSeenMs === null ? presence : `${presence}, last seen ${lastSeenText(lastSeenMs, nowMs)}`;
}

/** Who is here first, e.g. `ann (host), cee, dan (away), bob (moderator, offline, last seen 2 d ago)` */
export function namesText(members: readonly ShownMember[], nowMs: number): string {
  const grouped = ORDER.flatMap((state) => members.filter(({ presence }) => presence === state));
  const named = grouped.map((shown) => {
    const { member } = shown;
    const where = whereText(shown, nowMs);
    const marks = [
      ...(member.role === 'member' ? [] : [ROLE_NAMES[member.role]]),
      ...(member.muted ? ['muted'] : []),
      ...(shown.verified ? ['verified'] : []),
      ...(where === null ? [] : [where]),
    ];
    return marks.length === 0 ? member.nick : `${member.nick} (${marks.join(', ')})`;
  });
  return `${named.join(', ')}`;
}

interface WhoisFacts {
  /** Of the key that signs the member list, which is another than the host's own as a member. */
  readonly ownerFingerprint: Hash;
  /** Of the member's key; `null` while it has not come. */
  readonly keyBits: number | null;
  readonly nowMs: number;
}

export function whoisText(shown: ShownMember, { ownerFingerprint, keyBits, nowMs }: WhoisFacts): string {
  const { member } = shown;
  const size = keyBits === null ? 'size not known before they speak' : `${keyBits} bits`;
  const signs = `${member.algorithm === 'rsa' ? 'RSA-PSS' : 'DSA'} (${size})`;
  const muted = member.muted ? 'muted, ' : '';
  const state = whereText(shown, nowMs) ?? 'online';
  const owner =
    member.role === 'owner' ? `; the room's owner key is ${formatFingerprint(ownerFingerprint)}` : '';
  const verified = shown.verified ? ', which you verified' : '';
  return `${member.nick}: ${ROLE_NAMES[member.role]}, ${muted}${state}, signs with ${signs}, key ${formatFingerprint(member.identity)}${verified}${owner}`;
}

export interface RoomFacts {
  readonly name: string;
  readonly settings: RoomSettings;
  readonly epoch: number;
  readonly index: number;
  /** H(epoch ‖ index ‖ head): the same for everyone who has seen the same. */
  readonly digest: Hash;
}

/** Twelve digits over epoch and head are for two people to compare. */
export function roomLines({ name, settings, epoch, index, digest }: RoomFacts): readonly string[] {
  const digits = shortCode(digest).replace(/.{4}(?!$)/g, '$& ');
  const rules = [
    ...(settings.slowSeconds > 0
      ? [`slow mode, one message in ${formatDuration(settings.slowSeconds * 1_000)}`]
      : []),
    ...(settings.locked ? ['locked, nobody new is let in'] : []),
    ...(settings.approval ? ['the host lets people in by hand'] : []),
    ...policyRules(settings),
  ];
  return [
    `${name}: member list ${epoch}, log entry ${index}, digits to compare ${digits}`,
    ...(settings.topic === '' ? [] : [`Topic: ${settings.topic}`]),
    ...(rules.length === 0 ? [] : [`Rules: ${rules.join('; ')}.`]),
  ];
}

/** As read aloud, and as they stand on the screen. */
const CHECK_A_ROW = 4;

/** What all members compare at once, and what it means when all of them have the same. */
export function checkTexts({ words, digits }: RoomCheck): readonly string[] {
  return [
    'For all to compare at once, by voice: everyone who has the same list of the same owner has the same words, and digits.',
    rowsOf(words),
    rowsOf(digits),
    'If everyone on the list is there, says their own nickname and has the same, all keys are theirs. If not, say nothing here.',
  ];
}

function rowsOf(parts: readonly string[]): string {
  const rows = Array.from({ length: parts.length / CHECK_A_ROW }, (_, row) =>
    parts.slice(row * CHECK_A_ROW, (row + 1) * CHECK_A_ROW).join(' '),
  );
  return rows.join('\n');
}

/** What is signed, and what no program can do about what others have seen. */
export function policyText(settings: Policy): readonly string[] {
  const lines = policyLines(settings);
  if (settings.staySeconds === 0) return lines;
  return [
    ...lines,
    'The host and the programs of all members let go of them then. What a terminal has shown stays in its scrollback, and what somebody copied is theirs.',
  ];
}

/** @param members on the list in it */
export function proofWrittenText(file: string, members: number): string {
  const list = members === 1 ? '1 member' : `${members} members`;
  return `${file} proves to whoever has it who signed that message: "securechat check" reads it. Besides the text it holds the room's topic and the member list of then: ${list}, with fingerprints.`;
}
