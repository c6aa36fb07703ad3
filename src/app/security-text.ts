/** What `/security` says: who sees what just now, and which keys are in use. Facts in, sentences for everyone out. */
import { formatDuration } from '../protocol/duration.ts';
import { formatFingerprint } from '../protocol/fingerprint.ts';
import type { Hash } from '../protocol/identifiers.ts';
import { LIMITS } from '../protocol/limits.ts';
import type { Policy } from '../protocol/room-settings.ts';
import type { Algorithm } from '../protocol/signed-objects.ts';
import { policyLines } from '../terminal/view/policy-lines.ts';

export interface SecurityFacts {
  readonly ownerFingerprint: Hash;
  readonly policy: Policy;
  /** What the host has on its disk. */
  readonly keeps: 'nothing' | 'ciphertext';
  /** Of the member list. */
  readonly epoch: number;
  readonly members: number;
  /** The host's own nickname; `null` where it takes no part. */
  readonly hostNick: string | null;
  /** Where what one types goes, if not to the room. */
  readonly place: PlaceFacts | null;
  /** `null` for a host that takes no part. */
  readonly self: SelfFacts | null;
  readonly nowMs: number;
}

interface PlaceFacts {
  readonly label: string;
  readonly members: number;
  readonly hostIsIn: boolean;
}

export interface SelfFacts {
  readonly algorithm: Algorithm;
  readonly identity: Hash;
  /** Others in the room whose key is marked. */
  readonly verified: number;
  readonly wrapKeys: { readonly generation: number; readonly madeAtMs: number };
  /** The latest key to send under; `null` where nothing has been said yet, or the next message makes another. */
  readonly chain: { readonly number: number; readonly startedAtMs: number; readonly messages: number } | null;
  /** An alarm that nobody has taken note of. */
  readonly heldBack: boolean;
  /** Under keys in the place of verified ones. */
  readonly untrusted: readonly string[];
  /** Said and not placed. */
  readonly unplaced: number;
}

const SIGNS: Readonly<Record<Algorithm, string>> = { rsa: 'RSA-PSS', dsa: 'DSA' };
const LABEL_COLUMNS = 9;

/** A heading, then a line each: what it is about in its first column. */
export function securityLines(facts: SecurityFacts): readonly string[] {
  const { self, keeps, policy } = facts;
  const rows: readonly (readonly [string, string])[] = [
    [
      'Host',
      `sees nicknames, addresses, who is in which conversation, who talks when and about how much, how far each has read, the room's topic and rules. ${hostText(facts)}`,
    ],
    ['Network', "sees which machines talk to the host's, when and how much; neither names nor words."],
    ['Members', membersText(facts)],
    ...(self === null ? [] : [['Verified', verifiedText(facts.members - 1, self.verified)] as const]),
    [
      'List',
      `number ${facts.epoch}, signed by the owner key ${formatFingerprint(facts.ownerFingerprint)}: everyone is shown each change.`,
    ],
    ['Messages', 'AES-256-GCM, each under a key used once, and signed by their sender.'],
    ...(self === null ? [] : ownKeys(self, facts.nowMs)),
    [
      'Disk',
      keeps === 'nothing'
        ? 'The host keeps nothing there.'
        : 'The host keeps ciphertext there until everyone has it.',
    ],
    ['Policy', policyLines(policy).join(' ')],
    ...(self === null ? [] : [['Held back', heldText(self)] as const]),
    [
      'Beware',
      'Members can pass on what they read, and signatures prove who wrote it. This program was not independently audited.',
    ],
  ];
  return [
    'What protects this room, just now:',
    ...rows.map(([label, text]) => `  ${label.padEnd(LABEL_COLUMNS)}  ${text}`),
  ];
}

function hostText({ hostNick, place }: SecurityFacts): string {
  if (hostNick === null) return 'It takes no part and cannot read what is said.';
  if (place !== null && !place.hostIsIn)
    return `${hostNick} hosts, is not in ${place.label} and cannot read what is said there.`;
  return `${hostNick} hosts and takes part, and so reads like any member.`;
}

function membersText({ members, self, place }: SecurityFacts): string {
  const count = place?.members ?? members;
  const who = (count === 1 ? '1 member' : `${count} members`) + (place === null ? '' : ` of ${place.label}`);
  if (self === null) return `${who} can read what is said now; this program cannot.`;
  return `${who} can read what you say now, whoever is offline included. They see no addresses. Who comes later reads nothing from before.`;
}

function verifiedText(others: number, verified: number): string {
  if (others === 0) return 'Nobody else is here.';
  return `You have compared keys with ${verified} of ${others} others: /verify NICK for one, /room for all at once.`;
}

/** What is one's own: a key for as long as one is a member, keys to receive, a key to send. */
function ownKeys(
  { algorithm, identity, wrapKeys, chain }: SelfFacts,
  nowMs: number,
): readonly (readonly [string, string])[] {
  const age = (sinceMs: number): string => `${formatDuration(nowMs - sinceMs)} old`;
  const hour = formatDuration(LIMITS.wrapKeyMs);
  const sending =
    chain === null
      ? 'The next thing you say makes a new one'
      : `Number ${chain.number}, ${age(chain.startedAtMs)}, ${chain.messages} said under it`;
  return [
    ['Your key', `${SIGNS[algorithm]}, ${formatFingerprint(identity)}: it signs all you say.`],
    [
      'To you',
      `keys are sealed under RSA-3072-OAEP with ML-KEM-768, generation ${wrapKeys.generation}, ${age(wrapKeys.madeAtMs)}; new ones every ${hour}.`,
    ],
    [
      'From you',
      `${sending}; another after ${LIMITS.chainMessages} messages, ${formatDuration(LIMITS.chainMs)}, or when someone goes.`,
    ],
  ];
}

function heldText({ heldBack, untrusted, unplaced }: SelfFacts): string {
  const reasons = [
    ...(heldBack ? ['All that you say, after an alarm: /fork ack accepts it.'] : []),
    ...(untrusted.length > 0
      ? [
          `All that you say where ${untrusted.join(', ')} would read it, under changed keys: /verify or /trust decides.`,
        ]
      : []),
  ];
  if (reasons.length > 0) return reasons.join(' ');
  if (unplaced === 0) return 'Nothing.';
  return `${unplaced === 1 ? '1 message' : `${unplaced} messages`} of yours on the way.`;
}
